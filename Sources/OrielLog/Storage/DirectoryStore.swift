import Dispatch
import Foundation
package import NIOCore
import Synchronization

#if canImport(CReadNow)
  import CReadNow
#endif

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Blobs as files below a directory that any web server can serve.
///
/// A file is written under a passing name, synced, renamed, and its directory synced: it is there whole or not at all.
/// Work that blocks is done on threads of its own.
package final class DirectoryStore: BlobStore {
  package let root: String
  private let threads = DispatchQueue(label: "oriel.log.storage", attributes: .concurrent)
  private let state = Mutex(State())

  private struct State {
    /// Directories that are known to be there, durably.
    var directories: Set<String> = []
    var passingNames: UInt64 = 0
  }

  /// No file of a log is larger.
  private static let maximumByteCount = 1 << 30
  /// RWF_NOWAIT: only what the system has in memory.
  private static let withoutWaiting: Int32 = 8
  private static let passingFolder = "incoming"

  /// - Parameters:
  ///   - root: an existing directory. One process at a time may write to it.
  ///   - isReadOnly: whether it is only read, as it may be while another process writes to it.
  package init(_ root: String, isReadOnly: Bool = false) throws {
    self.root = root
    guard !isReadOnly else { return }
    try makeDirectory(DirectoryStore.passingFolder)
    // What a crash left half written.
    let passing = absolute(DirectoryStore.passingFolder)
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: passing) else {
      throw BlobError.refused("list", DirectoryStore.passingFolder)
    }
    for name in names {
      unlink(absolute(DirectoryStore.passingFolder + "/" + name))
    }
  }

  private func absolute(_ path: String) -> String { root + "/" + path }

  package func get(_ path: String) async throws -> [UInt8]? { try await threads.result { try self.load(path) } }

  package func openNow(_ path: String, _ buffer: inout ByteBuffer) -> OpenBlob? {
    #if canImport(CReadNow)
      guard (try? DirectoryStore.check(path)) != nil else { return nil }
      let file = open(absolute(path), O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return nil }
      var facts = stat()
      guard fstat(file, &facts) == 0, DirectoryStore.readNow(file, byteCount: Int(facts.st_size), &buffer) else {
        close(file)
        return nil
      }
      return OpenBlob(taking: file, byteCount: Int(facts.st_size))
    #else
      return nil
    #endif
  }

  #if canImport(CReadNow)
    /// Reads the first bytes of a file, if the system has them in memory: nearly always it has the others, too, then.
    private static func readNow(_ file: Int32, byteCount: Int, _ buffer: inout ByteBuffer) -> Bool {
      let count = OpenBlob.startByteCount(of: byteCount)
      buffer.clear(minimumCapacity: count)
      return count
        == buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
          var piece = iovec(iov_base: bytes.baseAddress, iov_len: count)
          return max(0, preadv2(file, &piece, 1, 0, withoutWaiting))
        }
    }
  #endif

  package func put(_ blob: Blob) async throws {
    try await threads.result {
      if blob.path == Blob.checkpoint { try blob.check(replacing: try self.load(blob.path)) }
      try self.store(blob, mode: 0o644)
      try self.syncDirectories(of: [blob.path])
    }
  }

  package func add(_ blobs: [Blob]) async throws {
    try await threads.result {
      let failure = Mutex<(any Error)?>(nil)
      // Side by side, so that the file system's journal commits them together.
      DispatchQueue.concurrentPerform(iterations: blobs.count) { index in
        do {
          try self.addOne(blobs[index])
        } catch {
          failure.withLock { $0 = $0 ?? error }
        }
      }
      if let error = failure.withLock({ $0 }) { throw error }
      try self.syncDirectories(of: blobs.map(\.path))
    }
  }

  private func addOne(_ blob: Blob) throws {
    guard let present = try load(blob.path) else { return try store(blob, mode: 0o444) }
    guard present == blob.bytes else { throw BlobError.differs(path: blob.path) }
  }

  package func delete(_ paths: [String]) async throws {
    try await threads.result {
      for path in paths {
        try DirectoryStore.check(path)
        guard unlink(self.absolute(path)) == 0 || errno == ENOENT else { throw BlobError.refused("delete", path) }
      }
    }
  }

  package func list(_ folder: String) async throws -> [String] {
    try DirectoryStore.check(folder + "x")
    return try await threads.result {
      guard let all = FileManager.default.enumerator(atPath: self.absolute(folder)) else { return [] }
      var paths: [String] = []
      while let name = all.nextObject() as? String {
        if (all.fileAttributes?[.type] as? FileAttributeType) == .typeRegular { paths.append(folder + name) }
      }
      return paths
    }
  }
}

