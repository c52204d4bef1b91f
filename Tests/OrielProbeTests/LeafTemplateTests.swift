import CertificateTransparency
import TestWorld
import Testing

@testable import OrielProbe

/// What OpenSSL found good of one certificate vouches for others of its kind; nothing else comes of that than with
/// OpenSSL alone.
@Suite("A certificate of a kind that was verified before")
struct LeafTemplateTests {
  static let now = Timestamp(milliseconds: 1_780_000_000_000)
  let authority: TestAuthority
  let root: [UInt8]

  init() throws {
    authority = try TestAuthority(seed: 9, now: { Self.now })
    root = authority.root.chain[0]
  }

  private func issue(_ request: CertificateRequest) throws -> [[UInt8]] {
    let pair = try authority.begin(request).finish([])
    return [pair.certificate] + pair.chain.dropLast()
  }

  /// Below roots that have verified a certificate of the usual kind before.
  private func experienced() throws -> TrustAnchors {
    let anchors = try TrustAnchors(certificates: [root])
    let first = try issue(CertificateRequest(["first.example"]))
    #expect(ChainVerification(of: first, at: Self.now, anchors: anchors).isVerified)
    return anchors
  }

  private func isKnownKind(_ sent: [[UInt8]], _ anchors: TrustAnchors) -> Bool {
    guard let leaf = LeafTemplate.Leaf(sent[0]),
      let template = LeafTemplate(leaf, among: sent, at: 0, intermediates: [], time: Self.now)
    else { return false }
    return anchors.templates[template]?.signed(leaf) ?? false
  }

