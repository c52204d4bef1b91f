import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite struct RootStoresTests {
  static let bare = Draft("bare", [])

  @Test("a file says by key or certificate which roots are public, legacy, EV and Symantec's")
  func reading() throws {
    let certificateHash = SHA256Hash.hash(Draft.root.der).hex
    let text = """
      { "comment": "x", "roots": [
          { "name": "R1", "certificate_sha256": "\(certificateHash)", "ev_policy_oids": ["2.23.140.1.1"], "new": 1 },
          { "spki_sha256": "\(Draft("a").pin)", "public": false },
          { "spki_sha256": "\(Draft("b").base64)", "legacy": true } ],
        "symantec": { "roots": ["\(Draft("s").hash.hex)"], "exempt": ["\(Draft("e").pin)"], "effective": "2016-06-02" } }
      """
    let stores = try RootStores(Array(text.utf8), file: "roots.json")
    #expect(stores.warnings.isEmpty && stores.roots.count == 3)
    let known = try chain(Draft { $0.policies = ["2.23.140.1.1"] }, .root)
    #expect(stores.publicity(of: known) == .public)
    #expect(stores.isEV(known))
    #expect(!stores.isEV(try chain(Self.bare, .root)))
    #expect(stores.publicity(of: try chain(Self.bare, Draft("a"))) == .local)
    let legacy = try chain(Self.bare, Draft("b"))
    #expect(stores.publicity(of: legacy) == .public && stores.root(legacy.root)?.isLegacy == true)
    #expect(stores.symantec.effective == Timestamp(rfc3339: "2016-06-02T00:00:00Z"))
    #expect(stores.isSymantec(try chain(Self.bare, Draft("s"))))
    #expect(!stores.isSymantec(try chain(Self.bare, Draft("e"), Draft("s"))))
    #expect(!stores.isSymantec(known))
  }

  @Test("of roots that no file names, those that sign themselves are local; of others nothing is known")
  func publicity() throws {
    var stores = RootStores()
    let local = try chain(Self.bare, .root)
    #expect(stores.publicity(of: local) == .unknown)
    stores.add(hash: Draft("other").hash)
    #expect(stores.publicity(of: local) == .local)
    #expect(stores.publicity(of: try chain(Self.bare, Draft("intermediate"))) == .unknown)
    #expect(stores.publicity(of: try chain(Self.bare, Draft("other"))) == .public)
    var more = RootStores()
    more.add(hash: Draft.root.hash)
    stores.merge(more)
    #expect(stores.publicity(of: local) == .public)
  }

  @Test(
    "what can't be read in a file is a warning with its place",
    arguments: [
      ("[5]", "roots[0]"), ("[{}]", "roots[0]"), ("[{\"spki_sha256\": \"zz\"}]", "roots[0].spki_sha256"),
      ("[{\"spki_sha256\": 5}]", "roots[0].spki_sha256"), ("[{\"public\": 1}]", "roots[0].public"),
      ("[{\"ev_policy_oids\": \"1.2\"}]", "roots[0].ev_policy_oids"),
      ("[], \"symantec\": []", "symantec"), ("[], \"symantec\": {\"roots\": \"x\"}", "symantec.roots"),
      ("[], \"symantec\": {\"exempt\": [\"x\"]}", "symantec.exempt[0]"),
      ("[], \"symantec\": {\"effective\": \"June\"}", "symantec.effective"),
    ])
  func warnings(roots: String, key: String) throws {
    let stores = try RootStores(Array("{\"roots\": \(roots)}".utf8), file: "roots.json")
    #expect(stores.warnings.contains { $0.key == key && $0.file == "roots.json" }, "\(stores.warnings)")
    #expect(stores.roots.isEmpty)
  }

  @Test(
    "a file that is neither is refused", arguments: ["", "{}", "{\"roots\": {}}", "no certificates", "{\"roots\": ["])
  func refused(text: String) {
    #expect(throws: PolicyFileError.self) { try RootStores(Array(text.utf8), file: "f") }
  }

  @Test("a PEM bundle means that these are public; a block that is none is a warning")
  func bundle() throws {
    func block(_ der: [UInt8]) -> String {
      let lines = Data(der).base64EncodedString(options: [.lineLength64Characters])
      return "-----BEGIN CERTIFICATE-----\r\n\(lines)\r\n-----END CERTIFICATE-----\r\n"
    }
    let start = "\u{feff}" + block(Draft.root.der) + "junk\n"
    let text = start + block([1, 2, 3]) + block(Draft("x").der)
    let stores = try RootStores(Array(text.utf8), file: "bundle.pem")
    #expect(Set(stores.roots.keys) == [Draft.root.hash, Draft("x").hash])
    #expect(stores.warnings.map(\.key) == ["line \(start.count(where: \.isNewline) + 1)"])
  }

  @Test(
    "real root stores are read whole", .needsTestData,
    arguments: [
      "roots/certifi_2026.10.18.pem", "roots/chrome_root_store.certs", "roots/itko_ct2025_bundle.pem",
    ])
  func real(path: String) throws {
    let certificates = try TestData.pem(path)
    let stores = try RootStores(try TestData.bytes(path), file: path)
    #expect(stores.warnings.isEmpty)
    #expect(Set(stores.roots.keys) == Set(certificates.compactMap { ChainCertificate($0).publicKeyHash }))
    #expect(stores.roots.count > 100)
    for certificate in certificates {
      #expect(stores.publicity(of: try VerifiedChain([Draft().der, certificate])) == .public)
    }
    #expect(stores.publicity(of: try VerifiedChain([Draft().der, Draft.root.der])) == .local)
  }

  @Test("real certificates are read: each has a key, and an organisation reads as its subject says", .needsTestData)
  func realChains() throws {
    let paths = TestData.files(in: "certs/real", withExtension: "pem")
    #expect(paths.count > 50)
    for path in paths {
      let chain = try VerifiedChain(try TestData.pem(path))
      for certificate in chain.certificates {
        #expect(certificate.publicKeyHash != nil && certificate.notBefore != nil)
        #expect(certificate.normalisedOrganisations?.count == certificate.organisations?.count, "\(path)")
        #expect(certificate.constraint != .unreadable)
        #expect((certificate.organisations?.isEmpty == false) == certificate.subject.contains("O="), "\(path)")
      }
      let conditions = PolicySuggestion(chain).keys.map(\.condition)
      #expect(conditions.first == .leaf)
    }
  }

  @Test("malformed certificates are read without a trap", .needsTestData)
  func malformed() throws {
    for path in TestData.files(in: "malformed") {
      let blocks = path.hasSuffix(".pem") ? try TestData.pem(path) : [try TestData.bytes(path)]
      for der in blocks { _ = ChainCertificate(der) }
    }
  }
}
