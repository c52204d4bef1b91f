import CertificateTransparency
import MerkleTree
import OrielStore
import TestWorld
import Testing

@testable import OrielAccounts

@Suite("Judgements, inventory and mutes")
struct JudgementTests {
  @Test("“this was me” puts an issuance into the inventory, and taking it back takes it out")
  func claiming() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let pair = try await registry.sight(["alpha.example"], item: "alpha.example")
    let (issuance, accounts) = (pair.issuanceID, registry.accounts)
    try await registry.service.judge(issuance, for: domain, .unexplained, isProven: false, reasons: #"["new key"]"#)
    let new = try await accounts.judgement(owner, of: domain, issuance)
    #expect(new.state == .new && new.standing == .unexplained && new.issuance.names == ["alpha.example"])

    let claimed = try await accounts.setState(owner, of: domain, issuance, to: .claimed, note: " our staging host ")
    #expect(claimed.standing == .known && claimed.level == .unexplained)
    #expect(claimed.note == "our staging host" && claimed.changedBy == "owner@alpha.example")
    let entries = try await registry.service.inventory(of: domain)
    #expect(entries.map(\.hash) == [issuance.hash, try #require(new.issuance.publicKeyHash)])
    #expect(entries.map(\.kind) == [.certificate, .key] && entries[1].names == ["alpha.example"])
    // Judged anew, what the owner said stays.
    try await registry.service.judge(issuance, for: domain, .known, isProven: true, reasons: "[]")
    #expect(try await accounts.judgement(owner, of: domain, issuance).state == .claimed)

    let denied = try await accounts.setState(owner, of: domain, issuance, to: .denied)
    #expect(denied.state == .denied && denied.note == nil)
    #expect(try await registry.service.inventory(of: domain).isEmpty)
    #expect(try await accounts.inventory(owner, of: domain).map { $0.removedAt != nil } == [true, true])
    #expect(try await accounts.history(owner).results.map(\.state) == [.denied])
  }