  struct Variant: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var host: String? = "second.example"
    /// Whether it is of the kind.
    var isKnownKind = true
    var isVerified = true
    var hostMatches: Bool? = true
    var change: @Sendable (inout CertificateRequest) -> Void = { _ in }
  }

  static let variants: [Variant] = {
    var variants = [
      Variant(testDescription: "alike"),
      Variant(testDescription: "host with a dot at its end", host: "second.example."),
      Variant(testDescription: "host in capitals", host: "SECOND.example"),
      Variant(testDescription: "no host", host: nil, hostMatches: nil),
      Variant(testDescription: "another host", host: "other.example", hostMatches: false),
      Variant(testDescription: "below a star", host: "a_b.star.example") { $0.dnsNames.append("*.star.example") },
      Variant(testDescription: "two labels below a star", host: "a.b.star.example", hostMatches: false) {
        $0.dnsNames.append("*.star.example")
      },
      Variant(testDescription: "a star before a top-level domain", host: "any.example", hostMatches: false) {
        $0.dnsNames.append("*.example")
      },
      Variant(testDescription: "an address among the names", isKnownKind: false) { $0.ipAddresses = [[192, 0, 2, 1]] },
      Variant(testDescription: "an address as host", host: "192.0.2.1", isKnownKind: false) {
        $0.ipAddresses = [[192, 0, 2, 1]]
      },
      Variant(testDescription: "another organisation") { $0.organisation = "Second Ltd" },
      Variant(testDescription: "an organisation that is not ASCII", isKnownKind: false) {
        $0.organisation = "Zweite Ö"
      },
      Variant(testDescription: "another issuer", isKnownKind: false) { $0.issuerOrganisation = "Other" },
    ]
    variants += [
      Variant(testDescription: "expired", isKnownKind: false, isVerified: false) {
        $0.notBefore = Timestamp(milliseconds: now.milliseconds - 2_000_000)
        $0.notAfter = Timestamp(milliseconds: now.milliseconds - 1000)
      },
      // OpenSSL takes the last second for too late already.
      Variant(testDescription: "in its last second", isKnownKind: false, isVerified: false) { $0.notAfter = now },
      Variant(testDescription: "in its first second") { $0.notBefore = now },
      Variant(testDescription: "not yet valid", isKnownKind: false, isVerified: false) {
        $0.notBefore = Timestamp(milliseconds: now.milliseconds + 1000)
      },
      Variant(testDescription: "a negative serial number", isKnownKind: false) { $0.serial = [0x81, 1] },
      Variant(testDescription: "an unknown critical extension", isKnownKind: false, isVerified: false) {
        $0.extraExtensions = [DEREncoder.element(tag: 0x30, [6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 2, 5, 0])]
      },
      Variant(testDescription: "an unknown extension", isKnownKind: false) {
        $0.extraExtensions = [DEREncoder.element(tag: 0x30, [6, 3, 0x2a, 3, 4, 4, 2, 5, 0])]
      },
      Variant(testDescription: "names that can't be read", isKnownKind: false, isVerified: false, hostMatches: false) {
        $0.subjectAltNameValue = [0x30, 0x05, 0x82, 0x09, 0x61]
      },
      Variant(testDescription: "a subject of another form", isKnownKind: false) {
        $0.subject = [0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 0x1e, 2, 0, 0x61]
      },
      Variant(testDescription: "no subject") { $0.subject = [0x30, 0] },
    ]
    return variants
  }()

  @Test("gets the answer that it gets without that", arguments: variants)
  func same(_ variant: Variant) throws {
    var request = CertificateRequest(["second.example"])
    variant.change(&request)
    let sent = try issue(request)
    let anchors = try experienced()
    #expect(isKnownKind(sent, anchors) == variant.isKnownKind)
    let usual = ChainVerification(
      of: sent, host: variant.host, at: Self.now, anchors: try TrustAnchors(certificates: [root]))
    #expect(ChainVerification(of: sent, host: variant.host, at: Self.now, anchors: anchors) == usual)
    #expect(usual.isVerified == variant.isVerified && usual.hostMatches == variant.hostMatches)
  }

  @Test("is found bad with any byte of it changed, cut, or added")
  func changed() throws {
    let anchors = try experienced()
    let fresh = try TrustAnchors(certificates: [root])
    let sent = try issue(CertificateRequest(["second.example"]))
    #expect(isKnownKind(sent, anchors))
    var versions = sent[0].indices.map { place in
      var version = sent[0]
      version[place] ^= 0x11
      return version
    }
    versions += [sent[0] + [0], Array(sent[0].dropLast())]
    for version in versions {
      let broken = [version] + sent.dropFirst()
      #expect(!isKnownKind(broken, anchors))
      #expect(
        ChainVerification(of: broken, at: Self.now, anchors: anchors)
          == ChainVerification(of: broken, at: Self.now, anchors: fresh))
    }
  }

  @Test("vouches for nothing below a CA whose names are constrained")
  func constrained() throws {
    var request = CertificateRequest(["ca.example"])
    let leaf = try issue(request)[0]
    request.extraExtensions = [DEREncoder.element(tag: 0x30, [6, 3, 0x55, 0x1d, 0x1e, 4, 2, 0x30, 0])]
    let constrained = try issue(request)[0]
    let verified = try #require(X509Certificate(leaf))
    for (issuer, isUsable) in [(leaf, true), (constrained, false)] {
      let issuers = VerifiedIssuers(verified, [leaf, issuer, root], places: [0, 1, nil], ParsedIssuers())
      #expect((issuers != nil) == isUsable)
    }
  }

  @Test("vouches for nothing at another time, or with other certificates")
  func elsewhere() throws {
    let anchors = try experienced()
    let sent = try issue(CertificateRequest(["second.example"]))
    let later = Timestamp(milliseconds: Self.now.milliseconds + 400 * 86_400_000)
    #expect(ChainVerification(of: sent, at: later, anchors: anchors).problem == .expired(depth: 0))
    #expect(!ChainVerification(of: [sent[0]], at: Self.now, anchors: anchors).isVerified)
    let found = ChainVerification(of: [sent[0], root] + sent.dropFirst(), at: Self.now, anchors: anchors)
    #expect(found.isVerified && found.isReordered)
    #expect(
      ChainVerification(of: sent, at: Self.now, anchors: try TrustAnchors(certificates: [sent[1]])).problem != nil)
  }
}
