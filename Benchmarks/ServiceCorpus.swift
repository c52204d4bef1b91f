import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import TestWorld

/// The state of a service with many accounts, and what its pages ask of it.
///
/// Domains are of very unequal size: the largest has about a twentieth of all issuances.
struct ServiceCorpus {
  let directory: URL
  var accounts = 10_000
  var domains = 100_000
  var issuances = 5_000_000

  private var path: String { directory.appending(path: "service.db").path }
  private static let start: Int64 = 1_800_000_000_000

  /// Makes the database, without the sightings: nothing that is asked here looks at them.
  func write() async throws {
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    let pair = try TestAuthority(seed: 7, signatureMode: .filler, now: Corpus.time).issue(
      CertificateRequest(["www.somebody.example", "somebody.example"]))
    let database = try SQLiteDatabase(path: path)
    // An index is made faster at once than entry by entry.
    let indexes = try await database.transaction { connection in
      try connection.query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").map {
        ($0.text(0) ?? "", $0.text(1) ?? "")
      }
    }
    let tables = ["issuances_", "judgements_", "certificates_"]
    let dropped = indexes.filter { index in tables.contains { index.0.hasPrefix($0) } }
    for (name, _) in dropped { try await run(database, "DROP INDEX \(name)") }
    try await people(database)
    try await history(database, certificate: pair.certificate)
    for (_, sql) in dropped { try await run(database, sql) }
  }

  private func run(_ database: SQLiteDatabase, _ sql: String, _ arguments: [SQLValue] = []) async throws {
    try await database.transaction { try $0.execute(sql, arguments) }
  }

  /// The numbers from 1 on.
  private func numbers(_ count: Int) -> String {
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))"
  }

  private func people(_ database: SQLiteDatabase) async throws {
    try await run(
      database,
      """
      \(numbers(accounts)) INSERT INTO accounts (id, name, plan, created_at)
      SELECT i, 'Account ' || i, CASE i % 4 WHEN 0 THEN 'free' ELSE 'enterprise' END, 0 FROM n
      """)
    try await run(
      database,
      """
      \(numbers(accounts * 2)) INSERT INTO members (account_id, address, role, created_at, confirmed_at)
      SELECT 1 + (i - 1) % \(accounts), 'm' || i || '@people.example', CASE WHEN i <= \(accounts) THEN 'owner' ELSE 'member' END, 0, 0
      FROM n
      """)
    try await run(
      database,
      """
      \(numbers(domains)) INSERT INTO domains
        (id, account_id, item, source, is_on, unexplained, expected, known, no_history, baseline_confirmed_at, created_at)
      SELECT i, 1 + (i - 1) % \(accounts), 'd' || i || '.example', 'dashboard', 1, 'at once', 'daily', 'record only', 'daily', 0, 0
      FROM n
      """)
    try await run(
      database,
      """
      \(numbers(domains * 2)) INSERT INTO recipients (domain_id, address, created_at, confirmed_at)
      SELECT 1 + (i - 1) % \(domains), 'r' || i || '@people.example', 0, 0 FROM n
      """)
    try await run(
      database,
      """
      \(numbers(domains * 3)) INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen)
      SELECT 1 + (i - 1) % \(domains), 'key', CAST(printf('%032d', i) AS BLOB), '[]', 'certbot', 0, 0 FROM n
      """)
  }

  private func history(_ database: SQLiteDatabase, certificate: [UInt8]) async throws {
    // A domain's number for each issuance, most of them small; and a second number that looks like chance.
    let unit = "((i * 2654435761) % 4294967296) / 4294967296.0"
    try await run(
      database, "CREATE TABLE plan (i INTEGER PRIMARY KEY, d INTEGER NOT NULL, at INTEGER NOT NULL, h INTEGER NOT NULL)"
    )
    try await run(
      database,
      """
      \(numbers(issuances)) INSERT INTO plan SELECT i, 1 + CAST(\(domains) * \(unit) * \(unit) * \(unit) * \(unit) AS INTEGER),
        \(ServiceCorpus.start) + i * 1000, (i * 40503 + 12345) % 1000003 FROM n
      """)
    try await run(
      database,
      """
      INSERT INTO issuances (id, issuer_key_hash, first_seen, not_before, not_after, serial, issuer, spki_sha256, number, is_indexed)
      SELECT CAST(printf('%032d', i) AS BLOB), CAST(printf('%032d', h % 20) AS BLOB), at, at / 1000, at / 1000 + 7776000,
        printf('%x', h * 7919 + i), 'CN=CA ' || (h % 20) || ', O=Issuer', CAST(printf('%032d', (h % 500000) * 7 + d % 7) AS BLOB), i, 1
      FROM plan
      """)
    try await run(
      database,
      """
      INSERT INTO certificates (sha256, issuance_id, entry_type, der, chain)
      SELECT CAST(printf('c%031d', i) AS BLOB), CAST(printf('%032d', i) AS BLOB), 'x509', ?, x'' FROM plan
      """, [.blob(certificate)])
    try await run(
      database,
      """
      INSERT INTO judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, state)
      SELECT i, d, 1 + (d - 1) % \(accounts), at,
        CASE WHEN h % 1000 = 0 THEN 'unexplained' WHEN h % 4 = 0 THEN 'expected' ELSE 'known' END, 1,
        '[{"rule":"inventory","text":"the key is in the inventory"}]', at, CASE WHEN h % 3000 = 0 THEN 'new' ELSE 'acknowledged' END
      FROM plan
      """)
    try await run(
      database,
      """
      INSERT INTO issuance_names (key, first_seen, issuance) SELECT key, at, i FROM (
        SELECT 'example' AS key, at, i FROM plan UNION ALL SELECT 'd' || d || '.example', at, i FROM plan
        UNION ALL SELECT '=d' || d || '.example', at, i FROM plan
        UNION ALL SELECT 'h' || (h % 50) || '.d' || d || '.example', at, i FROM plan
        UNION ALL SELECT '=h' || (h % 50) || '.d' || d || '.example', at, i FROM plan) ORDER BY 1, 2, 3
      """)
    try await run(database, "DROP TABLE plan")
  }

  // MARK: Questions

  /// What the pages ask, over accounts of all sizes; the largest account is one of them.
  func run(rounds: Int = 200) async throws {
    let database = try SQLiteDatabase(path: path, isChecked: false)
    let now = ServiceCorpus.start + Int64(issuances) * 1000
    let store = AccountStore(database, now: { now })
    let (accounts, service) = (Accounts(store), AccountService(store))
    var query = IssuanceQuery()
    let started = ContinuousClock.now
    print("\(try await service.watchedItems().count) items in \(started.duration(to: .now))")
    var open = HistoryFilter()
    (open.levels, open.states) = ([.unexplained], [.new])
    let ceiling = 10_000
    for name in ["largest account", "any account"] {
      var figures = Figures(name: name)
      for round in 0..<rounds {
        let domain = name == "any account" ? 1 + Int64(round * 7919 % domains) : 1
        let actor = Actor.machine(AccountID(1 + (domain - 1) % Int64(self.accounts)))
        let id = DomainID(domain)
        try await figures.time("domains") { _ = try await accounts.domains(actor) }
        try await figures.time("open issuances") { _ = try await accounts.history(actor, open) }
        try await figures.time("open, counted") { _ = try await accounts.historyCount(actor, open) }
        try await figures.time("verdicts of 30 days") {
          _ = try await accounts.verdictCounts(actor, since: now - 30 * 86_400_000)
        }
        try await figures.time("history of an account") { _ = try await accounts.history(actor) }
        let page = try await accounts.history(actor, of: id)
        try await figures.time("history of a domain") { _ = try await accounts.history(actor, of: id) }
        try await figures.time("its next page") { _ = try await accounts.history(actor, of: id, after: page.next) }
        try await figures.time("its count") { _ = try await accounts.historyCount(actor, of: id, ceiling: ceiling) }
        if let first = page.results.first {
          try await figures.time("one judgement") {
            _ = try await accounts.judgement(actor, of: id, first.issuance.id)
          }
        }
        query.name = .atOrBelow("d\(domain).example")
        try await figures.time("search by name") { [query] in _ = try await accounts.search(actor, query) }
        try await figures.time("its count ") { [query] in
          _ = try await accounts.searchCount(actor, query, ceiling: ceiling)
        }
        query.name = .atOrBelow("example")
        try await figures.time("search by top-level name") { [query] in _ = try await accounts.search(actor, query) }
        query.issuerKey = SHA256Hash(Array("\(String(repeating: "0", count: 31))7".utf8))
        try await figures.time("and by issuer") { [query] in _ = try await accounts.search(actor, query) }
        try await figures.time("its count  ") { [query] in
          _ = try await accounts.searchCount(actor, query, ceiling: ceiling)
        }
        (query.issuerKey, query.from) = (nil, now - 86_400_000)
        try await figures.time("and of a day") { [query] in _ = try await accounts.search(actor, query) }
        query.from = nil
        try await figures.time("inventory") { _ = try await accounts.inventory(actor, of: id) }
        try await figures.time("addressees") { _ = try await service.addressees(of: id) }
        try await figures.time("routes") { _ = try await service.routes(for: "d\(domain).example") }
      }
      figures.show()
    }
  }

  /// Times by question.
  private struct Figures {
    let name: String
    private var order: [String] = []
    private var times: [String: [Double]] = [:]

    init(name: String) { self.name = name }

    mutating func time(_ question: String, _ work: () async throws -> Void) async throws {
      let start = ContinuousClock.now
      try await work()
      let took = start.duration(to: .now).components
      if times[question] == nil { order.append(question) }
      times[question, default: []].append(Double(took.seconds) * 1e3 + Double(took.attoseconds) / 1e15)
    }

    func show() {
      print("\(name), ms: median, 99 %, longest")
      for question in order {
        let sorted = (times[question] ?? []).sorted()
        guard let last = sorted.last else { continue }
        let most = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        print("  \(question): \(text(sorted[sorted.count / 2])), \(text(most)), \(text(last))")
      }
      fflush(nil)
    }
  }
}
