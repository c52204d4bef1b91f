import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

/// `oriel check --inclusion` against logs on loopback, honest and lying.
@Suite("oriel check --inclusion", .serialized)
struct CheckInclusionTests {
  /// A certificate with an SCT of each log, whose entries are there but not published, and how to check it.
  private struct Scene {
    let folder: TemporaryFolder
    let pair: IssuedPair
    let arguments: [String]

    init(_ world: World) throws {
      folder = try TemporaryFolder()
      for number in 0..<300 {
        for log in [world.staticLog, world.rfc6962Log] {
          try log.log.append(try world.authority.begin(CertificateRequest(["n\(number).example"])).entry)
        }
      }
      let pending = try world.authority.begin(CertificateRequest(["localhost"]))
      let scts = try [world.staticLog, world.rfc6962Log].map { try $0.log.sct(at: try $0.log.append(pending.entry)) }
      pair = try pending.finish(scts)
      let chain = try folder.write(([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(), to: "chain.pem")
      arguments = ["check", chain, "--json", "--log-list", world.logListURL]
    }
  }

  private static func count(_ code: String, in output: String) -> Int {
    output.components(separatedBy: "\"inclusion\":\"\(code)\"").count - 1
  }

  @Test("proves that the entries of SCTs are in their logs, by leaf index and by hash")
  func proved() async throws {
    try await World.run { world in
      let scene = try Scene(world)
      let unasked = try await Command.run(scene.arguments)
      #expect(unasked.status == 0 && !unasked.output.contains("\"inclusion\""), "\(unasked.output)\(unasked.errors)")
      let early = try await Command.run(scene.arguments + ["--inclusion"])
      #expect(early.status == 1 && Self.count("missing", in: early.output) == 2, "\(early.output)\(early.errors)")
      #expect(early.output.contains("\"standing\":\"fail\"") && early.output.contains("CT-INCLUSION-1"))
      for log in [world.staticLog, world.rfc6962Log] { try log.log.publish() }
      let proved = try await Command.run(scene.arguments + ["--inclusion"])
      #expect(proved.status == 0 && Self.count("included", in: proved.output) == 2, "\(proved.output)\(proved.errors)")
    }
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fault: Fault
    let part: String
    let code: String
    let status: Int32
  }

  static let lies = [
    Lie(
      testDescription: "no head", fault: .status(404), part: "get-sth", code: "could-not-tell", status: 2),
    Lie(
      testDescription: "no checkpoint", fault: .status(404), part: "checkpoint", code: "could-not-tell", status: 2),
    Lie(
      testDescription: "a tile of its tree is gone", fault: .status(404), part: "tile/", code: "could-not-tell",
      status: 2),
    Lie(
      testDescription: "the log does not answer for proofs", fault: .status(500), part: "get-proof-by-hash",
      code: "could-not-tell", status: 2),
    Lie(
      testDescription: "the log does not know the entry", fault: .status(404), part: "get-proof-by-hash",
      code: "missing", status: 1),
    Lie(
      testDescription: "a head that is older than the SCT", fault: .timeBackwards(milliseconds: 86_400_000), part: "",
      code: "missing", status: 1),
  ]

  @Test("tells an entry that is missing from a log that can't be asked", arguments: lies)
  func told(_ lie: Lie) async throws {
    try await World.run { world in
      let scene = try Scene(world)
      for log in [world.staticLog, world.rfc6962Log] {
        try log.log.publish()
        log.lie(lie.fault, on: lie.part)
      }
      let result = try await Command.run(scene.arguments + ["--inclusion"])
      let concerned = lie.part.isEmpty ? 2 : 1
      #expect(result.status == lie.status, "\(result.output)\(result.errors)")
      #expect(Self.count(lie.code, in: result.output) == concerned, "\(result.output)")
      #expect(Self.count("included", in: result.output) == 2 - concerned, "\(result.output)")
    }
  }

  @Test("asks no log for an SCT that does not hold, and says so")
  func notAsked() async throws {
    try await World.run { world in
      let scene = try Scene(world)
      for log in [world.staticLog, world.rfc6962Log] { try log.log.publish() }
      let list = world.logList
      let others = list.logs.filter { $0.logID != world.rfc6962Log.log.signer.logID }
      let known = LogList(version: list.version, timestamp: list.timestamp, operators: list.operators, logs: others)
      let file = try scene.folder.write(String(decoding: try known.json(), as: UTF8.self), to: "list.json")
      let result = try await Command.run(
        Array(scene.arguments.dropLast()) + [file, "--inclusion"])
      #expect(Self.count("not-asked", in: result.output) == 1, "\(result.output)\(result.errors)")
      #expect(Self.count("included", in: result.output) == 1)
    }
  }
}
