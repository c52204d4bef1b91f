import CertificateTransparency
import MerkleTree
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielAccounts

@Suite("What happened to an issuance")
struct HappeningTests {
  private struct Scene {
    let registry: Registry
    let owner: Actor
    let domain: DomainID
    let issuance: IssuanceID
    var accounts: Accounts { registry.accounts }

    init() async throws {
      registry = try await Registry()
      owner = try await registry.account("alpha")
      domain = try await registry.domain(owner, "alpha.example")
      issuance = try await registry.sight(["www.alpha.example"], item: "alpha.example").issuanceID
    }

    func judge(_ level: VerdictLevel) async throws {
      try await registry.service.judge(issuance, for: domain, level, isProven: false, reasons: "[]")
    }

    func say(_ state: Judgement.State, _ note: String? = nil) async throws {
      _ = try await accounts.setState(owner, of: domain, issuance, to: state, note: note)
    }
  }

  @Test("every statement and every other verdict is kept, in order, with who and what they wrote")
  func statements() async throws {
    let scene = try await Scene()
    let (registry, start) = (scene.registry, scene.registry.now)
    #expect(try await scene.accounts.happenings(scene.owner, of: scene.issuance).isEmpty)
    try await scene.judge(.unexplained)
    #expect(
      try await scene.accounts.happenings(scene.owner, of: scene.issuance)
        == [Happening(at: start, item: "alpha.example", what: .judged(.unexplained))])
    registry.pass(10)
    try await scene.say(.denied, "not one of ours")
    registry.pass(10)
    try await scene.judge(.unexplained)
    try await scene.judge(.known)
    // A clock that goes back turns nothing around.
    registry.pass(-15)
    try await scene.say(.claimed)
    registry.pass(20)
    let second = try await registry.member(scene.owner, "second@alpha.example", .member)
    _ = try await scene.accounts.setState(
      second, of: scene.domain, scene.issuance, to: .denied, note: "really not")
    let happenings = try await scene.accounts.happenings(scene.owner, of: scene.issuance)
    #expect(
      happenings.map(\.what) == [
        .judged(.unexplained), .said(.denied, by: "owner@alpha.example", note: "not one of ours"), .judged(.known),
        .said(.claimed, by: "owner@alpha.example", note: nil),
        .said(.denied, by: "second@alpha.example", note: "really not"),
      ])
    #expect(happenings.map(\.at).max() == start + 25)
  }

  @Test("what somebody was told is there, with what became of it; nobody else's")
  func told() async throws {
    let scene = try await Scene()
    try await scene.judge(.unexplained)
    let stranger = try await scene.registry.account("beta")
    let others = try await scene.registry.domain(stranger, "www.alpha.example")
    let alerts = AlertStore(scene.registry.database)
    try await scene.registry.database.transaction { connection in
      try connection.execute(
        "INSERT INTO alerts (id, key, kind, issuance_id, item, created_at) VALUES (1, 'k', 'certificate', ?, ?, 7)",
        [.blob(scene.issuance.hash.bytes), .text("alpha.example")])
      for (domain, target) in [(scene.domain, "mail:hear@alpha.example"), (others, "mail:hear@beta.example")] {
        try connection.execute(
          "INSERT INTO deliveries (alert_id, recipient, target, next_attempt) VALUES (1, ?, ?, 0)",
          [.text("domain:\(domain)"), .text(target)])
      }
    }
    let policy = RetryPolicy(longest: 1000, giveUpAfter: 1000, window: 1000) { _ in 1 }
    let delivery = try #require(try await alerts.next(to: "mail:hear@alpha.example", now: 9, policy).first)
    scene.registry.pass(50)
    try await alerts.record(delivery.id, .delivered, words: "250 OK", now: scene.registry.now, policy)
    let told = try await scene.accounts.happenings(scene.owner, of: scene.issuance).suffix(1)
    #expect(
      told == [
        Happening(
          at: scene.registry.now, item: "alpha.example",
          what: .told(.certificate, target: "mail:hear@alpha.example", .delivered))
      ])
    #expect(
      try await scene.accounts.happenings(stranger, of: scene.issuance).map(\.what)
        == [.told(.certificate, target: "mail:hear@beta.example", .waiting)])
  }

  @Test("the operator's account shows whom the configuration file had told, and no other does")
  func toldByTheFile() async throws {
    let scene = try await Scene()
    let stranger = try await scene.registry.account("beta")
    _ = try await scene.registry.domain(stranger, "www.alpha.example")
    let operators = try await AccountService(scene.registry.store).operatorsAccount()
    #expect(operators == scene.owner.account)
    try await scene.registry.database.transaction { connection in
      try connection.execute(
        "INSERT INTO alerts (id, key, kind, issuance_id, item, created_at) VALUES (1, 'k', 'certificate', ?, ?, 7)",
        [.blob(scene.issuance.hash.bytes), .text("alpha.example")])
      for recipient in ["me", "domain:99"] {
        try connection.execute(
          "INSERT INTO deliveries (alert_id, recipient, target, next_attempt) VALUES (1, ?, ?, 0)",
          [.text(recipient), .text("mail:\(recipient)@mail.example")])
      }
    }
    #expect(
      try await scene.accounts.happenings(scene.owner, of: scene.issuance).map(\.what)
        == [.told(.certificate, target: "mail:me@mail.example", .waiting)])
    #expect(try await scene.accounts.happenings(stranger, of: scene.issuance).isEmpty)
  }

  @Test("a thousand statements are kept, and no more taken; with the domain they go")
  func bounds() async throws {
    let scene = try await Scene()
    try await scene.judge(.unexplained)
    try await scene.registry.database.transaction { connection in
      try connection.execute(
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Happening.mostStatements - 1))
        INSERT INTO judgement_events (issuance, domain_id, at, kind, value, who)
        SELECT (SELECT max(number) FROM issuances), \(scene.domain.value), i, 'said', 'new', 'somebody' FROM n
        """)
    }
    try await scene.say(.denied, "the last one")
    let all = try await scene.accounts.happenings(scene.owner, of: scene.issuance)
    #expect(all.count == Happening.most)
    #expect(all.last?.what == .said(.denied, by: "owner@alpha.example", note: "the last one"))
    await #expect(throws: AccountError.self) { try await scene.say(.new) }
    #expect(try await scene.accounts.judgement(scene.owner, of: scene.domain, scene.issuance).state == .denied)
    try await scene.accounts.removeDomain(scene.owner, scene.domain)
    let left = try await scene.registry.database.read {
      try $0.query("SELECT count(*) FROM judgement_events").first?.integer(0)
    }
    #expect(left == 0)
  }

  @Test("what was said last, and until when what was judged is valid, is known of older states")
  func migration() async throws {
    let folder = try TemporaryFolder()
    let (path, migrations) = (folder.path + "/old.db", Migrations.all)
    let place = try #require(migrations.firstIndex { $0.contains("CREATE TABLE judgement_events") })
    let old = try SQLiteDatabase(path: path, migrations: Array(migrations[..<place]))
    try await old.transaction { connection in
      try connection.execute("INSERT INTO accounts (id, name, plan, created_at) VALUES (1, 'a', 'enterprise', 0)")
      try connection.execute(
        """
        INSERT INTO domains (id, account_id, item, source, unexplained, expected, known, no_history, created_at)
        VALUES (1, 1, 'own.example', 'dashboard', 'daily', 'daily', 'daily', 'daily', 0)
        """)
      for number in 1...2 {
        try connection.execute(
          """
          INSERT INTO issuances (id, issuer_key_hash, first_seen, not_before, not_after, number)
          VALUES (?, x'00', 0, 5, ?, ?)
          """, [.blob([UInt8(number)]), .integer(Int64(number)), .integer(Int64(number))])
        try connection.execute(
          """
          INSERT INTO judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, state,
            note, changed_by, changed_at) VALUES (?, 1, 1, 0, 'known', 1, '[]', 0, ?, ?, ?, ?)
          """,
          number == 1
            ? [.integer(1), .text("new"), .null, .null, .null]
            : [.integer(2), .text("denied"), .text("no"), .text("me"), .integer(9)])
      }
    }
    let new = try SQLiteDatabase(path: path, migrations: migrations)
    let (ends, events) = try await new.read { connection in
      (
        try connection.query("SELECT not_before, not_after FROM judgements ORDER BY issuance").map {
          [$0.integer(0), $0.integer(1)]
        },
        try connection.query("SELECT issuance, at, kind, value, who, note FROM judgement_events").map { row in
          "\(row.integer(0) ?? 0) \(row.integer(1) ?? 0) " + (2...5).map { row.text($0) ?? "" }.joined(separator: " ")
        }
      )
    }
    #expect(ends == [[5, 1], [5, 2]])
    #expect(events == ["2 9 said denied me no"])
  }
}

@Suite("What is valid now")
struct CurrentTests {
  @Test("what is valid is listed by its end and counted; what is over, or yet to come, is not")
  func current() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let now = registry.now / 1000
    let spans: [(name: String, from: Int64, to: Int64)] = [
      ("over", -90, -1), ("late", -10, 90 * 86_400), ("now", -10, 0), ("soon", -10, 86_400), ("later", 60, 86_400),
      ("same", -10, 86_400),
    ]
    for span in spans {
      let pair = try await registry.sight(["\(span.name).alpha.example"], item: "alpha.example") {
        $0.notBefore = Timestamp(milliseconds: UInt64(now + span.from) * 1000)
        $0.notAfter = Timestamp(milliseconds: UInt64(now + span.to) * 1000)
      }
      try await registry.service.judge(pair.issuanceID, for: domain, .known, isProven: true, reasons: "[]")
    }
    let expected = ["now", "soon", "same", "late"].map { "\($0).alpha.example" }
    let all = try await registry.accounts.current(owner, of: domain)
    #expect(all.results.compactMap(\.issuance.names.first) == expected && all.next == nil)
    var (paged, cursor): ([String], ExpiryCursor?) = ([], nil)
    repeat {
      let page = try await registry.accounts.current(owner, of: domain, after: cursor, limit: 1)
      paged += page.results.compactMap(\.issuance.names.first)
      cursor = try page.next.map { try #require(ExpiryCursor("\($0)")) }
    } while cursor != nil
    #expect(paged == expected)
    #expect(try await registry.accounts.currentCount(owner, of: domain) == SearchCount(value: 4, isExact: true))
    #expect(try await registry.accounts.currentCount(owner, of: domain, upTo: now + 86_400).value == 3)
    #expect(
      try await registry.accounts.currentCount(owner, of: domain, ceiling: 2) == SearchCount(value: 2, isExact: false))
    registry.pass(1000)
    #expect(try await registry.accounts.currentCount(owner, of: domain).value == 3)
  }

  @Test(
    "names that hit come first, common names last",
    arguments: [
      (
        ["www.beta.example", "b.alpha.example", "a.alpha.example"], ["<b>x</b>.example"],
        ["b.alpha.example", "a.alpha.example", "www.beta.example", "<b>x</b>.example"]
      ),
      (["www.beta.example"], ["b.alpha.example"], ["b.alpha.example", "www.beta.example"]),
      (["b.alpha.example", "c.example"], ["b.alpha.example"], ["b.alpha.example", "c.example"]),
    ])
  func names(_ item: (names: [String], common: [String], expected: [String])) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let pair = try await registry.sight(item.names, item: "alpha.example") { $0.commonNames = item.common }
    try await registry.database.transaction { connection in
      try connection.execute("DELETE FROM matches")
      for name in item.names + item.common where name.hasSuffix("alpha.example") {
        try connection.execute(
          "INSERT INTO matches (issuance_id, item, name) VALUES (?, 'alpha.example', ?) ON CONFLICT DO NOTHING",
          [.blob(pair.issuanceID.hash.bytes), .text(name)])
      }
    }
    try await registry.service.judge(pair.issuanceID, for: domain, .known, isProven: true, reasons: "[]")
    let issuance = try await registry.accounts.judgement(owner, of: domain, pair.issuanceID).issuance
    #expect(issuance.names == item.expected)
    #expect(issuance.nameCount == item.expected.count)
    #expect(issuance.commonNames == Set(item.common).subtracting(item.names))
  }
}
