package import CertificateTransparency
import OrielStore

/// The lock as a table of a database, with where the database was when the log was run last.
package struct SQLCheckpointLock: CheckpointLock {
  private let database: any SQLDatabase

  /// The schema, as a list that only grows.
  private static let migrations = [
    "CREATE TABLE IF NOT EXISTS log_checkpoints (log_id BLOB PRIMARY KEY, checkpoint BLOB NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS log_locations (
      log_id BLOB PRIMARY KEY, machine TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
      path TEXT NOT NULL)
    """,
  ]

  /// The lock in an SQLite file of its own; what is committed outlasts a loss of power.
  package init(sqliteFile path: String) throws {
    database = try SQLiteDatabase(path: path, migrations: SQLCheckpointLock.migrations, durability: .power)
  }

  package func load(_ log: LogID) async throws -> [UInt8]? {
    try await database.transaction { connection in
      try connection.query("SELECT checkpoint FROM log_checkpoints WHERE log_id = ?", [.blob(log.bytes)]).first?.blob(0)
    }
  }

  package func create(_ log: LogID, _ checkpoint: [UInt8]) async throws {
    try await change(
      "INSERT INTO log_checkpoints (log_id, checkpoint) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING log_id",
      [.blob(log.bytes), .blob(checkpoint)], otherwise: .alreadyThere)
  }

  package func replace(_ log: LogID, _ old: [UInt8], by new: [UInt8]) async throws {
    try await change(
      "UPDATE log_checkpoints SET checkpoint = ? WHERE log_id = ? AND checkpoint = ? RETURNING log_id",
      [.blob(new), .blob(log.bytes), .blob(old)], otherwise: .taken)
  }

  /// Where the lock was when the log was run last; nil where that is not recorded.
  package func location(_ log: LogID) async throws -> LockLocation? {
    try await database.transaction { connection in
      let rows = try connection.query(
        "SELECT machine, device, inode, path FROM log_locations WHERE log_id = ?", [.blob(log.bytes)])
      guard let row = rows.first, let machine = row.text(0), let device = row.integer(1), let inode = row.integer(2),
        let path = row.text(3)
      else { return nil }
      return LockLocation(
        machine: machine, device: UInt64(bitPattern: device), inode: UInt64(bitPattern: inode), path: path)
    }
  }

  /// Records where the lock is.
  package func record(_ location: LockLocation, of log: LogID) async throws {
    let values: [SQLValue] = [
      .blob(log.bytes), .text(location.machine), .integer(Int64(bitPattern: location.device)),
      .integer(Int64(bitPattern: location.inode)), .text(location.path),
    ]
    _ = try await database.transaction { connection in
      try connection.query(
        "INSERT OR REPLACE INTO log_locations (log_id, machine, device, inode, path) VALUES (?, ?, ?, ?, ?)", values)
    }
  }

  private func change(_ sql: String, _ arguments: [SQLValue], otherwise error: LockError) async throws {
    let count = try await database.transaction { try $0.query(sql, arguments).count }
    guard count == 1 else { throw error }
  }
}
