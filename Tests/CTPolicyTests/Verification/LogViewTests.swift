import CTPolicy
import CertificateTransparency
import Testing

@Suite struct LogViewTests {
  private static func day(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text + "T00:00:00Z")) }

  @Test func `a view as of an earlier day has logs in service that ended later, and is as old as that day`() throws {
    let states: [(PolicyLog, LogDescription.State, String)] = [
      (.a, .retired, "2026-03-01"), (.b, .readonly(finalTreeHead: nil), "2026-03-01"), (.c, .retired, "2026-01-01"),
      (.d, .pending, "2026-03-01"),
    ]
    let logs = try states.map { log, state, day in
      let since = try LogViewTests.day(day)
      return log.with { ($0.state, $0.since) = (state, since) }
    }
    let made = try LogViewTests.day("2026-04-01")
    let view = LogView(logs.map(\.description), timestamp: made)
    let time = try LogViewTests.day("2026-02-01")
    let then = view.asOf(time)
    #expect(then.timestamp == time)
    let known = Dictionary(uniqueKeysWithValues: then.knownLogs.map { ($0.logID, $0.state) })
    #expect(known == [PolicyLog.a.logID: .usable, PolicyLog.b.logID: .usable, PolicyLog.c.logID: .retired])
    // A list that was made before may announce what comes later.
    for time in ["2026-04-01", "2026-05-01"] {
      let same = view.asOf(try LogViewTests.day(time))
      #expect(same.timestamp == made && same.knownLogs == view.knownLogs)
    }
  }
}
