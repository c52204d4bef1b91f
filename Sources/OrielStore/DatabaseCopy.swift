import Foundation
import GRDB
import OrielFiles

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
    try removeOwn(partial)
    do {
      // Whoever reads a copy has every session and every address: it is its maker's alone.
      let descriptor = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw failure(file) }
      close(descriptor)
      try copy(path, to: partial)
      try check(partial)
      try AtomicFile.synchronize(partial)
      try AtomicFile.place(partial, at: file)
      try AtomicFile.synchronize(AtomicFile.folder(of: file))
    } catch let error as AtomicFile.Failure {
      remove(partial)
      throw StoreError.unmade(file: file, reason: error.reason)
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
    try removeOwn(copy)
    try make(of: file, to: copy)
    try directory.give(copy)
    var kept: String?
    if !isNew, let aside {
      kept = directory.path + "/" + aside
      try keep(path, as: directory.path + "/" + aside)
    }
    guard rename(copy, path) == 0 else { throw failure(path) }
    do throws(AtomicFile.Failure) { try AtomicFile.synchronize(directory.path) } catch {
      throw StoreError.unmade(file: path, reason: error.reason)
    }
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

  private static func isDatabase(_ path: String) -> Bool { SQLiteDatabase.application(ofFile: path) != nil }

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
    return try SQLiteDatabase.reading(path) { path in
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      _ = try queue.read { try Int64.fetchOne($0, sql: "PRAGMA user_version") }
      return queue
    }
  }

  private static func translating<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as DatabaseError { throw SQLiteDatabase.translate(error, path: path) }
  }

  // MARK: Files

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  private static func remove(_ path: String) { for end in ["", "-journal", "-wal", "-shm"] { unlink(path + end) } }

  private static func failure(_ file: String) -> StoreError {
    .unmade(file: file, reason: String(cString: strerror(errno)))
  }

  /// Removes what a copy that came to no end left.
  ///
  /// - Throws: ``StoreError`` if the name is another file's.
  private static func removeOwn(_ path: String) throws {
    guard exists(path) else { return }
    guard let head = SQLiteDatabase.header(ofFile: path),
      head.isEmpty || SQLiteDatabase.application(inHeader: head) != nil
    else {
      throw StoreError.unmade(file: path, reason: "there is another kind of file already")
    }
    remove(path)
  }
}
