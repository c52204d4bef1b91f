import Foundation
import GRDB

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The state in one SQLite file: write-ahead log, one writer, a few readers beside it, no server.
package struct SQLiteDatabase: SQLDatabase {
  private let pool: DatabasePool
  private let path: String

  /// How long a transaction waits for other processes that write, before it ends in ``StoreError/busy(file:)``; nil for
  /// as long as they take, which is for work that nobody waits for.
  @TaskLocal package static var patience: Duration?

  /// So many read at a time, each with a cache of its own; others wait.
  static let readers = 4

  /// "Orie", in the header of every database of ours.
  static let applicationID: Int64 = 0x4f72_6965

  /// A larger file is not read from end to end before it is used: that would take minutes at each start. What is damaged
  /// in it shows when it is come upon, and in `oriel backup`, which reads all of it.
  static let largestChecked: Int64 = 1 << 30

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
  ///   - isChecked: whether the file is read first, to see that it is not damaged, up to ``largestChecked`` bytes.
  ///   - isGuest: whether somebody else may hold the ``DataDirectory``: the schema is not changed under them.
  /// - Throws: ``StoreError``; a file that is damaged or belongs to somebody else is left as it is.
  package init(
    path: String, migrations: [String] = Migrations.all, durability: Durability = .process, isChecked: Bool = true,
    isGuest: Bool = false
  ) throws {
    self.path = path
    do {
      try SQLiteDatabase.refuseForeign(path)
      pool = try SQLiteDatabase.open(path)
      try pool.writeWithoutTransaction { database in
        // Not before the pool is open, as opening it sets this too.
        try database.execute(sql: "PRAGMA synchronous = \(durability.rawValue)")
        try SQLiteDatabase.check(database, path: path, isThorough: isChecked)
        guard try SQLiteDatabase.version(database, migrations, path: path) < migrations.count else { return }
        try SQLiteDatabase.bringUpToDate(database, migrations, path: path, isGuest: isGuest)
      }
      // From here on, who waits does so in ``patiently(_:)``: here, everybody else would wait behind them.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 0") }
    } catch let error as DatabaseError {
      throw SQLiteDatabase.translate(error, path: path)
    }
  }

  /// Opens a file that is there for reading alone, also while others write to it, and also where nothing can be written.
  ///
  /// - Throws: ``StoreError``, also for a file whose schema is not the newest.
  package init(reading path: String, migrations: [String] = Migrations.all) throws {
    self.path = path
    var configuration = SQLiteDatabase.configuration
    configuration.readonly = true
    do {
      pool = try SQLiteDatabase.reading(path) { path in
        let pool = try DatabasePool(path: path, configuration: configuration)
        _ = try pool.read { try Int64.fetchOne($0, sql: "PRAGMA user_version") }
        return pool
      }
      try pool.read { database in
        try SQLiteDatabase.check(database, path: path, isThorough: false)
        let version = try SQLiteDatabase.version(database, migrations, path: path)
        guard version == migrations.count else {
          let (version, known) = (Int64(version), Int64(migrations.count))
          guard !DataDirectory.isInUse(SQLiteDatabase.directory(of: path)) else {
            throw StoreError.outdatedService(file: path, version: version, known: known)
          }
          throw StoreError.older(file: path, version: version, known: known)
        }
      }
    } catch let error as DatabaseError {
      throw SQLiteDatabase.translate(error, path: path)
    }
  }

  /// Opens a file for reading as SQLite can: the index of its journal is a file beside it, which it must make unless
  /// the file can't change.
  ///
  /// - Parameter open: opens a path or a `file:` URI.
  static func reading<Opened>(_ path: String, _ open: (String) throws -> Opened) throws -> Opened {
    do { return try open(path) } catch let error as DatabaseError
      where [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode) && access(path, R_OK) == 0
    {
      var journal = stat()
      guard stat(path + "-wal", &journal) != 0 || journal.st_size == 0 else {
        throw StoreError.unwritable(
          directory: directory(of: path),
          reason: "what is in \(path)-wal can't be read there; copy both files elsewhere and give that --data-dir")
      }
      return try open(URL(filePath: path).absoluteString + "?immutable=1")
    }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = readers
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA foreign_keys = ON")
      try database.execute(sql: "PRAGMA cache_size = -4096")
    }
    return configuration
  }

  private static func open(_ path: String) throws -> DatabasePool {
    keepToOwner(path)
    // Of two that open a new file at once, one finds it locked for a moment, and SQLite does not wait there.
    for _ in 0..<50 {
      do { return try DatabasePool(path: path, configuration: configuration) } catch let error as DatabaseError
        where isPassing(error)
      { Thread.sleep(forTimeInterval: 0.1) }
    }
    return try DatabasePool(path: path, configuration: configuration)
  }

  /// Whoever reads the file has every address, and letters that wait to be sent: strangers on the machine don't. The
  /// files beside it get what it has.
  private static func keepToOwner(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & 0o007 != 0 else { return }
      for file in [path, path + "-wal", path + "-shm"] { chmod(file, status.st_mode & 0o770) }
    } else {
      _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
  }

  /// Looks before the file is opened for writing, which changes it.
  private static func refuseForeign(_ path: String) throws {
    // Links, folders and what can't be read are told of when it is opened.
    guard let head = header(ofFile: path), !head.isEmpty else { return }
    guard let application = application(inHeader: head) else {
      throw StoreError.corrupt(file: path, reason: "it is no database")
    }
    // 0 is also that of a file whose first tables are in its journal yet.
    guard application != applicationID else { return }
    guard application == 0 else { throw StoreError.foreign(file: path) }
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    try DatabaseQueue(path: path, configuration: configuration).read {
      try check($0, path: path, isThorough: false)
    }
  }

  static func header(ofFile path: String) -> Data? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    return try? file.read(upToCount: 72) ?? Data()
  }

  /// Whose database a file is by its header; nil if it is none.
  static func application(ofFile path: String) -> Int64? { header(ofFile: path).flatMap(application(inHeader:)) }

  static func application(inHeader head: Data) -> Int64? {
    guard head.count == 72, head.starts(with: Array("SQLite format 3\0".utf8)) else { return nil }
    return head.suffix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
  }

  private static func check(_ database: Database, path: String, isThorough: Bool) throws {
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let tables = try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
    guard application == applicationID || (application == 0 && tables == 0) else {
      throw StoreError.foreign(file: path)
    }
    let size = try Int64.fetchOne(
      database, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    guard isThorough, size ?? 0 <= largestChecked else { return }
    let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
    guard verdict == "ok" else { throw StoreError.corrupt(file: path, reason: verdict) }
  }

  static func version(_ database: Database, _ migrations: [String], path: String) throws -> Int {
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard version <= migrations.count else {
      throw StoreError.newer(file: path, version: Int64(version), known: Int64(migrations.count))
    }
    return version
  }

  private static func bringUpToDate(
    _ database: Database, _ migrations: [String], path: String, isGuest: Bool
  ) throws {
    guard isGuest else { return try migrateAtOnce(database, migrations, path: path) }
    do {
      try DataDirectory.holding(directory(of: path)) { try migrateAtOnce(database, migrations, path: path) }
    } catch StoreError.inUse {
      throw StoreError.outdatedService(
        file: path, version: Int64(try version(database, migrations, path: path)), known: Int64(migrations.count))
    }
  }

  private static func directory(of path: String) -> String { URL(filePath: path).deletingLastPathComponent().path }

  /// One process at a time: two that open a new file at once must not both make the tables.
  private static func migrateAtOnce(_ database: Database, _ migrations: [String], path: String) throws {
    try database.inTransaction(.immediate) {
      try migrate(database, migrations, path: path)
      return .commit
    }
  }

  private static func migrate(_ database: Database, _ migrations: [String], path: String) throws {
    for (number, statements) in migrations.enumerated().dropFirst(try version(database, migrations, path: path)) {
      try database.execute(sql: statements)
      try Migrations.inCode[statements]?(database)
      try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(number + 1)")
    }
  }

  package func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await patiently { try await pool.write { try body(GRDBConnection(database: $0)) } }
  }

  package func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await patiently { try await pool.read { try body(GRDBConnection(database: $0)) } }
  }

  /// Tries again while another process has the file to itself, and keeps no thread and no other transaction waiting.
  private func patiently<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
    let end = SQLiteDatabase.patience.map { ContinuousClock.now + $0 }
    var pause = Duration.milliseconds(1)
    while true {
      do { return try await work() } catch let error as DatabaseError {
        let isOver = end.map { $0 <= .now } ?? false
        guard SQLiteDatabase.isPassing(error), !isOver else { throw SQLiteDatabase.translate(error, path: path) }
      }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(25))
    }
  }

  /// Whether others are in the way. SQLite has a code of its own for a race that it lost many times over.
  private static func isPassing(_ error: DatabaseError) -> Bool {
    [.SQLITE_BUSY, .SQLITE_PROTOCOL].contains(error.resultCode)
  }

  static func translate(_ error: DatabaseError, path: String) -> any Error {
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: StoreError.corrupt(file: path, reason: error.message ?? "not a database")
    case .SQLITE_FULL: StoreError.full(file: path)
    case .SQLITE_BUSY, .SQLITE_PROTOCOL: StoreError.busy(file: path)
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_IOERR:
      StoreError.unwritable(directory: path, reason: error.message ?? "\(error.resultCode)")
    default: error
    }
  }
}

/// One GRDB transaction behind ``SQLConnection``; statements are prepared once and kept.
struct GRDBConnection: SQLConnection {
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
    case .text(let value): StoredText.escaped(value).databaseValue
    case .blob(let value): Data(value).databaseValue
    }
  }

  fileprivate init(_ value: DatabaseValue) {
    switch value.storage {
    case .null: self = .null
    case .int64(let value): self = .integer(value)
    case .double(let value): self = .integer(Int64(exactly: value) ?? 0)
    case .string(let value): self = .text(StoredText.unescaped(value))
    case .blob(let value): self = .blob([UInt8](value))
    }
  }
}
