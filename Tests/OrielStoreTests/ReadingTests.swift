import Foundation
import Synchronization
import TestSupport
import Testing

@testable import OrielStore

@Suite("Reading beside writing")
struct ReadingTests {
  private static let schema = ["CREATE TABLE numbers (value INTEGER NOT NULL)"]

  private func open(_ folder: TemporaryFolder) throws -> SQLiteDatabase {
    try SQLiteDatabase(path: folder.path + "/numbers.db", migrations: Self.schema)
  }

  /// Something that has happened.
  private final class Flag: Sendable {
    private let isRaised = Mutex(false)
    func raise() { isRaised.withLock { $0 = true } }
    func wait() async throws {
      while !isRaised.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  private static func sum(_ connection: any SQLConnection) throws -> Int64 {
    try connection.query("SELECT coalesce(sum(value), 0) FROM numbers").first?.integer(0) ?? -1
  }

  @Test("a read goes on while a transaction is open, and sees what was committed before it")
  func besideTransaction() async throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (1)") }
    let hasWritten = Flag()
    let mayEnd = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await database.transaction { connection in
          try connection.execute("INSERT INTO numbers VALUES (10)")
          hasWritten.raise()
          mayEnd.wait()
        }
      }
      defer { mayEnd.signal() }
      try await hasWritten.wait()
      // More often than there are readers, so that each has its turn.
      for _ in 0..<(3 * SQLiteDatabase.readers) { #expect(try await database.read(Self.sum) == 1) }
    }
    #expect(try await database.read(Self.sum) == 11)
  }

  @Test("a file is read where nothing can be written, by whoever may read it")
  func unwritable() async throws {
    let folder = try TemporaryFolder()
    let (path, copy) = (folder.path + "/state", folder.path + "/copy")
    for path in [path, copy] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    do {
      let database = try SQLiteDatabase(path: path + "/numbers.db", migrations: Self.schema)
      try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (5)") }
      for end in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: path + "/numbers.db" + end, toPath: copy + "/numbers.db" + end)
      }
    }
    for path in [path, copy] {
      for name in try FileManager.default.contentsOfDirectory(atPath: path) {
        #expect(chmod(path + "/" + name, 0o444) == 0)
      }
      #expect(chmod(path, 0o555) == 0)
    }
    #expect(chmod(folder.path, 0o755) == 0)
    defer { for path in [path, copy] { chmod(path, 0o755) } }
    let database = try withoutPrivileges {
      try SQLiteDatabase(reading: path + "/numbers.db", migrations: Self.schema)
    }
    #expect(try await database.read(Self.sum) == 5)
    // Half of it is in a journal that can't be read without making another file.
    let error = #expect(throws: StoreError.self) {
      try withoutPrivileges { try SQLiteDatabase(reading: copy + "/numbers.db", migrations: Self.schema) }
    }
    #expect(error?.description.contains("numbers.db-wal can't be read there") == true)
  }

  @Test("all queries of a read see the same state, whatever is committed between them")
  func snapshot() async throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    let hasRead = Flag()
    let hasCommitted = DispatchSemaphore(value: 0)
    async let sums = database.read { connection in
      let first = try Self.sum(connection)
      hasRead.raise()
      hasCommitted.wait()
      return [first, try Self.sum(connection)]
    }
    try await hasRead.wait()
    do {
      defer { hasCommitted.signal() }
      try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (5)") }
      #expect(try await database.read(Self.sum) == 5)
    }
    #expect(try await sums == [0, 0])
  }

  @Test("each read sees the last commit, by this process and by another")
  func lastCommit() async throws {
    let folder = try TemporaryFolder()
    let (database, other) = (try open(folder), try open(folder))
    for number in 1...50 {
      let writer = number % 2 == 0 ? database : other
      try await writer.transaction { try $0.execute("INSERT INTO numbers VALUES (1)") }
      #expect(try await database.read(Self.sum) == Int64(number))
      #expect(try await other.transaction(Self.sum) == Int64(number))
    }
  }

  @Test("a read can't change anything", arguments: ["INSERT INTO numbers VALUES (1)", "DROP TABLE numbers"])
  func noWrites(sql: String) async throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    await #expect(throws: StoreError.self) { try await database.read { try $0.execute(sql) } }
    #expect(try await database.read(Self.sum) == 0)
  }

  @Test(
    "a commit is as durable as was asked for",
    arguments: zip([SQLiteDatabase.Durability.process, .power], [Int64(1), 2]))
  func durability(durability: SQLiteDatabase.Durability, level: Int64) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/numbers.db"
    // The first time the file is made, the second time it is opened.
    for _ in 0..<2 {
      let database = try SQLiteDatabase(path: path, migrations: Self.schema, durability: durability)
      let found = try await database.transaction { try $0.query("PRAGMA synchronous").first?.integer(0) }
      #expect(found == level)
    }
  }

  @Test("a file opened for reading is read while others write to it, and is not changed")
  func readingAlone() async throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    let reader = try SQLiteDatabase(reading: folder.path + "/numbers.db", migrations: Self.schema)
    try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (3)") }
    #expect(try await reader.read(Self.sum) == 3)
    await #expect(throws: StoreError.self) {
      try await reader.transaction { try $0.execute("INSERT INTO numbers VALUES (4)") }
    }
    #expect(try await reader.read(Self.sum) == 3)
  }

  @Test("another program's file is refused, and stays as it is to the last byte", arguments: [UInt8(7), 0])
  func foreign(application: UInt8) async throws {
    let folder = try TemporaryFolder()
    _ = try open(folder)
    let path = folder.path + "/other.db"
    try DatabaseCopy.make(of: folder.path + "/numbers.db", to: path)
    var bytes = try Data(contentsOf: URL(filePath: path))
    // Where the application's number stands; 0 is what most programs leave there.
    bytes.replaceSubrange(68..<72, with: [0, 0, 0, application])
    try bytes.write(to: URL(filePath: path))
    #expect(throws: StoreError.foreign(file: path)) { try SQLiteDatabase(path: path, migrations: Self.schema) }
    #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("other") }
    #expect(files == ["other.db"])
  }

  @Test("a file of an older or a newer schema is not read, with the reason")
  func otherVersions() throws {
    let folder = try TemporaryFolder()
    _ = try open(folder)
    let path = folder.path + "/numbers.db"
    #expect(throws: StoreError.older(file: path, version: 1, known: 2)) {
      try SQLiteDatabase(reading: path, migrations: Self.schema + ["SELECT 1"])
    }
    #expect(throws: StoreError.newer(file: path, version: 1, known: 0)) {
      try SQLiteDatabase(reading: path, migrations: [])
    }
  }
}
