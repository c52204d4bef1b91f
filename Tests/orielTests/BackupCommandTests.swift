import Foundation
import OrielStore
import TestSupport
import Testing

@Suite("oriel backup and oriel restore")
struct BackupCommandTests {
  @Test("a backup is made while the state is in use, and brings back what was there")
  func wholeWay() async throws {
    let state = try await StoredState()
    try await state.add(["a.example"], day: 0)
    let directory = try DataDirectory(state.path)
    let file = state.folder.path + "/oriel-backup.db"
    let backup = try await Command.run(["backup", file, "--data-dir", state.path])
    #expect(backup.status == 0, "\(backup.errors)")
    #expect(backup.errors.contains("checked") && backup.output.isEmpty)
    withExtendedLifetime(directory.path) {}
    try await state.add(["b.example"], day: 1)
    let other = state.folder.path + "/other"
    let restore = try await Command.run(["restore", file, "--data-dir", other])
    #expect(restore.status == 0, "\(restore.errors)")
    let found = try await Command.run(["search", "example", "--json", "--data-dir", other])
    #expect(found.lines.count == 1 && found.output.contains("a.example"))
  }

  @Test("a restore refuses a directory in use, and one with a state unless told to, and keeps that state")
  func refusals() async throws {
    let state = try await StoredState()
    try await state.add(["a.example"], day: 0)
    let file = state.folder.path + "/oriel-backup.db"
    #expect(try await Command.run(["backup", file, "--data-dir", state.path]).status == 0)
    #expect(try await Command.run(["backup", file, "--data-dir", state.path]).status == 73)
    try await state.add(["b.example"], day: 1)
    do {
      let directory = try DataDirectory(state.path)
      let result = try await Command.run(["restore", file, "--replace", "--data-dir", state.path])
      #expect(result.status == 73 && result.errors.contains("in use"), "\(result.errors)")
      withExtendedLifetime(directory.path) {}
    }
    let refused = try await Command.run(["restore", file, "--data-dir", state.path])
    #expect(refused.status == 73 && refused.errors.contains("--replace"))
    #expect(try await state.search(["example"]).output.contains("2 found"))
    let replaced = try await Command.run(["restore", file, "--replace", "--data-dir", state.path])
    #expect(replaced.status == 0, "\(replaced.errors)")
    #expect(try await state.search(["example", "--json"]).lines.count == 1)
    let kept = try FileManager.default.contentsOfDirectory(atPath: state.path).filter {
      $0.hasPrefix("oriel.db.before-")
    }
    let old = try SQLiteDatabase(
      reading: state.path + "/" + (try #require(kept.first { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })))
    #expect(try await IssuanceSearch(old).count(IssuanceQuery()).value == 2)
  }

  @Test("what is no backup, or not there, is told with 65, and nothing changes")
  func bad() async throws {
    let state = try await StoredState()
    let file = try state.folder.write("no database at all, however it is looked at", to: "file.db")
    for (file, word) in [(file, "file.db"), ("/nowhere/file.db", "/nowhere/file.db")] {
      let result = try await Command.run(["restore", file, "--data-dir", state.folder.path + "/new"])
      #expect(result.status == 65 && result.errors.contains(word), "\(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: state.folder.path + "/new/oriel.db"))
    let nothing = try await Command.run(["backup", state.folder.path + "/b.db", "--data-dir", state.folder.path])
    #expect(nothing.status == 65)
  }
}
