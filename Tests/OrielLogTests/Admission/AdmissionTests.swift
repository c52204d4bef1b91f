import CertificateTransparency
import Crypto
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// An authority, and a log's rules that accept it.
struct Office {
  let authority: TestAuthority
  let roots = RootStore()
  let now = HeldClock().start

  init() throws {
    authority = try TestAuthority(seed: 21)
    roots.add([authority.root.chain[0]])
  }

  func rules(_ change: (inout AdmissionRules) -> Void = { _ in }) -> AdmissionRules {
    var rules = AdmissionRules()
    change(&rules)
    return rules
  }

  func admit(
    _ chain: [[UInt8]], as kind: LogEntryKind = .x509, _ change: (inout AdmissionRules) -> Void = { _ in }
  ) throws(Rejection) -> PendingEntry {
    try Admission(rules(change), roots: roots).admit(chain: chain, as: kind, at: now)
  }
}

@Suite("Admission")
struct AdmissionTests {
  @Test("A certificate is logged with the whole path to the root, sent or not", arguments: [true, false])
  func certificate(sendsRoot: Bool) throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let entry = try office.admit([pair.certificate] + (sendsRoot ? pair.chain : Array(pair.chain.dropLast())))
    #expect(entry.kind == .x509)
    #expect(entry.issuers.map(\.der) == pair.chain)
    #expect(entry.issuers.map(\.fingerprint) == pair.chain.map { SHA256Hash.hash($0) })
    #expect(entry.isLowPriority, "it carries SCTs")
    let expected = MerkleTreeLeaf(
      TimestampedEntry(
        timestamp: office.now, body: .x509(certificate: pair.certificate),
        extensions: try CTExtensions(leafIndex: 5_000_000_000).encoded()))
    let place = LogPlace(index: 5_000_000_000, timestamp: office.now)
    #expect(entry.signatureInput(at: place) == (try expected.encoded()))
  }

  @Test("A precertificate is logged as its issuer will have it", arguments: [false, true])
  func precertificate(usesSigningCertificate: Bool) throws {
    let office = try Office()
    var request = CertificateRequest(["a.example"])
    request.usesSigningCertificate = usesSigningCertificate
    let pair = try office.authority.issue(request)
    let pending = pair.pending
    let entry = try office.admit([pending.precertificate] + pending.precertificateChain, as: .precertificate)
    let body = LogEntryBody.precertificate(issuerKeyHash: pair.issuerKeyHash, tbsCertificate: pair.tbsWithoutPoison)
    #expect(entry.issuers.map(\.der) == pending.precertificateChain)
    #expect(!entry.isLowPriority)
    let place = LogPlace(index: 1, timestamp: office.now)
    let expected = MerkleTreeLeaf(
      TimestampedEntry(timestamp: office.now, body: body, extensions: try CTExtensions(leafIndex: 1).encoded()))
    #expect(entry.signatureInput(at: place) == (try expected.encoded()))
  }

  @Test("An old precertificate has low priority")
  func oldPrecertificate() throws {
    let office = try Office()
    for (hours, isLow) in [(47, false), (48, true)] {
      var request = CertificateRequest(["a.example"])
      request.notBefore = Timestamp(milliseconds: office.now.milliseconds - UInt64(hours) * 3_600_000)
      let pending = try office.authority.begin(request)
      let entry = try office.admit([pending.precertificate] + pending.precertificateChain, as: .precertificate)
      #expect(entry.isLowPriority == isLow)
    }
  }

  @Test("A chain out of order, with a stranger in it, is put right")
  func disorder() throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let stranger = try TestAuthority(seed: 22, organisation: "Stranger").intermediate().chain
    for rest in [pair.chain.reversed(), stranger + pair.chain, [pair.chain[1]] + stranger + [pair.chain[0]]] {
      #expect(try office.admit([pair.certificate] + rest).issuers.map(\.der) == pair.chain)
    }
  }

  @Test("Both bodies are read: as clients write them, and as JSON allows")
  func bodies() throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let chain = [pair.certificate] + pair.chain
    let texts = chain.map { "\"\(Base64.encode($0))\"" }
    let joined = texts.joined(separator: ",")
    for body in [
      "{\"chain\":[\(joined)]}", " { \"chain\" : [ \(texts.joined(separator: " , ")) ] } \n",
      "{\"extra\":{\"a\":[1]},\"chain\":[\(joined)]}",
      "{\"chain\":[\(joined.replacing("/", with: "\\/"))]}", "{\"cha\\u0069n\":[\(joined)],\"x\":null}",
    ] {
      #expect(try SubmissionBody.chain(Array(body.utf8)) == chain)
      let admission = Admission(office.rules(), roots: office.roots)
      #expect(try admission.admit(Array(body.utf8), as: .x509, at: office.now).issuers.count == 2)
    }
  }

  @Test("A refusal names certificates without a name, too")
  func emptyName() {
    #expect(ParsedCertificate.text(ofName: [0x30, 0x00]) == "(empty name)")
    #expect(ParsedCertificate.text(ofName: [0x31]) == "an unreadable name")
  }

  @Test(
    "What is no submission is told so",
    arguments: [
      "", "{", "null", "[]", "{}", "{\"chain\":null}", "{\"chain\":\"AA==\"}", "{\"chain\":[1]}", "{\"chain\":[\"A\"]}",
      "{\"chain\":[\"AA==\"}", "{\"chain\":[\"AA==\"]", "{\"chain\":[\"AA==\"]}x",
      "{\"chain \":[\"AA==\"]}", "{\"chain\":[\"A\u{0}==\"]}", "{\"chain\":[\"AA==", "{\"chain\":[\"AB==\"]}",
    ])
  func malformedBodies(body: String) throws {
    let rejection = #expect(throws: Rejection.self) { try SubmissionBody.chain(Array(body.utf8)) }
    guard case .malformedBody = rejection else {
      Issue.record("\(String(describing: rejection))")
      return
    }
    #expect(rejection?.status == 400)
  }

  /// A way to go wrong, and how it is answered.
  struct Case: Sendable, CustomStringConvertible {
    let description: String
    var kind = LogEntryKind.x509
    var rules: @Sendable (inout AdmissionRules) -> Void = { _ in }
    let chain: @Sendable (Office, IssuedPair) throws -> [[UInt8]]
    let isExpected: @Sendable (Rejection) -> Bool
  }

  static func flipped(_ der: [UInt8], _ offset: Int) -> [UInt8] {
    var der = der
    der[offset] ^= 1
    return der
  }

  private static let cases: [Case] = [
    Case(description: "no chain") { _, _ in
      []
    } isExpected: {
      $0 == .emptyChain
    },
    Case(description: "too many certificates", rules: { $0.maximumChainCount = 2 }) { _, pair in
      [pair.certificate] + pair.chain
    } isExpected: {
      $0 == .chainTooLong(count: 3, limit: 2)
    },
    Case(description: "a large certificate", rules: { $0.maximumCertificateByteCount = 500 }) { _, pair in
      [pair.certificate] + pair.chain
    } isExpected: {
      $0 == .certificateTooLarge(position: 0, limit: 500)
    },
    Case(description: "an empty certificate") { _, pair in
      [[]] + pair.chain
    } isExpected: {
      isMalformed($0, 0)
    },
    Case(description: "a byte too many") { _, pair in
      [pair.certificate + [0]] + pair.chain
    } isExpected: {
      isMalformed($0, 0)
    },
    Case(description: "garbage behind the certificate") { _, pair in
      [pair.certificate, [1, 2, 3]]
    } isExpected: {
      isMalformed($0, 1)
    },
    Case(description: "a precertificate to add-chain") { _, pair in
      [pair.precertificate] + pair.chain
    } isExpected: {
      $0 == .precertificateToAddChain
    },
    Case(description: "a certificate to add-pre-chain", kind: .precertificate) { _, pair in
      [pair.certificate] + pair.chain
    } isExpected: {
      $0 == .certificateToAddPreChain
    },
    Case(description: "poison twice", kind: .precertificate) { office, _ in
      var request = CertificateRequest(["a.example"])
      request.extraExtensions = [CertificateExtension.build(OID.poison, critical: true) { $0.null() }]
      let pending = try office.authority.begin(request)
      return [pending.precertificate] + pending.precertificateChain
    } isExpected: {
      isBadPoison($0)
    },
    Case(description: "poison that is not critical", kind: .precertificate) { office, _ in
      try poisoned(office) { CertificateExtension.build(OID.poison) { $0.null() } }
    } isExpected: {
      isBadPoison($0)
    },
    Case(description: "poison that holds something", kind: .precertificate) { office, _ in
      try poisoned(office) { CertificateExtension.build(OID.poison, critical: true) { $0.octetString([UInt8(1)]) } }
    } isExpected: {
      isBadPoison($0)
    },
    Case(description: "an unknown root") { _, _ in
      let pair = try TestAuthority(seed: 23, organisation: "Unknown").issue(CertificateRequest(["a.example"]))
      return [pair.certificate] + pair.chain
    } isExpected: {
      if case .noPath(let issuer) = $0 { issuer.contains("Unknown Root") } else { false }
    },
    Case(description: "a link missing") { _, pair in
      [pair.certificate, pair.chain[1]]
    } isExpected: {
      if case .noPath(let issuer) = $0 { issuer.contains("Issuing CA") } else { false }
    },
    Case(description: "a signature that is not its issuer's") { _, pair in
      [flipped(pair.certificate, pair.certificate.count - 5)] + pair.chain
    } isExpected: {
      if case .badSignature = $0 { true } else { false }
    },
    Case(description: "a root of the right name and another key") { office, pair in
      let other = try TestAuthority(seed: 99, organisation: office.authority.organisation)
      let forged = try other.issue(CertificateRequest(["a.example"]))
      return [forged.certificate] + forged.chain
    } isExpected: {
      if case .badSignature = $0 { true } else { false }
    },
    Case(description: "signed by what is no authority") { office, _ in
      let (leaf, key) = try Small.leaf(office)
      return [try Small.certificate(issuer: leaf.subject, key: key, name: "below"), leaf.der] + leaf.chain
    } isExpected: {
      if case .noPath = $0 { true } else { false }
    },
    Case(description: "too early", rules: { $0.window = window(from: 200, to: 300) }) { _, pair in
      [pair.certificate] + pair.chain
    } isExpected: {
      isOutsideWindow($0)
    },
    Case(description: "too late", rules: { $0.window = window(from: 0, to: 90) }) { _, pair in
      [pair.certificate] + pair.chain
    } isExpected: {
      isOutsideWindow($0)
    },
    Case(description: "not for servers", rules: { $0.requiresServerAuth = true }) { office, _ in
      let usage = CertificateExtension.build(OID.extendedKeyUsage) { value in
        value.sequence { $0.identifier("1.3.6.1.5.5.7.3.4") }
      }
      let issuer = try office.authority.intermediate()
      return [try Small.certificate(issuer: issuer.name, key: issuer.key, extensions: usage)] + issuer.chain
    } isExpected: {
      $0 == .notForServers
    },
    Case(description: "SHA-1 below a root that is no test root") { office, _ in
      let issuer = try office.authority.intermediate()
      return [try Small.certificate(issuer: issuer.name, key: issuer.key, usesSHA1: true)] + issuer.chain
    } isExpected: {
      if case .weakSignature = $0 { true } else { false }
    },
  ]

  private static func isMalformed(_ rejection: Rejection, _ position: Int) -> Bool {
    if case .malformedCertificate(position, _) = rejection { true } else { false }
  }
  private static func isBadPoison(_ rejection: Rejection) -> Bool {
    if case .badPoison = rejection { true } else { false }
  }
  private static func isOutsideWindow(_ rejection: Rejection) -> Bool {
    if case .outsideWindow = rejection { true } else { false }
  }
  private static func poisoned(_ office: Office, _ poison: () -> [UInt8]) throws -> [[UInt8]] {
    let issuer = try office.authority.intermediate()
    return [try Small.certificate(issuer: issuer.name, key: issuer.key, extensions: poison())] + issuer.chain
  }
  /// Days from the start of the test world.
  private static func window(from: UInt64, to: UInt64) -> Range<Timestamp> {
    let start = HeldClock().start.milliseconds
    return Timestamp(milliseconds: start + from * 86_400_000)..<Timestamp(milliseconds: start + to * 86_400_000)
  }

  @Test("Each way to go wrong has its answer", arguments: cases)
  func rejections(wrong: Case) throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let chain = try wrong.chain(office, pair)
    let rejection = #expect(throws: Rejection.self) { try office.admit(chain, as: wrong.kind, wrong.rules) }
    guard let rejection else { return }
    #expect(wrong.isExpected(rejection), "\(rejection)")
    #expect(rejection.status == 400)
    #expect(rejection.description.count > 15)
  }

  @Test("The window takes its start, and not its end")
  func windowBounds() throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let chain = [pair.certificate] + pair.chain
    for (from, to, isIn) in [(90, 91, true), (89, 90, false), (0, 91, true)] as [(UInt64, UInt64, Bool)] {
      let admitted = (try? office.admit(chain) { $0.window = Self.window(from: from, to: to) }) != nil
      #expect(admitted == isIn)
    }
  }

  @Test("A body that is too large is not even looked at")
  func largeBody() throws {
    let office = try Office()
    let admission = Admission(office.rules { $0.maximumBodyByteCount = 10 }, roots: office.roots)
    let rejection = #expect(throws: Rejection.self) {
      try admission.admit(Array("{\"chain\":[]}".utf8), as: .x509, at: office.now)
    }
    #expect(rejection == .bodyTooLarge(limit: 10))
    #expect(rejection?.status == 413)
  }

  @Test("SHA-1 leads to a test root, and the same chain twice verifies from memory")
  func testRoots() throws {
    let authority = try TestAuthority(seed: 24, organisation: "Monitor")
    let issuer = try authority.intermediate()
    let roots = RootStore()
    roots.add([authority.root.chain[0]], allowingSHA1: true)
    let admission = Admission(AdmissionRules(), roots: roots)
    let chain = [try Small.certificate(issuer: issuer.name, key: issuer.key, usesSHA1: true)] + issuer.chain
    for _ in 0..<2 { #expect(try admission.admit(chain: chain, as: .x509, at: HeldClock().start).issuers.count == 2) }
    // What is in memory must not let another signature through.
    var forged = chain
    forged[1] = Self.flipped(forged[1], forged[1].count - 5)
    #expect(throws: Rejection.self) { try admission.admit(chain: forged, as: .x509, at: HeldClock().start) }
  }

  @Test("A web of cross-signed authorities is given up in bounded time")
  func manyPaths() throws {
    let office = try Office()
    let keys = (0..<14).map { P256.Signing.PrivateKey(seed: $0, label: "web") }
    let name = DERWriter.name(organisation: "Web", commonNames: ["Everybody"])
    let web = try keys.map { try Small.certificate(issuer: name, key: $0, subject: name, isAuthority: true) }
    let leaf = try Small.certificate(issuer: name, key: keys[0])
    #expect(throws: Rejection.self) { try office.admit([leaf] + web) }
  }

  @Test("No cut or changed byte of a chain makes admission fail otherwise than by a rejection")
  func robustness() throws {
    let office = try Office()
    let pair = try office.authority.issue(CertificateRequest(["a.example"]))
    let pending = pair.pending
    var generator = SeededGenerator(seed: 5)
    for round in 0..<3000 {
      var chain = [pending.precertificate] + pending.precertificateChain
      let position = Int(generator.next() % 3)
      let offset = Int(generator.next() % UInt64(chain[position].count))
      if round % 3 == 0 {
        chain[position].removeSubrange(offset...)
      } else {
        chain[position][offset] = UInt8(truncatingIfNeeded: generator.next())
      }
      _ = try? office.admit(chain, as: round % 5 == 0 ? .x509 : .precertificate)
    }
  }
}

