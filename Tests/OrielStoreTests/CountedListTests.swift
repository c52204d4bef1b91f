import TestSupport
import Testing

@testable import OrielStore

@Suite("Counting what passes a filter")
struct CountedListTests {
  @Test("what is called exact is so, however few entries are tried; without a ceiling all are counted")
  func ceilings() async throws {
    let folder = try TemporaryFolder()
    let database = try SQLiteDatabase(
      path: folder.path + "/numbers.db", migrations: ["CREATE TABLE numbers (value INTEGER NOT NULL)"])
    try await database.transaction { connection in
      for value in 1...20 { try connection.execute("INSERT INTO numbers VALUES (?)", [.integer(Int64(value))]) }
    }
    try await database.read { connection in
      for divisor in 1...25 {
        let all = 20 / divisor
        let list = CountedList(
          entries: "SELECT value AS entry_time, value AS entry_number FROM numbers ORDER BY value", arguments: [],
          filter: "entry_number % ? = 0", filterArguments: [.integer(Int64(divisor))])
        #expect(try list.count(connection, ceiling: nil) == SearchCount(value: all, isExact: true))
        for ceiling in [0, 1, 5, 19, 20, 21, 30_000, .max] {
          for least in [1, 10, 19, 20, 21, 4000] {
            let count = try list.count(connection, ceiling: ceiling, least: least)
            #expect(count.isExact ? count.value == all : count.value <= all, "\(divisor) \(ceiling) \(least)")
            #expect(count.value <= ceiling)
            if max(ceiling, least) > 20 {
              #expect(count == SearchCount(value: min(all, ceiling), isExact: all <= ceiling), "\(divisor) \(ceiling)")
            }
          }
        }
      }
      let whole = CountedList(
        entries: "SELECT value AS entry_time, value AS entry_number FROM numbers", arguments: [], filter: nil,
        filterArguments: [])
      for ceiling in 0...25 {
        #expect(
          try whole.count(connection, ceiling: ceiling) == SearchCount(value: min(20, ceiling), isExact: ceiling >= 20))
      }
    }
  }
}
