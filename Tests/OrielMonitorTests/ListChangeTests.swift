import CertificateTransparency
import MerkleTree
import OrielMonitor
import OrielStore
import Synchronization
import TestWorld
import Testing

@Suite("Log lists that change while logs are followed", .serialized)
struct ListChangeTests {
  /// Follows with lists that can be changed, while `body` runs.
  private func following(
    _ watcher: Watcher, _ logs: [LogDescription],
    _ body: (_ replace: @Sendable ([LogDescription]) -> Void) async throws -> Void
  ) async throws {
    let lists = ListBox(logs)
    let task = Task { try await watcher.follow(changing: { lists.current }) }
    try await body { lists.replace($0) }
    task.cancel()
    _ = await task.result
  }

  @Test("A log that joins the lists is read from entry 0; one at another address goes on where it was")
  func joinsAndMoves() async throws {
    try await World.run { world in
      let watcher = try Watcher(world)
      let all = world.logList.logs
      var tiled = try world.plant(300, in: world.staticLog)
      let classic = try world.plant(300, in: world.rfc6962Log)
      let tiledOnly = LogKind.staticCT.description(in: world)
      // At its first address the log is dead: only at the other can it be read.
      let dead = tiledOnly.map { log in
        world.staticLog.log.description(url: world.server.url + "nowhere/", operatorName: log.operatorName)
      }
      try await following(watcher, dead) { replace in
        try await watcher.wait { try await watcher.state(world.staticLog) == .unreachable }
        #expect(try await watcher.state(world.staticLog) == .unreachable)
        replace(tiledOnly)
        try await watcher.wait { try await watcher.verified(world.staticLog) == 300 }
        #expect(try await watcher.verified(world.staticLog) == 300)
        tiled += try world.plant(100, in: world.staticLog)
        replace(all)
        try await watcher.wait {
          let verified = (try await watcher.verified(world.staticLog), try await watcher.verified(world.rfc6962Log))
          return verified == (400, 300)
        }
      }
      let sightings = try await watcher.stored().flatMap(\.sightings)
      #expect(sightings.count == tiled + classic)
    }
  }

  @Test("A log that leaves the lists is read to its end, and then left", arguments: LogKind.allCases)
  func leaves(kind: LogKind) async throws {
    try await World.run { world in
      let watcher = try Watcher(world)
      let log = kind.log(in: world)
      var planted = try world.plant(50, in: log)
      let all = world.logList.logs
      try await following(watcher, all) { replace in
        try await watcher.wait { try await watcher.verified(log) == 50 }
        planted += try world.plant(700, in: log)
        replace(all.filter { $0.logID != log.log.signer.logID })
        try await watcher.wait { try await watcher.state(log) == .drained }
      }
      #expect(try await watcher.state(log) == .drained)
      #expect(try await watcher.verified(log) == 750)
      #expect(try await watcher.stored().flatMap(\.sightings).count == planted)
    }
  }

  @Test("The final tree head of a read-only log must be that of its entries", arguments: LogKind.allCases)
  func finalTreeHead(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      _ = try world.plant(300, in: log)
      let entries = log.log.tree
      for (size, root, isTrue) in [
        (300, entries.root(300), true), (300, entries.root(299), false), (200, entries.root(200), true),
        (200, entries.root(201), false),
      ] {
        let watcher = try Watcher(world)
        let final = LogDescription.FinalTreeHead(treeSize: UInt64(size), rootHash: root)
        let logs = kind.description(in: world).map { $0.readOnly(final) }
        let outcomes = try await watcher.watchOnce(logs, timeout: 20)
        #expect(outcomes.map(\.isLying) == [!isTrue])
        #expect(try await watcher.evidence(against: log).isEmpty == isTrue)
      }
    }
  }

  @Test("`now` works on a log that does not answer get-entry-and-proof")
  func withoutEntryAndProof() async throws {
    try await World.run { world in
      _ = try world.plant(300, in: world.rfc6962Log)
      world.rfc6962Log.lie(.status(404), on: "get-entry-and-proof")
      let watcher = try Watcher(world)
      let logs = LogKind.rfc6962.description(in: world)
      #expect(try await watcher.watchOnce(logs, from: "now").map(\.trouble) == [nil])
      let later = try world.plant(100, in: world.rfc6962Log)
      #expect(try await watcher.watchOnce(logs).map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == later)
      #expect(try await watcher.verified(world.rfc6962Log) == 400)
    }
  }
}

/// Lists that a test changes.
private final class ListBox: Sendable {
  private let logs: Mutex<[LogDescription]>

  init(_ logs: [LogDescription]) { self.logs = Mutex(logs) }

  var current: [LogDescription] { logs.withLock { $0 } }

  func replace(_ fresh: [LogDescription]) { logs.withLock { $0 = fresh } }
}

extension LogDescription {
  fileprivate func readOnly(_ final: FinalTreeHead) -> LogDescription {
    LogDescription(
      kind: kind, key: key, description: description, operatorName: operatorName,
      maximumMergeDelay: maximumMergeDelay, state: .readonly(finalTreeHead: final), stateTimestamp: stateTimestamp)
  }
}
