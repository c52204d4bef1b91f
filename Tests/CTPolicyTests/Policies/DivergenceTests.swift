import CTPolicy
import CertificateTransparency
import TestWorld
import Testing

/// Where the policies differ: one certificate, and the verdict of each.
struct Divergence: CustomTestStringConvertible, Sendable {
  let testDescription: String
  var logs: [PolicyLog] = []
  var issued = "2026-06-01T00:00:00Z"
  var lifetime: Int64 = 90 * PolicyWorld.day
  var embedded: [Promise] = []
  var ocsp: [Promise] = []
  var tls: [Promise] = []
  /// Chrome, Apple observed, Apple published, Firefox, Android.
  let passes: [Bool]

  static let policies: [BrowserPolicy] = [.chrome, .apple(.observed), .apple(.published), .firefox, .android]
  static let day = PolicyWorld.day

  private static let retired = PolicyLog.b.with {
    $0.state = .retired
    $0.since = Timestamp(milliseconds: 1_780_272_000_000 + 3_600_000)
  }

  private static func retiring(_ log: PolicyLog) -> PolicyLog {
    log.with {
      $0.state = .retired
      $0.since = Timestamp(milliseconds: 1_780_272_000_000 + 30 * 86_400_000)
    }
  }

  private static let readOnly = PolicyLog.b.with {
    $0.state = .readonly(finalTreeHead: nil)
    $0.since = Timestamp(milliseconds: 1_780_272_000_000)
  }

  private static func shard(_ start: String, _ end: String) -> PolicyLog {
    PolicyLog.b.with {
      guard let start = Timestamp(rfc3339: start), let end = Timestamp(rfc3339: end) else { return }
      $0.interval = LogDescription.TemporalInterval(startInclusive: start, endExclusive: end)
    }
  }

  private static func moved(from former: String, to present: String) -> PolicyLog {
    PolicyLog.b.with {
      $0.operatorName = present
      $0.former = [
        LogDescription.PreviousOperator(
          name: former, endTime: Timestamp(milliseconds: 1_780_272_000_000 + 86_400_000))
      ]
    }
  }