extension DirectoryStore {
  /// Paths are made here, not outside; one that is not as expected must do no harm all the same.
  private static func check(_ path: String) throws(BlobError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !path.utf8.contains(0) else {
      throw .badPath(path)
    }
  }

  private func load(_ path: String) throws -> [UInt8]? {
    try DirectoryStore.check(path)
    let file = open(absolute(path), O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw BlobError.refused("open", path)
    }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw BlobError.refused("read", path) }
    guard facts.st_size <= DirectoryStore.maximumByteCount else {
      throw BlobError.tooLarge(path: path, limit: DirectoryStore.maximumByteCount)
    }
    var failure: BlobError?
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(facts.st_size)) { buffer, filled in
      while filled < buffer.count {
        let count = read(file, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = BlobError.refused("read", path) }
        guard count > 0 else { break }
        filled += count
      }
    }
    if let failure { throw failure }
    return bytes
  }

  private func store(_ blob: Blob, mode: mode_t) throws {
    try DirectoryStore.check(blob.path)
    try makeDirectory(DirectoryStore.parent(of: blob.path))
    let number = state.withLock { state in
      state.passingNames += 1
      return state.passingNames
    }
    let passing = absolute("\(DirectoryStore.passingFolder)/\(getpid())-\(number)")
    let file = open(passing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw BlobError.refused("create", blob.path) }
    do {
      defer { close(file) }
      try DirectoryStore.writeAll(blob.bytes, to: file, blob.path)
      // Never tried again: after a failed sync the kernel may report success for pages that it dropped.
      guard fsync(file) == 0 else { throw BlobError.refused("sync", blob.path) }
    } catch {
      unlink(passing)
      throw error
    }
    guard rename(passing, absolute(blob.path)) == 0 else {
      let error = BlobError.refused("rename", blob.path)
      unlink(passing)
      throw error
    }
  }

  /// - Parameter path: what to call the file in an error.
  static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws {
    try bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw BlobError.refused("write", path) }
        done += count
      }
    }
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  /// Makes a directory below the root, and those above it, durably.
  private func makeDirectory(_ path: String) throws {
    guard !path.isEmpty, !state.withLock({ $0.directories.contains(path) }) else { return }
    try makeDirectory(DirectoryStore.parent(of: path))
    guard mkdir(absolute(path), 0o755) == 0 || errno == EEXIST else { throw BlobError.refused("create", path) }
    try syncDirectory(DirectoryStore.parent(of: path))
    state.withLock { _ = $0.directories.insert(path) }
  }

  private func syncDirectories(of paths: [String]) throws {
    for directory in Set(paths.map(DirectoryStore.parent)) { try syncDirectory(directory) }
  }

  private func syncDirectory(_ path: String) throws {
    try DirectoryStore.sync(directory: path.isEmpty ? root : absolute(path))
  }

  /// The space that is left where a folder is; nil if it can't be told.
  static func freeBytes(_ path: String) -> UInt64? {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return nil }
    return UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize)).partialValue
  }

  static func sync(directory path: String) throws {
    let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw BlobError.refused("open", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw BlobError.refused("sync", path) }
  }
}
