import CertificateTransparency
import MerkleTree
import OrielStore

/// Certificates and keys of the owners, as rows.
struct Inventory {
  /// The source of what an owner said was theirs.
  static let claimed = "this was me"
  static let select = """
    SELECT id, kind, hash, names, source, added_at, last_seen, not_after, removed_at, is_backup, not_before,
      issuer_key_hash, public_key
    FROM inventory
    """

  let connection: any SQLConnection
  let now: Int64

  /// Adds an entry, or notes that it was seen again. One that was removed comes back; that, and other names, is news.
  ///
  /// - Parameter isByProgram: whether a deploy hook or a user of the API says so, who may say so of the next one as well.
  func add(_ entry: NewInventoryEntry, to domain: DomainID, source: String, isByProgram: Bool = false) throws {
    try connection.execute(
      """
      INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen, not_after, is_backup,
        program_at, not_before, issuer_key_hash, public_key)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain_id, kind, hash) DO UPDATE SET
        names = excluded.names, last_seen = excluded.last_seen, not_after = excluded.not_after,
        not_before = coalesce(excluded.not_before, not_before),
        issuer_key_hash = coalesce(excluded.issuer_key_hash, issuer_key_hash),
        public_key = coalesce(excluded.public_key, public_key),
        added_at = CASE WHEN removed_at IS NULL AND names = excluded.names THEN added_at ELSE excluded.added_at END,
        source = CASE WHEN removed_at IS NULL THEN source ELSE excluded.source END,
        is_backup = CASE WHEN removed_at IS NULL THEN max(is_backup, excluded.is_backup) ELSE excluded.is_backup END,
        program_at = coalesce(excluded.program_at, program_at), removed_at = NULL
      """,
      [
        .integer(domain.value), .text(entry.kind.rawValue), .blob(entry.hash.bytes),
        .text(try TextList.encode(entry.names)), .text(source), .integer(now), .integer(now), .optional(entry.notAfter),
        .integer(entry.isBackup ? 1 : 0), isByProgram ? .integer(now) : .null, .optional(entry.notBefore),
        .optional(entry.issuerKeyHash?.bytes), .optional(entry.publicKey?.bytes),
      ])
  }

  /// What the owner says is theirs: a certificate, and its key for the names that it has of the domain.
  func claim(_ issuance: IssuanceSummary, for domain: DomainID, item: String) throws {
    let entry = NewInventoryEntry(
      kind: .certificate, hash: issuance.id.hash, names: issuance.names, notBefore: issuance.notBefore,
      notAfter: issuance.notAfter, issuerKeyHash: issuance.issuerKeyHash == .zero ? nil : issuance.issuerKeyHash,
      publicKey: issuance.publicKeyHash)
    try add(entry, to: domain, source: Inventory.claimed)
    guard let hash = issuance.publicKeyHash else { return }
    let names = try connection.query(
      "SELECT DISTINCT name FROM matches WHERE issuance_id = ? AND item = ? AND name <> '' LIMIT 1000",
      [.blob(issuance.id.hash.bytes), .text(item)]
    ).compactMap { $0.text(0) }
    let known = try entries(of: domain).first { $0.kind == .key && $0.hash == hash }
    let all = Set(names).union(known?.names ?? []).sorted()
    let key = NewInventoryEntry(kind: .key, hash: hash, names: all, notAfter: known?.notAfter)
    try add(key, to: domain, source: Inventory.claimed)
  }

  /// Takes back what the owner claimed; what is known from elsewhere stays, and so does the key of another claim.
  func withdraw(_ issuance: IssuanceSummary, from domain: DomainID) throws {
    let withdraw = """
      UPDATE inventory SET removed_at = ?1
      WHERE domain_id = ?2 AND hash = ?3 AND source = ?4 AND removed_at IS NULL AND kind =
      """
    func arguments(_ hash: SHA256Hash) -> [SQLValue] {
      [.integer(now), .integer(domain.value), .blob(hash.bytes), .text(Inventory.claimed)]
    }
    try connection.execute(withdraw + " 'certificate'", arguments(issuance.id.hash))
    guard let key = issuance.publicKeyHash else { return }
    let isElsewhere = """
      EXISTS (SELECT 1 FROM issuances i JOIN judgements j ON j.issuance = i.number
        WHERE i.spki_sha256 = ?3 AND j.domain_id = ?2 AND j.state = 'claimed')
      """
    try connection.execute(withdraw + " 'key' AND NOT \(isElsewhere)", arguments(key))
  }

  /// What counts now.
  func entries(of domain: DomainID) throws -> [InventoryEntry] {
    try connection.query(
      Inventory.select + " WHERE domain_id = ? AND removed_at IS NULL ORDER BY id", [.integer(domain.value)]
    ).map(InventoryEntry.init(row:))
  }
}

extension InventoryEntry {
  init(row: SQLRow) throws {
    guard let id = row.integer(0), let kind = row.text(1).flatMap(Kind.init(rawValue:)),
      let hash = row.blob(2).flatMap({ SHA256Hash($0) })
    else { throw UnreadableRow(table: "inventory") }
    self.init(
      id: InventoryID(id), kind: kind, hash: hash, names: try TextList.decode(row.text(3) ?? "[]"),
      source: row.text(4) ?? "", addedAt: row.integer(5) ?? 0, lastSeen: row.integer(6) ?? 0,
      notBefore: row.integer(10), notAfter: row.integer(7),
      issuerKeyHash: row.blob(11).flatMap { SHA256Hash($0) }, publicKey: row.blob(12).flatMap { SHA256Hash($0) },
      removedAt: row.integer(8), isBackup: row.integer(9) == 1)
  }
}
