import CTPolicy
import CertificateTransparency
import TestSupport
import TestWorld
import Testing

/// Published vectors of Google, Chromium, Mozilla and the `sct` crate.
@Suite(.needsTestData)
struct VectorTests {
  private static func log(_ der: [UInt8]) throws -> LogDescription {
    try #require(GroundTruth.description(der, name: "log", operatorName: "operator"))
  }

  private static func googleLogs() throws -> LogView {
    let keys = ["ct-server-key-public.pem", "rsa/ct-server-key-public-rsa.pem"]
    return LogView(
      try keys.map { name in
        let key = try LogKey(pemRepresentation: TestData.text("vectors/google_ct/\(name)"))
        return try log(key.derRepresentation)
      }, timestamp: nil)
  }

  static func list(_ scts: [[UInt8]]) -> [UInt8] {
    let items = scts.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] + $0 }
    return [UInt8(items.count >> 8), UInt8(items.count & 0xff)] + items
  }

  struct Embedded: CustomTestStringConvertible {
    let file: String
    let issuer: String
    let status: ReportedSCT.Status

    var testDescription: String { file }
  }

  static let embedded = [
    Embedded(file: "google_ct/test-embedded-cert.pem", issuer: "google_ct/ca-cert.pem", status: .valid),
    Embedded(file: "google_ct/test-embedded-with-preca-cert.pem", issuer: "google_ct/ca-cert.pem", status: .valid),
    Embedded(
      file: "google_ct/test-embedded-with-intermediate-cert.pem", issuer: "google_ct/intermediate-cert.pem",
      status: .valid),
    Embedded(
      file: "google_ct/test-embedded-with-intermediate-preca-cert.pem", issuer: "google_ct/intermediate-cert.pem",
      status: .valid),
    Embedded(
      file: "google_ct/test-invalid-embedded-cert.pem", issuer: "google_ct/ca-cert.pem",
      status: .badSignature(.differsFromPrecertificate)),
    Embedded(file: "chromium/ct-test-embedded-cert.pem", issuer: "google_ct/ca-cert.pem", status: .valid),
    Embedded(file: "chromium/ct-test-embedded-with-preca-chain.pem", issuer: "google_ct/ca-cert.pem", status: .valid),
    Embedded(
      file: "chromium/ct-test-embedded-with-uids.pem", issuer: "google_ct/ca-cert.pem",
      status: .badSignature(.differsFromPrecertificate)),
  ]

  @Test(arguments: embedded)
  func `embedded SCTs of test logs are what they are said to be`(_ vector: Embedded) throws {
    let leaf = try #require(try TestData.pem("vectors/" + vector.file).first)
    let issuer = try #require(try TestData.pem("vectors/" + vector.issuer).first)
    let report = SCTVerifier(logs: try VectorTests.googleLogs())
      .verify(PresentedCertificate(leaf: leaf, issuers: [issuer]), at: GroundTruth.late)
    #expect(report.scts.map(\.status) == [vector.status])
  }

  @Test func `an issuer in the wrong place, or none, is told`() throws {
    let leaf = try #require(try TestData.pem("vectors/google_ct/test-embedded-with-intermediate-cert.pem").first)
    let issuer = try #require(try TestData.pem("vectors/google_ct/intermediate-cert.pem").first)
    let root = try #require(try TestData.pem("vectors/google_ct/ca-cert.pem").first)
    let verifier = SCTVerifier(logs: try VectorTests.googleLogs())
    for (chain, reason) in [
      ([root, issuer], BadSignatureReason.wrongIssuer(position: 1)), ([root], .missingIssuer), ([], .missingIssuer),
      ([[0x30], issuer], .wrongIssuer(position: 1)),
    ] {
      let report = verifier.verify(PresentedCertificate(leaf: leaf, issuers: chain), at: GroundTruth.late)
      #expect(report.scts.map(\.status) == [.badSignature(reason)])
    }
  }

  @Test func `SCTs by TLS are verified over the certificate, those of precertificates are found out`() throws {
    let verifier = SCTVerifier(logs: try VectorTests.googleLogs())
    let issuer = try TestData.pem("vectors/google_ct/ca-cert.pem")
    func status(_ leaf: String, _ proof: String) throws -> ReportedSCT.Status? {
      var certificate = PresentedCertificate(
        leaf: try #require(try TestData.pem("vectors/google_ct/\(leaf)").first), issuers: issuer)
      certificate.tlsSCTList = VectorTests.list([try TestData.bytes("vectors/google_ct/\(proof)")])
      return verifier.verify(certificate, at: GroundTruth.late).scts.first { $0.source == .tls }?.status
    }
    #expect(try status("test-cert.pem", "test-cert.proof") == .valid)
    #expect(try status("test-cert.pem", "rsa/test-cert-rsa.proof") == .valid)
    #expect(
      try status("test-embedded-cert.pem", "test-embedded-pre-cert.proof") == .badSignature(.wrongEntryType))
    #expect(
      try status("test-embedded-cert.pem", "rsa/test-embedded-pre-cert-rsa.proof") == .badSignature(.wrongEntryType))
    #expect(try status("test-embedded-cert.pem", "test-cert.proof") == .badSignature(.otherCertificate(position: nil)))
  }

  struct Crate: CustomTestStringConvertible, Sendable {
    let name: String
    let status: @Sendable (ReportedSCT.Status) -> Bool

    var testDescription: String { name }

    @Sendable static func isBad(_ status: ReportedSCT.Status) -> Bool {
      status == .badSignature(.otherCertificate(position: nil))
    }
  }

  static let crate = [
    Crate(name: "ecdsa_p256-basic") { $0 == .valid }, Crate(name: "ecdsa_p384-basic") { $0 == .valid },
    Crate(name: "rsa2048-basic") { $0 == .valid }, Crate(name: "ecdsa_p256-wrongtime", status: Crate.isBad),
    Crate(name: "ecdsa_p384-wrongtime", status: Crate.isBad), Crate(name: "rsa2048-wrongtime", status: Crate.isBad),
    Crate(name: "ecdsa_p256-wrongcert", status: Crate.isBad), Crate(name: "rsa2048-wrongcert", status: Crate.isBad),
    Crate(name: "ecdsa_p256-wrongext", status: Crate.isBad),
    Crate(name: "ecdsa_p256-wrongid") { $0 == .unknownLog(.notListed) },
    Crate(name: "ecdsa_p256-version") { $0 == .unsupportedVersion(1) },
    Crate(name: "ecdsa_p256-badsigalg") {
      $0 == .badSignature(.algorithm(named: SignatureAndHash(hash: 1, signature: 2), expected: .ecdsaSHA256))
    },
    // Bytes after the signature are no reason to refuse an SCT, but are noted.
    Crate(name: "ecdsa_p256-junk") { $0 == .valid },
  ]

  @Test(arguments: crate)
  func `the vectors of the sct crate fail as their names say`(_ vector: Crate) throws {
    let keys = ["ecdsa-prime256v1", "ecdsa-secp384r1", "rsa-2048"]
    let logs = try keys.map {
      try VectorTests.log(VectorTests.spki(try TestData.bytes("vectors/sct_rs/\($0)-pub.raw")))
    }
    var certificate = PresentedCertificate(leaf: Array("cert".utf8))
    certificate.tlsSCTList = VectorTests.list([try TestData.bytes("vectors/sct_rs/\(vector.name)-sct.bin")])
    let verifier = SCTVerifier(logs: LogView(logs, timestamp: nil))
    let report = verifier.verify(certificate, at: Timestamp(milliseconds: 1235))
    let sct = try #require(report.scts.first)
    #expect(vector.status(sct.status), "\(sct.status)")
    #expect((sct.trailingByteCount > 0) == vector.name.hasSuffix("junk"))
    if sct.status == .valid {
      #expect(verifier.verify(certificate, at: Timestamp(milliseconds: 1234)).scts.map(\.status) == [.valid])
      #expect(verifier.verify(certificate, at: Timestamp(milliseconds: 1233)).scts.map(\.status) == [.future])
    }
  }

  @Test func `real SCTs by TLS of the sct crate verify`() throws {
    let logs = try ["google-pilot", "symantec-log"].map {
      try VectorTests.log(VectorTests.spki(try TestData.bytes("vectors/sct_rs/\($0)-pubkey.bin")))
    }
    var certificate = PresentedCertificate(leaf: try TestData.bytes("vectors/sct_rs/google-cert.bin"))
    let scts = try [0, 1].map { try TestData.bytes("vectors/sct_rs/google-sct\($0).bin") }
    certificate.tlsSCTList = VectorTests.list(scts)
    let verifier = SCTVerifier(logs: LogView(logs, timestamp: nil))
    #expect(verifier.verify(certificate, at: GroundTruth.late).scts.map(\.status) == [.valid, .valid])
    // One byte more than is looked at.
    certificate.leaf += Array(repeating: 0, count: PresentedCertificate.maximumByteCount + 1 - certificate.leaf.count)
    let report = verifier.verify(certificate, at: GroundTruth.late)
    #expect(report.scts.map(\.status) == Array(repeating: .badSignature(.unreadableCertificate), count: 2))
  }

  @Test func `an SCT that is cut short anywhere is malformed`() throws {
    let sct = try TestData.bytes("vectors/sct_rs/ecdsa_p256-short-sct.bin")
    let verifier = SCTVerifier(logs: LogView([], timestamp: nil))
    for length in 1..<sct.count {
      var certificate = PresentedCertificate(leaf: [])
      certificate.tlsSCTList = VectorTests.list([Array(sct.prefix(length))])
      guard case .malformed(let offset, _) = verifier.verify(certificate, at: GroundTruth.late).scts.first?.status
      else {
        Issue.record("\(length) bytes are taken")
        continue
      }
      #expect(offset <= length)
    }
  }

  /// The SubjectPublicKeyInfo of a key that stands there bare.
  private static func spki(_ key: [UInt8]) -> [UInt8] {
    DERWriter.build { der in
      der.sequence { info in
        info.sequence {
          switch key.count {
          case 65, 97:
            $0.identifier("1.2.840.10045.2.1")
            $0.identifier(key.count == 65 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34")
          default:
            $0.identifier("1.2.840.113549.1.1.1")
            $0.null()
          }
        }
        info.bitString(key)
      }
    }
  }

  @Test func `Mozilla's test certificates verify against its table`() throws {
    let issuer = try TestData.pem("vectors/mozilla_test_ct/test-ca.pem")
    let verifier = SCTVerifier(logs: try GroundTruth.mozilla())
    let expected: [(String, [ReportedSCT.Status])] = [
      ("ct-valid", [.valid, .valid, .valid]), ("ct-future-timestamp", [.valid, .valid, .future]),
      ("ct-multiple-from-same-log", [.valid, .valid, .valid]), ("ct-tiled-valid", [.valid, .valid, .valid]),
      ("ct-unknown-log", [.valid, .valid, .unknownLog(.notListed)]), ("no-ct", []),
    ]
    for (name, statuses) in expected {
      let leaf = try TestData.pem("vectors/mozilla_test_ct/\(name).example.com.pem")
      let report = verifier.verify(
        GroundTruth.presented(leaf + issuer), at: Timestamp(milliseconds: 1_780_272_000_000))
      #expect(report.scts.map(\.status) == statuses, "\(name)")
    }
  }
}
