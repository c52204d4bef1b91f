import Foundation
import MerkleTree

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a ``Run``: it is there whole, under its own name, or not at all.
struct RunWriter: ~Copyable {
  private let file: Int32
  private let passing: String
  private let width: KeyWidth
  private let isResting: Bool
  /// Whole blocks, and the beginning of the next.
  private var bytes: [UInt8] = []
  private var fences: [UInt64] = []
  private var count = 0

  /// So many bytes are written and synced at a time: were it all synced at the end, everybody else's syncs would wait.
  private static let pieceByteCount = 1 << 22

  init(_ passing: String, _ width: KeyWidth, isResting: Bool) throws {
    file = open(passing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    (self.passing, self.width, self.isResting) = (passing, width, isResting)
    guard file >= 0 else { throw BlobError.refused("create", passing) }
    bytes.reserveCapacity(RunWriter.pieceByteCount)
  }

  deinit {
    close(file)
    // Where it was finished, it has another name.
    unlink(passing)
  }

  /// Adds a record; each is after the one before.
  mutating func append(_ record: RunRecord) throws {
    if count % Run.recordsPerBlock(width) == 0 {
      fillBlock()
      if bytes.count >= RunWriter.pieceByteCount { try write() }
      fences.append(record.key.leadingWord)
    }
    width.append(record, to: &bytes)
    count += 1
  }

  private mutating func fillBlock() {
    let rest = bytes.count % Run.blockByteCount
    if rest > 0 { bytes.append(contentsOf: repeatElement(0, count: Run.blockByteCount - rest)) }
  }

  /// Gives the file its name; it outlasts a loss of power once the folder is synced.
  mutating func finish(_ path: String, entries: Range<UInt64>) throws {
    fillBlock()
    try write()
    for number in fences + [UInt64(count), entries.lowerBound, entries.upperBound] {
      for shift in (0..<8).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(shift)))) }
    }
    bytes += SHA256Hash.hash(bytes).bytes
    try write()
    guard rename(passing, path) == 0 else { throw BlobError.refused("rename", passing) }
  }

  private mutating func write() throws {
    let begin = ContinuousClock.now
    try DirectoryStore.writeAll(bytes, to: file, passing)
    // Never tried again: after a failed sync the kernel may report success for pages that it dropped.
    guard fsync(file) == 0 else { throw BlobError.refused("sync", passing) }
    bytes.removeAll(keepingCapacity: true)
    if isResting { usleep(UInt32(clamping: Int((ContinuousClock.now - begin) / .microseconds(1)))) }
  }
}
