import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import OrielStore

@Suite("While another process writes")
struct BusyTests {
  private static let schema = ["CREATE TABLE numbers (value INTEGER NOT NULL)"]

  private static func sum(_ connection: any SQLConnection) throws -> Int64 {
    try connection.query("SELECT coalesce(sum(value), 0) FROM numbers").first?.integer(0) ?? -1
  }

  /// Runs `body` while somebody else holds the file; it says when they let go of it.
  private static func held(
    _ body: @Sendable (SQLiteDatabase, _ letGo: @escaping @Sendable () -> Void) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/numbers.db"
    let (database, other) = (
      try SQLiteDatabase(path: path, migrations: schema), try SQLiteDatabase(path: path, migrations: schema)
    )
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    let mayEnd = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await other.transaction { connection in
          try connection.execute("INSERT INTO numbers VALUES (1)")
          beginning.yield()
          mayEnd.wait()
        }
      }
      defer { mayEnd.signal() }
      for await _ in begun { break }
      try await body(database) { mayEnd.signal() }
    }
  }

  @Test("a transaction waits as long as it takes, and who is less patient is told, without waiting behind it")
  func waiting() async throws {
    try await Self.held { database, letGo in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask { try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (10)") } }
        }
        for _ in 0..<20 {
          await #expect(throws: StoreError.self) {
            try await SQLiteDatabase.$patience.withValue(.milliseconds(5)) {
              try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (1000)") }
            }
          }
        }
        #expect(try await database.read(Self.sum) == 0)
        letGo()
        try await group.waitForAll()
      }
      #expect(try await database.read(Self.sum) == 201)
    }
  }

  @Test("who is impatient hears that it is busy, in words")
  func words() async throws {
    try await Self.held { database, _ in
      do {
        try await SQLiteDatabase.$patience.withValue(.zero) {
          try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (1000)") }
        }
        Issue.record("it was written")
      } catch StoreError.busy(let file) {
        #expect(StoreError.busy(file: file).description.contains("try again"))
      }
    }
  }

  @Test("waiting ends when it is cancelled")
  func cancelled() async throws {
    try await Self.held { database, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await database.transaction { try $0.execute("INSERT INTO numbers VALUES (10)") } }
        try await Task.sleep(for: .milliseconds(20))
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
      #expect(try await database.read(Self.sum) == 0)
    }
  }
}

@Suite("Beside a service")
struct GuestTests {
  private static let (old, new) = (["CREATE TABLE numbers (value INTEGER)"], "ALTER TABLE numbers ADD COLUMN name TEXT")

  @Test("the schema is not changed under one that runs, and is when none does")
  func migrating() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/oriel.db"
    func version(of database: SQLiteDatabase) async throws -> Int64? {
      try await database.read { try $0.query("PRAGMA user_version").first?.integer(0) }
    }
    let outdated = StoreError.outdatedService(file: path, version: 1, known: 2)
    try await Self.serving(folder.path) {
      let running = try SQLiteDatabase(path: path, migrations: Self.old)
      #expect(throws: outdated) { try SQLiteDatabase(path: path, migrations: Self.old + [Self.new], isGuest: true) }
      #expect(throws: outdated) { try SQLiteDatabase(reading: path, migrations: Self.old + [Self.new]) }
      #expect(outdated.description.contains("restart `oriel serve`"))
      #expect(try await version(of: running) == 1)
      // What is of the same version is at home.
      let guest = try SQLiteDatabase(path: path, migrations: Self.old, isGuest: true)
      #expect(try await version(of: guest) == 1)
      #expect(throws: StoreError.newer(file: path, version: 1, known: 0)) {
        try SQLiteDatabase(path: path, migrations: [], isGuest: true)
      }
    }
    let guest = try SQLiteDatabase(path: path, migrations: Self.old + [Self.new], isGuest: true)
    #expect(try await version(of: guest) == 2)
    // It did not stay.
    try await Self.serving(folder.path) {}
  }

  private static func serving(_ path: String, _ body: () async throws -> Void) async throws {
    let directory = try DataDirectory(path)
    try await body()
    withExtendedLifetime(directory.path) {}
  }
}