  static let table = [
    Divergence(
      testDescription: "1 embedded + 1 TLS, two operators, ≤180 d", embedded: [.init(.a)], tls: [.init(.b, at: 60)],
      passes: [true, true, true, false, false]),
    Divergence(
      testDescription: "1 embedded + 2 TLS, two operators each way", embedded: [.init(.c)],
      tls: [.init(.a, at: 60), .init(.b, at: 60)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "stale SCTs embedded, fresh ones by TLS",
      logs: [retired, retiring(.a).with { $0.since = retired.since }],
      embedded: [.init(.a), .init(.b)], tls: [.init(.c, at: 60), .init(.d, at: 60)],
      passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "2 embedded, same operator", embedded: [.init(.a), .init(.a2)],
      passes: [false, true, false, false, false]),
    Divergence(
      testDescription: "2 TLS SCTs, same operator", tls: [.init(.a), .init(.a2)],
      passes: [false, true, true, false, false]),
    Divergence(
      testDescription: "two SCTs, same log", embedded: [.init(.a), .init(.a, at: 1)],
      passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "two SCTs, same log, for a longer lifetime", lifetime: 300 * day,
      embedded: [.init(.a), .init(.a, at: 1), .init(.b)], passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "two SCTs, same log, and enough of others", lifetime: 300 * day,
      embedded: [.init(.a), .init(.a, at: 1), .init(.b), .init(.c)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "lifetime 180 d + 1 s, 2 SCTs", lifetime: 180 * day + 1, embedded: [.init(.a), .init(.b)],
      passes: [false, false, false, false, true]),
    Divergence(
      testDescription: "SCTs only in OCSP", ocsp: [.init(.a), .init(.b)], passes: [false, true, true, true, true]),
    Divergence(
      testDescription: "SCTs only in OCSP, before Chrome 148", issued: "2026-04-20T00:00:00Z",
      ocsp: [.init(.a), .init(.b)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "retired log, SCT before D, all live SCTs after D", logs: [retired],
      embedded: [.init(.a, at: 7200), .init(retired, at: 0)], passes: [false, false, false, false, true]),
    Divergence(
      testDescription: "retired log, SCT before D, a live SCT before D", logs: [retired],
      embedded: [.init(.a, at: 0), .init(retired, at: 10)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "retired log, SCT after D, a live SCT before D", logs: [retired],
      embedded: [.init(.a, at: 0), .init(retired, at: 7200)], passes: [false, false, false, false, true]),
    Divergence(
      testDescription: "retired log, everything after D", logs: [retired],
      embedded: [.init(.a, at: 7200), .init(retired, at: 7200)], passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "retired logs alone", logs: [retired, retiring(.a).with { $0.since = retired.since }],
      embedded: [.init(.a), .init(.b)], passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "retired logs embedded, a live one by TLS, all before D",
      logs: [retired, retiring(.a).with { $0.since = retired.since }], embedded: [.init(.a), .init(.b)],
      tls: [.init(.c)], passes: [true, false, false, false, false]),
    Divergence(
      testDescription: "retired log, everything at D", logs: [retired],
      embedded: [.init(.a, at: 3600), .init(retired, at: 3600)], passes: [false, false, false, false, true]),
    Divergence(
      testDescription: "retired log by TLS", logs: [retired], tls: [.init(.a), .init(retired)],
      passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "a retired embedded SCT after D lends its operator to one of TLS", logs: [retired],
      embedded: [.init(retired, at: 7200)], tls: [.init(.a, at: 7300)], passes: [true, false, false, false, false]),
    Divergence(
      testDescription: "retirement dated in the future", logs: [retiring(.a), retiring(.b)],
      embedded: [.init(.a), .init(.b)], passes: [true, false, false, false, true]),
    Divergence(
      testDescription: "SCT dated after ReadOnly", logs: [readOnly], embedded: [.init(.a), .init(readOnly, at: 1)],
      passes: [true, false, false, true, true]),
    Divergence(
      testDescription: "SCT dated at ReadOnly", logs: [readOnly], embedded: [.init(.a), .init(readOnly, at: 0)],
      passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "notAfter outside shard", logs: [shard("2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z")],
      embedded: [.init(.a), .init(.b)], passes: [true, false, false, true, true]),
    Divergence(
      testDescription: "notAfter at the start of the shard",
      logs: [shard("2026-08-30T00:00:00Z", "2027-01-01T00:00:00Z")],
      embedded: [.init(.a), .init(.b)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "notAfter at the end of the shard",
      logs: [shard("2026-01-01T00:00:00Z", "2026-08-30T00:00:00Z")],
      embedded: [.init(.a), .init(.b)], passes: [true, false, false, true, true]),
    Divergence(
      testDescription: "tiled SCT, no leaf_index", embedded: [.init(.a), .init(.tiled, extensions: [])],
      passes: [false, true, true, false, true]),
    Divergence(
      testDescription: "log changed operator", logs: [moved(from: "Beacon", to: "Anchor")],
      embedded: [.init(.a), .init(.b)], passes: [true, true, false, false, false]),
    Divergence(
      testDescription: "log changed operator, the other way", logs: [moved(from: "Anchor", to: "Beacon")],
      embedded: [.init(.a), .init(.b)], passes: [false, true, true, true, true]),
    Divergence(
      testDescription: "log changed operator before the SCT", logs: [moved(from: "Anchor", to: "Beacon")],
      embedded: [.init(.a), .init(.b, at: day)], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "SCT timestamp in future", embedded: [.init(.a), .init(.b, at: 11 * day)],
      passes: [false, false, false, false, true]),
    Divergence(
      testDescription: "bytes after signature in an item", embedded: [.init(.a), .init(.b, trailing: [0])],
      passes: [true, false, false, true, true]),
    Divergence(
      testDescription: "only tiled logs", embedded: [.init(.tiled), .init(.tiled2)],
      passes: [true, true, false, true, true]),
    Divergence(
      testDescription: "only tiled logs, before 2026-04-15", issued: "2026-04-01T00:00:00Z",
      embedded: [.init(.tiled), .init(.tiled2)], passes: [false, true, false, false, false]),
    Divergence(
      testDescription: "only tiled logs by TLS, before 2026-04-15", issued: "2026-04-01T00:00:00Z",
      tls: [.init(.tiled), .init(.tiled2)], passes: [false, true, false, false, false]),
    Divergence(
      testDescription: "two indexes in an SCT of an RFC 6962 log",
      embedded: [.init(.a), .init(.b, extensions: [0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 5, 0, 0, 0, 0, 2])],
      passes: [true, true, true, false, true]),
    Divergence(
      testDescription: "extensions cut short in an SCT of an RFC 6962 log",
      embedded: [.init(.a), .init(.b, extensions: [1, 0])], passes: [true, true, true, false, true]),
    Divergence(
      testDescription: "an unknown extension in an SCT of an RFC 6962 log",
      embedded: [.init(.a), .init(.b, extensions: [255, 0, 3, 97, 98, 99])], passes: [true, true, true, true, true]),
    Divergence(
      testDescription: "an index of six bytes in an SCT of a tiled log",
      embedded: [.init(.a), .init(.tiled, extensions: [0, 0, 6, 0, 0, 0, 0, 0, 1])],
      passes: [true, true, true, false, true]),
    Divergence(
      testDescription: "no SCT", passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "an unlisted log", embedded: [.init(.a), .init(.unlisted)],
      passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "a broken signature", embedded: [.init(.a), .init(.b, breaksSignature: true)],
      passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "a log that is pending", logs: [PolicyLog.b.with { $0.state = .pending }],
      embedded: [.init(.a), .init(.b)], passes: [false, false, false, false, false]),
    Divergence(
      testDescription: "1 TLS + 1 OCSP", ocsp: [.init(.a)], tls: [.init(.b)],
      passes: [false, true, true, true, true]),
  ]
}

@Suite struct DivergenceTests {
  @Test(arguments: Divergence.table)
  func `every policy judges as its platform does`(_ row: Divergence) throws {
    let world = try PolicyWorld(logs: row.logs, issued: row.issued)
    let report = world.verify(
      try world.certificate(lifetime: row.lifetime, embedded: row.embedded, ocsp: row.ocsp, tls: row.tls))
    #expect(report.scts.count == row.embedded.count + row.ocsp.count + row.tls.count)
    for (policy, passes) in zip(Divergence.policies, row.passes) {
      let verdict = policy.judge(report, asOf: world.now)
      #expect(verdict.passes == passes, "\(policy): \(verdict.code) \(verdict.evidence)")
      #expect((verdict.code == .complies || verdict.code == .futureList) == passes, "\(policy): \(verdict.code)")
      #expect(passes == (verdict.code == .complies) ? verdict.mends.isEmpty == passes : true, "\(policy)")
      // Each SCT either counts or not, once.
      let indices = verdict.evidence.counted + verdict.evidence.uncounted.map(\.index)
      #expect(indices.sorted() == Array(report.scts.indices), "\(policy)")
    }
  }

  @Test func `Android fails open on a state of the future, of a log whose SCT is there alone, and says so`() throws {
    let end = Timestamp(milliseconds: 1_800_000_000_000)
    let future = PolicyLog.d.with { ($0.state, $0.since) = (.usable, end) }
    let world = try PolicyWorld(logs: [future])
    let without = BrowserPolicy.android.judge(
      world.verify(try world.certificate(embedded: [.init(.a)])), asOf: world.now)
    #expect(without.compliance == .notEnoughSCTs && !without.passes)
    // Whether the signature is right does not matter.
    for isBroken in [false, true] {
      let promises = [Promise(.a), Promise(future, breaksSignature: isBroken)]
      let report = world.verify(try world.certificate(embedded: promises))
      let verdict = BrowserPolicy.android.judge(report, asOf: world.now)
      #expect(verdict.compliance == .notTimely && verdict.passes && verdict.code == .futureList)
      #expect(verdict.mends.map(\.action) == [.wait(until: end)])
      #expect(!BrowserPolicy.android.judge(report, asOf: world.now, staleness: .failClosed).passes)
      #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).compliance != .notTimely)
    }
  }

  @Test(arguments: [
    (179 * PolicyWorld.day, [2, 2, 2, 2, 2]), (180 * PolicyWorld.day - 1, [2, 2, 2, 2, 2]),
    (180 * PolicyWorld.day, [2, 2, 3, 2, 2]), (180 * PolicyWorld.day + 1, [3, 3, 3, 3, 2]),
    (181 * PolicyWorld.day - 1, [3, 3, 3, 3, 2]), (181 * PolicyWorld.day, [3, 3, 3, 3, 3]),
    (398 * PolicyWorld.day, [3, 3, 3, 3, 3]), (826 * PolicyWorld.day, [3, 4, 4, 3, 3]),
  ])
  func `as many logs are needed as the lifetime asks for, to the second`(_ lifetime: Int64, _ needed: [Int]) throws {
    let world = try PolicyWorld()
    let all: [PolicyLog] = [.a, .b, .c, .d]
    for count in 1...4 {
      let report = world.verify(
        try world.certificate(lifetime: lifetime, embedded: all.prefix(count).map { Promise($0) }))
      for (policy, needed) in zip(Divergence.policies, needed) {
        let verdict = policy.judge(report, asOf: world.now)
        #expect(verdict.evidence.neededLogs == needed, "\(policy)")
        #expect(verdict.evidence.countedLogs == count, "\(policy)")
        #expect(verdict.passes == (count >= needed), "\(policy), \(count) logs")
      }
    }
  }

  static let leafIndexShapes: [(extensions: [UInt8], chrome: Bool, firefox: Bool)] = [
    ([], false, false), ([0, 0, 5, 1, 2, 3, 4, 5], true, true), ([0, 0, 6, 1, 2, 3, 4, 5, 6], true, false),
    ([0, 0, 4, 1, 2, 3, 4], false, false), ([0, 0, 5, 1, 2, 3, 4], false, false),
    ([0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 5, 1, 2, 3, 4, 5], false, false), ([1, 0, 5, 1, 2, 3, 4, 5], false, false),
    ([1, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 1, 0, 0], true, true), ([0, 0, 5, 1, 2, 3, 4, 5, 9], false, false),
    ([0], false, false),
  ]

  @Test(arguments: leafIndexShapes)
  func `leaf_index is taken in the shapes that browsers take`(
    _ extensions: [UInt8], _ chrome: Bool, _ firefox: Bool
  ) throws {
    let world = try PolicyWorld()
    let report = world.verify(
      try world.certificate(embedded: [.init(.a), .init(.tiled, extensions: extensions)]))
    #expect(report.scts.map(\.status) == [.valid, .valid])
    #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).passes == chrome)
    #expect(BrowserPolicy.firefox.judge(report, asOf: world.now).passes == firefox)
    #expect(BrowserPolicy.apple(.observed).judge(report, asOf: world.now).passes)
    if chrome { #expect(report.scts[1].leafIndex == .index(0x01_0203_0405, byteCount: firefox ? 5 : 6)) }
  }

  @Test func `Firefox compares whole seconds with the future, Chrome milliseconds`() throws {
    let world = try PolicyWorld(issued: "2026-06-01T00:00:00.900Z")
    let report = world.verify(try world.certificate(embedded: [.init(.a), .init(.b)]))
    for (milliseconds, chrome, firefox) in [(900, true, true), (899, false, true), (0, false, true)] {
      let time = Timestamp(milliseconds: 1_780_272_000_000 + UInt64(milliseconds))
      #expect(BrowserPolicy.chrome.judge(report, asOf: time, staleness: .ignored).passes == chrome)
      #expect(BrowserPolicy.firefox.judge(report, asOf: time, staleness: .ignored).passes == firefox)
    }
    let before = Timestamp(milliseconds: 1_780_271_999_999)
    #expect(!BrowserPolicy.firefox.judge(report, asOf: before, staleness: .ignored).passes)
  }

  @Test func `Firefox asks for a chain, Chrome's report for an issuer`() throws {
    let world = try PolicyWorld()
    var certificate = try world.certificate(tls: [.init(.a), .init(.b)])
    certificate.issuers = []
    let report = world.verify(certificate)
    #expect(report.scts.allSatisfy { $0.status == .valid })
    #expect(BrowserPolicy.firefox.judge(report, asOf: world.now).compliance == .notEnoughSCTs)
    #expect(BrowserPolicy.firefox.judge(report, asOf: world.now).code == .wrongIssuer)
    #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).passes)
  }

  @Test(arguments: [
    ([Promise(.a)], Compliance.notDiverseSCTs, Compliance.notEnoughSCTs),
    ([], .notEnoughSCTs, .notEnoughSCTs), ([Promise(.a), Promise(.a2)], .notDiverseSCTs, .notDiverseSCTs),
    ([Promise(.a), Promise(.a, at: 1)], .notDiverseSCTs, .notDiverseSCTs),
  ])
  func `failures are labelled as Chrome and Firefox label them`(
    _ embedded: [Promise], _ chrome: Compliance, _ firefox: Compliance
  ) throws {
    let world = try PolicyWorld()
    let report = world.verify(try world.certificate(embedded: embedded))
    #expect(BrowserPolicy.chrome.judge(report, asOf: world.now).compliance == chrome)
    #expect(BrowserPolicy.firefox.judge(report, asOf: world.now).compliance == firefox)
  }

  @Test func `Chrome calls too few SCTs of tiled logs alone not diverse, while it asks for another`() throws {
    for (issued, label) in [
      ("2026-04-01T00:00:00Z", Compliance.notDiverseSCTs), ("2026-04-15T00:00:00Z", .notEnoughSCTs),
    ] {
      let world = try PolicyWorld(issued: issued, checkedAfter: 1)
      let report = world.verify(
        try world.certificate(lifetime: 200 * PolicyWorld.day, embedded: [.init(.tiled), .init(.tiled2)]))
      let verdict = BrowserPolicy.chrome.judge(report, asOf: world.now)
      #expect(verdict.compliance == label)
      #expect(verdict.code == .tooFewLogs)
    }
  }

  @Test(arguments: [
    (BrowserPolicy.chrome, 69, true), (.chrome, 70, false), (.apple(.observed), 60, true),
    (.apple(.published), 61, false), (.firefox, 70, true), (.firefox, 71, false), (.android, 70, true),
    (.android, 71, false), (.android, -1, false), (.chrome, -1, true),
  ])
  func `a stale list fails open or closed, as asked`(_ policy: BrowserPolicy, _ days: Int64, _ isTimely: Bool) throws {
    let world = try PolicyWorld(listAge: days)
    let report = world.verify(try world.certificate())
    #expect(policy.isTimely(world.logs, asOf: world.now) == isTimely)
    let (open, closed, ignored) = (
      policy.judge(report, asOf: world.now), policy.judge(report, asOf: world.now, staleness: .failClosed),
      policy.judge(report, asOf: world.now, staleness: .ignored)
    )
    #expect(open.passes == !isTimely)
    #expect((open.compliance == .notTimely) == !isTimely)
    #expect(!closed.passes)
    #expect((closed.compliance == .notTimely) == !isTimely)
    #expect(!ignored.passes)
    #expect(ignored.compliance == .notEnoughSCTs)
    if !isTimely {
      #expect(open.code == (days < 0 ? .futureList : .staleList))
      #expect(open.mend?.action == (days < 0 ? .wait(until: try #require(world.logs.timestamp)) : .updateList))
    }
  }
}
