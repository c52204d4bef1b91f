import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore
import OrielWatchlist
import TestWorld
import Testing

@Suite("Following logs", .serialized)
struct FollowingTests {
  @Test("A precertificate and its certificate in two logs are one issuance, told once as new")
  func oneIssuance() async throws {
    try await World.run { world in
      try world.issue("www.watched.example")
      try world.issue("www.other.example")
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce().allSatisfy { $0.trouble == nil })
      let stored = try await watcher.stored()
      #expect(stored.count == 1)
      #expect(stored.first?.sightings.count == 4)
      #expect(stored.first?.certificates.map(\.entryType) == ["x509", "precert"])
      #expect(watcher.announcements.map(\.isUpdate) == [false, true, true, true])
    }
  }

  @Test("Running again goes on where it stopped, and tells nothing twice", arguments: LogKind.allCases)
  func resuming(kind: LogKind) async throws {
    try await World.run { world in
      let log = kind.log(in: world)
      let watcher = try Watcher(world)
      var planted = 0
      for count in [1, 254, 1, 1, 500, 300] {
        planted += try world.plant(count, watchedEvery: 5, in: log)
        #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
        #expect(try await watcher.verified(log) == UInt64(log.log.size))
        #expect(watcher.announcements.count == planted)
      }
      try await watcher.watchOnce(kind.description(in: world))
      #expect(watcher.announcements.count == planted)
    }
  }

  @Test("Where reading begins, the frontier is proved", arguments: ["now", "start", "700", "30d"], LogKind.allCases)
  func start(policy: String, kind: LogKind) async throws {
    let now: @Sendable () -> Timestamp = { Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000)) }
    try await World.run(now: now) { world in
      let log = kind.log(in: world)
      let before = try world.plant(800, in: log)
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(kind.description(in: world), from: policy).map(\.trouble) == [nil])
      let expected = ["now": 0, "start": before, "700": 10, "30d": before][policy]
      #expect(try await watcher.stored().count == expected)
      let later = try world.plant(100, in: log)
      // The stored position wins over whatever is asked for now.
      #expect(try await watcher.watchOnce(kind.description(in: world), from: "start").map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == (expected ?? 0) + later)
      #expect(try await watcher.verified(log) == 900)
    }
  }

  @Test("A log that appears later is read from its first entry, whatever the start policy")
  func laterLog() async throws {
    try await World.run { world in
      _ = try world.plant(300, in: world.staticLog)
      let planted = try world.plant(300, in: world.rfc6962Log)
      let watcher = try Watcher(world)
      try await watcher.watchOnce(LogKind.staticCT.description(in: world), from: "now")
      #expect(try await watcher.stored().isEmpty)
      try await watcher.watchOnce(from: "now")
      #expect(try await watcher.stored().count == planted)
    }
  }

  @Test("What could not be told is told the next time, and then never again")
  func atLeastOnce() async throws {
    struct Closed: Error {}
    try await World.run { world in
      let planted = try world.plant(100, in: world.staticLog)
      let watcher = try Watcher(world)
      let logs = LogKind.staticCT.description(in: world)
      await #expect(throws: Closed.self) { try await watcher.watchOnce(logs) { _ in throw Closed() } }
      #expect(watcher.announcements.isEmpty)
      try await watcher.watchOnce(logs)
      #expect(watcher.announcements.count == planted)
      try await watcher.watchOnce(logs)
      #expect(watcher.announcements.count == planted)
    }
  }

  @Test("Stopped anywhere while logs grow, and started again, it finds each match exactly once", arguments: 1...4)
  func stopping(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    try await World.run(seed: seed) { world in
      let watcher = try Watcher(world)
      var planted = 0
      for _ in 0..<8 {
        for kind in LogKind.allCases {
          planted += try world.plant(Int.random(in: 1...400, using: &generator), in: kind.log(in: world))
        }
        let pause = Duration.milliseconds(Int.random(in: 0...60, using: &generator))
        let following = Task { try await watcher.follow() }
        try await Task.sleep(for: pause)
        following.cancel()
        _ = await following.result
      }
      #expect(try await watcher.watchOnce().allSatisfy { $0.trouble == nil })
      let sightings = try await watcher.stored().flatMap(\.sightings)
      #expect(sightings.count == planted)
      for kind in LogKind.allCases {
        let log = kind.log(in: world)
        #expect(try await watcher.verified(log) == UInt64(log.log.size))
      }
    }
  }

  @Test("A watch list that changes is in force from the next batch on")
  func changedWatchlist() async throws {
    try await World.run { world in
      let watcher = try Watcher(world, watching: ["nothing.example"])
      _ = try world.plant(100, in: world.staticLog)
      try await watcher.watchOnce()
      watcher.watched.replace(with: WatchIndex([try WatchedItem(parsing: "watched.example")]))
      let later = try world.plant(100, in: world.staticLog)
      try await watcher.watchOnce()
      #expect(try await watcher.stored().count == later)
    }
  }
}
