import CTPolicy
import CertificateTransparency

extension PublishedCase {
  private static let day = PolicyWorld.day

  private static func log(_ name: String, _ number: Int, isTiled: Bool = false, retired: UInt64? = nil) -> PolicyLog {
    // Logs entered their state in January 2022, unless they were retired later.
    PolicyLog(
      name: name, operatorName: "operator \(number)", isTiled: isTiled, state: retired == nil ? .usable : .retired,
      since: Timestamp(milliseconds: retired ?? 1_641_031_200_000))
  }

  private static let usable1 = log("usable 1", 1)
  private static let usable1b = log("usable 1b", 1)
  private static let usable2 = log("usable 2", 2)
  private static let static1 = log("static 1", 1, isTiled: true)
  private static let static2 = log("static 2", 2, isTiled: true)
  private static let retiredBefore1 = log("retired before 1", 1, retired: 1_641_031_200_000)
  private static let retiredBefore2 = log("retired before 2", 2, retired: 1_641_031_200_000)
  /// Some days after the SCTs.
  private static let retiredAfter1 = log("retired after 1", 1, retired: 1_672_999_200_000)

  private static let conscryptLogs = [
    usable1, usable1b, usable2, static1, static2, retiredBefore1, retiredBefore2, retiredAfter1,
  ]

  /// SCTs and certificate are of January 2023, and are judged a year later.
  private static func row(
    _ test: String, _ expected: Compliance, source: Source = .conscrypt, judged: String = "2024-01-01T10:00:00Z",
    embedded: [PolicyLog] = [], ocsp: [PolicyLog] = [], tls: [PolicyLog] = [], listAge: Int64 = 31
  ) -> PublishedCase {
    PublishedCase(
      source: source, test: test, policy: .android, issued: "2023-01-01T10:00:00Z", judged: judged,
      lifetime: 90 * day, logs: conscryptLogs, embedded: embedded.map { Promise($0) }, ocsp: ocsp.map { Promise($0) },
      tls: tls.map { Promise($0) }, listAge: listAge, expected: expected)
  }

  /// Both ways of delivery.
  private static func rows(
    _ test: String, _ expected: Compliance, _ logs: [PolicyLog], byOCSP: Compliance? = nil
  ) -> [PublishedCase] {
    [row("\(test), embedded", expected, embedded: logs), row("\(test), OCSP", byOCSP ?? expected, ocsp: logs)]
  }

  static let android: [PublishedCase] =
    [row("emptyVerificationResult", .notEnoughSCTs)]
    + rows("validVerificationResult", .complies, [usable1, usable2])
    + rows("validWithRetired", .complies, [retiredAfter1, usable2], byOCSP: .notEnoughSCTs)
    + rows("invalidWithRetired", .notEnoughSCTs, [retiredBefore1, usable2])
    + rows("invalidOneSct", .notEnoughSCTs, [usable1])
    + rows("invalidTwoRetiredScts", .notEnoughSCTs, [retiredAfter1, retiredBefore2])
    + rows("invalidTwoSctsSameOperator", .notDiverseSCTs, [usable1, usable1b])
    + [row("invalidOneEmbeddedOneOCSP", .notEnoughSCTs, embedded: [usable1], ocsp: [usable2])]
    + rows("validVerificationResultPartialStatic", .complies, [usable1, static2])
    // Conscrypt's own label for these is NO_RFC6962_LOG.
    + rows("invalidTwoSctsAllStatic", .notDiverseSCTs, [static1, static2])
    + [
      row("validRecentLogStore", .complies, embedded: [usable1, usable2], listAge: 31),
      row("invalidFutureLogStore", .notTimely, embedded: [usable1, usable2], listAge: -366),
      row("invalidOldLogStore", .notTimely, embedded: [usable1, usable2], listAge: 365),
      row(
        "1 embedded, 2 TLS of two operators", .complies, source: .conscryptCode, embedded: [usable1],
        tls: [usable1b, usable2]),
      row(
        "2 embedded of one operator, 2 OCSP of two", .complies, source: .conscryptCode, embedded: [usable1, usable1b],
        ocsp: [usable1, usable2]),
      row(
        "1 embedded, 2 TLS of one operator", .notDiverseSCTs, source: .conscryptCode, embedded: [usable2],
        tls: [usable1, usable1b]),
      row(
        "2 of tiled logs, since the rule is gone", .complies, source: .conscryptCode, judged: "2026-11-20T10:00:00Z",
        embedded: [static1, static2]),
    ]
}
