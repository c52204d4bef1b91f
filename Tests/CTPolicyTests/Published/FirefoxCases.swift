import CTPolicy
import CertificateTransparency

extension PublishedCase {
  private static let day = PolicyWorld.day
  /// Two logs of the first operator, and one of the second.
  private static let first = PolicyLog(name: "first", operatorName: "One")
  private static let second = PolicyLog(name: "second", operatorName: "One")
  private static let third = PolicyLog(name: "third", operatorName: "Two")
  /// 2016-04-15, eight months after the certificate and most SCTs.
  private static let ended = retired("ended", of: "Two", since: 1_460_678_400_000)
  private static let before = Promise(ended, at: 230 * day)
  private static let after = Promise(ended, at: 245 * day)

  private static func row(
    _ test: String, _ expected: Compliance, source: Source = .firefox, judged: String = "2026-11-20T00:00:00Z",
    lifetime: Int64 = 365 * day, logs: [PolicyLog] = [first, second, third, ended], embedded: [Promise] = [],
    ocsp: [Promise] = [], tls: [Promise] = []
  ) -> PublishedCase {
    PublishedCase(
      source: source, test: test, policy: .firefox, issued: "2015-08-15T00:00:00Z", judged: judged,
      lifetime: lifetime, logs: logs, embedded: embedded, ocsp: ocsp, tls: tls, expected: expected)
  }

  static let firefox: [PublishedCase] = {
    let (a, a2, b) = (Promise(first), Promise(second), Promise(third))
    let a3 = Promise(PolicyLog(name: "fourth", operatorName: "One"))
    let usual = [
      row("ConformsToCTPolicyWithNonEmbeddedSCTs", .complies, tls: [a, b]),
      row("DoesNotConformNotEnoughDiverseNonEmbeddedSCTs", .notEnoughSCTs, tls: [a, a2]),
      row("ConformsToCTPolicyWithEmbeddedSCTs", .complies, embedded: [a, a2, b]),
      row(
        "DoesNotConformNotEnoughDiverseEmbeddedSCTs", .notDiverseSCTs, logs: [first, second, a3.log],
        embedded: [a, a2, a3]),
      row("ConformsToCTPolicyWithPooledNonEmbeddedSCTs", .complies, ocsp: [a], tls: [b]),
      row("DoesNotConformToCTPolicyWithPooledEmbeddedSCTs", .notEnoughSCTs, embedded: [a], ocsp: [b]),
      row("DoesNotConformToCTPolicyNotEnoughSCTs", .notEnoughSCTs, embedded: [a, b]),
      row("DoesNotConformToCTPolicyNotEnoughFreshSCTs, TLS, before", .notEnoughSCTs, tls: [a, before]),
      row("DoesNotConformToCTPolicyNotEnoughFreshSCTs, TLS, after", .notEnoughSCTs, tls: [a, after]),
      row("DoesNotConformToCTPolicyNotEnoughFreshSCTs, before", .notEnoughSCTs, embedded: [before], tls: [a]),
      row("DoesNotConformToCTPolicyNotEnoughFreshSCTs, after", .notEnoughSCTs, embedded: [after], tls: [a]),
      row("ConformsWithRetiredLogBeforeDisqualificationDate", .complies, embedded: [a, a2, before]),
      row("DoesNotConformWithRetiredLogAfterDisqualificationDate", .notEnoughSCTs, embedded: [a, a2, after]),
      row(
        "DoesNotConformWithIssuanceDateAfterDisqualificationDate", .notEnoughSCTs,
        embedded: [after, Promise(first, at: 245 * day), Promise(third, at: 245 * day)]),
      row(
        "DoesNotConformToCTPolicyNotEnoughUniqueEmbeddedRetiredLogs", .notDiverseSCTs, embedded: [a, before, before]),
    ]
    return usual + firefoxLifetimes + tiledLogs
  }()

  private static var firefoxLifetimes: [PublishedCase] {
    let rows: [(days: Int64, needed: Int)] = [(90, 2), (180, 2), (181, 3), (365, 3)]
    return rows.flatMap { days, needed in
      (0...needed).map { count in
        // Fewer are of one operator, enough of two in turn.
        let all = logs(count).enumerated().map { place, log in
          log.with { $0.operatorName = count == needed ? "Operator \(place % 2)" : "Operator 0" }
        }
        return row(
          "ConformsToPolicyExactNumberOfSCTsForValidityPeriod, \(days) days, \(count) SCTs",
          count == needed ? .complies : .notEnoughSCTs, lifetime: days * day, logs: all,
          embedded: all.map { Promise($0) })
      }
    }
  }

  private static var tiledLogs: [PublishedCase] {
    let (a, a2, b) = (tiled(first), tiled(second), tiled(third))
    let (withIndex, without) = ([Promise(a), Promise(a2)], Promise(a2, extensions: []))
    let classic = Promise(third)
    let mixed = [a, a2, third]
    let esr = "2026-03-01T00:00:00Z"
    return [
      row("ConformsToCTPolicyWithAtLeastOneRFC6962Log", .complies, logs: mixed, tls: [withIndex[0], classic]),
      row(
        "ConformsToCTPolicyWithAtLeastOneRFC6962LogEmbedded", .complies, logs: mixed, embedded: withIndex + [classic]),
      row("DoesConformToCTPolicyWithNoRFC6962Logs", .complies, logs: [a, b], tls: [Promise(a), Promise(b)]),
      row(
        "DoesConformToCTPolicyWithNoRFC6962LogsEmbedded", .complies, logs: [a, a2, b],
        embedded: withIndex + [Promise(b)]),
      row(
        "DoesNotConformToCTPolicyWithSCTFromTiledLogWithNoLeafIndex", .notEnoughSCTs, logs: mixed,
        tls: [without, classic]),
      row(
        "DoesNotConformToCTPolicyWithSCTFromTiledLogWithNoLeafIndexEmbedded", .notEnoughSCTs, logs: mixed,
        embedded: [withIndex[0], without, classic]),
      row(
        "no SCT of an RFC 6962 log", .notEnoughSCTs, source: .firefoxESR, judged: esr, logs: [a, b],
        tls: [Promise(a), Promise(b)]),
      row(
        "no SCT of an RFC 6962 log, embedded", .notEnoughSCTs, source: .firefoxESR, judged: esr, logs: [a, a2, b],
        embedded: withIndex + [Promise(b)]),
    ]
  }

  private static func tiled(_ log: PolicyLog) -> PolicyLog {
    PolicyLog(name: log.name, operatorName: log.operatorName, isTiled: true)
  }
}
