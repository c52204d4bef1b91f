import Foundation
import TestSupport
import Testing

@Suite("Simulation")
struct SimulationTests {
  /// `ORIEL_SIMULATION=seed` runs one schedule, `ORIEL_SIMULATION=first..last` many.
  private static var seeds: ClosedRange<UInt64> {
    guard let text = ProcessInfo.processInfo.environment["ORIEL_SIMULATION"] else {
      return 1...(isCampaign ? 400 : 160)
    }
    let bounds = text.components(separatedBy: "..").compactMap { UInt64($0) }
    guard let first = bounds.first, let last = bounds.last, first <= last else { return 1...400 }
    return first...last
  }

  @Test("Whatever fails: every SCT is kept, all checkpoints are of one tree, and the log goes on")
  func schedules() async throws {
    var counts: [String: Int] = [:]
    for seed in Self.seeds {
      let schedule = Schedule(seed: seed)
      do {
        try await schedule.run()
      } catch {
        Issue.record("ORIEL_SIMULATION=\(seed): \(error)")
      }
      counts.merge(schedule.counts, uniquingKeysWith: +)
    }
    // A simulation in which nothing happens proves nothing.
    if Self.seeds.count >= 160 {
      for what in [
        "crash", "clock step", "faulty step", "failed tick", "failed start", "restore refused", "snapshot refused",
        "promise",
      ] {
        #expect(counts[what, default: 0] > 20, "\(what)")
      }
    }
    print("simulation:", counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
  }

  @Test("A seed gives the same run again")
  func reproduces() async throws {
    for seed: UInt64 in 1...8 {
      let (first, second) = (Schedule(seed: seed), Schedule(seed: seed))
      try await first.run()
      try await second.run()
      #expect(first.counts == second.counts)
    }
  }
}
