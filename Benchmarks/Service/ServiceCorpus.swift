import Foundation
import OrielStore
import TestWorld

/// The state of a service with many accounts, as `oriel serve` opens it.
///
/// Domains are of very unequal size: the largest has about a twentieth of all issuances. One account has a tenth of all
/// domains; in another, nothing has been looked at.
struct ServiceCorpus {
  let directory: URL
  var accounts = 10_000
  var domains = 100_000
  var issuances = 5_000_000

  var path: String { directory.appending(path: "oriel.db").path }
  /// When the first one was seen, in milliseconds since 1970; the last one a year later.
  static let start: Int64 = 1_770_000_000_000
  static let year: Int64 = 365 * 86_400_000
  /// Belongs to nobody else: the account with a tenth of all domains.
  static let widest = 2
  /// Its domain of the same number is one of the largest, and all that is in it waits for somebody to look.
  static let neglected = 3

  func account(of domain: Int) -> Int {
    domain > domains - domains / 10 ? ServiceCorpus.widest : 1 + (domain - 1) % accounts
  }

  private var accountSQL: String {
    "CASE WHEN d > \(domains - domains / 10) THEN \(ServiceCorpus.widest) ELSE 1 + (d - 1) % \(accounts) END"
  }

  func write() async throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    let pair = try TestAuthority(seed: 7, signatureMode: .filler, now: Corpus.time).issue(
      CertificateRequest(["www.somebody.example", "somebody.example"]))
    let database = try SQLiteDatabase(path: path)
    try await run(database, "PRAGMA cache_size = -262144")
    // An index is made faster at once than entry by entry.
    let indexes = try await database.transaction { connection in
      try connection.query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").map {
        ($0.text(0) ?? "", $0.text(1) ?? "")
      }
    }
    let tables = ["issuances_", "judgements_", "certificates_", "sightings_", "alerts_", "deliveries_"]
    let dropped = indexes.filter { index in tables.contains { index.0.hasPrefix($0) } }
    for (name, _) in dropped { try await run(database, "DROP INDEX \(name)") }
    try await people(database)
    try await history(database, certificate: pair.certificate)
    try await alerts(database)
    for (name, sql) in dropped {
      print("index", name)
      try await run(database, sql)
    }
    try await run(database, "DROP TABLE plan")
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
      SELECT 1 + (i - 1) % \(accounts), 'm' || i || '@people.example',
        CASE WHEN i <= \(accounts) THEN 'owner' ELSE 'member' END, 0, 0 FROM n
      """)
    try await run(
      database,
      """
      \(numbers(domains)) INSERT INTO domains
        (id, account_id, item, source, is_on, unexplained, expected, known, no_history, baseline_confirmed_at, created_at)
      SELECT d, \(accountSQL), 'd' || d || '.example', 'dashboard', 1, 'at once', 'daily', 'record only', 'daily', 0, 0
      FROM (SELECT i AS d FROM n)
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
    try await run(
      database,
      """
      INSERT INTO logs (log_id, description, operator, kind, url, first_seen, start, state)
      VALUES (?, 'A log of before', 'Somebody', 'static-ct', 'https://log.example/', 0, 'start', 'drained')
      """, [.blob(ServiceCorpus.log)])
  }

  private static let log = Array("00000000000000000000000000000log".utf8)

  /// The statement for all issuances, some at a time.
  private func parts(_ database: SQLiteDatabase, _ sql: String, _ arguments: [SQLValue] = []) async throws {
    print(sql.prefix(while: { $0 != "(" }).split(separator: "\n").joined(separator: " "))
    for first in stride(from: 1, through: issuances, by: 250_000) {
      try await run(database, sql + " WHERE i BETWEEN \(first) AND \(first + 249_999)", arguments)
    }
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
      \(numbers(issuances)) INSERT INTO plan
      SELECT i, 1 + CAST(\(domains) * \(unit) * \(unit) * \(unit) * \(unit) AS INTEGER),
        \(ServiceCorpus.start) + i * \(ServiceCorpus.year / Int64(issuances)), (i * 40503 + 12345) % 1000003 FROM n
      """)
    try await parts(
      database,
      """
      INSERT INTO issuances
        (id, issuer_key_hash, first_seen, not_before, not_after, serial, issuer, spki_sha256, number, is_indexed)
      SELECT CAST(printf('%032d', i) AS BLOB), CAST(printf('%032d', h % 20) AS BLOB), at, at / 1000,
        at / 1000 + 7776000, printf('%x', h * 7919 + i), 'CN=CA ' || (h % 20) || ', O=Issuer',
        CAST(printf('%032d', (h % 500000) * 7 + d % 7) AS BLOB), i, 1 FROM plan
      """)
    try await parts(
      database,
      """
      INSERT INTO certificates (sha256, issuance_id, entry_type, der, chain)
      SELECT CAST(printf('c%031d', i) AS BLOB), CAST(printf('%032d', i) AS BLOB), 'x509', ?, x'' FROM plan
      """, [.blob(certificate)])
    try await parts(
      database,
      """
      INSERT INTO sightings (log_id, entry_index, issuance_id, certificate, timestamp, seen_at, announced)
      SELECT ?, i, CAST(printf('%032d', i) AS BLOB), CAST(printf('c%031d', i) AS BLOB), at, at, 1 FROM plan
      """, [.blob(ServiceCorpus.log)])
    try await parts(
      database,
      """
      INSERT INTO matches (issuance_id, item, name)
      SELECT CAST(printf('%032d', i) AS BLOB), 'd' || d || '.example', 'h' || (h % 50) || '.d' || d || '.example' FROM plan
      """)
    try await parts(
      database,
      """
      INSERT INTO judgements (
        issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, state, not_before, not_after)
      SELECT i, d, \(accountSQL), at, CASE WHEN d = \(ServiceCorpus.neglected) OR h % 1000 = 0 THEN 'unexplained'
          WHEN h % 4 = 0 THEN 'expected' ELSE 'known' END, 1,
        '[{"code":"new-issuer","speaks":"against","sentence":"The issuer is another one than before."}]', at,
        CASE WHEN d = \(ServiceCorpus.neglected) OR h % 3000 = 0 THEN 'new' ELSE 'acknowledged' END,
        (SELECT not_before FROM issuances WHERE number = i), (SELECT not_after FROM issuances WHERE number = i) FROM plan
      """)
    print("names")
    try await run(
      database,
      """
      INSERT INTO issuance_names (key, first_seen, issuance) SELECT key, at, i FROM (
        SELECT 'example' AS key, at, i FROM plan UNION ALL SELECT 'd' || d || '.example', at, i FROM plan
        UNION ALL SELECT '=d' || d || '.example', at, i FROM plan
        UNION ALL SELECT 'h' || (h % 50) || '.d' || d || '.example', at, i FROM plan
        UNION ALL SELECT '=h' || (h % 50) || '.d' || d || '.example', at, i FROM plan) ORDER BY 1, 2, 3
      """)
  }

  /// One for each issuance; those that are not known were told of.
  private func alerts(_ database: SQLiteDatabase) async throws {
    try await parts(
      database,
      """
      INSERT INTO alerts (id, key, kind, issuance_id, item, created_at, routed)
      SELECT i, printf('%040d', i), 'certificate', CAST(printf('%032d', i) AS BLOB), 'd' || d || '.example', at, 1
      FROM plan
      """)
    try await parts(
      database,
      """
      INSERT INTO deliveries (alert_id, recipient, target, state, attempts, next_attempt, last_attempt, words)
      SELECT i, 'domain:' || d, 'domain-mail:r' || d || '@people.example', 'delivered', 1, at, at, '250 Ok'
      FROM (SELECT * FROM plan WHERE d = \(ServiceCorpus.neglected) OR h % 4 = 0)
      """)
  }
}
