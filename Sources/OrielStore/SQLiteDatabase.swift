import Foundation
import GRDB

/// The state in one SQLite file: write-ahead log, one writer, no server.
package struct SQLiteDatabase: SQLDatabase {
  private let queue: DatabaseQueue
  private let path: String
  private let migrations: [String]

  /// "Orie", in the header of every database of ours.
  private static let applicationID: Int64 = 0x4f72_6965

  /// What a committed transaction outlives.
  package enum Durability: String, Sendable {
    /// The end of the process. After a power cut the newest may be missing, and what is left is whole.
    case process = "NORMAL"
    /// A power cut too.
    case power = "FULL"
  }

  /// Opens the file, creates it if it is not there, and brings its schema up to date.
  ///
  /// - Parameters:
  ///   - migrations: the schema, as a list that only grows: entry n brings version n to version n + 1.
  ///   - isChecked: whether the whole file is read first, to see that it is not damaged.
  /// - Throws: ``StoreError``; a file that is damaged or belongs to somebody else is left as it is.
  package init(
    path: String, migrations: [String] = Migrations.all, durability: Durability = .process, isChecked: Bool = true
  ) throws {
    self.path = path
    self.migrations = migrations
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = \(durability.rawValue)")
      try database.execute(sql: "PRAGMA foreign_keys = ON")
      try database.execute(sql: "PRAGMA cache_size = -4096")
    }
    do {
      queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inDatabase { database in
        try SQLiteDatabase.check(database, path: path, isThorough: isChecked)
        guard try SQLiteDatabase.version(database, migrations, path: path) < migrations.count else { return }
        // One process at a time: two that open a new file at once must not both make the tables.
        try database.inTransaction(.immediate) {
          try SQLiteDatabase.migrate(database, migrations, path: path)
          return .commit
        }
      }
    } catch let error as DatabaseError {
      throw SQLiteDatabase.translate(error, path: path)
    }
  }

  private static func check(_ database: Database, path: String, isThorough: Bool) throws {
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let tables = try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
    guard application == applicationID || (application == 0 && tables == 0) else {
      throw StoreError.foreign(file: path)
    }
    guard isThorough else { return }
    let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
    guard verdict == "ok" else { throw StoreError.corrupt(file: path, reason: verdict) }
  }

  private static func version(_ database: Database, _ migrations: [String], path: String) throws -> Int {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard version <= migrations.count else {
      throw StoreError.newer(file: path, version: Int64(version), known: Int64(migrations.count))
    }
    return version
  }

  private static func migrate(_ database: Database, _ migrations: [String], path: String) throws {
    for (number, statements) in migrations.enumerated().dropFirst(try version(database, migrations, path: path)) {
      try database.execute(sql: statements)
      try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(number + 1)")
    }
  }

  package func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do {
      return try await queue.write { try body(GRDBConnection(database: $0)) }
    } catch let error as DatabaseError {
      throw SQLiteDatabase.translate(error, path: path)
    }
  }

  private static func translate(_ error: DatabaseError, path: String) -> any Error {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: StoreError.corrupt(file: path, reason: error.message ?? "not a database")
    case .SQLITE_FULL: StoreError.full(file: path)
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_IOERR:
      StoreError.unwritable(directory: path, reason: error.message ?? "\(error.resultCode)")
    default: error
    }
  }
}

/// One GRDB transaction behind ``SQLConnection``; statements are prepared once and kept.
private struct GRDBConnection: SQLConnection {
  let database: Database

  func execute(_ sql: String, _ arguments: [SQLValue]) throws {
    try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
  }

  func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
    let statement = try database.cachedStatement(sql: sql)
    return try Row.fetchAll(statement, arguments: StatementArguments(arguments.map(\.databaseValue))).map { row in
      SQLRow(values: row.databaseValues.map(SQLValue.init))
    }
  }
}

extension SQLValue {
  fileprivate var databaseValue: DatabaseValue {
    switch self {
    case .null: .null
    case .integer(let value): value.databaseValue
    case .text(let value): value.databaseValue
    case .blob(let value): Data(value).databaseValue
    }
  }

  fileprivate init(_ value: DatabaseValue) {
    switch value.storage {
    case .null: self = .null
    case .int64(let value): self = .integer(value)
    case .double(let value): self = .integer(Int64(exactly: value) ?? 0)
    case .string(let value): self = .text(value)
    case .blob(let value): self = .blob([UInt8](value))
    }
  }
}
