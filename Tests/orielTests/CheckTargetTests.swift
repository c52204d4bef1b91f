import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

/// What `oriel check` and `oriel sct` are given to look at, as people write it.
@Suite("targets of oriel check", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct CheckTargetTests {
  /// `oriel` in a folder of its own.
  private static func run(_ arguments: [String], in folder: String) async throws -> Command.Result {
    try await Command(["-C", folder, Command.oriel.path] + arguments, program: URL(filePath: "/usr/bin/env")).finish()
  }

  @Test(
    "looks at the site of a host or URL, also where a folder is called like it",
    arguments: ["localhost:%", "https://localhost:%", "HTTPS://user@localhost:%/", "http://localhost:%/a.pem?b#c"])
  func sites(_ site: String) async throws {
    let scene = try CheckScene()
    let (server, port) = try await CheckScene.serve(try scene.certificate(embedded: ["a", "b"]).arguments)
    try FileManager.default.createDirectory(
      at: scene.folder.url.appending(path: "localhost:\(port)"), withIntermediateDirectories: true)
    let result = try await CheckTargetTests.run(
      ["check", site.replacing("%", with: "\(port)"), "--address", "127.0.0.1"] + scene.judging, in: scene.folder.path)
    #expect(result.status == 0 && result.output.contains("Chrome"), "\(result.output)\(result.errors)\(server.errors)")
  }

  @Test(
    "says what is wrong with a target in the words of what it is",
    arguments: [
      ("bücher.invalid:1", "xn--bcher-kva.invalid"), ("https://bücher.invalid/", "xn--bcher-kva.invalid"),
      ("https://127.0.0.1:1", "refuses"), ("https://[::1]:1/", "::1"), ("ftp://localhost/", "no address of a web site"),
      ("./live", "is a folder"), ("live", "does not resolve"), ("./none", "no such file"),
    ])
  func refusals(_ target: String, _ words: String) async throws {
    let scene = try CheckScene()
    try FileManager.default.createDirectory(
      at: scene.folder.url.appending(path: "live"), withIntermediateDirectories: true)
    let result = try await CheckTargetTests.run(
      ["check", target, "--timeout", "5"] + scene.judging, in: scene.folder.path)
    #expect(result.status == 2 && result.errors.contains(words), "\(result.output)\(result.errors)")
  }

  @Test("takes --host of a certificate in a file as people write it")
  func host() async throws {
    let scene = try CheckScene()
    let chain = try scene.certificate(embedded: ["a", "b"]).chain
    let result = try await Command.run(["check", chain, "--json", "--host", "bücher.invalid"] + scene.judging)
    #expect(result.output.contains("xn--bcher-kva.invalid"), "\(result.output)\(result.errors)")
  }

  @Test("says that a precertificate is one, and that its certificate is what to check", arguments: [false, true])
  func precertificate(json: Bool) async throws {
    let scene = try CheckScene()
    let pair = try scene.certificate(embedded: ["a", "b"]).pair
    let file = try scene.folder.write(
      ([pair.precertificate] + pair.chain).map { PEM.encode($0) }.joined(), to: "precertificate.pem")
    let result = try await Command.run(["check", file] + (json ? ["--json"] : []) + scene.judging)
    #expect(result.status == 2 && !(result.output + result.errors).contains("CT-NONE"), "\(result.output)")
    if json {
      #expect(result.output.contains("\"code\":\"precertificate\""), "\(result.output)")
    } else {
      #expect(result.output.isEmpty && result.errors.contains("this is a precertificate"), "\(result.errors)")
    }
  }

  @Test(
    "refuses to decode or verify what holds no SCT",
    arguments: ["hello", "text", "random", "version 2", "empty", "cut"])
  func noSCT(_ what: String) async throws {
    let scene = try CheckScene()
    let certificate = try scene.certificate(embedded: ["a", "b"])
    let sct = try scene.scts(["c"], certificate.pair.certificateEntry)[0].encoded()
    let contents: [String: [UInt8]] = [
      "hello": Array("hello world, no SCT\n".utf8),
      "text": Array(try String(contentsOfFile: scene.list, encoding: .utf8).utf8),
      "random": (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 91) }, "version 2": [1] + sct.dropFirst(),
      "empty": [], "cut": Array(sct.dropLast()),
    ]
    let file = scene.folder.path + "/a.sct"
    try Data(try #require(contents[what])).write(to: URL(filePath: file))
    for command in [["decode"], ["verify", "--cert", certificate.chain]] {
      let result = try await Command.run(["sct"] + command + [file, "--log-list", scene.list])
      #expect(result.status == 65 && result.output.isEmpty, "\(command) \(result.output)\(result.errors)")
      #expect(result.errors.contains("a.sct' is no SCT"), "\(result.errors)")
    }
    try Data(sct).write(to: URL(filePath: file))
    let decoded = try await Command.run(["sct", "decode", file, "--log-list", scene.list])
    #expect(decoded.status == 0 && decoded.output.contains("Operator c"), "\(decoded.errors)")
  }
}
