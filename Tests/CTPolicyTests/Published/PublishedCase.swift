import CTPolicy
import CertificateTransparency
import Testing

/// A case of the tests that a browser's developers wrote: its input made anew, and what their code makes of it.
struct PublishedCase: CustomTestStringConvertible, Sendable {
  /// The file that the test stands in.
  enum Source: String {
    case chromium = "chromium components/certificate_transparency/chrome_ct_policy_enforcer_unittest.cc"
    case chromium2022 = "the same @0686c6d"
    case firefox = "gecko security/ct/tests/gtest/CTPolicyEnforcerTest.cpp"
    case firefoxESR = "the same, ESR 140"
    case conscrypt = "conscrypt platform/src/test/java/org/conscrypt/ct/PolicyImplTest.java"
    case conscryptCode = "conscrypt platform/src/main/java/org/conscrypt/ct/PolicyImpl.java"
    case apple = "apple-oss Security tests/TrustTests/EvaluationTests/CTTests.m"
    case appmattus = "appmattus/certificatetransparency DefaultPolicyTest.kt"
  }

  let source: Source
  /// The name of the test there, and which case of it.
  let test: String
  let policy: BrowserPolicy
  /// The certificate's notBefore.
  let issued: String
  let judged: String
  var lifetime: Int64
  var logs: [PolicyLog] = []
  var embedded: [Promise] = []
  var ocsp: [Promise] = []
  var tls: [Promise] = []
  var listAge: Int64 = 1
  let expected: Compliance

  var testDescription: String { "\(policy): \(test)" }

  /// Whole days from one moment to another.
  static func days(from start: String, to end: String) -> Int64 {
    guard let start = Timestamp(rfc3339: start), let end = Timestamp(rfc3339: end) else {
      Issue.record("\(start) or \(end) is no time")
      return 0
    }
    return (Int64(end.milliseconds) - Int64(start.milliseconds)) / 86_400_000
  }

  /// Logs that each have an operator of their own.
  static func logs(_ count: Int, isTiled: Bool = false, change: (inout PolicyLog) -> Void = { _ in }) -> [PolicyLog] {
    (0..<count).map { PolicyLog(name: "log \($0)", operatorName: "Operator \($0)", isTiled: isTiled).with(change) }
  }

  /// When a log of a list was retired.
  static func retired(_ name: String, of operatorName: String, since milliseconds: UInt64) -> PolicyLog {
    PolicyLog(
      name: name, operatorName: operatorName, state: .retired, since: Timestamp(milliseconds: milliseconds))
  }
}

@Suite struct PublishedCaseTests {
  static let table =
    PublishedCase.chromium + PublishedCase.chromium2022 + PublishedCase.firefox + PublishedCase.android
    + PublishedCase.apple + PublishedCase.appmattus

  @Test(arguments: table)
  func `a policy complies, or labels the failure, as the platform's own tests have it`(_ row: PublishedCase) throws {
    let world = try PolicyWorld(
      logs: row.logs, issued: row.issued, checkedAfter: PublishedCase.days(from: row.issued, to: row.judged),
      listAge: row.listAge)
    let report = world.verify(
      try world.certificate(lifetime: row.lifetime, embedded: row.embedded, ocsp: row.ocsp, tls: row.tls))
    #expect(report.scts.count == row.embedded.count + row.ocsp.count + row.tls.count)
    let verdict = row.policy.judge(report, asOf: world.now)
    #expect(verdict.compliance == row.expected, "\(row.source.rawValue): \(verdict.code) \(verdict.evidence)")
  }
}
