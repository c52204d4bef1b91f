import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Files that are there whole or not at all, and survive a crash once written.
package enum AtomicFile {
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path) can't be written: \(reason)" }

    /// What the system said last.
    fileprivate static func last(_ path: String) -> Failure {
      Failure(path: path, reason: String(cString: strerror(errno)))
    }
  }

  /// Replaces what is there.
  ///
  /// - Parameter mode: the permissions of the file, whatever the umask; by default as the umask has them.
  package static func write(_ bytes: [UInt8], to path: String, mode: UInt16? = nil) throws(Failure) {
    // Another process may be at it too.
    let temporary = "\(path).\(getpid()).new"
    do {
      try Data(bytes).write(to: URL(filePath: temporary))
    } catch {
      throw Failure(path: path, reason: error.localizedDescription)
    }
    do throws(Failure) {
      if let mode, chmod(temporary, mode_t(mode)) != 0 { throw .last(path) }
      try synchronize(temporary)
      guard rename(temporary, path) == 0 else { throw .last(path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try synchronize(URL(filePath: path).deletingLastPathComponent().path)
  }

  /// Has a file or folder written to the disk.
  package static func synchronize(_ path: String) throws(Failure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last(path) }
  }
}
