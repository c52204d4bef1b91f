import CTPolicy
import CertificateTransparency

extension PublishedCase {
  private static let day = PolicyWorld.day
  private static let hour: Int64 = 3600
  private static let tenYears = 3652 * day

  // MARK: Since April 2022

  /// 2022-04-16, when the retired log was retired; SCTs are of 2022-04-15 unless told otherwise.
  private static let retirement = day
  private static let old = retired("retired", of: "Operator R", since: 1_650_067_200_000)
  private static let before = Promise(old, at: retirement - hour)
  private static let after = Promise(old, at: retirement + hour)

  private static func promises(_ logs: [PolicyLog], at seconds: Int64 = 0) -> [Promise] {
    logs.map { Promise($0, at: seconds) }
  }

  private static func case2022(
    _ test: String, _ expected: Compliance, _ logs: [PolicyLog] = logs(5), judged: String = "2025-06-02T00:00:00Z",
    embedded: [Promise] = [], ocsp: [Promise] = [], tls: [Promise] = [], listAge: Int64 = 1
  ) -> PublishedCase {
    PublishedCase(
      source: .chromium, test: test, policy: .chrome, issued: "2022-04-15T00:00:00Z", judged: judged,
      lifetime: tenYears, logs: logs + [old], embedded: embedded, ocsp: ocsp, tls: tls, listAge: listAge,
      expected: expected)
  }

  static let chromium: [PublishedCase] = {
    let all = logs(5)
    let (one, two, three) = (promises(logs(1)), promises(logs(2)), promises(logs(3)))
    let late = promises(logs(2), at: retirement + hour)
    let common = [
      case2022("DoesNotConformToCTPolicyNotEnoughFreshSCTs, TLS, before", .notDiverseSCTs, tls: one + [before]),
      case2022("DoesNotConformToCTPolicyNotEnoughFreshSCTs, TLS, after", .notDiverseSCTs, tls: one + [after]),
      case2022(
        "DoesNotConformToCTPolicyNotEnoughFreshSCTs, embedded, before", .notEnoughSCTs, embedded: one + [before]),
      case2022("DoesNotConformToCTPolicyNotEnoughFreshSCTs, embedded, after", .notEnoughSCTs, embedded: one + [after]),
      case2022("ConformsToCTPolicyWithMixOfEmbeddedAndNonEmbedded, before", .complies, embedded: [before], tls: one),
      case2022("ConformsToCTPolicyWithMixOfEmbeddedAndNonEmbedded, after", .complies, embedded: [after], tls: one),
      case2022("ConformsToCTPolicyWithNonEmbeddedSCTs", .complies, tls: two),
      case2022("EnforcementDisabledByBinaryAge, now", .complies, tls: two, listAge: 0),
      case2022("EnforcementDisabledByBinaryAge, 71 days on", .notTimely, tls: two, listAge: 71),
      case2022("ConformsToCTPolicyWithEmbeddedSCTs", .complies, embedded: three),
      case2022("ConformsToCTPolicyWithPooledNonEmbeddedSCTs", .complies, ocsp: one, tls: [Promise(all[1])]),
      case2022("ConformsToCTPolicyWithPooledEmbeddedSCTs", .complies, embedded: one, ocsp: [Promise(all[1])]),
      case2022("DoesNotConformToCTPolicyNotEnoughSCTs", .notEnoughSCTs, embedded: two),
      case2022("ConformsWithDisqualifiedLogBeforeDisqualificationDate", .complies, embedded: two + [before]),
      case2022("DoesNotConformWithDisqualifiedLogAfterDisqualificationDate", .notEnoughSCTs, embedded: two + [after]),
      case2022("DoesNotConformWithIssuanceDateAfterDisqualificationDate", .notEnoughSCTs, embedded: [after] + late),
    ]
    return common + retirements + lifetimes + operators + classicLogs
  }()

  private static var retirements: [PublishedCase] {
    retirementRows.map { test, offset, expected in
      // An hour from 2025-06-02.
      let since = Timestamp(milliseconds: UInt64(1_748_822_400_000 + offset * 1000))
      let all = logs(5) { ($0.state, $0.since) = (.retired, since) }
      return case2022(test, expected, all, embedded: promises(all))
    }
  }

  private static let retirementRows: [(test: String, offset: Int64, expected: Compliance)] = [
    ("ConformsWithCTPolicyFutureRetirementDateLogs", hour, .complies),
    ("DoesNotConformWithCTPolicyPastRetirementDateLogs", -hour, .notEnoughSCTs),
  ]

  private static var lifetimes: [PublishedCase] {
    let rows: [(issued: String, lifetime: Int64, needed: Int)] = [
      ("2016-03-25T11:25:00Z", -366 * day, 2), ("2015-03-25T11:25:00Z", 179 * day, 2),
      ("2015-03-25T11:25:00Z", 180 * day, 2), ("2015-03-25T11:25:00Z", 180 * day + 1, 3),
      ("2015-03-25T11:25:00Z", 366 * day, 3),
    ]
    return rows.flatMap { row in
      (0...row.needed).map { count in
        PublishedCase(
          source: .chromium, test: "UpdatedSCTRequirements, \(row.lifetime) s, \(count) SCTs", policy: .chrome,
          issued: row.issued, judged: "2025-06-02T11:25:00Z", lifetime: row.lifetime, logs: logs(3),
          embedded: promises(logs(count), at: 2600 * day),
          expected: count == row.needed ? .complies : count == 1 ? .notDiverseSCTs : .notEnoughSCTs)
      }
    }
  }

