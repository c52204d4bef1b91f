import CTPolicy
import CertificateTransparency
import Crypto
import TestWorld
import Testing

/// A certificate, the code that one policy gives for it, and who can do what about it.
struct Cause: CustomTestStringConvertible, Sendable {
  let code: VerdictCode
  var policy = BrowserPolicy.chrome
  var logs: [PolicyLog] = []
  var issued = "2026-06-01T00:00:00Z"
  var lifetime: Int64 = 90 * PolicyWorld.day
  var embedded: [Promise] = []
  var ocsp: [Promise] = []
  var tls: [Promise] = []
  var change: @Sendable (inout PresentedCertificate) -> Void = { _ in }
  let mends: [Mend.Action]

  var testDescription: String { "\(code.rawValue), \(policy)" }

  private static let retired = retired(.b)

  private static func retired(_ log: PolicyLog) -> PolicyLog {
    log.with {
      $0.state = .retired
      $0.since = Timestamp(milliseconds: 1_780_272_000_000)
    }
  }

  static let table = [
    Cause(code: .complies, embedded: [.init(.a), .init(.b)], mends: []),
    Cause(code: .noSCTs, mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2)]),
    Cause(
      code: .noSCTs, policy: .android, lifetime: 200 * PolicyWorld.day,
      mends: [
        .reissue(logs: 3, operators: 2), .addDelivered(logs: 2, operators: 2),
      ]),
    Cause(
      code: .tooFewLogs, lifetime: 200 * PolicyWorld.day, embedded: [.init(.a), .init(.b)],
      mends: [
        .reissue(logs: 3, operators: 2), .addDelivered(logs: 1, operators: 0),
      ]),
    Cause(
      code: .oneOperator, embedded: [.init(.a), .init(.a2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .oneOperator, policy: .firefox, embedded: [.init(.a), .init(.a2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2),
      ]),
    Cause(
      code: .oneOperator, policy: .android, embedded: [.init(.a), .init(.a2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2),
      ]),
    Cause(
      code: .oneOperator, policy: .apple(.published), embedded: [.init(.a), .init(.a2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 0),
      ]),
    Cause(
      code: .noClassicLog, policy: .apple(.published), embedded: [.init(.tiled), .init(.tiled2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 0),
      ]),
    Cause(
      code: .noClassicLog, issued: "2026-04-01T00:00:00Z", embedded: [.init(.tiled), .init(.tiled2)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 0),
      ]),
    Cause(
      code: .noClassicLog, policy: .firefox, issued: "2026-04-01T00:00:00Z",
      embedded: [.init(.tiled), .init(.tiled2)],
      mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2)]),
    Cause(
      code: .malformedSCT, policy: .firefox, embedded: [.init(.a), .init(.b, extensions: [1, 0])],
      mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2)]),
    Cause(
      code: .unknownLog, embedded: [.init(.a), .init(.unlisted)],
      mends: [
        .updateList, .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .unknownLog, logs: [PolicyLog.b.with { $0.logType = "test" }], embedded: [.init(.a), .init(.b)],
      mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1)]),
    Cause(
      code: .onlyRetiredLogs, logs: [retired], embedded: [.init(.b, at: -9)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .onlyRetiredLogs, policy: .android, logs: [retired, retired(.a)],
      embedded: [.init(.a, at: -9), .init(.b, at: -9)],
      mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2)]),
    Cause(
      code: .afterRetirement, logs: [retired], embedded: [.init(.a), .init(.b, at: 1)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 0),
      ]),
    Cause(
      code: .afterReadOnly, policy: .apple(.observed),
      logs: [
        PolicyLog.b.with {
          $0.state = .readonly(finalTreeHead: nil)
          $0.since = Timestamp(milliseconds: 1_780_272_000_000)
        }
      ], embedded: [.init(.a), .init(.b, at: 1)],
      mends: [.reissue(logs: 2, operators: 1), .addDelivered(logs: 1, operators: 0)]),
    Cause(
      code: .outsideShard, policy: .apple(.observed),
      logs: [
        PolicyLog.b.with {
          $0.interval = LogDescription.TemporalInterval(
            startInclusive: Timestamp(milliseconds: 0), endExclusive: Timestamp(milliseconds: 1))
        }
      ], embedded: [.init(.a), .init(.b)],
      mends: [.reissue(logs: 2, operators: 1), .addDelivered(logs: 1, operators: 0)]),
    Cause(
      code: .noLeafIndex, embedded: [.init(.a), .init(.tiled, extensions: [])],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .futureSCT, embedded: [.init(.a), .init(.b, at: 20 * PolicyWorld.day)],
      mends: [
        .wait(until: Timestamp(milliseconds: 1_780_272_000_000 + 20 * 86_400_000)), .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .sourceIgnored, ocsp: [.init(.a), .init(.b)],
      mends: [
        .addDelivered(logs: 2, operators: 2), .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .mixedRoutes, policy: .firefox, embedded: [.init(.a)], tls: [.init(.b)],
      mends: [
        .addDelivered(logs: 2, operators: 2), .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .mixedRoutes, policy: .android, embedded: [.init(.a)], tls: [.init(.b)],
      mends: [
        .addDelivered(logs: 1, operators: 1), .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .wrongIssuer, embedded: [.init(.a), .init(.b)], change: { $0.issuers = [] }, mends: [.completeChain]),
    Cause(
      code: .wrongIssuer, embedded: [.init(.a), .init(.b)], change: { $0.issuers.reverse() }, mends: [.completeChain]),
    Cause(
      code: .badSignature, embedded: [.init(.a)], tls: [.init(.b)],
      change: {
        // The two bytes that name the algorithms stand before the length and the signature at the end of the list.
        guard var list = $0.tlsSCTList else { return }
        list[2 + 2 + 1 + 32 + 8 + 2] = 2
        $0.tlsSCTList = list
      }, mends: [.reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1)]),
    Cause(
      code: .badSignature, embedded: [.init(.a), .init(.b, breaksSignature: true)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .differsFromPrecertificate, embedded: [.init(.a, breaksSignature: true), .init(.b, breaksSignature: true)],
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2),
      ]),
    Cause(
      code: .otherCertificate, embedded: [.init(.a)], tls: [.init(.b, breaksSignature: true)],
      mends: [
        .replaceDelivered, .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .malformedList, change: { $0.tlsSCTList = [0, 0] },
      mends: [
        .replaceDelivered, .reissue(logs: 2, operators: 2),
      ]),
    Cause(
      code: .malformedSCT, embedded: [.init(.a)], change: { $0.tlsSCTList = [0, 3, 0, 1, 0] },
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 1, operators: 1),
      ]),
    Cause(
      code: .trailingBytes, policy: .apple(.observed), embedded: [.init(.a), .init(.b, trailing: [1])],
      mends: [.reissue(logs: 2, operators: 1), .addDelivered(logs: 1, operators: 0)]),
    Cause(
      code: .unreadableCertificate, change: { $0.leaf = [0x30, 0] },
      mends: [
        .reissue(logs: 2, operators: 2), .addDelivered(logs: 2, operators: 2),
      ]),
    Cause(
      code: .notRequired, policy: .apple(.observed), issued: "2018-10-15T23:59:59Z", mends: []),
    Cause(
      code: .noSCTs, policy: .apple(.observed), issued: "2018-10-16T00:00:00Z",
      mends: [.reissue(logs: 2, operators: 1), .addDelivered(logs: 2, operators: 0)]),
  ]
}

