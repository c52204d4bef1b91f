import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import OrielCheck
import OrielProbe
import TestSupport
import TestWorld
import Testing

@Suite("A file of SCTs for a web server")
struct SCTFileTests {
  private typealias World = SubmissionWorld

  private static func items(_ logs: [SubmissionLog] = World.usual) throws -> [SCTList.Item] {
    let certificate = try World.certificate()
    return try logs.map { try $0.item(certificate) }
  }

  private static func file(_ form: SCTFile.Form, in folder: TemporaryFolder) -> SCTFile {
    SCTFile(folder.path + (form == .folder ? "/scts" : form == .list ? "/scts.sctl" : "/scts.pem"), form: form)
  }

  private static func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test("gives back what was written, for others to read, and leaves nothing else", arguments: SCTFile.Form.allCases)
  func roundTrip(_ form: SCTFile.Form) throws {
    let folder = try TemporaryFolder()
    let file = SCTFileTests.file(form, in: folder)
    #expect(try file.read().isEmpty)
    for logs in [World.usual, [World.b], [World.c, World.a]] {
      let items = try SCTFileTests.items(logs)
      try file.write(items)
      #expect(try Set(file.read()) == Set(items))
      if form != .folder { #expect(try file.read() == items) }
    }
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    #expect(names.count == (form == .folder ? 3 : 1))
    for name in names where name != "scts" { #expect(try SCTFileTests.mode(folder.path + "/" + name) == 0o644) }
    #expect(try SCTFile(file.path).read().count == 2)
  }

  @Test("has the bytes that servers expect")
  func bytes() throws {
    let folder = try TemporaryFolder()
    let items = try SCTFileTests.items([World.a, World.b])
    let list = try SCTList(items: items).encoded()
    let raw = SCTFileTests.file(.list, in: folder)
    try raw.write(items)
    #expect([UInt8](try Data(contentsOf: URL(filePath: raw.path))) == list)
    let info = SCTFileTests.file(.serverInfo, in: folder)
    try info.write(items)
    let lines = try String(contentsOfFile: info.path, encoding: .utf8).split(separator: "\n")
    #expect(lines.first == "-----BEGIN SERVERINFOV2 FOR EXTENSION 18-----")
    #expect(lines.last == "-----END SERVERINFOV2 FOR EXTENSION 18-----")
    #expect(lines.allSatisfy { $0.count <= 64 })
    let content = Data(base64Encoded: lines.dropFirst().dropLast().joined())
    let count = UInt8(list.count & 0xff)
    #expect(content.map { [UInt8]($0) } == [0, 0, 0x11, 0xc0, 0, 18, UInt8(list.count >> 8), count] + list)
  }

  @Test("names the files of a folder by their logs, and removes only SCTs")
  func folderNames() throws {
    let folder = try TemporaryFolder()
    let file = SCTFileTests.file(.folder, in: folder)
    try file.write(SCTFileTests.items([World.c]))
    _ = try folder.write("mine", to: "scts/README")
    let items = try SCTFileTests.items([World.a, World.a2, World.b, World.d])
    try file.write(
      items,
      names: [
        World.a.logID: "Google 'Argon2026h1' log", World.a2.logID: "Google ‘Argon2026h1’ log!",
        World.b.logID: "../../etc/passwd",
      ])
    let names = try FileManager.default.contentsOfDirectory(atPath: file.path)
    #expect(
      Set(names) == [
        "README", "google-argon2026h1-log.sct", "\(World.a2.logID.hash.hex).sct", "etc-passwd.sct",
        "\(World.d.logID.hash.hex).sct",
      ])
    let first = try Data(contentsOf: URL(filePath: file.path + "/google-argon2026h1-log.sct"))
    #expect([UInt8](first) == items[0].serialized)
  }

  @Test("reads what it does not write: the first version of serverinfo, and text around blocks")
  func otherForms() throws {
    let folder = try TemporaryFolder()
    let items = try SCTFileTests.items([World.a])
    let list = try SCTList(items: items).encoded()
    let bytes = [0, 18, UInt8(list.count >> 8), UInt8(list.count & 0xff)] + list
    let label = "SERVERINFO FOR CT"
    let path = try folder.write(
      "made by hand\n-----BEGIN \(label)-----\n\(Base64.encode(bytes))\n-----END \(label)-----\n", to: "old.pem")
    #expect(try SCTFile(path).read() == items)
  }

  @Test(
    "takes nothing else for SCTs",
    arguments: [
      ("", "x.pem"), ("\n", "x.pem"), ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x.pem"),
      ("-----BEGIN SERVERINFOV2 FOR X-----\n????\n-----END SERVERINFOV2 FOR X-----\n", "x.pem"),
      ("-----BEGIN SERVERINFOV2 FOR X-----\nAAARwAAS\n-----END SERVERINFOV2 FOR X-----\n", "x.pem"),
      ("-----BEGIN SERVERINFOV2 FOR X-----\nAAARwAAQAAA=\n-----END SERVERINFOV2 FOR X-----\n", "x.pem"),
      ("-----BEGIN SERVERINFOV2 FOR X-----\nAAARwAASAAIAAA==\n-----END SERVERINFOV2 FOR X-----\n", "x.pem"),
      ("-----BEGIN SERVERINFO FOR X-----\nABIAAAASAAA=\n-----END SERVERINFO FOR X-----\n", "x.pem"),
      ("", "x.sctl"), ("\0\0", "x.sctl"), ("hello", "x.sctl"), ("\0\u{1}\0", "x.sctl"),
    ])
  func notSCTs(_ text: String, _ name: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: name)
    let failure = #expect(throws: SCTFile.Failure.self) { try SCTFile(path).read() }
    guard case .notSCTs? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }

