import OrielStore
import OrielWatchlist
import Synchronization
import Testing

@testable import OrielAccounts

/// A database in which so many transactions come through, and that notes how many rows each changes.
private struct Rationed: SQLDatabase {
  struct Over: Error {}

  final class Ledger: Sendable {
    let left: Mutex<Int>
    let changes = Mutex<[Int64]>([])
    init(_ left: Int) { self.left = Mutex(left) }
  }

  let inner: any SQLDatabase
  let ledger: Ledger

  init(_ inner: any SQLDatabase, transactions: Int) {
    self.inner = inner
    ledger = Ledger(transactions)
  }

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    let isLeft = ledger.left.withLock { left in
      left -= 1
      return left >= 0
    }
    guard isLeft else { throw Over() }
    return try await inner.transaction { [ledger] connection in
      func total() throws -> Int64 { try connection.query("SELECT total_changes()").first?.integer(0) ?? 0 }
      let before = try total()
      let value = try body(connection)
      let count = try total() - before
      ledger.changes.withLock { $0.append(count) }
      return value
    }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value { try await inner.read(body) }
}

@Suite("Removing an account")
struct RemovalTests {
  private static let counts = [
    "members", "domains", "recipients", "tokens", "inventory", "judgements", "judgement_events", "baseline", "mutes",
    "lookalikes",
    "lookalike_issuances", "audit", "judgement_months",
  ]

  /// Two accounts with the same in each, the first with much of it.
  private static func neighbours() async throws -> Neighbours {
    let neighbours = try await Neighbours()
    let (account, domain) = (neighbours.owner.account.value, neighbours.domain.value)
    try await neighbours.registry.database.transaction { connection in
      func many(_ count: Int, _ columns: String, _ values: String) throws {
        try connection.execute(
          """
          WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < \(999 + count))
          INSERT INTO \(columns) SELECT \(values) FROM n
          """)
      }
      try many(
        3500, "judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at)",
        "i, \(domain), \(account), i * 100000000, 'known', 0, '[]', 0")
      try many(1500, "judgement_events (issuance, domain_id, at, kind, value)", "i, \(domain), 0, 'said', 'denied'")
      try many(
        1200, "inventory (domain_id, kind, hash, names, source, added_at, last_seen)",
        "\(domain), 'key', CAST(i AS BLOB), '[]', 'test', 0, 0")
      try many(
        1100, "domains (id, account_id, item, source, unexplained, expected, known, no_history, created_at)",
        "i, \(account), i || '.alpha.example', 'dashboard', 'daily', 'daily', 'daily', 'daily', 0")
      try many(
        1, "lookalikes (id, owner, item, registrable, name, reason, sentence, rating, first_seen, last_seen)",
        "7, \(account), 'alpha.example', 'a1pha.example', 'a1pha.example', 'x', 'x', 1, 0, 0")
      try many(1500, "lookalike_issuances (lookalike, issuance)", "7, i")
      try many(1500, "audit (account_id, who, at, what)", "\(account), 'x', 0, 'x'")
      try many(1, "baseline (domain_id, digest, names, source)", "\(domain), x'00', '[]', 'x'")
    }
    return neighbours
  }

  private static func rows(_ registry: Registry) async throws -> [String: Int64] {
    try await registry.database.read { connection in
      var rows: [String: Int64] = [:]
      for table in counts { rows[table] = try connection.query("SELECT count(*) FROM \(table)").first?.integer(0) }
      return rows
    }
  }

