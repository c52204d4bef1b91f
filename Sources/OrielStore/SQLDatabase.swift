/// A value that goes into or comes out of the database. Text may hold any characters, NUL too (``StoredText``).
package enum SQLValue: Hashable, Sendable {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  package static func optional(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }
  package static func optional(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
  package static func optional(_ value: [UInt8]?) -> SQLValue { value.map { .blob($0) } ?? .null }
  /// Sizes and indices of logs are below 2^63 by the time they come here.
  package static func count(_ value: UInt64) -> SQLValue { .integer(Int64(clamping: value)) }
}

/// One row of a result, by position.
package struct SQLRow: Sendable {
  package let values: [SQLValue]

  package func integer(_ column: Int) -> Int64? {
    if case .integer(let value) = values[column] { return value }
    return nil
  }

  package func count(_ column: Int) -> UInt64? { integer(column).flatMap { UInt64(exactly: $0) } }

  package func text(_ column: Int) -> String? {
    if case .text(let value) = values[column] { return value }
    return nil
  }

  package func blob(_ column: Int) -> [UInt8]? {
    if case .blob(let value) = values[column] { return value }
    return nil
  }
}

/// What runs inside one transaction.
package protocol SQLConnection {
  /// Runs a statement that gives no rows.
  func execute(_ sql: String, _ arguments: [SQLValue]) throws
  /// Runs a statement and gives all its rows.
  func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]
}

extension SQLConnection {
  package func execute(_ sql: String) throws { try execute(sql, []) }
  package func query(_ sql: String) throws -> [SQLRow] { try query(sql, []) }
}

/// A database that keeps what is committed: all of a transaction or nothing, whatever happens meanwhile.
///
/// Statements are plain SQL that SQLite and PostgreSQL both understand: `ON CONFLICT`, `RETURNING`, 64-bit integers,
/// bytes, times as UTC milliseconds.
package protocol SQLDatabase: Sendable {
  /// Runs `body` in a transaction; it is rolled back if `body` throws.
  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value

  /// Runs `body` on what is committed at this moment, all of its queries on the same state; it can't change anything,
  /// and neither waits for a transaction nor keeps one waiting.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value
}
