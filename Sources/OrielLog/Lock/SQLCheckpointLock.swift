package import CertificateTransparency
package import OrielStore

/// The lock as a table of a database.
package struct SQLCheckpointLock: CheckpointLock {
  private let database: any SQLDatabase

  private static let schema =
    "CREATE TABLE IF NOT EXISTS log_checkpoints (log_id BLOB PRIMARY KEY, checkpoint BLOB NOT NULL)"

  /// - Parameter database: keeps what is committed even if the power fails.
  package init(_ database: any SQLDatabase) async throws {
    self.database = database
    try await database.transaction { try $0.execute(SQLCheckpointLock.schema) }
  }

  /// The lock in an SQLite file of its own.
  package init(sqliteFile path: String) throws {
    database = try SQLiteDatabase(path: path, migrations: [SQLCheckpointLock.schema], durability: .power)
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

  private func change(_ sql: String, _ arguments: [SQLValue], otherwise error: LockError) async throws {
    let count = try await database.transaction { try $0.query(sql, arguments).count }
    guard count == 1 else { throw error }
  }
}
