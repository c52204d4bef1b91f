import CertificateTransparency
import Foundation
import MerkleTree
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@Suite struct FolderScannerTests {
  let authority: TestAuthority

  init() throws { authority = try TestAuthority(seed: 3) }

  private func issue(_ names: String...) throws -> IssuedPair { try authority.issue(CertificateRequest(names)) }

  private func kinds(_ entries: Set<InventoryEntry>) -> [String] { entries.map { "\($0.kind) \($0.source)" }.sorted() }

  /// The ids and the keys of pairs, as the inventory should have them.
  private func hashes(_ pairs: IssuedPair...) -> Set<SHA256Hash> {
    Set(
      pairs.flatMap {
        [$0.issuanceID.hash, CertificateFacts(certificate: $0.certificate).publicKeyHash].compactMap { $0 }
      })
  }

  @Test func `certbot's archive is read, and live is the same`() throws {
    let (folder, old, new) = (try Folder(), try issue("example.com"), try issue("example.com"))
    for (number, pair) in [(1, old), (2, new)] {
      try folder.write("archive/example.com/cert\(number).pem", pair.leaf)
      try folder.write("archive/example.com/chain\(number).pem", pair.issuers)
      try folder.write("archive/example.com/fullchain\(number).pem", pair.fullChain)
      try folder.write("archive/example.com/privkey\(number).pem", Samples.key)
    }
    for name in ["cert", "chain", "fullchain", "privkey"] {
      try folder.link("live/example.com/\(name).pem", to: "../../archive/example.com/\(name)2.pem")
    }
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(old, new))
    #expect(report.problems.isEmpty && report.filesRead == 8)
    #expect(report.entries.allSatisfy { $0.names == ["example.com"] && $0.notAfter != nil })
    #expect(report.entries.contains { $0.source == "certbot: \(folder.path)/archive/example.com/cert2.pem" })
    for root in ["live", "live/example.com"] {
      var scanner = folder.scanner(root)
      #expect(Set(scanner.scan().entries.map(\.hash)) == hashes(new))
    }
  }

  @Test func `acme.sh, lego and Caddy are told apart`() throws {
    let folder = try Folder()
    let pairs = try (1...4).map { try issue("n\($0).example.com") }
    try folder.write("home/.acme.sh/n1.example.com_ecc/n1.example.com.cer", pairs[0].leaf)
    try folder.write("home/.acme.sh/n1.example.com_ecc/ca.cer", pairs[0].issuers)
    try folder.write("home/.acme.sh/n1.example.com_ecc/n1.example.com.key", Samples.key)
    try folder.write(".lego/certificates/n2.example.com.crt", pairs[1].fullChain)
    try folder.write(".lego/certificates/n2.example.com.issuer.crt", pairs[1].issuers)
    try folder.write(".lego/certificates/n2.example.com.json", "{\"domain\": \"n2.example.com\"}")
    let caddy = "caddy/certificates/acme-v02.api.letsencrypt.org-directory/n3.example.com/n3.example.com"
    try folder.write(caddy + ".crt", pairs[2].fullChain)
    try folder.write(caddy + ".json", "{\"sans\": [\"n3.example.com\"]}")
    try folder.write("ssl/site.pem", pairs[3].fullChain)
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(pairs[0], pairs[1], pairs[2], pairs[3]))
    #expect(
      kinds(report.entries)
        == [
          ("acme.sh", "home/.acme.sh/n1.example.com_ecc/n1.example.com.cer"),
          ("lego", ".lego/certificates/n2.example.com.crt"), ("Caddy", caddy + ".crt"), ("file", "ssl/site.pem"),
        ].flatMap { layout, path in
          ["certificate", "key"].map { "\($0) \(layout): \(folder.path)/\(path)" }
        }.sorted())
    #expect(report.certificates.count == 4 && report.certificates.allSatisfy { $0.issuanceID != nil })
  }

  @Test func `of a certificate without its issuer, the key is known`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write("a.pem", pair.leaf)
    var scanner = folder.scanner()
    let entries = scanner.scan().entries
    #expect(entries.map(\.kind) == [.key])
    #expect(Set(entries.map(\.hash)).isSubset(of: hashes(pair)))
    // The issuer comes later, in a file of its own.
    try folder.write("chain.pem", pair.issuers)
    let report = scanner.scan()
    #expect(report.added.map(\.hash) == [pair.issuanceID.hash] && report.filesRead == 1)
  }

  @Test func `an issuer of the same name and another key is not taken for it`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write("a.pem", pair.leaf)
    try folder.write("b.pem", pem([try TestAuthority(seed: 4).intermediate().chain[0]]))
    var scanner = folder.scanner()
    #expect(scanner.scan().entries.map(\.kind) == [.key])
  }

  @Test func `a second look tells what changed`() throws {
    let (folder, first, second) = (try Folder(), try issue("a.example.com"), try issue("b.example.com"))
    try folder.write("a/site.pem", first.fullChain)
    try folder.write("b/site.pem", first.fullChain)
    var scanner = folder.scanner()
    let start = scanner.scan()
    #expect(start.added == start.entries && start.entries.count == 4)
    let again = scanner.scan()
    #expect(again.entries == start.entries && again.filesRead == 0)
    #expect(again.added.isEmpty && again.removed.isEmpty)
    try folder.write("a/site.pem", second.fullChain)
    let changed = scanner.scan()
    #expect(Set(changed.added.map(\.hash)) == hashes(second) && changed.filesRead == 1)
    #expect(Set(changed.removed.map(\.hash)) == hashes(first))
    #expect(changed.entries.count == 4)
    try folder.remove("b/site.pem")
    #expect(Set(scanner.scan().removed.map(\.hash)) == hashes(first))
  }

  @Test func `a renewal of the same length in the same second is noticed`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    let other = try issue("example.org")
    #expect(pair.fullChain.utf8.count == other.fullChain.utf8.count || pair.fullChain != other.fullChain)
    try folder.write("new.pem", pair.fullChain)
    var scanner = folder.scanner()
    _ = scanner.scan()
    let file = folder.path + "/new.pem"
    let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date ?? Date()
    try folder.write("new.pem", other.fullChain)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
    #expect(Set(scanner.scan().added.map(\.hash)) == hashes(other))
  }

  @Test func `links lead nowhere but into the folder`() throws {
    let (folder, outside, pair) = (try Folder(), try Folder(), try issue("example.com"))
    try outside.write("secret.pem", pair.fullChain)
    try outside.write("sub/secret.pem", pair.fullChain)
    try folder.link("out.pem", to: outside.path + "/secret.pem")
    try folder.link("sub", to: outside.path + "/sub")
    try folder.link("loop", to: folder.path)
    try folder.link("self.pem", to: "self.pem")
    try folder.link("gone.pem", to: "nothing.pem")
    try folder.link("device.pem", to: "/dev/zero")
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(report.entries.isEmpty && report.filesRead == 0)
    // The folder itself may be reached by a link.
    try folder.link("door", to: outside.path)
    scanner = folder.scanner("door")
    #expect(Set(scanner.scan().entries.map(\.hash)) == hashes(pair))
  }

  @Test func `what is no file is not opened`() throws {
    let folder = try Folder()
    #expect(mkfifo(folder.path + "/pipe.pem", 0o600) == 0)
    try FileManager.default.createDirectory(atPath: folder.path + "/folder.pem", withIntermediateDirectories: false)
    var scanner = folder.scanner()
    #expect(scanner.scan() == FolderScanner.Report())
  }

  @Test func `private keys are not read`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    // What stands in their blocks is not even decoded.
    let key = "-----BEGIN EC PRIVATE KEY-----\n*** no base64 ***\n-----END EC PRIVATE KEY-----\n"
    for name in ["privkey.pem", "key.pem", "site.pem", "example.com.key"] { try folder.write(name, key) }
    try folder.write("key.der", [0x30, 0x03, 0x02, 0x01, 0x00])
    try folder.write("combined.pem", key + pair.fullChain + "  " + key)
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(report.problems.isEmpty)
    #expect(Set(report.entries.map(\.hash)) == hashes(pair))
  }

  @Test(
    arguments: [
      "certificates/keycloak.example.com.crt", "keys.example.com/keys.example.com.cer", "private.crt", "monkey.pem",
      "example.com-key.pem", "PRIVKEY1.PEM", "bundle.txt", "certificate", "notes.key",
    ])
  func `a certificate is read whatever its file is called`(name: String) throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write(name, pair.fullChain)
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(pair) && report.problems.isEmpty)
  }

  @Test func `PEM with a byte order mark, without line feeds between blocks or in UTF-16 is read`() throws {
    let (folder, pairs) = (try Folder(), try (1...4).map { try issue("n\($0).example.com") })
    try folder.write("a/bom.pem", "\u{feff}" + pairs[0].fullChain)
    try folder.write("b/joined.pem", pairs[1].leaf.dropLast() + pairs[2].leaf.dropLast() + pairs[2].issuers)
    let utf16 = try #require(("\u{feff}" + pairs[3].fullChain).data(using: .utf16LittleEndian))
    try folder.write("c/powershell.crt", [UInt8](utf16))
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(pairs[0], pairs[1], pairs[2], pairs[3]))
    #expect(report.problems.isEmpty)
  }

  @Test(arguments: ["a.pem", "a.txt"])
  func `a block that can't be read is named by its line`(name: String) throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write(name, pair.issuers + "\n-" + pair.leaf.dropFirst(2))
    var scanner = folder.scanner()
    let line = pair.issuers.count(where: \.isNewline) + 2
    let reason = "the block CERTIFICATE begins with a damaged line; expected -----BEGIN CERTIFICATE-----"
    #expect(scanner.scan().problems == ["\(folder.path)/\(name)": "line \(line): \(reason)"])
  }

  @Test(arguments: [
    ("a.pem", "hello\n", "neither PEM nor DER"), ("a.crt", "", "it is empty"), ("a.txt", "0 hello\n", nil),
    ("a", "", nil),
    ("dh.pem", "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n", nil),
    ("a.pem", "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", "line 1: PKCS #7 is not read"),
    ("a.pem", "-----BEGIN CERTIFCATE-----\nAAAA\n-----END CERTIFCATE-----\n", "line 1: the block CERTIFCATE"),
  ])
  func `a file named as a certificate that holds none is named`(name: String, text: String, problem: String?) throws {
    let folder = try Folder()
    try folder.write(name, text)
    var scanner = folder.scanner()
    let problems = scanner.scan().problems
    #expect(problems.count == (problem == nil ? 0 : 1))
    if let problem { #expect(problems.values.first?.hasPrefix(problem) == true) }
  }

  @Test(
    arguments: [
      ("privkey1.pem", true), ("example.com-key.pem", true), ("private.pem", true), ("site.key", true),
      ("notes.txt", true), ("keycloak.example.com.crt", false), ("key.example.com.pem", false), ("site.pem", false),
    ])
  func `a file that can't be opened is a problem, unless it is named as a private key`(name: String, isFine: Bool)
    throws
  {
    let folder = try Folder()
    try folder.write(name, Samples.key)
    #expect(chmod(folder.path + "/" + name, 0) == 0)
    var scanner = folder.scanner()
    let problem = withoutPrivileges { scanner.scan() }.problems["\(folder.path)/\(name)"]
    #expect(problem == (isFine ? nil : "can't be opened: Permission denied"))
  }

  @Test func `a folder that is not there or can't be listed is told with the system's reason`() throws {
    let folder = try Folder()
    try folder.write("file", "")
    for (name, reason) in [("nowhere", "No such file or directory"), ("file", "Not a directory")] {
      var scanner = folder.scanner(name)
      #expect(scanner.scan().unlisted == ["\(folder.path)/\(name)": reason])
    }
    try folder.write("closed/a.pem", "")
    #expect(chmod(folder.path + "/closed", 0) == 0)
    for name in ["", "closed"] {
      var scanner = folder.scanner(name)
      #expect(withoutPrivileges { scanner.scan() }.unlisted == ["\(folder.path)/closed": "Permission denied"])
    }
    var hidden = folder.scanner("closed/a.pem")
    #expect(withoutPrivileges { hidden.scan() }.unlisted == ["\(folder.path)/closed/a.pem": "Permission denied"])
  }

  @Test func `what can't be read is told, and spoils nothing else`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    try folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n" + pair.leaf)
    try folder.write("large.pem", String(repeating: "x", count: 100_000))
    try folder.write("z.pem", pair.issuers)
    var scanner = folder.scanner(limits: FolderLimits(fileBytes: 50_000))
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(pair))
    #expect(Set(report.problems.keys) == Set(["bad", "broken", "large"].map { "\(folder.path)/\($0).pem" }))
    var missing = FolderScanner(root: folder.path + "/nowhere")
    #expect(missing.scan().unlisted.keys.contains(folder.path + "/nowhere"))
  }

  @Test func `a file whose name is not UTF-8 is told, and spoils nothing else`() throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    try folder.write("good.pem", pair.leaf + pair.issuers)
    let name = Array((folder.path + "/caf").utf8) + [0xE9] + Array(".pem".utf8) + [0]
    let file = open(name.map { CChar(bitPattern: $0) }, O_CREAT | O_WRONLY, 0o644)
    try #require(file >= 0)
    close(file)
    var scanner = folder.scanner()
    let report = scanner.scan()
    #expect(Set(report.entries.map(\.hash)) == hashes(pair))
    #expect(report.problems == [folder.path + "/caf\u{FFFD}.pem": "its name is not UTF-8: rename it"])
  }

  @Test func `folders of keys and accounts that can't be listed are no problem, others are`() throws {
    let folder = try Folder()
    for name in ["accounts", "keys", "live"] { try folder.write(name + "/x", "") }
    for name in ["accounts", "keys", "live"] { chmod(folder.path + "/" + name, 0) }
    defer { for name in ["accounts", "keys", "live"] { chmod(folder.path + "/" + name, 0o700) } }
    var scanner = folder.scanner()
    #expect(withoutPrivileges { scanner.scan() }.unlisted == [folder.path + "/live": "Permission denied"])
  }

  @Test(arguments: [
    FolderLimits(files: 3), FolderLimits(visits: 5), FolderLimits(depth: 1), FolderLimits(totalBytes: 4000),
  ])
  func `a folder without end is cut short`(limits: FolderLimits) throws {
    let (folder, pair) = (try Folder(), try issue("example.com"))
    for number in 1...4 { try folder.write("\(number).pem", pair.leaf) }
    try folder.write("a/b/c/5.pem", pair.leaf)
    try folder.write("x.txt", "")
    try folder.write("y.txt", "")
    var scanner = folder.scanner(limits: limits)
    let report = scanner.scan()
    #expect(report.isCutShort && report.filesRead < 7)
  }

  @Test func `a certificate request tells the key before there is a certificate`() throws {
    let folder = try Folder()
    try folder.write("csr/0001_csr-certbot.pem", Samples.request)
    var scanner = folder.scanner()
    let entries = scanner.scan().entries
    #expect(entries.map(\.hash) == [SHA256Hash(hex: Samples.requestKey)])
    #expect(entries.map(\.kind) == [.key])
    #expect(entries.map(\.names) == [["example.com", "www.example.com"]])
    #expect(entries.first?.source.hasPrefix("certbot: ") == true)
  }
}

