import CertificateTransparency
import Foundation
import MerkleTree
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// A log that the program made and runs.
struct OperatedLog {
  let temporary: TemporaryFolder
  let path: String
  let authority: TestAuthority

  var folder: LogFolder { get throws { try LogFolder(path) } }

  init(_ more: [String] = [], environment: [String: String] = [:]) async throws {
    let clock = TravelClock()
    authority = try TestAuthority(seed: 21, now: { clock.now })
    temporary = try TemporaryFolder()
    path = temporary.path + "/log"
    let result = try await OperatedLog.make(path, authority, temporary, more, environment)
    #expect(result.status == 0, "\(result.errors)")
  }

  /// Runs `oriel log init`.
  static func make(
    _ path: String, _ authority: TestAuthority, _ temporary: TemporaryFolder, _ more: [String] = [],
    _ environment: [String: String] = [:]
  ) async throws -> Command.Result {
    let roots = try temporary.write(PEM.encode(authority.root.chain[0]), to: "roots.pem")
    let url = "http://127.0.0.1:1\(ServedLog.prefix)"
    return try await Command.run(
      ["log", "init", path, "--submission-url", url, "--roots", roots] + more
        + (more.contains("--anchor") ? [] : ["--no-anchor"]),
      environment: environment)
  }

  /// Starts the server; no HTTP if it ended.
  ///
  /// - Parameter wrapper: gives a program and its arguments that run the command they are given.
  func serve(
    _ more: [String] = [], environment: [String: String] = [:],
    under wrapper: ([String]) -> (URL, [String]) = { (Command.oriel, $0) }
  ) async throws -> (Command, RawHTTP?) {
    let (program, arguments) = wrapper(["log", "serve", path, "--listen", "127.0.0.1:0", "--min-free", "0"] + more)
    let command = try Command(arguments, program: program, environment: environment)
    return (command, try await command.port().map { RawHTTP(port: $0) })
  }

  func fsck() async throws -> Command.Result { try await Command.run(["log", "fsck", path]) }

  func head(_ http: RawHTTP) async throws -> LogHead {
    try folder.publicIdentity.head(
      reading: try await http.request("GET", ServedLog.prefix + "checkpoint").body)
  }

  /// Checks that a tree, the last, has all that was promised, and goes on from all heads that were seen.
  func check(_ last: LogHead, _ promises: [ServedLog.Promise], _ heads: [LogHead]) async throws {
    let tiles = TileReader(storage: try DirectoryStore(folder.publicPath, isReadOnly: true))
    var leaves: [SHA256Hash] = []
    for tile in TileCoordinate.tiles(.hashes(level: 0), treeSize: last.size) { leaves += try await tiles.hashes(tile) }
    for promise in promises {
      #expect(promise.index < last.size && leaves[Int(promise.index)] == promise.leafHash, "entry \(promise.index)")
    }
    for head in heads {
      try #require(head.size <= last.size)
      var frontier = Frontier()
      try frontier.append(leaves: Array(leaves.prefix(Int(head.size))))
      #expect(try frontier.root() == head.root, "the head of \(head.size) entries")
    }
  }
}

/// Submits certificates, each once, and keeps what the log promises.
final class Submitter: Sendable {
  private struct State {
    var number = 0
    var promises: [ServedLog.Promise] = []
    var refusals: [String] = []
  }

  private let state = Mutex(State())
  private let authority: TestAuthority
  private let key: LogKey

  init(_ authority: TestAuthority, _ key: LogKey) { (self.authority, self.key) = (authority, key) }

  var promises: [ServedLog.Promise] { state.withLock { $0.promises } }
  /// The answers other than SCTs.
  var refusals: [String] { state.withLock { $0.refusals } }

  /// Submits one.
  ///
  /// - Returns: the status of the answer; nil if there was none.
  func submit(_ http: RawHTTP) async throws -> Int? {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let pair = try authority.issue(CertificateRequest(["host\(number).example"]))
    let body = try AddChainRequest(chain: [pair.certificate] + pair.chain).json()
    guard let reply = try? await http.request("POST", ServedLog.prefix + "ct/v1/add-chain", body: body) else {
      return nil
    }
    guard reply.status == 200 else {
      state.withLock { $0.refusals.append("\(reply.status) \(reply.text)") }
      return reply.status
    }
    let promise = try ServedLog.Promise(reply, pair.certificateEntry, key)
    state.withLock { $0.promises.append(promise) }
    return 200
  }

  /// Submits so many at once.
  ///
  /// - Returns: whether all were answered.
  func submit(_ count: Int, to http: RawHTTP) async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<count { group.addTask { try await self.submit(http) != nil } }
      return try await group.reduce(true) { $0 && $1 }
    }
  }
}
