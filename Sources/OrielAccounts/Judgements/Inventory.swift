import MerkleTree
import OrielStore

/// Certificates and keys of the owners, as rows.
struct Inventory {
  /// The source of what an owner said was theirs.
  static let claimed = "this was me"
  static let select = """
    SELECT id, kind, hash, names, source, added_at, last_seen, not_after, removed_at, is_backup
    FROM inventory
    """

  let connection: any SQLConnection
  let now: Int64

  /// Adds an entry, or notes that it was seen again. One that was removed comes back; that, and other names, is news.
  func add(_ entry: NewInventoryEntry, to domain: DomainID, source: String) throws {
    try connection.execute(
      """
      INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen, not_after, is_backup)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain_id, kind, hash) DO UPDATE SET
        names = excluded.names, last_seen = excluded.last_seen, not_after = excluded.not_after,
        added_at = CASE WHEN removed_at IS NULL AND names = excluded.names THEN added_at ELSE excluded.added_at END,
        source = CASE WHEN removed_at IS NULL THEN source ELSE excluded.source END,
        is_backup = CASE WHEN removed_at IS NULL THEN max(is_backup, excluded.is_backup) ELSE excluded.is_backup END,
        removed_at = NULL
      """,
      [
        .integer(domain.value), .text(entry.kind.rawValue), .blob(entry.hash.bytes),
        .text(try TextList.encode(entry.names)), .text(source), .integer(now), .integer(now), .optional(entry.notAfter),
        .integer(entry.isBackup ? 1 : 0),
      ])
  }

  /// Takes back what the owner claimed; what is known from elsewhere stays.
  func withdraw(_ hash: SHA256Hash, from domain: DomainID) throws {
    try connection.execute(
      """
      UPDATE inventory SET removed_at = ?
      WHERE domain_id = ? AND kind = 'certificate' AND hash = ? AND source = ? AND removed_at IS NULL
      """, [.integer(now), .integer(domain.value), .blob(hash.bytes), .text(Inventory.claimed)])
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
      notAfter: row.integer(7), removedAt: row.integer(8), isBackup: row.integer(9) == 1)
  }
}
