import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite(
  "A log behind its own TLS",
  .enabled(
    if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "needs openssl (apt-get install openssl)"))
struct TLSTests {
  /// Certificates and keys in files, and a client that says what it thinks of the server.
  private struct Scene {
    let folder: TemporaryFolder
    var certificate: String { folder.path + "/certificate.pem" }
    var key: String { folder.path + "/key.pem" }

    init() async throws {
      folder = try TemporaryFolder()
      try await make("first")
    }

    /// Makes another certificate, with its key.
    func make(_ name: String) async throws {
      let made = try await Command(
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
          "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ], program: URL(filePath: "/usr/bin/openssl")
      ).finish()
      #expect(made.status == 0, "\(made.errors)")
    }

    func talk(_ port: Int, _ requests: [UInt8], _ options: String = "") async throws -> (bytes: [UInt8], log: String) {
      let (question, answer) = (folder.path + "/question", folder.path + "/answer")
      try Data(requests).write(to: URL(filePath: question))
      let command = """
        openssl s_client -connect 127.0.0.1:\(port) -CAfile '\(certificate)' -verify_return_error -ign_eof -nocommands \
        -quiet \(options) < '\(question)' > '\(answer)'
        """
      let result = try await Command(["-c", command], program: URL(filePath: "/bin/sh")).finish()
      return ([UInt8](try Data(contentsOf: URL(filePath: answer))), result.errors)
    }
  }

  private static func request(_ path: String, isLast: Bool) -> [UInt8] {
    let connection = isLast ? "Connection: close\r\n" : ""
    return Array("GET \(ServedLog.prefix)\(path) HTTP/1.1\r\nHost: test\r\n\(connection)\r\n".utf8)
  }

  @Test(
    "Tiles come whole and in order, in both versions of TLS, and in no older one", arguments: ["-tls1_2", "-tls1_3"])
  func tiles(version: String) async throws {
    let scene = try await Scene()
    let credentials = try TLSCredentials(certificateFile: scene.certificate, keyFile: scene.key)
    try await ServedLog.run({ options, _ in options.server.credentials = credentials }) { log in
      // RawHTTP knows no TLS: the entries come past the server.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<257 {
          group.addTask {
            let pair = try log.issue(number)
            let body = try AddChainRequest(chain: [pair.certificate] + pair.chain).json()
            _ = try await log.service.log.submit(body, as: .x509)
          }
        }
        try await group.waitForAll()
      }
      let tile = try Gunzip().inflate(
        [UInt8](try Data(contentsOf: URL(filePath: log.folder.publicPath + "/tile/data/000"))))
      #expect(tile.count > 100_000)
      let requests = (0..<20).flatMap { TLSTests.request("tile/data/000", isLast: $0 == 19) }
      let (bytes, errors) = try await scene.talk(log.http.port, requests, version)
      #expect(Self.count(of: "HTTP/1.1 200 OK\r\n", in: Data(bytes)) == 20, "\(errors)")
      #expect(bytes.suffix(tile.count) == tile[...])
      let (old, _) = try await scene.talk(log.http.port, requests, "-tls1_1 -cipher DEFAULT@SECLEVEL=0")
      #expect(old.isEmpty)
      // What is no TLS gets nothing.
      #expect(try await !log.http.exchange([requests]).starts(with: Array("HTTP".utf8)))
    }
  }

  private static func count(of text: String, in data: Data) -> Int {
    var (count, rest) = (0, data[...])
    while let found = rest.firstRange(of: Data(text.utf8)) { (count, rest) = (count + 1, rest[found.upperBound...]) }
    return count
  }

  @Test("A new certificate is taken up while the server runs, a bad one is not")
  func reload() async throws {
    let scene = try await Scene()
    let credentials = try TLSCredentials(certificateFile: scene.certificate, keyFile: scene.key)
    try await ServedLog.run({ options, _ in options.server.credentials = credentials }) { log in
      let request = TLSTests.request("checkpoint", isLast: true)
      let first = try await scene.talk(log.http.port, request)
      #expect(String(decoding: first.bytes, as: UTF8.self).contains(log.folder.settings.origin), "\(first.log)")
      let before = try Data(contentsOf: URL(filePath: scene.certificate))
      try await scene.make("second")
      let after = try Data(contentsOf: URL(filePath: scene.certificate))
      // The client trusts the second alone.
      #expect(try await scene.talk(log.http.port, request).bytes.isEmpty)
      try credentials.reload()
      #expect(try await !scene.talk(log.http.port, request).bytes.isEmpty)
      // The certificate is not the key's.
      try before.write(to: URL(filePath: scene.certificate))
      #expect(throws: TLSCredentials.Failure.self) { try credentials.reload() }
      try after.write(to: URL(filePath: scene.certificate))
      #expect(try await !scene.talk(log.http.port, request).bytes.isEmpty)
    }
  }

  @Test("SIGHUP has `oriel log serve` take up what is in the files; what is none there changes nothing")
  func hangup() async throws {
    let scene = try await Scene()
    let log = scene.folder.path + "/log"
    let authority = try TestAuthority(seed: 3)
    let roots = try scene.folder.write(PEM.encode(authority.root.chain[0]), to: "roots.pem")
    let made = try await Command.run(
      [
        "log", "init", log, "--submission-url", "https://127.0.0.1:1\(ServedLog.prefix)", "--roots", roots,
        "--no-anchor",
      ])
    #expect(made.status == 0, "\(made.errors)")
    let service = try Command([
      "log", "serve", log, "--listen", "127.0.0.1:0", "--min-free", "0", "--tls-certificate", scene.certificate,
      "--tls-key", scene.key,
    ])
    let port = try #require(try await service.port())
    #expect(service.errors.contains("listening on https://"))
    let request = TLSTests.request("checkpoint", isLast: true)
    #expect(try await !scene.talk(port, request).bytes.isEmpty)
    try await scene.make("second")
    #expect(try await scene.talk(port, request).bytes.isEmpty)
    service.send(SIGHUP)
    try await service.wait(for: "TLS goes on with what is in the files now")
    #expect(try await !scene.talk(port, request).bytes.isEmpty)
    let certificate = try Data(contentsOf: URL(filePath: scene.certificate))
    try Data("nothing".utf8).write(to: URL(filePath: scene.certificate))
    service.send(SIGHUP)
    try await service.wait(for: "TLS goes on with what was read before")
    try certificate.write(to: URL(filePath: scene.certificate))
    #expect(try await !scene.talk(port, request).bytes.isEmpty)
    service.send(SIGTERM)
    #expect(try await service.finish().status == 0)
  }

  @Test("Files that hold no certificate or key are named")
  func files() async throws {
    let scene = try await Scene()
    let empty = try scene.folder.write("nothing", to: "empty.pem")
    for (certificate, key, file) in [
      (empty, scene.key, empty), (scene.certificate, empty, empty), (scene.folder.path + "/none", scene.key, "none"),
      (scene.certificate, scene.folder.path + "/none", "none"), (scene.key, scene.key, "key.pem"),
    ] {
      let failure = #expect(throws: TLSCredentials.Failure.self) {
        try TLSCredentials(certificateFile: certificate, keyFile: key)
      }
      #expect(failure?.description.contains(file) == true)
    }
  }
}
