import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielMail
import OrielServer
import OrielStore
import OrielVerdicts
import OrielWatchlist
import Synchronization
import TestWorld
import Testing

@Suite("Alerts by verdict")
struct VerdictRoutingTests {
  private static let me = "me@mail.example"
  static let levels = VerdictLevel.allCases
  static let times = DeliveryTime.allCases

  /// Has a certificate of each verdict sighted; for *expected*, it renews one that was known.
  private func sight(_ level: VerdictLevel, _ court: Courtroom, _ domain: Domain) async throws -> IssuanceID {
    switch level {
    case .unexplained, .noHistory: return try await court.sight(try court.issue())
    case .known:
      let pair = try court.issue()
      try await court.tell(pair, of: domain)
      return try await court.sight(pair)
    case .expected:
      let old = try court.issue(from: -70)
      try await court.tell(old, of: domain)
      try await court.sight(old)
      try await court.settle()
      return try await court.sight(try court.issue())
    }
  }

  @Test("Each verdict is told when its domain says", arguments: levels, times)
  func delivery(_ level: VerdictLevel, _ time: DeliveryTime) async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(
      account, hasBaseline: level != .noHistory, telling: [Self.me]
    ) { times in
      for other in VerdictLevel.allCases { times[other] = other == level ? time : .never }
    }
    let issuance = try await sight(level, court, domain)
    try await court.settle()
    let judgement = try await court.judgement(issuance, of: domain)
    #expect(judgement.level == level && judgement.reasons.count > 2)
    // What only looks like all before it is in a digest at least.
    let really = level == .expected && time == .never ? DeliveryTime.daily : time
    #expect(court.post.mails.count == (really == .atOnce ? 1 : 0))
    court.pass(Courtroom.day - 1)
    try await court.settle()
    #expect(court.post.mails.count == (really == .atOnce ? 1 : 0))
    // Saturday at eight.
    court.pass(1)
    try await court.settle()
    #expect(court.post.mails.count == ([.atOnce, .daily].contains(really) ? 1 : 0))
    // Monday at eight.
    court.pass(2 * Courtroom.day - 1)
    try await court.settle()
    #expect(court.post.mails.count == ([.atOnce, .daily].contains(really) ? 1 : 0))
    court.pass(1)
    try await court.settle()
    #expect(court.post.mails.count == (really == .never ? 0 : 1))
    guard let mail = court.post.mails.first else { return }
    let kinds: [VerdictLevel: String] = [
      .unexplained: "Unexplained", .expected: "Expected", .known: "Known", .noHistory: "New",
    ]
    let subject =
      switch really {
      case .atOnce: "[Oriel] \(kinds[level] ?? "") certificate for www.shop.example from Oriel Test Trust Services"
      case .daily: "[Oriel] Daily digest for shop.example: 1 certificate"
      default: "[Oriel] Weekly digest for shop.example: 1 certificate"
      }
    #expect(mail.subject == subject + (level == .unexplained && really != .atOnce ? ", 1 unexplained" : ""))
  }

  @Test("Two accounts that watch the same item get a verdict each")
  func twoAccounts() async throws {
    let court = try await Courtroom()
    let (alpha, beta) = (try await court.account("alpha"), try await court.account("beta"))
    let first = try await court.domain(alpha, telling: ["a@mail.example"])
    let second = try await court.domain(beta, telling: ["b@mail.example"]) { $0.known = .atOnce }
    let pair = try court.issue()
    try await court.tell(pair, of: second)
    let issuance = try await court.sight(pair)
    try await court.settle()
    #expect(try await court.judgement(issuance, of: first).level == .unexplained)
    #expect(try await court.judgement(issuance, of: second).level == .known)
    let told = Dictionary(uniqueKeysWithValues: court.post.mails.map { ($0.to, $0) })
    #expect(told["a@mail.example"]?.subject.hasPrefix("[Oriel] Unexplained certificate") == true)
    #expect(told["b@mail.example"]?.subject.hasPrefix("[Oriel] Known certificate") == true)
    #expect(told["a@mail.example"]?.text.contains("inventory") == false)
    #expect(told.count == 2)
  }

  @Test("“This was me” makes the renewal with the same key known")
  func claimed() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    let issuance = try await court.sight(try court.issue(key: Courtroom.key))
    try await court.settle()
    #expect(court.post.subjects.count == 1)
    _ = try await court.accounts.setState(account, of: domain.id, issuance, to: .claimed)
    court.pass(60 * Courtroom.day)
    let renewal = try await court.sight(try court.issue(key: Courtroom.key))
    try await court.settle()
    let judgement = try await court.judgement(renewal, of: domain)
    #expect(judgement.level == .known && judgement.isProven)
    #expect(court.post.subjects.count == 1)
    // Once it is taken back, that key is nobody's.
    _ = try await court.accounts.setState(account, of: domain.id, issuance, to: .denied)
    let third = try await court.sight(try court.issue(days: 91, key: Courtroom.key))
    try await court.settle()
    #expect(try await court.judgement(third, of: domain).level == .unexplained)
  }

  @Test("The first renewals of what was listed at the start are expected, once each", arguments: [true, false])
  func baseline(_ isConfirmed: Bool) async throws {
    let court = try await Courtroom()
    let domain = try await court.domain(try await court.account("alpha"), hasBaseline: isConfirmed)
    let old = try court.issue(from: -70)
    let found = FoundCredentials(upload: Array(([old.certificate] + old.chain).map { PEM.encode($0) }.joined().utf8))
    let baseline = Baseline(court.database, owners: nil)
    for _ in 0..<2 { try await baseline.add(found.certificates, to: domain) }
    let listed = try await baseline.list(of: domain)
    #expect(listed.map(\.record.names) == [["www.shop.example"]])
    // Seen in a log as well, it is still one.
    if isConfirmed { try await court.tell(old, of: domain) }
    try await court.sight(old)
    try await court.settle()
    var levels: [VerdictLevel] = []
    for days in [90, 91] as [Int64] {
      let issuance = try await court.sight(try court.issue(days: days))
      try await court.settle()
      levels.append(try await court.judgement(issuance, of: domain).level)
    }
    #expect(levels == (isConfirmed ? [.expected, .unexplained] : [.noHistory, .noHistory]))
    try await baseline.remove(listed[0].id, of: domain)
    #expect(try await baseline.list(of: domain).isEmpty)
  }

  @Test("What is told of afterwards is known then")
  func toldAfterwards() async throws {
    let court = try await Courtroom()
    let domain = try await court.domain(try await court.account("alpha"))
    let pair = try court.issue()
    let issuance = try await court.sight(pair)
    try await court.settle()
    try await court.router.reconsider()
    #expect(try await court.judgement(issuance, of: domain).level == .unexplained)
    try await court.tell(pair, of: domain)
    try await court.router.reconsider()
    #expect(try await court.judgement(issuance, of: domain).level == .known)
    #expect(try await court.alerts.toldAfterwards(now: court.now).isEmpty)
  }

  @Test("A verdict is not another one for being asked for again, after a stop in between")
  func again() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account) { $0.expected = .never }
    let issuance = try await sight(.expected, court, domain)
    for _ in 0..<2 {
      for alert in try await court.alerts.unrouted().alerts { _ = try await court.router.routing(of: alert) }
    }
    #expect(try await court.judgement(issuance, of: domain).level == .expected)
  }

  @Test("Of a burst the rest comes as one digest, for domains too")
  func burst() async throws {
    let court = try await Courtroom()
    _ = try await court.domain(try await court.account("alpha"), telling: [Self.me])
    for number in 0..<25 { try await court.sight(try court.issue(["n\(number).shop.example"])) }
    try await court.settle()
    #expect(court.post.mails.count == 20)
    court.pass(Courtroom.hour + 1)
    try await court.settle()
    #expect(court.post.mails.count == 21)
    #expect(court.post.mails.last?.text.contains("n24.shop.example") == true)
  }

  @Test("Who may issue is decided by who runs the CA, and the letter says how to report to it")
  func owners() async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    var change = DomainChange()
    change.allowedOwners = ["Other Trust"]
    _ = try await court.accounts.change(account, domain.id, change)
    let issuance = try await court.sight(try court.issue())
    try await court.settle()
    let mail = try #require(court.post.mails.first)
    #expect(try await court.judgement(issuance, of: domain).reasons.contains("CA-not-allowed"))
    for words in [
      "Verdict Unexplained", "It comes from Honest Trust, which you do not allow; you allow Other Trust.",
      "1. Report it to the CA that issued it", "Honest Trust: problems@honest.example",
      "https://oriel.example/issuances/\(issuance)",
    ] {
      #expect(mail.text.contains(words), "\(words)\n\(mail.message.text)")
    }
  }

  @Test("Whoever the configuration names is told as ever, at once and of what it watches alone")
  func configuration() async throws {
    let court = try await Courtroom()
    let receiver = Receiver()
    var routes = AlertRoutes(
      standard: [AlertTarget(recipient: "me", target: "test:me")], channels: ["test:me": receiver])
    routes.standardItems = ["file.example"]
    court.routes.replace(with: routes)
    let account = try await court.account("alpha")
    _ = try await court.domain(account, telling: [Self.me])
    for item in ["shop.example", "file.example"] {
      try await court.sight(try court.issue(["www." + item]), items: [item])
    }
    try await court.settle()
    #expect(receiver.names == ["www.file.example"] && receiver.verdicts == [nil])
    #expect(court.post.mails.map(\.to) == [Self.me])
    // Shown in an account as well, it has a verdict; those who are told and when stay the same.
    try await court.service.mirror([ConfiguredDomain(try .init(parsing: "file.example"))], in: account.account)
    try await court.sight(try court.issue(["new.file.example"]), items: ["file.example"])
    try await court.settle()
    #expect(receiver.names == ["www.file.example", "new.file.example"])
    #expect(receiver.verdicts == [nil, .noHistory])
    #expect(court.post.mails.count == 1)
  }

  @Test("Those whom the configuration names are told when it says, by verdict")
  func configuredTimes() async throws {
    let court = try await Courtroom()
    let receiver = Receiver()
    court.routes.replace(
      with: AlertRoutes(standard: [AlertTarget(recipient: "me", target: "test:me")], channels: ["test:me": receiver]))
    let account = try await court.account("alpha")
    var times = DeliveryTimes()
    (times.unexplained, times.expected, times.known, times.noHistory) = (.atOnce, .daily, .never, .weekly)
    var wanted = ConfiguredDomain(try .init(parsing: "shop.example"))
    wanted.delivery = times
    try await court.service.mirror([wanted], in: account.account)
    let domain = try #require(try await court.accounts.domains(account).first)
    #expect(domain.delivery == times)
    // Without a history: on Monday, three days on.
    try await court.sight(try court.issue(["a.shop.example"]))
    try await court.settle()
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(receiver.digests.isEmpty)
    court.pass(2 * Courtroom.day)
    try await court.settle()
    #expect(receiver.digests == [["a.shop.example"]] && receiver.names.isEmpty)
    var change = DomainChange()
    change.isBaselineConfirmed = true
    _ = try await court.accounts.change(account, domain.id, change)
    let known = try court.issue(["b.shop.example"])
    try await court.tell(known, of: domain)
    try await court.sight(known)
    try await court.sight(try court.issue(["c.shop.example"]))
    try await court.settle()
    #expect(receiver.names == ["c.shop.example"] && receiver.verdicts == [.unexplained])
    court.pass(8 * Courtroom.day)
    try await court.settle()
    #expect(receiver.digests.count == 1 && receiver.names.count == 1)
    // A digest that waits goes by what the file says when its time has come.
    wanted.delivery.unexplained = .daily
    try await court.service.mirror([wanted], in: account.account)
    for name in ["d", "e"] { try await court.sight(try court.issue([name + ".shop.example"])) }
    try await court.settle()
    #expect(receiver.names.count == 1)
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(receiver.digests.last?.sorted() == ["d.shop.example", "e.shop.example"])
    #expect(court.post.mails.isEmpty)
  }

  /// What the configuration's recipients get.
  private final class Receiver: Channel {
    private let got = Mutex<[CertificateAlert]>([])
    private let told = Mutex<[[String]]>([])
    var digests: [[String]] { told.withLock { $0 } }

    var names: [String] { got.withLock { $0.flatMap(\.matchedNames) } }
    var verdicts: [CertificateVerdict.Level?] { got.withLock { $0.map { $0.verdict?.level } } }

    func deliver(_ delivery: Delivery) async -> DeliveryResult {
      switch delivery.alert.content {
      case .certificate(let alert): got.withLock { $0.append(alert) }
      case .summary(let alerts, _, _): told.withLock { $0.append(alerts.flatMap(\.matchedNames)) }
      default: break
      }
      return .delivered("ok")
    }
  }
}
