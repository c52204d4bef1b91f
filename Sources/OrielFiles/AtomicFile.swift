#if canImport(Glibc)
  package import Glibc
#elseif canImport(Musl)
  package import Musl
#else
  package import Darwin
#endif

/// Files that are there whole or not at all, and survive a crash once written.
package enum AtomicFile {
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }

    package var description: String { "\(path) can't be written: \(reason)" }

    /// What the system said last.
    fileprivate static func last(_ path: String) -> Failure {
      Failure(path: path, reason: String(cString: strerror(errno)))
    }
  }

  /// Writes a file. A regular file that is there is replaced, and its permissions and owner stay; a link to one keeps
  /// leading there. Anything else that has the name is left alone.
  ///
  /// - Parameters:
  ///   - mode: the permissions of a file that is new; by default as the umask has them.
  ///   - isOwn: whether what is there may be replaced, by its content. An empty file always may.
  package static func write(
    _ bytes: [UInt8], to path: String, mode: UInt16? = nil, replacing isOwn: ([UInt8]) -> Bool = { _ in true }
  ) throws(Failure) {
    let target = target(of: path)
    let old = try facts(target)
    if let old, old.st_size > 0, !isOwn(try content(of: target)) {
      throw Failure(path: path, reason: "there is another kind of file already")
    }
    let (temporary, file) = try create(beside: target, mode: old != nil || mode != nil ? 0o600 : 0o666)
    do throws(Failure) {
      defer { close(file) }
      try writeAll(bytes, to: file, path)
      if let old {
        guard takeOver(old, by: file) else { throw .last(path) }
      } else if let mode {
        guard fchmod(file, mode_t(mode)) == 0 else { throw .last(path) }
      }
      guard fsync(file) == 0 else { throw .last(path) }
      if old == nil {
        do throws(Failure) { try place(temporary, at: target) } catch {
          // Another process made it meanwhile.
          guard try facts(target) != nil, isOwn(try content(of: target)) else { throw error }
          guard rename(temporary, target) == 0 else { throw .last(path) }
        }
      } else if rename(temporary, target) != 0 {
        throw .last(path)
      }
    } catch {
      unlink(temporary)
      throw Failure(path: path, reason: error.reason)
    }
    try synchronize(folder(of: target))
  }

  /// Gives an open file the owner, as far as that may be done, and the permissions of another, which it will replace.
  ///
  /// - Returns: false, with the reason in `errno`, if the permissions could not be set.
  package static func takeOver(_ old: stat, by file: Int32) -> Bool {
    // Only root can give a file to others.
    if fchown(file, old.st_uid, old.st_gid) != 0 { _ = fchown(file, uid_t.max, old.st_gid) }
    return fchmod(file, old.st_mode & 0o7777) == 0
  }

  /// Gives a file its name, unless something has that name.
  package static func place(_ temporary: String, at path: String) throws(Failure) {
    if link(temporary, path) == 0 {
      unlink(temporary)
      return
    }
    guard errno != EEXIST, access(path, F_OK) != 0 else { throw Failure(path: path, reason: "it is there already") }
    // Not every file system has links.
    guard rename(temporary, path) == 0 else { throw .last(path) }
  }

  /// Has a file or folder written to the disk.
  package static func synchronize(_ path: String) throws(Failure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last(path) }
  }

  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Where a path leads to, by links.
  private static func target(of path: String) -> String {
    guard let pointer = realpath(path, nil) else { return path }
    defer { free(pointer) }
    return String(cString: pointer)
  }

  /// Nil if nothing has the name.
  private static func facts(_ path: String) throws(Failure) -> stat? {
    var facts = stat()
    guard lstat(path, &facts) == 0 else {
      guard errno == ENOENT else { throw .last(path) }
      return nil
    }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw Failure(path: path, reason: "it is no regular file") }
    return facts
  }

  /// A file of ours is not large.
  private static let mostContent = 16 << 20

  private static func content(of path: String) throws(Failure) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .last(path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < mostContent {
      let count = read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .last(path) }
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return bytes
  }

  /// Another process may be at it too, and what a crash left is nobody's.
  private static func create(beside path: String, mode: mode_t) throws(Failure) -> (path: String, file: Int32) {
    for number in 0..<100 {
      let temporary = "\(path).\(getpid())-\(number).new"
      let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
      if file >= 0 { return (temporary, file) }
      guard errno == EEXIST else { break }
    }
    throw .last(path)
  }

  private static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { put($0.baseAddress.map { $0 + done }, $0.count - done, to: file) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .last(path) }
      done += count
    }
  }
}

/// The system's `write`, whose name a method has above.
private func put(_ bytes: UnsafeRawPointer?, _ count: Int, to file: Int32) -> Int { write(file, bytes, count) }