  private static var operators: [PublishedCase] {
    func former(_ operators: [(String, Int64)], now: String) -> PolicyLog {
      logs(2)[1].with { log in
        log.operatorName = now
        log.former = operators.map { name, seconds in
          LogDescription.PreviousOperator(
            name: name, endTime: Timestamp(milliseconds: UInt64(1_649_980_800_000 + seconds * 1000)))
        }
      }
    }
    let first = logs(1)[0]
    let rows: [(test: String, second: PolicyLog, expected: Compliance)] = [
      ("DoesNotConformToCTPolicyAllLogsSameOperator", former([], now: "Operator 0"), .notDiverseSCTs),
      ("ConformsToCTPolicyDifferentOperators", former([], now: "Operator 1"), .complies),
      ("ConformsToPolicyDueToOperatorSwitch", former([("Other", 1)], now: "Operator 0"), .complies),
      ("DoesNotConformToPolicyDueToOperatorSwitch", former([("Operator 0", 1)], now: "Operator 1"), .notDiverseSCTs),
      ("MultipleOperatorSwitches", former([("Other", -1), ("Operator 0", 1)], now: "Operator 1"), .notDiverseSCTs),
      (
        "MultipleOperatorSwitchesBeforeSCTTimestamp", former([("Other", -2), ("Third", -1)], now: "Operator 0"),
        .notDiverseSCTs
      ),
    ]
    return rows.map { case2022($0.test, $0.expected, [first, $0.second], tls: promises([first, $0.second])) }
  }

  private static var classicLogs: [PublishedCase] {
    let rows: [(name: String, count: Int, judged: String, expected: Compliance)] = [
      ("not enforced, 2 SCTs", 2, "2026-04-15T00:00:00Z", .notEnoughSCTs),
      ("not enforced, 3 SCTs", 3, "2026-04-15T00:00:00Z", .complies),
      ("enforced, 2 SCTs", 2, "2026-04-14T00:00:00Z", .notDiverseSCTs),
      ("enforced, 3 SCTs", 3, "2026-04-14T00:00:00Z", .notDiverseSCTs),
    ]
    return rows.map { row in
      case2022(
        "DoesNotConformToCTPolicyNoRFC6962Log, \(row.name)", row.expected, logs(3, isTiled: true), judged: row.judged,
        embedded: promises(logs(row.count, isTiled: true)))
    }
  }

  // MARK: Before

  /// 2015-08-15, 1170 days after the certificate begins; SCTs are of then unless told otherwise.
  private static let usual = 1170 * day
  /// 2015-06-15, before the rule that one log be Google's.
  private static let early = 1109 * day
  /// 2016-04-15.
  private static let certly = retired("certly", of: "Certly", since: 1_460_678_400_000)
  private static let beforeCertly = Promise(certly, at: 1400 * day)
  private static let afterCertly = Promise(certly, at: 1415 * day)
  private static let google = Promise(.google, at: usual)

  private static func others(_ count: Int, at seconds: Int64 = usual) -> [Promise] {
    promises(logs(count), at: seconds)
  }

  private static func case2015(
    _ test: String, _ expected: Compliance, embedded: [Promise] = [], ocsp: [Promise] = [], tls: [Promise] = [],
    logs changed: [PolicyLog] = [], listAge: Int64 = 1
  ) -> PublishedCase {
    PublishedCase(
      source: .chromium2022, test: test, policy: .chromiumEra(ChromiumEra()), issued: "2012-06-01T00:00:00Z",
      judged: "2021-06-01T00:00:00Z", lifetime: tenYears, logs: changed.isEmpty ? logs(6) + [certly] : changed,
      embedded: embedded, ocsp: ocsp, tls: tls, listAge: listAge, expected: expected)
  }

