import CertificateTransparency
import Foundation
import OrielStore
import TestSupport
import TestWorld
import Testing

/// Killed at any instant, the watcher loses nothing and counts nothing twice. `make soak` kills more often.
@Suite("oriel watch, killed again and again", .serialized)
struct KillTests {
  private static let kills = isCampaign ? 200 : 20

  @Test("Every planted match is there exactly once, and every tree verified")
  func killed() async throws {
    var generator = SeededGenerator(seed: 7)
    try await World.run { world in
      let folder = try TemporaryFolder()
      let arguments = [
        "watch", "--json", "--from", "start", "--log-list", world.logListURL, "--data-dir", folder.path + "/data",
        "watched.example",
      ]
      var planted: [String] = []
      for round in 0..<Self.kills {
        let command = try Command(arguments + ["--poll-interval", "0.05"])
        for burst in 0..<Int.random(in: 1...3, using: &generator) {
          let log = Bool.random(using: &generator) ? world.staticLog : world.rfc6962Log
          for number in 0..<Int.random(in: 1...120, using: &generator) {
            let isWatched = number % 9 == 0
            let name = "n\(round)-\(burst)-\(number).\(isWatched ? "watched" : "other").example"
            try log.log.append(try world.authority.begin(CertificateRequest([name])).entry)
            if isWatched { planted.append(name) }
          }
          try log.log.publish()
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...150, using: &generator)))
        }
        command.send(SIGKILL)
        _ = try await command.finish()
      }
      let result = try await Command.run(arguments + ["--once"])
      #expect(result.status == 0, "\(result.errors)")
      let store = FollowingStore(try SQLiteDatabase(path: folder.path + "/data/oriel.db"))
      let issuances = try await store.issuances()
      #expect(Set(issuances.flatMap { $0.matches.map(\.name) }) == Set(planted))
      #expect(issuances.count == planted.count)
      #expect(issuances.allSatisfy { $0.sightings.count == 1 })
      for log in [world.staticLog, world.rfc6962Log] {
        let record = try #require(try await store.logs().first { $0.logID == log.log.signer.logID })
        #expect(record.verified?.index == UInt64(log.log.size))
        #expect(record.downloaded == record.verified)
      }
    }
  }
}
