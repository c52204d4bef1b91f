package import CertificateTransparency

/// Whether certificates make a chain to a trusted root, and if not, why (RFC 5280, section 6).
package struct ChainVerification: Hashable, Sendable {
  /// What stands in the way. Depths count from the server's own certificate, which is 0.
  package enum Problem: Hashable, Sendable, CustomStringConvertible {
    case noCertificate
    /// The certificate at this place among those given is none.
    case unreadable(index: Int)
    /// Nobody given or trusted is the issuer of the certificate at `depth`; `caIssuers` are the addresses it names,
    /// where its issuer may be had.
    case issuerMissing(depth: Int, issuer: String, caIssuers: [String])
    /// The chain ends in a root that is not trusted.
    case untrustedRoot(depth: Int, subject: String)
    case expired(depth: Int)
    case notYetValid(depth: Int)
    case badSignature(depth: Int)
    /// By OpenSSL's number and words (`X509_V_ERR_…`).
    case other(number: Int32, reason: String, depth: Int)

    /// A stable word for programs.
    package var code: String {
      switch self {
      case .noCertificate: "no-certificate"
      case .unreadable: "unreadable-certificate"
      case .issuerMissing: "issuer-missing"
      case .untrustedRoot: "untrusted-root"
      case .expired: "expired"
      case .notYetValid: "not-yet-valid"
      case .badSignature: "bad-signature"
      case .other: "chain-invalid"
      }
    }

    package var description: String {
      switch self {
      case .noCertificate: "there is no certificate"
      case .unreadable(let index): "certificate \(index) is not one that can be read"
      case .issuerMissing(let depth, let issuer, let addresses):
        "the issuer of certificate \(depth) is missing (\(issuer))"
          + (addresses.isEmpty ? "" : "; it may be had from \(addresses.joined(separator: ", "))")
      case .untrustedRoot(let depth, let subject): "certificate \(depth) is a root that is not trusted (\(subject))"
      case .expired(let depth): "certificate \(depth) had expired"
      case .notYetValid(let depth): "certificate \(depth) was not yet valid"
      case .badSignature(let depth): "the signature on certificate \(depth) is not its issuer's"
      case .other(_, let reason, let depth): "certificate \(depth): \(reason)"
      }
    }
  }

  /// The server's own certificate first and, without a problem, the trusted root last; with one, as far as it was built.
  package internal(set) var chain: [[UInt8]] = []
  /// Nil if the chain is good.
  package internal(set) var problem: Problem?
  /// Whether the server's own certificate is for the host; nil if no host was asked about.
  package internal(set) var hostMatches: Bool?
  /// Which of the certificates given is the server's own.
  package internal(set) var leafIndex = 0
  /// Whether they had to be put in order.
  package internal(set) var isReordered = false
  /// Which of them the chain does not need.
  package internal(set) var unused: [Int] = []

  package var isVerified: Bool { problem == nil }

  /// Verifies a chain for a TLS server.
  ///
  /// - Parameters:
  ///   - sent: the certificates as the server sent them, in its order; repaired if need be.
  ///   - intermediates: others that may help, say those fetched from a `caIssuers` address.
  ///   - host: a name in ASCII or an address.
  package init(
    of sent: [[UInt8]], intermediates: [[UInt8]] = [], host: String? = nil, at time: Timestamp,
    anchors: TrustAnchors
  ) {
    guard !sent.isEmpty else {
      problem = .noCertificate
      return
    }
    leafIndex = ChainVerification.leafIndex(of: sent)
    isReordered = leafIndex != 0
    verify(sent, intermediates, host, time, anchors)
  }

  /// The first certificate that issued none of the others; the first of all if there is none, or that is unreadable.
  private static func leafIndex(of sent: [[UInt8]]) -> Int {
    let names = sent.map { certificate -> (subject: [UInt8], issuer: [UInt8])? in
      let bytes = certificate.span
      guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes), !fields.subject.isEmpty
      else { return nil }
      return (bytes.copy(fields.subject), bytes.copy(fields.issuer))
    }
    guard names[0] != nil else { return 0 }
    let leaf = names.indices.first { index in
      guard let subject = names[index]?.subject else { return false }
      return !names.indices.contains { other in
        other != index && names[other]?.issuer == subject && names[other]?.subject != subject
      }
    }
    return leaf ?? 0
  }

  /// Takes over what the walk found, the chain's members by their place among those sent.
  mutating func note(_ places: [Int?], among count: Int) {
    let used = places.compactMap { $0 }
    isReordered = isReordered || used != used.sorted()
    unused = (0..<count).filter { !used.contains($0) }
  }

  /// The problem that the last certificate of a chain without end has.
  static func issuerMissing(in chain: [[UInt8]], depth: Int) -> Problem {
    guard let last = chain.last else { return .noCertificate }
    let bytes = last.span
    let issuer = CertificateFields(certificate: 0..<bytes.count, in: bytes)
      .flatMap { DistinguishedName($0.issuer, in: bytes) }
    return .issuerMissing(
      depth: depth, issuer: issuer?.description ?? "its name can't be read",
      caIssuers: AuthorityInformation.caIssuers(ofCertificate: last))
  }

  static func subject(of certificate: [UInt8]?) -> String {
    guard let certificate else { return "" }
    let bytes = certificate.span
    return CertificateFields(certificate: 0..<bytes.count, in: bytes)
      .flatMap { DistinguishedName($0.subject, in: bytes) }?.description ?? ""
  }
}

/// The extension that says where an issuer's certificate may be had (RFC 5280, 4.2.2.1).
package enum AuthorityInformation {
  /// 1.3.6.1.5.5.7.1.1
  private static let identifier: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01]
  /// 1.3.6.1.5.5.7.48.2
  private static let caIssuers: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02]

  /// The HTTP addresses given for the issuer's certificate, at most 8 of them.
  package static func caIssuers(ofCertificate certificate: [UInt8]) -> [String] {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes),
      let extensions = ExtensionFields.list(bytes, in: fields.extensions),
      let found = extensions.first(where: { bytes.equals($0.identifier, identifier) }),
      let outer = DERElement.read(bytes, at: found.value.lowerBound, limit: found.value.upperBound, tag: 0x30),
      let descriptions = DERElement.list(bytes, in: outer.content, maximum: 64)
    else { return [] }
    var addresses: [String] = []
    for description in descriptions where addresses.count < 8 {
      guard
        let method = DERElement.read(
          bytes, at: description.contentStart, limit: description.end, tag: DERTag.objectIdentifier),
        bytes.equals(method.content, caIssuers),
        let location = DERElement.read(bytes, at: method.end, limit: description.end, tag: 0x86),
        location.content.count <= 2048
      else { continue }
      let text = bytes.copy(location.content)
      guard text.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { continue }
      let address = String(decoding: text, as: UTF8.self)
      guard ["http://", "https://"].contains(where: address.lowercased().hasPrefix) else { continue }
      addresses.append(address)
    }
    return addresses
  }
}
