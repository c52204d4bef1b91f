package import CertificateTransparency
package import MerkleTree
package import OrielStore

/// The keys of a log in a database.
package struct SQLDeduplicationTable: DeduplicationTable {
  private let database: any SQLDatabase
  private let log: LogID
  private let table: String

  /// The schema of an SQLite file for these tables, which are made as they are needed.
  package static let sqliteSchema = [coverage]

  private static let coverage =
    "CREATE TABLE IF NOT EXISTS log_key_coverage (log_id BLOB PRIMARY KEY, size INTEGER NOT NULL)"

  package init(_ database: any SQLDatabase, log: LogID) async throws {
    self.database = database
    self.log = log
    // A table for each log: the key alone is the primary key, and nothing is stored twice.
    let table = "log_keys_" + String(log.hash.hex.prefix(32))
    self.table = table
    try await database.transaction { connection in
      try connection.execute(
        "CREATE TABLE IF NOT EXISTS \(table) (key BLOB PRIMARY KEY, place INTEGER NOT NULL, at INTEGER NOT NULL)"
          + " WITHOUT ROWID")
      try connection.execute(SQLDeduplicationTable.coverage)
    }
  }

  package func coveredSize() async throws -> UInt64 {
    try await database.transaction { [log] connection in
      try connection.query("SELECT size FROM log_key_coverage WHERE log_id = ?", [.blob(log.bytes)]).first?.count(0)
        ?? 0
    }
  }

  package func find(_ keys: [SHA256Hash]) async throws -> [SHA256Hash: LogPlace] {
    guard !keys.isEmpty else { return [:] }
    return try await database.transaction { [table] connection in
      var found: [SHA256Hash: LogPlace] = [:]
      for key in keys {
        let rows = try connection.query("SELECT place, at FROM \(table) WHERE key = ?", [.blob(key.bytes)])
        guard let row = rows.first, let index = row.count(0), let time = row.count(1) else { continue }
        found[key] = LogPlace(index: index, timestamp: Timestamp(milliseconds: time))
      }
      return found
    }
  }

  package func insert(
    _ places: [SHA256Hash: LogPlace], covering size: UInt64, resting: Bool
  ) async throws {
    // In the order of the keys, each page of the table is written once per lot.
    let sorted = places.sorted { $0.key < $1.key }
    // Meanwhile the sequencer looks for duplicates in the same file.
    try await database.writeInLots(sorted, resting: resting) { [table] row, connection in
      try connection.execute(
        "INSERT INTO \(table) (key, place, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [.blob(row.key.bytes), .count(row.value.index), .count(row.value.timestamp.milliseconds)])
    }
    // Last: where this is not reached, the same keys are added again.
    try await database.transaction { [log] connection in
      try connection.execute(
        "INSERT INTO log_key_coverage (log_id, size) VALUES (?, ?) ON CONFLICT (log_id) DO UPDATE SET size = ?",
        [.blob(log.bytes), .count(size), .count(size)])
    }
  }
}
