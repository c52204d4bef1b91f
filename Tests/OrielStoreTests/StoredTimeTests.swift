import OrielStore
import Testing

@Suite("Stored times")
struct StoredTimeTests {
  @Test(
    "What is due waits for its time, and for no longer than it could have been set to",
    arguments: [
      (100, true), (99, true), (101, false), (150, false), (151, true), (Int64.max, true), (.min, true),
    ])
  func due(_ time: Int64, _ isDue: Bool) { #expect(StoredTime.isDue(time, now: 100, longest: 50) == isDue) }

  @Test("The end of time is never due before a clock that is far behind", arguments: [Int64.min, -1, 0])
  func extremes(_ now: Int64) { #expect(!StoredTime.isDue(now + 1, now: now, longest: 1)) }

  @Test(
    "A span is over once it has passed, or if it has yet to begin",
    arguments: [(50, true), (49, true), (51, false), (100, false), (101, true), (Int64.max, true), (.min, true)])
  func span(_ since: Int64, _ hasPassed: Bool) {
    #expect(StoredTime.hasPassed(50, since: since, now: 100) == hasPassed)
  }
}
