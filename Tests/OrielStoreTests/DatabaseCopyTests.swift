import Foundation
import OrielStore
import TestSupport
import Testing

@Suite("Backup and restore")
struct DatabaseCopyTests {
  private func files(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private func names(in path: String) async throws -> [String] {
    try await IssuanceSearch(SQLiteDatabase(reading: path)).page(IssuanceQuery()).results
      .compactMap { $0.names.first?.split(separator: ".").first.map(String.init) }
  }

  @Test("a copy has what was committed, is one file, and is its owner's alone")
  func copied() async throws {
    let (shelf, folder) = (try await Shelf(), try TemporaryFolder())
    try await shelf.put("a", expired: 0, at: 0)
    let file = folder.path + "/copy.db"
    #expect(try DatabaseCopy.make(of: shelf.path, to: file) > 0)
    #expect(try files(folder) == ["copy.db"])
    #expect(try DatabaseCopy.check(file) == Migrations.all.count)
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    try await shelf.put("b", expired: 0, at: 1)
    #expect(try await names(in: file) == ["a"])
  }

  @Test("copies made while somebody writes are whole: each has all of a transaction or nothing of it")
  func whileWriting() async throws {
    let (shelf, folder) = (try await Shelf(), try TemporaryFolder())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var index: UInt64 = 0
        while (try? await shelf.put("n\(index)", expired: 0, at: index)) != nil { index += 1 }
      }
      defer { group.cancelAll() }
      var last: Int64 = 0
      for number in 0..<10 {
        let file = folder.path + "/\(number).db"
        try DatabaseCopy.make(of: shelf.path, to: file)
        let counts = try await SQLiteDatabase(reading: file).read { connection in
          try ["sightings", "certificates"].map { table in
            try connection.query("SELECT count(*) FROM \(table)").first?.integer(0) ?? -1
          }
        }
        #expect(counts[0] == counts[1] && counts[0] >= last)
        last = counts[0]
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(last > 0)
    }
  }

