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
    let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw StoreError.unwritable(directory: path, reason: String(cString: strerror(errno)))
    }
    DataDirectory.give(descriptor, in: path)
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

  /// Gives a file in it to whose the folder is, where root made it: the service must be able to write it.
  borrowing func give(_ file: String) throws(StoreError) {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw StoreError.unwritable(directory: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    guard DataDirectory.give(descriptor, in: path) else {
      throw StoreError.unwritable(directory: path, reason: String(cString: strerror(errno)))
    }
  }

  /// - Returns: false, with the reason in `errno`, if it could not be given.
  @discardableResult
  private static func give(_ file: Int32, in folder: String) -> Bool {
    guard geteuid() == 0 else { return true }
    var (owner, own) = (stat(), stat())
    guard stat(folder, &owner) == 0, fstat(file, &own) == 0 else { return false }
    guard own.st_uid != owner.st_uid || own.st_gid != owner.st_gid else { return true }
    // A file that has another name as well, or is another user's, is not one that root made here.
    guard own.st_mode & S_IFMT == S_IFREG, own.st_nlink == 1, own.st_uid == 0 else {
      errno = EPERM
      return false
    }
    return fchown(file, owner.st_uid, owner.st_gid) == 0
  }

  package var databasePath: String { path + "/oriel.db" }

  deinit { close(descriptor) }
}
