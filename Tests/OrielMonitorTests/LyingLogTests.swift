import CertificateTransparency
import OrielMonitor
import OrielStore
import TestSupport
import TestWorld
import Testing

/// A fault with its name in the test report.
struct NamedFault: Sendable, CustomTestStringConvertible {
  let name: String
  let fault: Fault
  var part = ""
  var evidence: String?
  var only: LogKind?

  var testDescription: String { name }
}

@Suite("A log that misbehaves", .serialized)
struct LyingLogTests {
  static let passing: [NamedFault] = [
    NamedFault(name: "cut short", fault: .truncatedBody(to: 100)),
    NamedFault(name: "too long", fault: .oversizedBody(by: 50)),
    NamedFault(name: "claims a longer body", fault: .claimedLength(1_000_000)),
    NamedFault(name: "wrong content", fault: .wrongContent(Array("<html>".utf8))),
    NamedFault(name: "429", fault: .status(429)),
    NamedFault(name: "429 with Retry-After", fault: .status(429, retryAfter: "1")),
    NamedFault(name: "503", fault: .status(503)),
    NamedFault(name: "connection cut", fault: .cut(after: 60)),
    NamedFault(name: "short ranges", fault: .shortRanges(7), only: .rfc6962),
    NamedFault(name: "a wrong bit in the entries", fault: .flippedBit(8_000), part: "tile/data", only: .staticCT),
    NamedFault(name: "a wrong bit in a leaf", fault: .flippedLeaf(100)),
    NamedFault(name: "a wrong bit in a hash tile", fault: .flippedBit(100), part: "tile/1", only: .staticCT),
    NamedFault(name: "a range that begins late", fault: .shiftedRanges(by: 1), only: .rfc6962),
    NamedFault(name: "a bad head signature", fault: .badHeadSignature),
    NamedFault(name: "a body that comes in drips", fault: .slowDrip(byteCount: 400, every: .milliseconds(300))),
    NamedFault(name: "silence", fault: .silence),
  ]

  @Test(
    "A fault that passes is survived: every planted match is found once, the tree verified",
    arguments: passing, LogKind.allCases)
  func survived(_ named: NamedFault, kind: LogKind) async throws {
    guard named.only == nil || named.only == kind else { return }
    try await World.run { world in
      let log = kind.log(in: world)
      // More than one tile.
      let size = isCampaign ? 600 : 300
      let planted = try world.plant(size, in: log)
      log.lie(named.fault, .times(2), on: named.part)
      let watcher = try Watcher(world)
      let outcomes = try await watcher.watchOnce(kind.description(in: world), timeout: 20)
      #expect(outcomes.map(\.trouble) == [nil])
      let stored = try await watcher.stored()
      #expect(stored.count == planted)
      // What was read before the fault was noticed stays, marked; what was read again is as it should be.
      #expect(stored.allSatisfy { $0.sightings.count { !$0.isSuspect } == 1 })
      #expect(try await watcher.verified(log) == UInt64(size))
    }
  }

  static let lasting: [NamedFault] = [
    NamedFault(name: "bad signatures", fault: .badHeadSignature, evidence: "bad-signature"),
    NamedFault(name: "a shrinking head", fault: .shrinkingHead(to: 200), evidence: "shrinking-head"),
    NamedFault(name: "a fork at the same size", fault: .forkedHead, evidence: "conflicting-heads"),
    NamedFault(
      name: "a leaf that is not in the tree", fault: .flippedLeaf(500), evidence: "root-mismatch", only: .rfc6962),
    NamedFault(
      name: "a leaf that is not in the tree", fault: .flippedLeaf(500), evidence: "wrong-entries", only: .staticCT),
  ]

  @Test(
    "A lasting lie is reported with evidence, the position stays, and the truth is read in full afterwards",
    arguments: lasting, LogKind.allCases)
  func evident(_ named: NamedFault, kind: LogKind) async throws {
    guard named.only == nil || named.only == kind else { return }
    try await World.run { world in
      let log = kind.log(in: world)
      var planted = try world.plant(300, in: log)
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      if case .flippedLeaf = named.fault { planted += try world.plant(900, in: log) }
      log.fault = named.fault
      let outcomes = try await watcher.watchOnce(kind.description(in: world), timeout: 20)
      #expect(outcomes.map(\.isLying) == [true])
      #expect(try await watcher.evidence(against: log).contains(try #require(named.evidence)))
      let position = try #require(try await watcher.verified(log))
      #expect(position >= 300 && position <= 500)
      log.fault = nil
      planted += try world.plant(200, in: log)
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      let stored = try await watcher.stored()
      #expect(stored.count { $0.sightings.allSatisfy { !$0.isSuspect } } >= planted)
      #expect(Set(stored.flatMap { $0.sightings.map(\.index) }).count >= planted)
      #expect(try await watcher.verified(log) == UInt64(log.log.size))
    }
  }

