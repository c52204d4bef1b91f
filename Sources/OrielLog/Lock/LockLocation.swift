import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the file of a lock is: on which machine and file system, which file, under which path.
///
/// A copy differs in one of them; a snapshot of the whole machine that is restored in its place does not.
package struct LockLocation: Hashable, Sendable {
  package var machine: String
  package var device: UInt64
  package var inode: UInt64
  package var path: String

  package init(machine: String, device: UInt64, inode: UInt64, path: String) {
    (self.machine, self.device, self.inode, self.path) = (machine, device, inode, path)
  }

  /// - Throws: ``BlobError`` for a file that can't be found.
  init(of file: String) throws {
    var facts = stat()
    guard stat(file, &facts) == 0 else { throw BlobError.refused("find", file) }
    self.init(
      machine: LockLocation.machineID, device: UInt64(truncatingIfNeeded: facts.st_dev),
      inode: UInt64(facts.st_ino),
      path: URL(filePath: file).resolvingSymlinksInPath().path)
  }

  /// The machine's own number (machine-id(5)); empty where it has none.
  private static var machineID: String {
    let data = FileManager.default.contents(atPath: "/etc/machine-id") ?? Data()
    return String(decoding: data.prefix(64), as: UTF8.self).filter { $0.isLetter || $0.isNumber }
  }

  /// In what it differs from where the file was, in words; empty where it is the same file.
  ///
  /// The number of a device alone says nothing: devices are numbered anew at each boot.
  func differences(from known: LockLocation) -> String {
    guard (machine, inode, path) != (known.machine, known.inode, known.path) else { return "" }
    var differences: [String] = []
    if machine != known.machine { differences.append("machine-id \(known.machine), now \(machine)") }
    if device != known.device { differences.append("device \(known.device), now \(device)") }
    if inode != known.inode { differences.append("inode \(known.inode), now \(inode)") }
    if path != known.path { differences.append("path \(known.path), now \(path)") }
    return differences.joined(separator: "; ")
  }
}
