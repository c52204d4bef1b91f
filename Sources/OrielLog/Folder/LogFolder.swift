package import CertificateTransparency
import Crypto
import Foundation
package import Logging
import OrielFiles
import OrielLogging
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The folder of a log: its settings, keys, roots and lock, and `public/`, which any web server can serve.
package struct LogFolder: Sendable {
  package let path: String
  package let settings: LogFolderSettings
  package let entry: LogListEntry

  /// Opens a folder that ``create(_:_:roots:clock:)`` made.
  package init(_ path: String) throws {
    self.path = path
    guard let json = FileManager.default.contents(atPath: path + "/log.json") else {
      throw LogFolderError.settings("\(path) is no folder of a log, or can't be read: it has no log.json")
    }
    settings = try LogFolderSettings(json: json)
    entry = try settings.entry()
  }

  package var publicPath: String { path + "/public" }

  private var lockPath: String { absolute(settings.lock ?? "lock.db") }

  private var anchor: FileAnchor? { settings.anchor.map { FileAnchor(absolute($0)) } }

  private func absolute(_ file: String) -> String { file.hasPrefix("/") ? file : path + "/" + file }

  /// Whether a snapshot of the lock's file system takes the anchor along; false where there is no anchor.
  package var anchorIsBesideLock: Bool {
    guard let anchor, let (one, other) = try? (LockLocation(of: anchor.name), LockLocation(of: lockPath)) else {
      return false
    }
    return one.device == other.device
  }

  /// Creates a log, with keys of its own.
  ///
  /// - Parameters:
  ///   - roots: PEM of what is accepted from the beginning.
  ///   - hsm: a security module that has the log's key, or is to make it; nil for a file.
  ///   - fill: completes the settings, given the key.
  package static func create(
    _ path: String, roots: String, hsm: HSMSettings? = nil, clock: LogClock,
    _ fill: (LogKey) throws -> LogFolderSettings
  ) async throws -> LogFolder {
    let present = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard present.isEmpty else { throw LogFolderError.notEmpty(path) }
    guard !RootStore().add(file: Array(roots.utf8)).added.isEmpty else { throw LogFolderError.roots("there is none") }
    let key = P256.Signing.PrivateKey()
    let publicKey =
      if let hsm { try LogFolder.key(in: hsm, of: path, generating: true).publicKey } else { LogSigner(key).publicKey }
    var draft = try fill(publicKey)
    draft.hsm = hsm
    let settings = try LogFolderSettings(json: try draft.json)
    if let anchor = settings.anchor { try reserve(anchor, of: path) }
    try FileManager.default.createDirectory(atPath: path + "/public", withIntermediateDirectories: true)
    if hsm == nil { try KeyFiles.write(key.pemRepresentation + "\n", to: path + "/key.pem") }
    try KeyFiles.write(KeyFiles.pem(Curve25519.Signing.PrivateKey()), to: path + "/note-key.pem")
    try AtomicFile.write(Array(roots.utf8), to: path + "/roots.pem", replacing: { _ in false })
    try AtomicFile.write([UInt8](settings.json), to: path + "/log.json", replacing: { _ in false })
    let folder = try LogFolder(path)
    let storage = try DirectoryStore(folder.publicPath)
    let lock = try SQLCheckpointLock(sqliteFile: folder.lockPath)
    try await lock.record(try LockLocation(of: folder.lockPath), of: folder.entry.key.logID)
    try await Log.create(try folder.identity(), storage: storage, lock: lock, anchor: folder.anchor, clock: clock)
    try await storage.put(Blob(LogListEntry.path, try folder.entry.json()))
    return folder
  }

  /// Makes a new log's anchor, still empty, before there is anything else of the log.
  private static func reserve(_ anchor: String, of path: String) throws {
    let folder = URL(filePath: path).resolvingSymlinksInPath().path
    guard anchor.hasPrefix("/"), !URL(filePath: anchor).resolvingSymlinksInPath().path.hasPrefix(folder + "/") else {
      throw LogFolderError.anchor(file: anchor, "it has to be outside the log's folder, on another disk or mount")
    }
    do {
      try FileAnchor(anchor).create()
    } catch BlobError.system(_, _, EEXIST, _) {
      throw LogFolderError.anchor(
        file: anchor, "a file is there that is not empty: each log needs an anchor of its own")
    } catch {
      throw LogFolderError.anchor(file: anchor, "\(error)")
    }
  }

  /// - Throws: ``LogFolderError/key(file:_:)`` if the keys are not this log's, or others can read them.
  package func identity() throws -> LogIdentity {
    let (key, place): (any SigningKey, String) =
      if let hsm = settings.hsm { (try LogFolder.key(in: hsm, of: path), hsm.module) } else {
        (try KeyFiles.logKey(path + "/key.pem"), path + "/key.pem")
      }
    guard key.publicKey == entry.key else {
      throw LogFolderError.key(
        file: place, "it is the key of log \(key.publicKey.logID), the log here is \(entry.key.logID)")
    }
    return LogIdentity(origin: settings.origin, key: key, noteKey: try KeyFiles.noteKey(path + "/note-key.pem"))
  }

  private static func key(
    in hsm: HSMSettings, of path: String, generating: Bool = false
  ) throws(LogFolderError) -> any SigningKey {
    let pin = try KeyFiles.pin(hsm.pinFile.hasPrefix("/") ? hsm.pinFile : path + "/" + hsm.pinFile)
    do throws(HSMError) {
      return try PKCS11Key(hsm, pin: pin, generating: generating)
    } catch {
      throw .key(file: hsm.module, error.description)
    }
  }

  /// Who the log is, for those who only check it: no private key is read.
  package var publicIdentity: LogIdentity {
    LogIdentity(origin: settings.origin, key: PublicKeyOnly(publicKey: entry.key))
  }

  /// The checkpoint in the lock.
  package func lockedCheckpoint() async throws -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: lockPath) else { return nil }
    return try await SQLCheckpointLock(sqliteFile: lockPath).load(entry.key.logID)
  }

  /// Opens the log, to be run.
  ///
  /// - Parameters:
  ///   - isMoved: whether the operator says that the log was moved, and that nothing runs where it was.
  ///   - publicCheckpoint: what somebody else serves as this log's checkpoint; compared now and while the log runs.
  ///   - logger: is told of trouble while the log runs, and that it is over.
  package func open(
    clock: LogClock, pace: SequencerSettings = SequencerSettings(),
    settings: LogService.Settings = LogService.Settings(), isMoved: Bool = false,
    publicCheckpoint: PublicCheckpoint = .none, logger: Logger = .silent
  ) async throws -> LogService {
    // A lock that is made anew would know no log; better to say that it is not there.
    guard FileManager.default.fileExists(atPath: lockPath) else {
      throw LogFolderError.settings("the lock \(lockPath) is not there; only `oriel log init` makes one")
    }
    let lock = try SQLCheckpointLock(sqliteFile: lockPath)
    let location = try LockLocation(of: lockPath)
    try await check(location, lock, isMoved: isMoved)
    let identity = try identity()
    var rules = AdmissionRules(window: entry.window)
    rules.requiresServerAuth = self.settings.requiresServerAuth ?? false
    let storage = try DirectoryStore(publicPath)
    let origin = self.settings.origin
    let report: @Sendable (String) -> Void = { logger.warning("\(origin): \($0)") }
    let roots = try FolderRoots(path, ccadb: self.settings.ccadb, report: report)
    let known: [UInt8]? = if case .note(let note) = await publicCheckpoint.ask() { note } else { nil }
    let log = try await Log(
      identity, admission: Admission(rules, roots: roots.store), storage: storage, lock: lock, anchor: anchor,
      table: try keyTable(), clock: clock, settings: pace, known: known)
    try await lock.record(location, of: identity.logID)
    let leaves = try await LeafIndex(try leafTable(), storage: storage, size: await log.head?.size ?? 0)
    let root = publicPath
    return try await LogService(
      log, entry: entry, leaves: leaves, clock: clock, settings: settings,
      freeBytes: { DirectoryStore.freeBytes(root) },
      chores: { do { try roots.refresh() } catch { report("\(error)") } },
      scrub: LogScrub(
        identity, storage: storage, file: path + "/scrub.json", settings: settings.scrub, clock: clock),
      anchor: anchor?.name, publicCheckpoint: publicCheckpoint, logger: logger)
  }

  /// - Throws: ``LogFolderError/moved(lock:_:)`` where the lock is another file, or elsewhere, than when the log was run
  ///   last.
  private func check(_ location: LockLocation, _ lock: SQLCheckpointLock, isMoved: Bool) async throws {
    // Older versions recorded nothing.
    guard !isMoved, let known = try await lock.location(entry.key.logID) else { return }
    let differences = location.differences(from: known)
    guard differences.isEmpty else { throw LogFolderError.moved(lock: lockPath, differences) }
  }

  /// Which entries have a deduplication key.
  package func keyTable() throws -> any EntryTable { try SortedRuns(path + "/index/keys", .whole) }

  /// Which entries have a leaf hash.
  package func leafTable() throws -> any EntryTable { try SortedRuns(path + "/index/leaves", .prefix) }
}