  @Test("A tree that forks later is found out at its next head", arguments: LogKind.allCases)
  func fork(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      _ = try world.plant(400, in: log)
      let watcher = try Watcher(world)
      try await watcher.watchOnce(kind.description(in: world))
      _ = try world.plant(200, in: log)
      log.fault = .fork(at: 300)
      let outcomes = try await watcher.watchOnce(kind.description(in: world), timeout: 20)
      #expect(outcomes.map(\.isLying) == [true])
      #expect(try await watcher.verified(log) == 400)
      #expect(!(try await watcher.evidence(against: log)).isEmpty)
    }
  }

  @Test("A larger tree that is dated earlier is evidence", arguments: LogKind.allCases)
  func timeBackwards(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      _ = try world.plant(300, in: log)
      let watcher = try Watcher(world)
      try await watcher.watchOnce(kind.description(in: world))
      _ = try world.plant(30, in: log)
      log.fault = .timeBackwards(milliseconds: 86_400_000)
      #expect(try await watcher.watchOnce(kind.description(in: world), timeout: 20).map(\.isLying) == [true])
      #expect(Set(try await watcher.evidence(against: log)) == ["time-backwards"])
      #expect(try await watcher.verified(log) == 300)
    }
  }

  @Test("A log that never answers is unreachable, not lying, and holds up no other", arguments: LogKind.allCases)
  func unreachable(kind: LogKind) async throws {
    try await World.run { world in
      let planted = try world.plant(300, in: world.staticLog)
      _ = try world.plant(300, in: world.rfc6962Log)
      kind.log(in: world).fault = .status(500)
      let watcher = try Watcher(world)
      let outcomes = try await watcher.watchOnce(timeout: 1)
      #expect(outcomes.count { $0.trouble != nil } == 1 && outcomes.allSatisfy { !$0.isLying })
      let sightings = try await watcher.stored().flatMap(\.sightings)
      #expect(sightings.count == planted)
    }
  }

  static let endless: [NamedFault] = [
    NamedFault(name: "429 and an hour", fault: .status(429, retryAfter: "3600"), part: "tile/data", only: .staticCT),
    NamedFault(
      name: "503 and ten minutes", fault: .status(503, retryAfter: "600"), part: "get-entries", only: .rfc6962),
    NamedFault(name: "429 for everything", fault: .status(429, retryAfter: "600")),
    NamedFault(name: "silence", fault: .silence),
    NamedFault(name: "a body that never ends", fault: .slowDrip(byteCount: 1, every: .milliseconds(900))),
    NamedFault(name: "bytes that are no entries", fault: .wrongContent(Array("<html>".utf8)), part: "get-entries"),
  ]

  @Test(
    "Whatever a log answers, and for how long it asks to wait, it is given up once nothing came for the time-out",
    arguments: endless, LogKind.allCases)
  func givenUp(_ named: NamedFault, kind: LogKind) async throws {
    guard named.only == nil || named.only == kind else { return }
    try await World.run { world in
      let log = kind.log(in: world)
      _ = try world.plant(600, in: log)
      log.lie(named.fault, on: kind == .rfc6962 || named.part != "get-entries" ? named.part : "tile/data")
      let watcher = try Watcher(world)
      let outcomes = try await watcher.watchOnce(kind.description(in: world), timeout: 2)
      #expect(outcomes.map { $0.trouble != nil && !$0.isLying } == [true])
      #expect(try await watcher.state(log) == .unreachable)
    }
  }

  @Test("A frozen log counts as caught up, and is said to be frozen", arguments: LogKind.allCases)
  func frozen(kind: LogKind) async throws {
    try await World.run(now: { Timestamp(milliseconds: 1_500_000_000_000) }) { world in
      let planted = try world.plant(300, in: kind.log(in: world))
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == planted)
      #expect(try await watcher.store().logs().map(\.state) == [.frozen])
    }
  }

  @Test(
    "Names of 64 KiB, and leaves that disagree with their precertificate, are reported", arguments: LogKind.allCases)
  func oddEntries(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      let huge = try world.authority.issue(.withHugeName(below: "watched.example"))
      let mine = try world.authority.issue(CertificateRequest(["secret.watched.example"]))
      let theirs = try world.authority.issue(CertificateRequest(["www.other.example"]))
      try log.log.append(huge.precertificateEntry)
      try log.log.append(mine.entry(disagreeingWith: theirs))
      try log.log.publish()
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      let stored = try await watcher.stored()
      #expect(Set(stored.flatMap { $0.sightings.map(\.index) }) == [0, 1])
      let problems = stored.flatMap { $0.sightings.filter { $0.index == 1 }.flatMap(\.problems) }
      #expect(problems.contains { $0.contains("not the one that the logged entry was made from") })
    }
  }
}