@Suite struct VerdictTests {
  @Test(arguments: Cause.table)
  func `the cause is told, and what mends it`(_ cause: Cause) throws {
    let world = try PolicyWorld(logs: cause.logs, issued: cause.issued)
    var certificate = try world.certificate(
      lifetime: cause.lifetime, embedded: cause.embedded, ocsp: cause.ocsp, tls: cause.tls)
    cause.change(&certificate)
    let verdict = cause.policy.judge(world.verify(certificate), asOf: world.now)
    #expect(verdict.code == cause.code, "\(verdict.evidence)")
    #expect(verdict.mends.map(\.action) == cause.mends)
    #expect(verdict.passes == [.complies, .notRequired].contains(cause.code))
  }

  @Test func `every code has its own name and texts`() {
    let codes = VerdictCode.allCases
    #expect(Set(codes.map(\.summary)).count == codes.count)
    for code in codes {
      #expect(!code.summary.isEmpty && !code.summary.hasSuffix("."), "\(code)")
      #expect(code.explanation.hasSuffix("."), "\(code)")
      #expect(code.rawValue.wholeMatch(of: /CT-[A-Z]+-[1-9]/) != nil, "\(code)")
    }
  }

  @Test func `evidence tells what counted and what did not`() throws {
    let world = try PolicyWorld()
    let report = world.verify(
      try world.certificate(
        lifetime: 200 * PolicyWorld.day,
        embedded: [.init(.a), .init(.unlisted), .init(.tiled, extensions: []), .init(.a, at: 5), .init(.b)]))
    let evidence = BrowserPolicy.chrome.judge(report, asOf: world.now).evidence
    #expect(evidence.counted == [0, 4])
    #expect(evidence.uncounted.map(\.index) == [1, 2, 3])
    #expect(evidence.uncounted.map(\.reason) == [.invalid, .noLeafIndex, .sameLog])
    #expect(evidence.operators == ["Anchor", "Beacon"])
    #expect(evidence.lifetime == 200 * PolicyWorld.day)
    #expect([evidence.neededLogs, evidence.countedLogs, evidence.neededOperators] == [3, 2, 2])
    #expect(evidence.route == .embedded)
  }