/// Certificates with only what a test needs in them.
enum Small {
  struct Leaf {
    let der: [UInt8]
    let subject: [UInt8]
    let chain: [[UInt8]]
  }

  /// A certificate for a server, and its key.
  static func leaf(_ office: Office) throws -> (Leaf, P256.Signing.PrivateKey) {
    let key = P256.Signing.PrivateKey(seed: 1, label: "leaf")
    let subject = DERWriter.name(organisation: nil, commonNames: ["leaf"])
    let issuer = try office.authority.intermediate()
    let der = try certificate(issuer: issuer.name, key: issuer.key, subject: subject, subjectKey: key)
    return (Leaf(der: der, subject: subject, chain: issuer.chain), key)
  }

  static func certificate(
    issuer: [UInt8], key: P256.Signing.PrivateKey, name: String = "small", subject: [UInt8]? = nil,
    subjectKey: P256.Signing.PrivateKey? = nil, extensions: [UInt8] = [], usesSHA1: Bool = false,
    isAuthority: Bool = false
  ) throws -> [UInt8] {
    let algorithm = DERWriter.build { der in
      der.sequence { $0.identifier(usesSHA1 ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2") }
    }
    let authority = CertificateExtension.build(OID.basicConstraints, critical: true) { value in
      value.sequence { $0.boolean(true) }
    }
    let now = HeldClock().start
    let tbs = DERWriter.build { der in
      der.sequence { body in
        body.context(0) { $0.integer(UInt64(2)) }
        body.integer(UInt64(77))
        body.raw(algorithm)
        body.raw(issuer)
        body.sequence {
          $0.time(now)
          $0.time(Timestamp(milliseconds: now.milliseconds + 86_400_000))
        }
        body.raw(subject ?? DERWriter.name(organisation: nil, commonNames: [name]))
        body.raw([UInt8]((subjectKey ?? key).publicKey.derRepresentation))
        body.context(3) { wrapper in
          wrapper.sequence {
            $0.raw(extensions)
            if isAuthority { $0.raw(authority) }
          }
        }
      }
    }
    let signature =
      usesSHA1
      ? try key.signature(for: Insecure.SHA1.hash(data: tbs)) : try key.signature(for: SHA256.hash(data: tbs))
    return DERWriter.build { der in
      der.sequence {
        $0.raw(tbs)
        $0.raw(algorithm)
        $0.bitString([UInt8](signature.derRepresentation))
      }
    }
  }
}