  @Test("a file that is there is not written over, and what was begun and not finished is in nobody's way")
  func notOverwritten() async throws {
    let (shelf, folder) = (try await Shelf(), try TemporaryFolder())
    let file = try folder.write("precious", to: "copy.db")
    #expect(throws: StoreError.unmade(file: file, reason: "it is there already")) {
      try DatabaseCopy.make(of: shelf.path, to: file)
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
    let half = try Data(contentsOf: URL(filePath: shelf.path)).prefix(10_000)
    try half.write(to: URL(filePath: folder.path + "/other.db.partial"))
    try DatabaseCopy.make(of: shelf.path, to: folder.path + "/other.db")
    #expect(try files(folder) == ["copy.db", "other.db"])
    let mine = try folder.write("mine", to: "third.db.partial")
    #expect(throws: StoreError.unmade(file: mine, reason: "there is another kind of file already")) {
      try DatabaseCopy.make(of: shelf.path, to: folder.path + "/third.db")
    }
    #expect(try files(folder) == ["copy.db", "other.db", "third.db.partial"])
    #expect(throws: StoreError.self) { try DatabaseCopy.make(of: shelf.path, to: "/nowhere/copy.db") }
  }

  @Test(
    "a restored state is the copied one, ready to go on with; the one before is kept aside", arguments: [true, false])
  func restored(isOpen: Bool) async throws {
    let shelf = try await Shelf()
    try await shelf.put("a", expired: 0, at: 0)
    let file = shelf.folder.path + "/copy.db"
    try DatabaseCopy.make(of: shelf.path, to: file)
    let home = shelf.folder.path + "/data"
    let directory = try DataDirectory(home)
    #expect(try DatabaseCopy.restore(file, to: directory, aside: nil) == nil)
    var database: SQLiteDatabase? = try SQLiteDatabase(path: directory.databasePath)
    try await database?.transaction { try $0.execute("DELETE FROM issuance_names") }
    // As a process that was killed leaves its journal.
    if !isOpen { database = nil }
    #expect(throws: StoreError.self) { try DatabaseCopy.restore(file, to: directory, aside: nil) }
    let kept = try #require(try DatabaseCopy.restore(file, to: directory, aside: "oriel.db.before"))
    withExtendedLifetime(database) {}
    database = nil
    #expect(try await names(in: directory.databasePath) == ["a"])
    let search = { (path: String) in
      var query = IssuanceQuery()
      query.name = .atOrBelow("own.example")
      return try await IssuanceSearch(SQLiteDatabase(path: path)).count(query).value
    }
    #expect(try await search(directory.databasePath) == 1)
    #expect(try await search(kept) == 0)
    #expect(throws: StoreError.self) { try DatabaseCopy.restore(file, to: directory, aside: "oriel.db.before") }
    #expect(try await search(directory.databasePath) == 1)
  }

  @Test(
    "a restored state belongs to whose the directory is, with all files beside it",
    .enabled(if: geteuid() == 0, "needs root, who alone can give files to others"))
  func owner() async throws {
    let shelf = try await Shelf()
    let file = shelf.folder.path + "/copy.db"
    try DatabaseCopy.make(of: shelf.path, to: file)
    let home = shelf.folder.path + "/data"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    #expect(chown(home, 12, 34) == 0)
    let directory = try DataDirectory(home)
    for aside in [nil, "oriel.db.before"] { try DatabaseCopy.restore(file, to: directory, aside: aside) }
    // As a command of root's does that looks into it afterwards.
    #expect(try await names(in: directory.databasePath) == [])
    for name in try FileManager.default.contentsOfDirectory(atPath: home) {
      let attributes = try FileManager.default.attributesOfItem(atPath: home + "/" + name)
      #expect(attributes[.ownerAccountID] as? Int == 12 && attributes[.groupOwnerAccountID] as? Int == 34, "\(name)")
    }
  }

  @Test("a file that is no database is refused, and keeps its permissions")
  func notChanged() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("mine", to: "notes")
    #expect(chmod(file, 0o644) == 0)
    #expect(throws: StoreError.corrupt(file: file, reason: "it is no database")) { try SQLiteDatabase(path: file) }
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o644)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }

  @Test("a state that is damaged is kept aside too")
  func damagedState() async throws {
    let shelf = try await Shelf()
    let file = shelf.folder.path + "/copy.db"
    try DatabaseCopy.make(of: shelf.path, to: file)
    let directory = try DataDirectory(shelf.folder.path + "/data")
    try Data("no database".utf8).write(to: URL(filePath: directory.databasePath))
    try Data("nor a journal".utf8).write(to: URL(filePath: directory.databasePath + "-wal"))
    let kept = try #require(try DatabaseCopy.restore(file, to: directory, aside: "old"))
    #expect(try String(contentsOfFile: kept, encoding: .utf8) == "no database")
    #expect(try String(contentsOfFile: kept + "-wal", encoding: .utf8) == "nor a journal")
    #expect(try DatabaseCopy.check(directory.databasePath) == Migrations.all.count)
  }

  @Test(
    "what is no backup of ours is refused, and the state stays",
    arguments: ["text", "empty", "foreign", "damaged", "newer"])
  func refused(kind: String) async throws {
    let shelf = try await Shelf()
    for index in 0..<20 { try await shelf.put("n\(index)", expired: 0, at: UInt64(index)) }
    let file = shelf.folder.path + "/copy.db"
    switch kind {
    case "text":
      _ = try shelf.folder.write(
        "not a database, whatever its name says".padding(toLength: 600, withPad: ".", startingAt: 0), to: "copy.db")
    case "empty": _ = try shelf.folder.write("", to: "copy.db")
    case "foreign", "newer":
      let more = Array(repeating: "SELECT 1", count: kind == "newer" ? 3 : 0)
      let other = try SQLiteDatabase(path: file, migrations: Migrations.all + more)
      if kind == "foreign" { _ = try await other.transaction { try $0.query("PRAGMA application_id = 7").count } }
    default:
      try DatabaseCopy.make(of: shelf.path, to: file)
      var bytes = try Data(contentsOf: URL(filePath: file))
      for place in stride(from: 4096, to: bytes.count, by: 4096) { bytes[place] ^= 0xff }
      try bytes.write(to: URL(filePath: file))
    }
    let directory = try DataDirectory(shelf.folder.path + "/data")
    let database = try SQLiteDatabase(path: directory.databasePath)
    let error = #expect(throws: StoreError.self) { try DatabaseCopy.restore(file, to: directory, aside: "old") }
    switch (kind, error) {
    case ("newer", .newer): break
    case ("text", .noBackup(let refused, _)), ("damaged", .noBackup(let refused, _)),
      ("empty", .noBackup(let refused, _)),
      ("foreign", .noBackup(let refused, _)):
      #expect(refused == file)
    default: Issue.record("\(kind): \(String(describing: error))")
    }
    #expect(try await IssuanceSearch(database).count(IssuanceQuery()).value == 0)
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/old"))
  }
}