  @Test func `an SCT of another certificate of the server is recognised`() throws {
    let world = try PolicyWorld()
    let old = try world.certificate(embedded: [.init(.a), .init(.b)], tls: [.init(.c)])
    var new = try world.certificate(embedded: [.init(.a), .init(.b)])
    new.tlsSCTList = old.tlsSCTList
    #expect(world.verify(new).scts.last?.status == .badSignature(.otherCertificate(position: nil)))
    new.related = [new.leaf, old.leaf]
    #expect(world.verify(new).scts.last?.status == .badSignature(.otherCertificate(position: 1)))
  }

  @Test func `a damaged embedded SCT is told from a certificate that differs from its precertificate`() throws {
    let world = try PolicyWorld()
    let (good, bad) = (Promise(.a), Promise(.b, breaksSignature: true))
    for (embedded, statuses) in [
      ([good, bad], [ReportedSCT.Status.valid, .badSignature(.damaged)]),
      (
        [bad, Promise(.c, breaksSignature: true)],
        [.badSignature(.differsFromPrecertificate), .badSignature(.differsFromPrecertificate)]
      ),
    ] {
      #expect(world.verify(try world.certificate(embedded: embedded)).scts.map(\.status) == statuses)
    }
    // One by TLS tells nothing of those embedded.
    let report = world.verify(try world.certificate(embedded: [bad], tls: [good]))
    #expect(report.scts.map(\.status) == [.badSignature(.differsFromPrecertificate), .valid])
  }

  @Test func `mimic logs are never known, listed or not`() throws {
    let identifiers = [
      "9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=", "si9+3rWvav5QPeBAgbLXTBJThJL+3yyypSZQPO9TztI=",
    ]
    let world = try PolicyWorld()
    for text in identifiers {
      let logID = try #require(LogID(base64: text))
      guard case .unknown(.mimic, nil) = world.logs.standing(of: logID) else {
        Issue.record("\(text) counts")
        continue
      }
      var sct: [UInt8] = [0] + logID.bytes
      sct += [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4, 3, 0, 2, 0x30, 0]
      var certificate = try world.certificate(embedded: [.init(.a)])
      certificate.tlsSCTList = VectorTests.list([sct])
      let report = world.verify(certificate)
      #expect(report.scts.last?.status == .unknownLog(.mimic))
      #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).code == .mimicLog)
    }
  }
}