/// Made with `openssl req -addext subjectAltName=DNS:example.com,DNS:www.Example.com`.
enum Samples {
  static let request = """
    -----BEGIN CERTIFICATE REQUEST-----
    MIIBCzCBsgIBADAWMRQwEgYDVQQDDAtleGFtcGxlLmNvbTBZMBMGByqGSM49AgEG
    CCqGSM49AwEHA0IABKXeHthg9O/xft+uM8vb9DCcifbCUetynN+KARoB+DlH8GF6
    M8dJIGK6YGebCJh4nhDuhE5m5g4vQOT5OaAV62mgOjA4BgkqhkiG9w0BCQ4xKzAp
    MCcGA1UdEQQgMB6CC2V4YW1wbGUuY29tgg93d3cuRXhhbXBsZS5jb20wCgYIKoZI
    zj0EAwIDSAAwRQIhAPrIE1DOe+QAKY9P14GwuTVIT9e2XUPVheghGu3IogKDAiAS
    lqV3UB67N4Q1W2Ipq3J9SeQSp+teGMmeSQvATczeCg==
    -----END CERTIFICATE REQUEST-----

    """
  static let key =
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n"
  static let requestKey = "06b2d2c88d8a3d98af337db14e0d81a5f821372969d991b215145ad50f3fcae2"
}