  @Test("what is known from elsewhere stays in the inventory when a claim is taken back")
  func knownTwice() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let issuance = try await registry.sight(["alpha.example"], item: "alpha.example").issuanceID
    try await registry.service.judge(issuance, for: domain, .unexplained, isProven: false, reasons: "[]")
    let entry = NewInventoryEntry(kind: .certificate, hash: issuance.hash, notAfter: 5)
    try await registry.service.found([entry], for: domain, source: "certbot")
    registry.pass(10)
    try await registry.service.found([entry], for: domain, source: "probe")
    let kept = try #require(try await registry.service.inventory(of: domain).first)
    #expect(kept.source == "certbot" && kept.lastSeen == kept.addedAt + 10 && kept.notAfter == 5)
    for state in [Judgement.State.claimed, .new] {
      _ = try await registry.accounts.setState(owner, of: domain, issuance, to: state)
      let sources = try await registry.service.inventory(of: domain).map(\.source)
      #expect(sources == (state == .claimed ? ["certbot", "this was me"] : ["certbot"]))
    }
  }

  @Test("a history is what was judged: filtered, counted exactly, and paged in order")
  func histories() async throws {
    var random = SeededGenerator(seed: 3)
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domains = [try await registry.domain(owner, "a.example"), try await registry.domain(owner, "b.example")]
    var rows:
      [(domain: DomainID, issuance: IssuanceID, level: VerdictLevel, state: Judgement.State, at: Int64, host: Int)] = []
    for number in 0..<30 {
      registry.pass(Int64(random.next() % 3))
      let issuance = try await registry.sight(["h\(number % 3).a.example"], item: "a.example").issuanceID
      for domain in domains where random.next() % 3 != 0 {
        let level = try #require(VerdictLevel.allCases.randomElement(using: &random))
        let state = try #require(Judgement.State.allCases.randomElement(using: &random))
        try await registry.service.judge(issuance, for: domain, level, isProven: true, reasons: "[]")
        if state != .new { _ = try await registry.accounts.setState(owner, of: domain, issuance, to: state) }
        rows.append((domain, issuance, level, state, registry.now, number % 3))
      }
    }
    rows.reverse()
    for _ in 0..<60 {
      var filter = HistoryFilter()
      if random.next() % 2 == 0 { filter.levels = Set(VerdictLevel.allCases.shuffled(using: &random).prefix(2)) }
      if random.next() % 2 == 0 { filter.states = Set(Judgement.State.allCases.shuffled(using: &random).prefix(2)) }
      if random.next() % 4 == 0 { (filter.levels, filter.states) = ([.unexplained], [.new]) }
      if random.next() % 3 == 0 { filter.from = rows[Int(random.next() % UInt64(rows.count))].at }
      if random.next() % 3 == 0 { filter.before = rows[Int(random.next() % UInt64(rows.count))].at }
      if random.next() % 3 == 0 { filter.name = .exactly("h1.a.example") }
      let domain = random.next() % 2 == 0 ? domains[0] : nil
      let expected = rows.filter { row in
        (domain == nil || row.domain == domain) && (filter.levels.isEmpty || filter.levels.contains(row.level))
          && (filter.states.isEmpty || filter.states.contains(row.state)) && row.at >= filter.from ?? 0
          && row.at < filter.before ?? .max && (filter.name == nil || row.host == 1)
      }
      var (paged, cursor): ([Judgement], HistoryCursor?) = ([], nil)
      repeat {
        let page = try await registry.accounts.history(owner, of: domain, filter, after: cursor, limit: 4)
        paged += page.results
        cursor = page.next.flatMap { HistoryCursor("\($0)") }
      } while cursor != nil
      #expect(paged.map(\.issuance.id) == expected.map(\.issuance))
      #expect(paged.map(\.domain) == expected.map(\.domain))
      #expect(paged.map(\.level) == expected.map(\.level))
      let count = try await registry.accounts.historyCount(owner, of: domain, filter)
      #expect(count == SearchCount(value: expected.count, isExact: true))
    }
    let counts = try await registry.accounts.verdictCounts(owner, since: rows[9].at)
    let newer = rows.filter { $0.at >= rows[9].at }
    for level in VerdictLevel.allCases { #expect(counts[level] ?? 0 == newer.count { $0.level == level }) }
  }

  private static let issuer = SHA256Hash.hash([1])

  @Test(
    "a mute stops deliveries for what it names, until it ends",
    arguments: [
      (Mute.Rule.domain, ["a.example"], true), (.issuer(issuer), ["a.example"], true),
      (.issuer(SHA256Hash.hash([2])), ["a.example"], false), (.name("x.example"), ["x.example", "y.x.example"], true),
      (.name("x.example"), ["x.example", "other.example"], false), (.name("=x.example"), ["y.x.example"], false),
      (.name("=X.example"), ["x.example"], true), (.name("x.example"), [], false),
      (.name("x.example"), ["ax.example"], false),
    ])
  func mutes(rule: Mute.Rule, names: [String], isMuted: Bool) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let mute = try await registry.accounts.mute(owner, domain, rule, until: registry.now + 1000)
    func muted() async throws -> Bool {
      try await registry.service.mute(of: domain, issuer: JudgementTests.issuer, names: names) != nil
    }
    #expect(try await muted() == isMuted)
    #expect(try await registry.accounts.mutes(owner, of: domain) == [mute])
    registry.pass(1000)
    #expect(try await !muted())
    #expect(try await registry.accounts.mutes(owner, of: domain).isEmpty)
  }

  @Test("a mute ends within a year", arguments: [-1, 0, 367 * Registry.day, .max])
  func muteEnds(until: Int64) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let end = until == .max ? .max : registry.now + until
    let error = await #expect(throws: AccountError.self) {
      try await registry.accounts.mute(owner, domain, .domain, until: end)
    }
    #expect(error.map { if case .refused(.until, _) = $0 { true } else { false } } == true)
  }

  @Test("CAA records count once the owner has confirmed those that were found")
  func caaRecords() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    #expect(try await registry.service.foundCAA(["0 issue \"one\""], for: domain))
    #expect(try await !registry.service.foundCAA(["0 issue \"one\""], for: domain))
    #expect(try await registry.accounts.domain(owner, domain).hasNewCAA)
    try await registry.accounts.confirmCAA(owner, domain, ["0 issue \"one\""])
    #expect(try await !registry.accounts.domain(owner, domain).hasNewCAA)
    #expect(try await registry.service.foundCAA([], for: domain))
    let changed = try await registry.accounts.domain(owner, domain)
    #expect(changed.hasNewCAA && changed.confirmedCAA == ["0 issue \"one\""] && changed.seenCAA == [])
    await #expect(throws: AccountError.self) {
      try await registry.accounts.confirmCAA(owner, domain, ["0 issue \"one\""])
    }
  }

  @Test("what is expected without proof is in a digest at least")
  func deliveryTimes() {
    var times = DeliveryTimes()
    #expect(VerdictLevel.allCases.map { times[$0] } == [.never, .daily, .atOnce, .daily])
    times.expected = .never
    #expect(times.time(.expected, isProven: true) == .never)
    #expect(times.time(.expected, isProven: false) == .daily)
    times.expected = .weekly
    #expect(times.time(.expected, isProven: false) == .weekly)
  }

  @Test("with an account goes all that is its own, and nothing else")
  func removal() async throws {
    let neighbours = try await Neighbours()
    let registry = neighbours.registry
    try await registry.service.removeAccount(neighbours.owner.account)
    let owned = [
      "members": 1, "domains": 1, "recipients": 0, "tokens": 0, "inventory": 0, "judgements": 0, "mutes": 0,
    ]
    for (table, count) in owned {
      let rows = try await registry.database.transaction { try $0.query("SELECT count(*) FROM \(table)") }
      #expect(rows.first?.integer(0) == Int64(count), "\(table)")
    }
    #expect(try await registry.accounts.domains(neighbours.stranger).map(\.item) == ["beta.example"])
  }
}