@Suite struct EraTests {
  @Test(arguments: [
    (ChromiumEra(), "2018-04-30T23:59:59Z", true), (ChromiumEra(), "2018-05-01T00:00:00Z", false),
    (ChromiumEra(isExtendedValidation: true), "2014-12-31T23:59:59Z", true),
    (ChromiumEra(isExtendedValidation: true), "2015-01-01T00:00:00Z", false),
    (ChromiumEra(isBelowSymantecRoot: true), "2016-05-31T23:59:59Z", true),
    (ChromiumEra(isBelowSymantecRoot: true), "2016-06-01T00:00:00Z", false),
  ])
  func `SCTs were required from a day on`(_ era: ChromiumEra, _ issued: String, _ passes: Bool) throws {
    let world = try PolicyWorld(issued: issued)
    let verdict = BrowserPolicy.chromiumEra(era).judge(world.verify(try world.certificate()), asOf: world.now)
    #expect(verdict.passes == passes)
    #expect(verdict.code == (passes ? .notRequired : .noSCTs))
  }

  static let beforeApril2022: [(issued: String, days: Int64, logs: [PolicyLog], code: VerdictCode)] = [
    ("2019-03-01T00:00:00Z", 400, [.a, .b], .noGoogleLog), ("2019-03-01T00:00:00Z", 400, [.google, .b], .complies),
    // Two days more than 27 months.
    ("2019-03-01T00:00:00Z", 825, [.google, .b, .a], .tooFewLogs),
    ("2019-03-01T00:00:00Z", 825, [.google, .b, .a, .c], .complies),
    ("2019-03-01T00:00:00Z", 823, [.google, .b, .a], .complies),
    // The rules go by the SCTs, not by the day of judging.
    ("2022-04-14T00:00:00Z", 400, [.a, .b], .noGoogleLog), ("2022-04-14T00:00:00Z", 400, [.google, .b], .complies),
    ("2022-04-15T00:00:00Z", 400, [.a, .b], .tooFewLogs), ("2022-04-15T00:00:00Z", 400, [.a, .b, .c], .complies),
    // SCTs from before July 2015 need not be of Google's logs.
    ("2015-06-15T00:00:00Z", 400, [.a, .b], .complies), ("2015-07-01T00:00:00Z", 400, [.a, .b], .noGoogleLog),
  ]

  @Test(arguments: beforeApril2022)
  func `until April 2022 one operator was Google, and lifetimes counted in months`(
    _ issued: String, _ days: Int64, _ logs: [PolicyLog], _ code: VerdictCode
  ) throws {
    let policy = BrowserPolicy.chromiumEra(ChromiumEra(isExtendedValidation: true))
    let world = try PolicyWorld(issued: issued)
    let report = world.verify(
      try world.certificate(lifetime: days * PolicyWorld.day, embedded: logs.map { Promise($0) }))
    let verdict = policy.judge(report, asOf: world.now)
    #expect(verdict.code == code, "\(verdict.evidence)")
    let compliance: [VerdictCode: Compliance] = [.complies: .complies, .tooFewLogs: .notEnoughSCTs]
    #expect(verdict.compliance == compliance[code] ?? .notDiverseSCTs)
  }

  @Test(arguments: [
    // 15 months to the second from 2019-01-31: 28 February is not yet one month further.
    ("2019-01-31T00:00:00Z", "2020-04-30T23:59:59Z", 2), ("2019-01-15T00:00:00Z", "2020-04-14T23:59:59Z", 2),
    ("2019-01-15T00:00:00Z", "2020-04-15T00:00:00Z", 3), ("2018-11-01T00:00:00Z", "2021-02-28T23:59:59Z", 3),
    ("2018-11-01T00:00:00Z", "2021-03-01T00:00:00Z", 4), ("2018-11-01T00:00:00Z", "2022-03-01T00:00:00Z", 5),
  ])
  func `Apple counts full months for certificates from before April 2021`(
    _ from: String, _ to: String, _ needed: Int
  ) throws {
    let world = try PolicyWorld(issued: from)
    let end = try #require(Timestamp(rfc3339: to))
    let lifetime = Int64(end.milliseconds / 1000) - Int64(world.issued.milliseconds / 1000)
    let report = world.verify(try world.certificate(lifetime: lifetime, embedded: [.init(.a)]))
    #expect(BrowserPolicy.apple(.observed).judge(report, asOf: world.now).evidence.neededLogs == needed)
  }
}

@Suite struct ForecastTests {
  private static func retiring(_ log: PolicyLog, afterDays days: UInt64) -> PolicyLog {
    log.with {
      $0.state = .retired
      $0.since = Timestamp(milliseconds: 1_780_272_000_000 + days * 86_400_000)
    }
  }