  static let chromium2022: [PublishedCase] = {
    let common = [
      case2015("…NotEnoughDiverseSCTsAllGoogle", .notDiverseSCTs, tls: [google, google]),
      case2015("…NotEnoughDiverseSCTsAllNonGoogle", .notDiverseSCTs, tls: others(2)),
      case2015("ConformsToCTPolicyIfSCTBeforeEnforcementDate", .complies, embedded: others(5, at: early)),
      case2015(
        "…NotEnoughUniqueEmbeddedLogs", .notEnoughSCTs,
        embedded: [google] + others(3) + [Promise(logs(3)[2], at: usual + 1)]),
      case2015("…NotEnoughFreshSCTs, TLS, before", .notDiverseSCTs, tls: [google, beforeCertly]),
      case2015("…NotEnoughFreshSCTs, TLS, after", .notDiverseSCTs, tls: [google, afterCertly]),
      case2015("…NotEnoughFreshSCTs, embedded, before", .notDiverseSCTs, embedded: [beforeCertly], tls: [google]),
      case2015("…NotEnoughFreshSCTs, embedded, after", .notDiverseSCTs, embedded: [afterCertly], tls: [google]),
      case2015("ConformsToCTPolicyWithNonEmbeddedSCTs", .complies, tls: [google] + others(1)),
      case2015("EnforcementDisabledByBinaryAge, now", .complies, tls: [google] + others(1), listAge: 0),
      case2015("EnforcementDisabledByBinaryAge, 71 days on", .notTimely, tls: [google] + others(1), listAge: 71),
      case2015("ConformsToCTPolicyWithEmbeddedSCTs", .complies, embedded: [google] + others(4)),
      case2015("ConformsToCTPolicyWithPooledNonEmbeddedSCTs", .complies, ocsp: [google], tls: others(1)),
      case2015("ConformsToCTPolicyWithPooledEmbeddedSCTs", .complies, embedded: [google], ocsp: others(1)),
      case2015("DoesNotConformToCTPolicyNotEnoughSCTs", .notEnoughSCTs, embedded: [google] + others(1)),
      case2015(
        "ConformsWithDisqualifiedLogBeforeDisqualificationDate", .complies,
        embedded: [google] + others(3) + [beforeCertly]),
      case2015(
        "DoesNotConformWithDisqualifiedLogAfterDisqualificationDate", .notEnoughSCTs,
        embedded: [google] + others(3) + [afterCertly]),
      case2015(
        "DoesNotConformWithIssuanceDateAfterDisqualificationDate", .notEnoughSCTs,
        embedded: [afterCertly, Promise(.google, at: 1415 * day)] + others(3, at: 1415 * day)),
      // The list that does not know the log for Google's.
      case2015("UpdateCTLogList, without Google's logs", .notDiverseSCTs, tls: others(2)),
      case2015("UpdateCTLogList, with them", .complies, tls: [google] + others(1)),
      case2015("TimestampUpdates, 71 days old", .notTimely, tls: [google], listAge: 71),
      case2015("TimestampUpdates, new", .notDiverseSCTs, tls: [google]),
    ]
    let retiring = retirementRows.map { test, offset, expected in
      // An hour from 2021-06-01.
      let since = Timestamp(milliseconds: UInt64(1_622_505_600_000 + offset * 1000))
      let all = ([PolicyLog.google] + logs(4)).map { log in log.with { ($0.state, $0.since) = (.retired, since) } }
      return case2015(test, expected, embedded: [google] + others(4), logs: all)
    }
    return common + retiring + months + transition
  }()

  /// The SCTs are from before the rule that one log be Google's.
  private static let monthRows: [(issued: String, end: String, needed: Int)] = [
    ("2016-06-06T11:25:00Z", "2015-03-25T11:25:00Z", 2), ("2015-03-25T11:25:00Z", "2016-06-06T11:25:00Z", 2),
    ("2015-03-25T11:25:00Z", "2016-06-25T11:25:00Z", 3), ("2015-03-25T11:25:00Z", "2016-06-27T11:25:00Z", 3),
    ("2015-03-25T11:25:00Z", "2017-06-25T11:25:00Z", 3), ("2015-03-25T11:25:00Z", "2017-06-28T11:25:00Z", 4),
    ("2015-03-25T11:25:00Z", "2018-06-25T11:25:00Z", 4), ("2015-03-25T11:25:00Z", "2018-06-27T11:25:00Z", 5),
  ]

  private static var months: [PublishedCase] {
    monthRows.flatMap { issued, end, needed in
      (0...needed).map { count in
        let (lifetime, sct) = (days(from: issued, to: end), days(from: issued, to: "2015-06-15T11:25:00Z"))
        return PublishedCase(
          source: .chromium2022,
          test: "ConformsToPolicyExactNumberOfSCTsForValidityPeriod, \(issued) to \(end), \(count) of \(needed)",
          policy: .chromiumEra(ChromiumEra()), issued: issued, judged: "2021-06-01T11:25:00Z",
          lifetime: lifetime * day, logs: logs(5), embedded: others(count, at: sct * day),
          expected: count == needed ? .complies : .notEnoughSCTs)
      }
    }
  }

  private static var transition: [PublishedCase] {
    let rows: [(test: String, seconds: Int64, expected: Compliance)] = [
      ("2022PolicyNotInEffectBeforeTargetDate", 3604 * day, .notDiverseSCTs),
      ("2022PolicyInEffectAfterTargetDate", 3605 * day, .complies),
    ]
    return rows.map { row in
      PublishedCase(
        source: .chromium2022, test: row.test, policy: .chromiumEra(ChromiumEra()), issued: "2012-06-01T00:00:00Z",
        judged: "2022-05-01T00:00:00Z", lifetime: tenYears, logs: logs(2), tls: others(2, at: row.seconds),
        expected: row.expected)
    }
  }
}
