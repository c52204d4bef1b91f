import Foundation
import GRDB

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Whole copies of the state: to keep, and to go back to.
package enum DatabaseCopy {
  /// Copies a database into a new file: what is committed when it begins, whoever writes to it meanwhile. The copy is
  /// complete, checked and on the disk before it gets its name.
  ///
  /// - Returns: the size of the copy in bytes.
  /// - Throws: ``StoreError``; there is nothing at `file` then that was not there before.
  @discardableResult
  package static func make(of path: String, to file: String) throws -> Int {
    guard !exists(file) else { throw StoreError.unmade(file: file, reason: "it is there already") }
    let partial = file + ".partial"
    remove(partial)
    do {
      // Whoever reads a copy has every session and every address: it is its maker's alone.
      let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw failure(file) }
      close(descriptor)
      try copy(path, to: partial)
      try check(partial)
      try synchronise(partial, for: file)
      guard rename(partial, file) == 0 else { throw failure(file) }
      try synchronise(folder(of: file), for: file)
    } catch {
      remove(partial)
      throw error
    }
    return (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
  }

  /// Reads a file from end to end.
  ///
  /// - Returns: the version of its schema.
  /// - Throws: ``StoreError`` if it is damaged, another program's, or newer than this one.
  @discardableResult
  package static func check(_ path: String, migrations: [String] = Migrations.all) throws -> Int {
    try translating(path) {
      try reader(path).read { database in
        let application = try Int64.fetchOne(database, sql: "PRAGMA application_id")
        guard application == SQLiteDatabase.applicationID else { throw StoreError.foreign(file: path) }
        let version = try SQLiteDatabase.version(database, migrations, path: path)
        let verdict = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw StoreError.corrupt(file: path, reason: verdict) }
        return version
      }
    }
  }

  /// Puts a copy in the place of the state. At every moment one of the two is in its place, whole.
  ///
  /// - Parameter aside: the name that the state there is now gets; nothing is replaced without one.
  /// - Returns: where the state that was there is now; nil if there was none.
  @discardableResult
  package static func restore(_ file: String, to directory: borrowing DataDirectory, aside: String?) throws -> String? {
    let path = directory.databasePath
    let isNew = !["", "-wal"].contains { exists(path + $0) }
    guard isNew || aside != nil else {
      throw StoreError.unmade(file: path, reason: "there is a state already")
    }
    do { try check(file) } catch StoreError.corrupt(_, let reason) {
      throw StoreError.noBackup(file: file, reason: reason)
    } catch StoreError.foreign { throw StoreError.noBackup(file: file, reason: "it is another program's") } catch {
      throw error
    }
    let copy = path + ".restored"
    remove(copy)
    try make(of: file, to: copy)
    var kept: String?
    if !isNew, let aside {
      kept = directory.path + "/" + aside
      try keep(path, as: directory.path + "/" + aside)
    }
    guard rename(copy, path) == 0 else { throw failure(path) }
    try synchronise(directory.path, for: path)
    return kept
  }

  /// Gives the state a second name, and takes away its journals, which would be taken for those of the one to come.
  private static func keep(_ path: String, as kept: String) throws {
    guard !exists(kept) else { throw StoreError.unmade(file: kept, reason: "it is there already") }
    // Brings what is in the journal into the file. Of what is no database any more, SQLite would drop the journal.
    if isDatabase(path) { _ = try? DatabaseQueue(path: path).inDatabase { try $0.checkpoint(.truncate) } }
    if exists(path) {
      guard link(path, kept) == 0 || rename(path, kept) == 0 else { throw failure(kept) }
    }
    for journal in ["-wal", "-shm"] where exists(path + journal) {
      guard rename(path + journal, kept + journal) == 0 else { throw failure(kept) }
    }
  }

  /// Whether a file begins as SQLite's do.
  private static func isDatabase(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
  }

  private static func copy(_ path: String, to file: String) throws {
    let source = try translating(path) { try reader(path) }
    do {
      let copy = try DatabaseQueue(path: file)
      try source.backup(to: copy)
      // One file that needs no other, and can be read where nothing can be written.
      try copy.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      try copy.close()
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      throw StoreError.corrupt(file: path, reason: error.message ?? "unreadable")
    } catch let error as DatabaseError {
      throw StoreError.unmade(file: file, reason: error.message ?? "\(error.resultCode)")
    }
  }

  private static func reader(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  private static func translating<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as DatabaseError { throw SQLiteDatabase.translate(error, path: path) }
  }

  // MARK: Files

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func remove(_ path: String) { for end in ["", "-journal", "-wal", "-shm"] { unlink(path + end) } }

  private static func folder(of file: String) -> String { URL(filePath: file).deletingLastPathComponent().path }

  private static func failure(_ file: String) -> StoreError {
    .unmade(file: file, reason: String(cString: strerror(errno)))
  }

  /// Returns when a file, or the names in a folder, are on the disk.
  private static func synchronise(_ path: String, for file: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(file) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(file) }
  }
}