  @Test func `the retirement that ends Chrome's pass is foretold, to the day`() throws {
    let world = try PolicyWorld(logs: [
      ForecastTests.retiring(.a, afterDays: 20), ForecastTests.retiring(.b, afterDays: 40),
    ])
    let report = world.verify(try world.certificate(embedded: [.init(.a), .init(.b)]))
    let forecast = Forecast(report, policies: [.chrome, .apple(.observed)], asOf: world.now)
    // Apple takes both for retired already; Chrome needs one in service.
    #expect(forecast.failures.map(\.policy) == [.chrome])
    #expect(forecast.failures.first?.time == world.time(40 * PolicyWorld.day))
    #expect(forecast.failures.first?.events == [.retirement(PolicyLog.b.logID)])
    #expect(forecast.failures.first?.verdict.code == .onlyRetiredLogs)
  }

  @Test func `a retirement that leaves enough, or comes after notAfter, is no matter`() throws {
    for logs in [
      [ForecastTests.retiring(.a, afterDays: 20)],
      [ForecastTests.retiring(.a, afterDays: 91), ForecastTests.retiring(.b, afterDays: 91)],
    ] {
      let world = try PolicyWorld(logs: logs)
      let report = world.verify(try world.certificate(embedded: [.init(.a), .init(.b)]))
      #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).passes)
      #expect(Forecast(report, asOf: world.now).failures.isEmpty)
    }
  }

  @Test func `a log that passes on to the other's operator ends what Firefox and Android pass`() throws {
    let merging = PolicyLog.b.with {
      $0.operatorName = "Anchor"
      $0.former = [
        LogDescription.PreviousOperator(
          name: "Beacon", endTime: Timestamp(milliseconds: 1_780_272_000_000 + 30 * 86_400_000))
      ]
    }
    let world = try PolicyWorld(logs: [merging])
    let report = world.verify(try world.certificate(embedded: [.init(.a), .init(.b)]))
    let failures = Forecast(report, asOf: world.now).failures
    #expect(failures.map(\.policy) == [.firefox, .android])
    #expect(failures.allSatisfy { $0.events == [.operatorChange(merging.logID)] && $0.verdict.code == .oneOperator })
    #expect(failures.allSatisfy { $0.time == world.time(30 * PolicyWorld.day) })
  }

  @Test func `the end of SCTs in OCSP is foretold to who has no others`() throws {
    let world = try PolicyWorld(issued: "2026-04-16T00:00:00Z")
    let report = world.verify(try world.certificate(ocsp: [.init(.a), .init(.b)]))
    let failures = Forecast(report, asOf: world.now).failures
    #expect(failures.map(\.policy) == [.chrome])
    #expect(failures.first?.time == Timestamp(rfc3339: "2026-05-05T00:00:00Z"))
    #expect(failures.first?.events == [.policyChange])
  }
}

@Suite struct DistrustTests {
  @Test func `distrust by SCT date is its own finding, and leaves the verdict alone`() throws {
    let world = try PolicyWorld()
    let report = world.verify(try world.certificate(embedded: [.init(.a, at: 100), .init(.b, at: 200)]))
    for (rule, outcome) in [
      (DistrustRule.someSCTNotAfter(world.time(100)), DistrustFinding.Outcome.trusted),
      (.someSCTNotAfter(world.time(99)), .distrusted), (.allSCTsAfter(world.time(99)), .trusted),
      (.allSCTsAfter(world.time(100)), .distrusted), (.allSCTsAfter(world.time(300)), .distrusted),
    ] {
      let finding = DistrustFinding(rule, report)
      #expect(finding.outcome == outcome, "\(rule)")
      #expect([finding.earliest, finding.latest] == [world.time(100), world.time(200)])
    }
    #expect(BrowserPolicy.current.allSatisfy { $0.judge(report, asOf: world.now).passes })
    let bare = world.verify(try world.certificate(embedded: [.init(.unlisted)]))
    #expect(DistrustFinding(.someSCTNotAfter(world.time(9)), bare).outcome == .undated)
  }
}
