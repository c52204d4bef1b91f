import Foundation
import OrielFiles

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Keeps the last checkpoint that a log has signed, where no snapshot of lock and directory takes it along.
///
/// Lock and directory that were restored together are a log that knows nothing of what it has signed since: only what
/// stayed behind can tell. The anchor follows the lock, and is never ahead of it: what is staged gets its place after the
/// lock has it, and before anybody else sees it.
package protocol CheckpointAnchor: Sendable {
  /// What to call it in messages.
  var name: String { get }

  /// The checkpoint; nil where there is none yet.
  ///
  /// - Throws: ``AnchorError`` where that can't be told.
  func load() async throws -> [UInt8]?

  /// Makes `next` ready to take the place of `present`, durably, so that what is left to do hardly fails.
  ///
  /// - Throws: ``AnchorError/taken(_:)`` where something else than `present` is there.
  func stage(_ next: [UInt8], over present: [UInt8]?) async throws

  /// Puts what was staged in its place. It outlasts a loss of power once this returns.
  ///
  /// - Throws: ``AnchorError/taken(_:)`` where `next` is not what was staged last.
  func commit(_ next: [UInt8]) async throws
}

package enum AnchorError: Error, Hashable, CustomStringConvertible {
  case missing(String)
  case unreadable(String, reason: String)
  /// Another process writes to it, or it was replaced.
  case taken(String)

  package var description: String {
    switch self {
    case .missing(let file):
      """
      the anchor \(file) is not there. Mount its disk. Only if it is lost for good, and this folder was not restored \
      from a snapshot or backup, make an empty file in its place
      """
    case .unreadable(let file, let reason): "the anchor \(file) can't be read: \(reason)"
    case .taken(let file):
      "the anchor \(file) was changed by somebody else: does a copy of this log run?"
    }
  }
}

/// An anchor in a file, on another disk or mount than the log. The folder of the file has to be writable.
package struct FileAnchor: CheckpointAnchor {
  private let path: String
  private let threads = DispatchQueue(label: "oriel.log.anchor")

  private static let maximumByteCount = 1 << 16

  /// A link is followed, so that a checkpoint never takes its place.
  package init(_ path: String) { self.path = URL(filePath: path).resolvingSymlinksInPath().path }

  package var name: String { path }
  private var passing: String { path + ".next" }
  private var directory: String { URL(filePath: path).deletingLastPathComponent().path }

  /// Makes the empty file for a new log.
  ///
  /// - Throws: ``BlobError`` if it can't be made, or if a file is there that is not empty.
  func create() throws {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw BlobError.refused("create", path) }
    defer { close(file) }
    var facts = stat()
    guard fstat(file, &facts) == 0, facts.st_size == 0, facts.st_mode & S_IFMT == S_IFREG else {
      throw BlobError.refused("create", path, code: EEXIST)
    }
    try DirectoryStore.sync(directory: directory)
  }

  package func load() async throws -> [UInt8]? { try await threads.result { try self.read(self.path) } }

  private func read(_ path: String) throws -> [UInt8]? {
    var facts = stat()
    guard stat(path, &facts) == 0 else {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw AnchorError.unreadable(path, reason: String(cString: strerror(errno)))
      }
      throw AnchorError.missing(path)
    }
    guard facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= FileAnchor.maximumByteCount else {
      throw AnchorError.unreadable(path, reason: "it is no file with a checkpoint")
    }
    do {
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
      return bytes.isEmpty ? nil : bytes
    } catch {
      throw AnchorError.unreadable(path, reason: error.localizedDescription)
    }
  }

  /// Whether it looks like a signed note, also one that a crash cut short.
  private static func isCheckpoint(_ bytes: [UInt8]) -> Bool {
    let lines = bytes.split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
    return lines.count < 2 ? bytes.count < 256 : lines[1].allSatisfy { (0x30...0x39).contains($0) }
  }

  package func stage(_ next: [UInt8], over present: [UInt8]?) async throws {
    try await threads.result {
      guard try self.read(self.path) == present else { throw AnchorError.taken(self.path) }
      // What a crash left is ours; nothing else that has the name is.
      if let left = try? self.read(self.passing), !left.isEmpty, !FileAnchor.isCheckpoint(left) {
        throw BlobError.refused("create", self.passing, code: EEXIST)
      }
      let file = open(self.passing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard file >= 0 else { throw BlobError.refused("create", self.passing) }
      defer { close(file) }
      var facts = stat()
      // Not every file system has permissions.
      if stat(self.path, &facts) == 0 { _ = AtomicFile.takeOver(facts, by: file) }
      try DirectoryStore.writeAll(next, to: file, self.passing)
      guard fsync(file) == 0 else { throw BlobError.refused("sync", self.passing) }
    }
  }

  package func commit(_ next: [UInt8]) async throws {
    try await threads.result {
      guard try self.read(self.passing) == next else { throw AnchorError.taken(self.path) }
      guard rename(self.passing, self.path) == 0 else { throw BlobError.refused("rename", self.passing) }
      try DirectoryStore.sync(directory: self.directory)
    }
  }
}
