import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

@Suite("What a certificate says")
struct CertificateFactsTests {
  private struct Entry: Decodable {
    let leafInput: String
    let extraData: String
    enum CodingKeys: String, CodingKey {
      case leafInput = "leaf_input"
      case extraData = "extra_data"
    }
  }

  private struct Truth: Decodable {
    let index: Int
    let entryType: String
    let sha256: String
    let commonNames: [String]
    let dns: [String]?
    let ip: [String]?
    let email: [String]?
    let serial: String?
    let notBefore: String?
    let notAfter: String?
    let issuer: String?
  }

  private static func lines<Row: Decodable>(_ path: String, _ decoder: JSONDecoder) throws -> [Row] {
    try TestData.text(path).split(separator: "\n").map { try decoder.decode(Row.self, from: Data($0.utf8)) }
  }

  @Test("Every name, serial, date and issuer of 2,342 real entries is what an independent parser reads", .needsTestData)
  func realEntries() throws {
    let entries: [Entry] = try Self.lines("logs/real-entries/entries.jsonl", JSONDecoder())
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let truths: [Truth] = try Self.lines("logs/real-entries/names.jsonl", decoder)
    #expect(entries.count == truths.count && truths.count == 2342)
    let dates = ISO8601DateFormatter()
    for (entry, truth) in zip(entries, truths) {
      let leaf = try #require(Data(base64Encoded: entry.leafInput).map { [UInt8]($0) })
      let parsed = try MerkleTreeLeaf(decoding: leaf)
      let facts: CertificateFacts
      switch parsed.timestampedEntry.body {
      case .x509(let certificate): facts = CertificateFacts(certificate: certificate)
      case .precertificate(_, let tbs): facts = CertificateFacts(tbsCertificate: tbs)
      }
      let label = Comment(rawValue: "entry \(truth.index)")
      #expect(facts.commonNames == truth.commonNames, label)
      guard let dns = truth.dns else { continue }
      #expect(facts.namesAreComplete, label)
      #expect(facts.text(of: .dnsName) == dns, label)
      #expect(facts.text(of: .ipAddress) == truth.ip, label)
      #expect(facts.names.filter { $0.source == .email && $0.stringTag == 0 }.map(\.text) == truth.email, label)
      #expect(facts.serialNumber == truth.serial, label)
      #expect(facts.notBefore.map(Double.init) == truth.notBefore.flatMap(dates.date)?.timeIntervalSince1970, label)
      #expect(facts.notAfter.map(Double.init) == truth.notAfter.flatMap(dates.date)?.timeIntervalSince1970, label)
      // The independent parser writes attributes without a short name as dotted decimals with plain values.
      if let issuer = truth.issuer, !issuer.contains(try Regex("[0-9]\\.[0-9]+=")) {
        #expect(facts.issuer?.description == issuer, label)
      }
    }
  }

  @Test("No malformed input traps, and what others can read, we can", .needsTestData)
  func malformed() throws {
    for entry in try Manifest.entries(below: "malformed/") + Manifest.entries(below: "certs/malformed_sct/") {
      var inputs = [try TestData.bytes(entry.path)]
      if entry.path.hasSuffix(".pem") { inputs += try TestData.pem(entry.path) }
      for bytes in inputs {
        let facts = CertificateFacts(certificate: bytes)
        #expect(facts.namesAreComplete || !facts.problems.isEmpty, "\(entry.path): silence about unreadable names")
        _ = CertificateFacts(tbsCertificate: bytes)
        _ = try? TBSCertificate.withoutSCTs(certificate: bytes)
        _ = try? TBSCertificate.withoutPoison(precertificate: bytes)
        _ = TBSCertificate.isPrecertificateSigningCertificate(bytes)
      }
      let verdicts = entry.expected["verdict"] as? [String: String] ?? [:]
      if verdicts["pyca_cryptography"] == "accepts", let leaf = inputs.dropFirst().first {
        #expect(CertificateFacts(certificate: leaf).namesAreComplete, "\(entry.path)")
      }
    }
  }

  @Test("Each field is read on its own: a broken one never hides another")
  func independence() {
    let names = Certificates.alternativeNames([(0x82, Array("www.example.com".utf8))])
    let broken: [(field: String, certificate: [UInt8])] = [
      ("serial number", Certificates.certificate(serial: [2, 0], extensions: [names])),
      (
        "notBefore",
        Certificates.certificate(validity: Certificates.element(0x30, [0x17, 1, 0x41]), extensions: [names])
      ),
      ("subject", Certificates.certificate(subject: [0x30, 2, 0x31, 0x7f], extensions: [names])),
      ("public key", Certificates.certificate(publicKeyInfo: [0x30, 0], extensions: [names])),
    ]
    for (field, certificate) in broken {
      let facts = CertificateFacts(certificate: certificate)
      #expect(facts.text(of: .dnsName) == ["www.example.com"], "\(field)")
      #expect(facts.problems.contains { $0.hasPrefix(field) || $0.hasPrefix("names") }, "\(field): \(facts.problems)")
    }
  }