/// The roots of a folder: `roots.pem`, which the operator may add to, and a CCADB report.
///
/// What was accepted once is written to `roots.pem`, and stays accepted whatever the report says later.
final class FolderRoots: Sendable {
  let store = RootStore()
  private let path: String
  private let ccadb: String?
  private let report: @Sendable (String) -> Void
  private let seen = Mutex<[String: Date]>([:])

  init(_ folder: String, ccadb: String?, report: @escaping @Sendable (String) -> Void = { _ in }) throws {
    path = folder + "/roots.pem"
    self.ccadb = ccadb.map { $0.hasPrefix("/") ? $0 : folder + "/" + $0 }
    self.report = report
    try refresh()
    guard !store.certificates.isEmpty else { throw LogFolderError.roots("\(path) has none") }
  }

  /// Reads what has changed.
  func refresh() throws {
    if let bytes = changed(path) { tell(store.add(file: bytes), of: path) }
    guard let ccadb, let bytes = changed(ccadb) else { return }
    let before = Set(store.certificates)
    tell(try store.add(ccadb: String(decoding: bytes, as: UTF8.self)), of: ccadb)
    let new = store.certificates.filter { !before.contains($0) }
    guard !new.isEmpty, let old = FileManager.default.contents(atPath: path) else { return }
    try AtomicFile.write([UInt8](old) + Array(new.map { "\n" + PEM.encode($0) }.joined().utf8), to: path)
  }

  private func tell(_ addition: RootAddition, of file: String) {
    for problem in addition.unreadable { report("\(file): passed over: \(problem)") }
  }

  /// The content of a file, if it is not as old as when it was last read.
  private func changed(_ file: String) -> [UInt8]? {
    let date = (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
    guard let date, seen.withLock({ $0[file] }) != date, let data = FileManager.default.contents(atPath: file) else {
      return nil
    }
    seen.withLock { $0[file] = date }
    return [UInt8](data)
  }
}
