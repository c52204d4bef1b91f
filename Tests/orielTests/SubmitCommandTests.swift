import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

/// `oriel submit` as a server's owner runs it, against logs on loopback.
@Suite("oriel submit", .serialized)
struct SubmitCommandTests {
  /// Two logs of two operators that sign whatever certificate they are given.
  private func withLogs(
    _ body: (_ chain: String, _ list: String, _ folder: TemporaryFolder) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let now: @Sendable () -> Timestamp = {
      Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000) - 60_000)
    }
    let authority = try TestAuthority(now: now)
    let pair = try authority.issue(CertificateRequest(["shop.example"]))
    let logs = try ["a", "b"].enumerated().map { try TestLog(.rfc6962, name: $1, seed: UInt64(70 + $0), now: now) }
    try await TestServer.run { request in
      guard let log = logs.first(where: { request.target.hasPrefix("/\($0.name)/ct/v1/add-chain") }),
        let sct = try? log.sct(at: log.append(pair.certificateEntry)),
        let signature = try? sct.signature.encoded()
      else { return .notFound }
      return TestResponse(
        type: "application/json",
        Array(
          """
          {"sct_version": 0, "id": "\(Base64.encode(sct.logID.hash.bytes))", "timestamp": \(sct.timestamp.milliseconds),
           "extensions": "", "signature": "\(Base64.encode(signature))"}
          """.utf8))
    } _: { server in
      let listed = logs.map { $0.description(url: server.url + "\($0.name)/", operatorName: "Operator \($0.name)") }
      let list = LogList(
        version: "1", timestamp: now(), operators: logs.map { LogList.Operator(name: "Operator \($0.name)") },
        logs: listed)
      let file = try folder.write(String(decoding: list.json(), as: UTF8.self), to: "list.json")
      let pem = ([pair.certificate] + pair.chain).map { PEM.encode($0) }
      try await body(try folder.write(pem.joined(), to: "chain.pem"), file, folder)
    }
  }

  @Test("writes a file with which every policy passes, and keeps it as long as it serves")
  func wholeWay() async throws {
    try await withLogs { chain, list, folder in
      let file = folder.path + "/shop.sctl"
      let result = try await Command.run(["submit", chain, "--out", file, "--log-list", list])
      #expect(result.status == 0, "\(result.output)\(result.errors)")
      #expect(result.lines.count == 2 && result.lines.allSatisfy { $0.contains("SCT of") })
      let verified = try await Command.run(["sct", "verify", "--cert", chain, file, "--log-list", list])
      #expect(verified.output.components(separatedBy: "tls ").count == 3)
      let check = try await Command.run(["check", chain, "--sct-list", file, "--log-list", list, "--json"])
      #expect(check.output.contains("\"standing\":\"pass\""), "\(check.output)")
      let arguments = ["submit", chain, "--keep", file, "--reload", "echo done >> \(folder.path)/reloads"]
      let kept = try await Command.run(arguments + ["--log-list", list])
      #expect(kept.status == 0 && kept.output.contains("unchanged"), "\(kept.output)\(kept.errors)")
      try FileManager.default.removeItem(atPath: file)
      let renewed = try await Command.run(arguments + ["--log-list", list])
      #expect(renewed.status == 0 && renewed.output.contains("replaced"), "\(renewed.output)\(renewed.errors)")
      #expect(try String(contentsOfFile: folder.path + "/reloads", encoding: .utf8) == "done\n")
    }
  }

  @Test("writes over no other file, and asks no log then", arguments: ["--out", "--keep"])
  func notReplaced(option: String) async throws {
    try await withLogs { chain, list, folder in
      let key = try folder.write("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", to: "key.pem")
      let before = try String(contentsOfFile: key, encoding: .utf8)
      let result = try await Command.run(["submit", chain, option, key, "--log-list", list])
      #expect(result.status == (option == "--out" ? 73 : 3), "\(result.output)\(result.errors)")
      #expect((result.output + result.errors).contains("holds something else than SCTs"))
      #expect(!result.output.contains("SCT of"))
      #expect(try String(contentsOfFile: key, encoding: .utf8) == before)
    }
  }

  @Test("says which log refused and what is still missing")
  func refused() async throws {
    try await withLogs { chain, list, folder in
      let text = try String(contentsOfFile: list, encoding: .utf8).replacing("/b\\/", with: "/x\\/").replacing(
        "/b/", with: "/x/")
      let broken = try folder.write(text, to: "broken.json")
      let result = try await Command.run(["submit", chain, "--log-list", broken])
      #expect(result.status == 1, "\(result.output)\(result.errors)")
      #expect(result.output.contains("no SCT: ") && result.output.contains("still fails"))
    }
  }
}
