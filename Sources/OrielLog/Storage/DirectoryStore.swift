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
  /// More than nearly all tiles; a read of so much is over soon.
  private static let promptByteCount = 1 << 20
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
      throw DirectoryStore.error("list", DirectoryStore.passingFolder)
    }
    for name in names {
      unlink(absolute(DirectoryStore.passingFolder + "/" + name))
    }
  }

  private func absolute(_ path: String) -> String { root + "/" + path }

  private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      threads.async { continuation.resume(with: Result { try work() }) }
    }
  }

  package func get(_ path: String) async throws -> [UInt8]? { try await onThread { try self.load(path) } }

  package func getNow(_ path: String, into buffer: inout ByteBuffer) -> Bool {
    #if canImport(CReadNow)
      guard (try? DirectoryStore.check(path)) != nil else { return false }
      let file = open(absolute(path), O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return false }
      defer { close(file) }
      var facts = stat()
      guard fstat(file, &facts) == 0, facts.st_size <= DirectoryStore.promptByteCount else { return false }
      let size = Int(facts.st_size)
      buffer.clear(minimumCapacity: size)
      return size
        == buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
          var piece = iovec(iov_base: bytes.baseAddress, iov_len: size)
          return max(0, preadv2(file, &piece, 1, 0, DirectoryStore.withoutWaiting))
        }
    #else
      return false
    #endif
  }

  package func put(_ blob: Blob) async throws {
    try await onThread {
      try self.store(blob, mode: 0o644)
      try self.syncDirectories(of: [blob.path])
    }
  }

  package func add(_ blobs: [Blob]) async throws {
    try await onThread {
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
    try await onThread {
      for path in paths {
        try DirectoryStore.check(path)
        guard unlink(self.absolute(path)) == 0 || errno == ENOENT else { throw DirectoryStore.error("delete", path) }
      }
    }
  }

  package func list(_ folder: String) async throws -> [String] {
    try DirectoryStore.check(folder + "x")
    return try await onThread {
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
  private static func error(_ operation: String, _ path: String) -> BlobError {
    let code = errno
    return .system(operation: operation, path: path, code: code, reason: String(cString: strerror(code)))
  }

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
      throw DirectoryStore.error("open", path)
    }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw DirectoryStore.error("read", path) }
    guard facts.st_size <= DirectoryStore.maximumByteCount else {
      throw BlobError.tooLarge(path: path, limit: DirectoryStore.maximumByteCount)
    }
    var failure: BlobError?
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(facts.st_size)) { buffer, filled in
      while filled < buffer.count {
        let count = read(file, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = DirectoryStore.error("read", path) }
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
    guard file >= 0 else { throw DirectoryStore.error("create", blob.path) }
    do {
      defer { close(file) }
      try DirectoryStore.fill(blob, to: file)
      // Never tried again: after a failed sync the kernel may report success for pages that it dropped.
      guard fsync(file) == 0 else { throw DirectoryStore.error("sync", blob.path) }
    } catch {
      unlink(passing)
      throw error
    }
    guard rename(passing, absolute(blob.path)) == 0 else {
      let error = DirectoryStore.error("rename", blob.path)
      unlink(passing)
      throw error
    }
  }

  private static func fill(_ blob: Blob, to file: Int32) throws {
    try blob.bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw error("write", blob.path) }
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
    guard mkdir(absolute(path), 0o755) == 0 || errno == EEXIST else { throw DirectoryStore.error("create", path) }
    try syncDirectory(DirectoryStore.parent(of: path))
    state.withLock { _ = $0.directories.insert(path) }
  }

  private func syncDirectories(of paths: [String]) throws {
    for directory in Set(paths.map(DirectoryStore.parent)) { try syncDirectory(directory) }
  }

  private func syncDirectory(_ path: String) throws {
    let directory = open(path.isEmpty ? root : absolute(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw DirectoryStore.error("open", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw DirectoryStore.error("sync", path) }
  }
}