  @Test("what is in it goes in transactions of a bounded size, and nothing of another account's")
  func lots() async throws {
    let neighbours = try await Self.neighbours()
    let registry = neighbours.registry
    let database = Rationed(registry.database, transactions: .max)
    let store = AccountStore(database, now: { 1_800_000_000_000 })
    let told = Mutex<[Int]>([])
    try await AccountService(store).removeAccount(neighbours.owner.account) { count in
      told.withLock { $0.append(count) }
    }
    let changes = database.ledger.changes.withLock { $0 }
    #expect(changes.count > 5 && changes.allSatisfy { $0 < 5000 }, "\(changes)")
    #expect(told.withLock { $0.count > 5 && $0 == $0.sorted() })
    let rows = try await Self.rows(registry)
    #expect(
      rows == [
        "members": 1, "domains": 1, "recipients": 0, "tokens": 0, "inventory": 0, "judgements": 0,
        "judgement_events": 0, "baseline": 0,
        "mutes": 0, "lookalikes": 0, "lookalike_issuances": 0, "audit": rows["audit"] ?? 0,
        "judgement_months": rows["judgement_months"] ?? 0,
      ])
    #expect(try await registry.accounts.audit(neighbours.stranger, limit: 1000).count == Int(rows["audit"] ?? 0))
    let counted = try await registry.database.read {
      try $0.query("SELECT sum(count), sum(domain_id) FROM judgement_months").first
    }
    #expect(counted?.integer(0) == 0 && counted?.integer(1) == 0)
    await #expect(throws: AccountError.notFound) {
      try await registry.service.removeAccount(neighbours.owner.account)
    }
  }

  @Test("from its first transaction on it is gone for everybody, and nothing of it is watched or told")
  func atOnce() async throws {
    let neighbours = try await Self.neighbours()
    let (registry, domain) = (neighbours.registry, neighbours.domain)
    let letter = try await registry.accounts.confirmAgain(
      neighbours.owner, recipient: neighbours.recipient, of: domain)
    _ = try await registry.signIn.confirm(letter.secret)
    let token = try await registry.accounts.addToken(neighbours.owner, name: "t", scopes: [.read]).secret
    #expect(try await registry.addresses(domain) == ["hear@alpha.example"])
    let before = try await registry.store.generation()
    let store = AccountStore(Rationed(registry.database, transactions: 1), now: { 1_800_000_000_000 })
    await #expect(throws: Rationed.Over.self) {
      try await AccountService(store).removeAccount(neighbours.owner.account)
    }
    #expect(try await registry.store.generation().watch > before.watch)
    #expect(try await registry.addresses(domain) == [])
    #expect(try await registry.service.routes(for: "alpha.example") == [])
    #expect(try await registry.service.watchedItems().map(\.description) == ["beta.example"])
    #expect(try await registry.service.accounts().map(\.id) == [neighbours.stranger.account])
    #expect(try await registry.service.accountsGoing().map(\.id) == [neighbours.owner.account])
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.actor(token: token) }
    await #expect(throws: AccountError.signedOut) { try await registry.accounts.account(neighbours.owner) }
    await #expect(throws: AccountError.notFound) {
      try await registry.service.setPlan(of: neighbours.owner.account, to: .pro)
    }
    #expect(try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c") == nil)
  }

  @Test(
    "a removal that was cut short is finished by the next one, or by the service's sweep",
    arguments: [1, 2, 4], [true, false])
  func cutShort(after transactions: Int, isSwept: Bool) async throws {
    let neighbours = try await Self.neighbours()
    let (registry, account) = (neighbours.registry, neighbours.owner.account)
    let store = AccountStore(Rationed(registry.database, transactions: transactions), now: { 1_800_000_000_000 })
    await #expect(throws: Rationed.Over.self) { try await AccountService(store).removeAccount(account) }
    if isSwept { try await registry.service.sweep() } else { try await registry.service.removeAccount(account) }
    let rows = try await Self.rows(registry)
    #expect(rows["judgements"] == 0 && rows["domains"] == 1 && rows["members"] == 1 && rows["lookalikes"] == 0)
    #expect(try await registry.service.accountsGoing() == [])
    let made = try await registry.service.addAccount(name: "next", owner: "next@alpha.example")
    #expect(made.account.id.value > neighbours.stranger.account.value)
  }
}
