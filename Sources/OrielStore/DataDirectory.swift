import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The folder that holds the state, locked against a second process while this value lives.
package struct DataDirectory: ~Copyable {
  package let path: String
  private let descriptor: Int32

  /// Creates the folder if need be, and locks it.
  ///
  /// - Throws: ``StoreError/inUse(directory:)`` or ``StoreError/unwritable(directory:reason:)``.
  package init(_ path: String) throws(StoreError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StoreError.unwritable(directory: path, reason: "it can't be created")
    }
    let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.unwritable(directory: path, reason: String(cString: strerror(errno)))
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw StoreError.inUse(directory: path)
    }
    self.path = path
    self.descriptor = descriptor
  }

  /// Runs `body` while nobody else holds the folder.
  static func holding(_ path: String, _ body: () throws -> Void) throws {
    let directory = try DataDirectory(path)
    try body()
    withExtendedLifetime(directory.path) {}
  }

  /// Whether a process, also this one, holds the folder.
  static func isInUse(_ path: String) -> Bool {
    let descriptor = open(path + "/lock", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  package var databasePath: String { path + "/oriel.db" }

  deinit { close(descriptor) }
}
