import CTPolicy
import CertificateTransparency

extension PublishedCase {
  private static let day = PolicyWorld.day

  /// The test's own certificates are of before October 2018, judged in March 2015; whether trustd asks for SCTs of them
  /// at all is another question.
  private static func row(
    _ test: String, _ expected: Compliance, lifetime: Int64 = 300 * day,
    change: (inout PolicyLog) -> Void = { _ in }, changeFirst: (inout PolicyLog) -> Void = { _ in },
    embedded: Int = 0, ocsp: Int = 0, tls: Int = 0
  ) -> PublishedCase {
    var all = logs(3, change: change)
    changeFirst(&all[0])
    func promises(_ count: Int) -> [Promise] { all.prefix(count).map { Promise($0) } }
    return PublishedCase(
      source: .apple, test: test, policy: .apple(.observed), issued: "2015-03-01T00:00:00Z",
      judged: "2015-03-07T00:00:00Z", lifetime: lifetime, logs: all, embedded: promises(embedded), ocsp: promises(ocsp),
      tls: promises(tls), expected: expected)
  }

  /// Before and after the SCTs.
  private static let (past, now) = (
    Timestamp(milliseconds: 978_307_200_000), Timestamp(milliseconds: 1_796_083_200_000)
  )
  private static let tomorrow = Timestamp(milliseconds: 1_796_169_600_000)

  private static func shard(_ start: Timestamp, _ end: Timestamp) -> LogDescription.TemporalInterval {
    LogDescription.TemporalInterval(startInclusive: start, endExclusive: end)
  }

  static let apple: [PublishedCase] = [
    row("testOneEmbeddedSCT", .notEnoughSCTs, embedded: 1),
    row("testOnePresentedSCT", .notEnoughSCTs, tls: 1),
    row("testTooFewEmbeddedSCTsForLifetime", .notEnoughSCTs, lifetime: 731 * day, embedded: 2),
    row("testValidOCSPResponse", .notEnoughSCTs, ocsp: 1, tls: 1),
    row("testTwoPresentedSCTs", .complies, tls: 2),
    row("testThreeEmbeddedSCTs", .complies, lifetime: 731 * day, embedded: 3),
    row("testShardedLogs, within", .complies, change: { $0.interval = shard(past, now) }, tls: 2),
    row("testShardedLogs, before", .notEnoughSCTs, change: { $0.interval = shard(now, tomorrow) }, tls: 2),
    row(
      "testShardedLogs, after", .notEnoughSCTs,
      change: { $0.interval = shard(past, Timestamp(milliseconds: past.milliseconds + 86_400_000)) }, tls: 2),
    row(
      "testReadOnlyLogs, before", .complies,
      change: { ($0.state, $0.since) = (.readonly(finalTreeHead: nil), now) }, tls: 2),
    row(
      "testReadOnlyLogs, after", .notEnoughSCTs,
      change: { ($0.state, $0.since) = (.readonly(finalTreeHead: nil), past) }, tls: 2),
    row("testRetiredLogs, presented", .notEnoughSCTs, change: { ($0.state, $0.since) = (.retired, now) }, tls: 2),
    row(
      "testRetiredLogs, all embedded", .notEnoughSCTs, change: { ($0.state, $0.since) = (.retired, now) }, embedded: 2),
    row(
      "testRetiredLogs, one embedded, before", .complies, changeFirst: { ($0.state, $0.since) = (.retired, now) },
      embedded: 2),
    row(
      "testRetiredLogs, one embedded, after", .notEnoughSCTs,
      changeFirst: { ($0.state, $0.since) = (.retired, past) }, embedded: 2),
    row(
      "testRetiredLogs, one retired and one read-only", .complies,
      change: { ($0.state, $0.since) = (.readonly(finalTreeHead: nil), now) },
      changeFirst: { ($0.state, $0.since) = (.retired, now) }, embedded: 2),
  ]

  /// A library for Android with the numbers of Chrome's policies before and after April 2022; its SCTs are all of
  /// different operators, or all of one.
  static let appmattus: [PublishedCase] =
    [
      (3, false, Compliance.notDiverseSCTs), (3, true, .complies),
    ].map { count, isDiverse, expected in
      let all = logs(count) { if !isDiverse { $0.operatorName = "12345" } }
      return PublishedCase(
        source: .appmattus, test: "DistinctTest, \(isDiverse ? "distinct" : "duplicate")", policy: .chrome,
        issued: "2015-03-25T11:25:00Z", judged: "2023-01-01T11:25:00Z", lifetime: 439 * day, logs: all,
        embedded: all.map { Promise($0, at: 2578 * day) }, expected: expected)
    } + months

  private static var months: [PublishedCase] {
    let rows: [(from: String, to: String, old: Int, new: Int)] = [
      ("2016-06-06T11:25:00Z", "2015-03-25T11:25:00Z", 2, 2), ("2015-03-25T11:25:00Z", "2016-06-06T11:25:00Z", 2, 3),
      ("2015-03-25T11:25:00Z", "2016-06-25T11:25:00Z", 3, 3), ("2015-03-25T11:25:00Z", "2016-06-27T11:25:00Z", 3, 3),
      ("2015-03-25T11:25:00Z", "2017-06-25T11:25:00Z", 3, 3), ("2015-03-25T11:25:00Z", "2017-06-28T11:25:00Z", 4, 3),
      ("2015-03-25T11:25:00Z", "2018-06-25T11:25:00Z", 4, 3), ("2015-03-25T11:25:00Z", "2018-06-27T11:25:00Z", 5, 3),
    ]
    return rows.flatMap { row in
      [true, false].flatMap { isOld in
        let needed = isOld ? row.old : row.new
        // 2022-01-01 and 2022-04-15.
        let sct = days(from: row.from, to: isOld ? "2022-01-01T11:25:00Z" : "2022-04-15T11:25:00Z")
        return [needed - 1, needed].map { count in
          let all = [PolicyLog.google] + logs(4)
          // One SCT alone is called not diverse.
          let label: Compliance = count == 1 ? .notDiverseSCTs : .notEnoughSCTs
          return PublishedCase(
            source: .appmattus, test: "\(row.from) to \(row.to), \(isOld ? "old" : "new") policy, \(count) SCTs",
            policy: .chromiumEra(ChromiumEra()), issued: row.from, judged: "2023-01-01T11:25:00Z",
            lifetime: days(from: row.from, to: row.to) * day, logs: all,
            embedded: all.prefix(count).map { Promise($0, at: sct * day) },
            expected: count == needed ? .complies : label)
        }
      }
    }
  }
}