  @Test("All subjectAltName extensions and all common names are read, whatever their string type")
  func everyName() {
    let subject = Certificates.name([
      (0x0c, Array("first.example".utf8)), (0x1e, "second.example".utf8.flatMap { [0, $0] }),
      (0x14, [0x66, 0xfc, 0x72]), (0x1c, "x.example".utf8.flatMap { [0, 0, 0, $0] }),
    ])
    let certificate = Certificates.certificate(
      subject: subject,
      extensions: [
        Certificates.alternativeNames([(0x82, Array("one.example".utf8)), (0x87, [192, 0, 2, 1])]),
        Certificates.alternativeNames(
          [(0x81, Array("a@two.example".utf8)), (0x86, Array("https://three.example/".utf8))], trailing: [0]),
      ])
    let facts = CertificateFacts(certificate: certificate)
    #expect(facts.commonNames == ["first.example", "second.example", "f\u{fc}r", "x.example"])
    #expect(facts.text(of: .dnsName) == ["one.example"])
    #expect(facts.text(of: .ipAddress) == ["192.0.2.1"])
    #expect(facts.text(of: .email) == ["a@two.example"])
    #expect(facts.text(of: .uri) == ["https://three.example/"])
    #expect(facts.namesAreComplete)
  }

  @Test(
    "Names that can't all be read are said to be incomplete",
    arguments: [
      Certificates.alternativeNames([(0x82, [0x61])], trailing: [1]),
      Certificates.alternativeNames([(0x82, [0x61])], trailing: [0, 0]),
      Certificates.alternativeNames([(0xa2, [0x61])]),
      Certificates.extension(OIDs.subjectAltName, critical: false, value: [0x30, 5, 0x82, 9, 0x61]),
      Certificates.extension(OIDs.subjectAltName, critical: false, value: []),
    ])
  func incomplete(alternativeNames: [UInt8]) {
    let facts = CertificateFacts(certificate: Certificates.certificate(extensions: [alternativeNames]))
    #expect(!facts.namesAreComplete)
    #expect(!facts.problems.isEmpty)
  }

  @Test(
    "Serial numbers are hexadecimal without leading zeros",
    arguments: [([UInt8]([0]), "0"), ([0, 0x80], "80"), ([1, 2], "102"), ([0xff], "-1"), ([0x80, 0], "-8000")])
  func serial(octets: [UInt8], text: String) {
    let certificate = Certificates.certificate(serial: Certificates.element(2, octets), extensions: [])
    #expect(CertificateFacts(certificate: certificate).serialNumber == text)
  }

  @Test(
    "Times of both kinds are read, and what is no time is not",
    arguments: [
      (0x17, "491231235959Z", 2_524_607_999), (0x17, "500101000000Z", -631_152_000),
      (0x18, "20250101000000Z", 1_735_689_600), (0x18, "20250101000000+0100", 1_735_686_000),
      (0x17, "2501010000Z", 1_735_689_600), (0x18, "20250101000000.5Z", 1_735_689_600),
      (0x18, "99991231235959Z", 253_402_300_799), (0x17, "251301000000Z", nil), (0x17, "nonsense", nil),
      (0x0c, "250101000000Z", nil), (0x18, "20250101000000Zjunk", nil),
    ] as [(UInt8, String, Int64?)])
  func times(tag: UInt8, text: String, seconds: Int64?) {
    let validity = Certificates.element(0x30, Certificates.element(tag, Array(text.utf8)))
    let certificate = Certificates.certificate(validity: validity, extensions: [])
    #expect(CertificateFacts(certificate: certificate).notBefore == seconds)
  }

  @Test("Distinguished names are RFC 4514, and nothing in them deceives")
  func distinguishedNames() throws {
    let cases = [
      ("a,b+c\"d\\e<f>g;", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;"), (" x ", "CN=\\ x\\ "), ("#x", "CN=\\#x"),
      ("a\u{0}b\n", "CN=a\\00b\\0A"), ("evil\u{202e}moc", "CN=evil\\E2\\80\\AEmoc"), ("Zürich", "CN=Zürich"),
    ]
    for (value, text) in cases {
      let certificate = Certificates.certificate(issuer: value, extensions: [])
      #expect(CertificateFacts(certificate: certificate).issuer?.description == text)
    }
  }

  @Test("Cut anywhere, changed anywhere, a certificate never traps")
  func mutations() {
    let certificate = Certificates.certificate(
      subject: Certificates.name("www.example.com"),
      extensions: [
        Certificates.alternativeNames([(0x82, Array("www.example.com".utf8)), (0xa0, [6, 1, 0x2a, 0xa0, 2, 5, 0])])
      ])
    for length in 0..<certificate.count {
      let facts = CertificateFacts(certificate: Array(certificate.prefix(length)))
      #expect(!facts.namesAreComplete || length == certificate.count)
    }
    for place in certificate.indices {
      for value: UInt8 in [0, 1, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x84, 0x85, 0xff] {
        var changed = certificate
        changed[place] = value
        _ = CertificateFacts(certificate: changed)
        _ = try? TBSCertificate.withoutSCTs(certificate: changed)
        _ = try? TBSCertificate.withoutPoison(precertificate: changed)
      }
    }
  }
}