  @Test("bears any beginning of a file", arguments: [SCTFile.Form.list, .serverInfo])
  func truncated(_ form: SCTFile.Form) throws {
    let folder = try TemporaryFolder()
    let file = SCTFileTests.file(form, in: folder)
    try file.write(SCTFileTests.items([World.b]))
    let whole = try Data(contentsOf: URL(filePath: file.path))
    let end = form == .serverInfo ? whole.range(of: Data("-----END".utf8))?.lowerBound : nil
    for count in stride(from: 0, to: end ?? whole.count, by: 3) {
      try whole.prefix(count).write(to: URL(filePath: file.path))
      #expect(throws: SCTFile.Failure.self) { try file.read() }
    }
  }

  @Test(
    "replaces nothing that is no file of SCTs", arguments: ["key.pem", "file.sctl", "file.sct", "folder/"],
    [
      "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "hello", "\0",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ])
  func notReplaced(_ name: String, _ text: String) throws {
    let folder = try TemporaryFolder()
    if name.hasSuffix("/") {
      try FileManager.default.createDirectory(atPath: folder.path + "/folder", withIntermediateDirectories: true)
    }
    let path = try folder.write(text, to: name.hasSuffix("/") ? "folder/mine.sct" : name)
    let file = SCTFile(folder.path + "/" + name)
    let failures = [
      #expect(throws: SCTFile.Failure.self) { try file.checkReplaceable() },
      #expect(throws: SCTFile.Failure.self) { try file.write(SCTFileTests.items([World.a])) },
    ]
    for failure in failures {
      guard case .notSCTs? = failure else {
        Issue.record("\(String(describing: failure))")
        continue
      }
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test(
    "keeps the permissions of what it replaces; new ones others may read", arguments: [SCTFile.Form.list, .serverInfo])
  func permissions(_ form: SCTFile.Form) throws {
    let folder = try TemporaryFolder()
    let file = SCTFileTests.file(form, in: folder)
    func mode() throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
    }
    try file.write(SCTFileTests.items([World.a]))
    #expect(try mode() == 0o644)
    #expect(chmod(file.path, 0o640) == 0)
    try file.write(SCTFileTests.items([World.b]))
    #expect(try mode() == 0o640)
  }

  @Test("says why it can't write, and leaves what was there")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = SCTFileTests.file(.list, in: folder)
    let items = try SCTFileTests.items([World.a])
    try file.write(items)
    #expect(throws: SCTFile.Failure.self) { try file.write([]) }
    let huge = (0..<600).map { _ in items[0] }
    #expect(throws: SCTFile.Failure.self) { try file.write(huge) }
    #expect(throws: SCTFile.Failure.self) { try SCTFile(folder.path + "/none/x.pem").write(items) }
    #expect(throws: SCTFile.Failure.self) { try SCTFile(folder.path, form: .list).write(items) }
    #expect(throws: SCTFile.Failure.self) { try SCTFile(folder.path, form: .list).read() }
    #expect(try file.read() == items)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["scts.sctl"])
  }

  @Test("writes where a link points, and keeps the link")
  func link() throws {
    let folder = try TemporaryFolder()
    let items = try SCTFileTests.items([World.a])
    let target = try folder.write("", to: "target.sctl")
    let link = folder.path + "/link.sctl"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    try SCTFile(link).write(items)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    #expect(try SCTFile(target).read() == items)
  }

  // MARK: Real servers

  /// A certificate of its own key, with an SCT file for it from logs on loopback.
  private struct Site {
    let folder: TemporaryFolder
    let certificate: PresentedCertificate
    let file: SCTFile
    var path: (String) -> String { { folder.path + "/" + $0 } }

    static func make(_ body: (Site, [EnforcedPolicy], [UInt8]) async throws -> Void) async throws {
      let folder = try TemporaryFolder()
      let arguments = [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
        "/CN=probe.example", "-keyout", folder.path + "/key.pem", "-out", folder.path + "/cert.pem",
      ]
      let made = try await Command(arguments, program: URL(filePath: openssl)).finish()
      try #require(made.status == 0, "\(made.errors)")
      let pem = [UInt8](try Data(contentsOf: URL(filePath: folder.path + "/cert.pem")))
      let leaf = try CertificateFile(pem, name: "cert.pem").certificates[0]
      let site = Site(
        folder: folder, certificate: PresentedCertificate(leaf: leaf, issuers: [leaf]),
        file: SCTFile(folder.path + "/scts.pem"))
      // By the machine's clock, as openssl made the certificate.
      let now = Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000))
      try await World.run(World.usual, at: max(now, World.time)) { submission, _ in
        let outcome = await submission.run(site.certificate)
        #expect(outcome.missing.isEmpty)
        try site.file.write(outcome.certificate.deliveredItems)
        let list = try #require(outcome.certificate.tlsSCTList)
        try await body(site, submission.policies, list)
      }
    }

    /// What clients of either version get, and what policies make of it.
    func check(port: UInt16, _ policies: [EnforcedPolicy], _ list: [UInt8]) async throws {
      for version in [TLSVersion.tls12, .tls13] {
        var options = ProbeOptions()
        (options.minimumVersion, options.maximumVersion) = (version, version)
        let target = try ProbeTarget(
          host: "probe.example", port: port, address: SocketAddress("127.0.0.1", port: port))
        var result = await SCTFileTests.probe(target, options)
        while case .failure(ProbeError.refused) = result {
          try await Task.sleep(for: .milliseconds(20))
          result = await SCTFileTests.probe(target, options)
        }
        let handshake = try result.get()
        #expect(handshake.version == version && handshake.sctList == list)
        var shown = certificate
        shown.tlsSCTList = handshake.sctList
        let now = Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000))
        #expect(policies.allSatisfy { $0.judge(shown, asOf: max(now, World.time)).verdict.passes })
      }
    }
  }

  private static func probe(_ target: ProbeTarget, _ options: ProbeOptions) async -> Result<Handshake, any Error> {
    do {
      return .success(try await TLSProbe(options).probe(target))
    } catch {
      return .failure(error)
    }
  }

  private static let openssl = "/usr/bin/openssl"
  private static let nginx = "/usr/sbin/nginx"

  @Test(
    "is served by OpenSSL in TLS 1.2 and 1.3, and lets the certificate pass",
    .enabled(if: FileManager.default.isExecutableFile(atPath: openssl), "needs openssl (apt-get install openssl)"))
  func servedByOpenSSL() async throws {
    try await Site.make { site, policies, list in
      let server = try Command(
        [
          "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", site.path("cert.pem"), "-key", site.path("key.pem"),
          "-serverinfo", site.file.path,
        ], program: URL(filePath: SCTFileTests.openssl))
      try await server.wait(for: "ACCEPT ")
      let port = try #require(
        server.output.range(of: "ACCEPT 127.0.0.1:").flatMap {
          UInt16(server.output[$0.upperBound...].prefix { $0.isNumber })
        }, "\(server.errors)")
      try await site.check(port: port, policies, list)
    }
  }

  @Test(
    "is served by nginx in TLS 1.2 and 1.3, and lets the certificate pass",
    .enabled(
      if: [openssl, nginx].allSatisfy(FileManager.default.isExecutableFile),
      "needs nginx and openssl (apt-get install nginx-light openssl)"))
  func servedByNginx() async throws {
    try await Site.make { site, policies, list in
      // A port that was free a moment ago.
      let port = try await TestServer.run(respond: { _ in .notFound }) { UInt16($0.port) }
      let parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      let temporary = parts.map { "\($0)_temp_path \(site.path($0));" }.joined(separator: " ")
      let configuration = try site.folder.write(
        """
        daemon off; master_process off; pid \(site.path("pid")); error_log \(site.path("log"));
        events {}
        http { access_log off; \(temporary)
        server { listen 127.0.0.1:\(port) ssl; ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate \(site.path("cert.pem")); ssl_certificate_key \(site.path("key.pem"));
        ssl_conf_command ServerInfoFile \(site.file.path);
        return 200; } }
        """, to: "nginx.conf")
      let server = try Command(
        ["-e", site.path("log"), "-c", configuration], program: URL(filePath: SCTFileTests.nginx))
      try await site.check(port: port, policies, list)
      #expect(server.errors.isEmpty)
    }
  }
}
