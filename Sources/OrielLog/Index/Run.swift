import Foundation
import MerkleTree

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file of records in order, that never changes.
///
/// Blocks of 4096 bytes hold as many records as fit, then zeros. After them come the first eight bytes of each block's
/// first key; the numbers of records, of entries before the run and of entries at its end (eight bytes each); and the
/// SHA-256 of all that follows the blocks.
final class Run: Sendable {
  static let blockByteCount = 4096
  /// Three numbers and a hash.
  static let trailerByteCount = 3 * 8 + SHA256Hash.byteCount

  /// The entries whose keys are here.
  let entries: Range<UInt64>
  let count: Int
  let path: String
  private let width: KeyWidth
  private let file: Int32
  /// The beginning of each block's first key.
  private let fences: [UInt64]

  /// - Returns: nil if it is not all there.
  /// - Throws: ``BlobError`` if that can't be told.
  static func load(_ path: String, _ width: KeyWidth) throws -> Run? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw BlobError.refused("open", path) }
    do {
      if let ending = try ending(of: file, width, path) { return Run(path, width, file, ending) }
    } catch {
      close(file)
      throw error
    }
    close(file)
    return nil
  }

  private init(_ path: String, _ width: KeyWidth, _ file: Int32, _ ending: Ending) {
    (self.path, self.width, self.file) = (path, width, file)
    (entries, count, fences) = (ending.entries, ending.count, ending.fences)
  }

  deinit { close(file) }

  static func recordsPerBlock(_ width: KeyWidth) -> Int { blockByteCount / width.recordByteCount }

  private typealias Ending = (entries: Range<UInt64>, count: Int, fences: [UInt64])

  private static func ending(of file: Int32, _ width: KeyWidth, _ path: String) throws -> Ending? {
    var facts = stat()
    guard fstat(file, &facts) == 0 else { throw BlobError.refused("read", path) }
    let blocks = (Int(facts.st_size) - trailerByteCount) / (blockByteCount + 8)
    guard blocks >= 0, Int(facts.st_size) == blocks * (blockByteCount + 8) + trailerByteCount
    else { return nil }
    let bytes = try read(file, at: blocks * blockByteCount, count: blocks * 8 + trailerByteCount)
    let numbers = (0..<(blocks + 3)).map { place in
      bytes[(place * 8)..<(place * 8 + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    let (start, end) = (numbers[blocks + 1], numbers[blocks + 2])
    guard
      SHA256Hash.hash(Array(bytes.dropLast(SHA256Hash.byteCount))) == SHA256Hash(bytes.suffix(SHA256Hash.byteCount)),
      let count = Int(exactly: numbers[blocks]), start < end,
      blocks == count / recordsPerBlock(width) + (count % recordsPerBlock(width) == 0 ? 0 : 1)
    else { return nil }
    return (start..<end, count, Array(numbers.prefix(blocks)))
  }

  private static func read(_ file: Int32, at offset: Int, count: Int) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let part = pread(file, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
        if part < 0, errno == EINTR { continue }
        if part <= 0 { failure = part < 0 ? errno : EIO }
        guard part > 0 else { break }
        filled += part
      }
    }
    guard bytes.count == count else { throw BlobError.refused("read", "index", code: failure) }
    return bytes
  }

  var blockCount: Int { fences.count }

  /// The records of some blocks.
  func records(_ blocks: Range<Int>) throws -> [RunRecord] {
    let bytes = try Run.read(
      file, at: blocks.lowerBound * Run.blockByteCount, count: blocks.count * Run.blockByteCount)
    let perBlock = Run.recordsPerBlock(width)
    let last = min(blocks.upperBound * perBlock, count)
    return ((blocks.lowerBound * perBlock)..<max(last, blocks.lowerBound * perBlock)).map { number in
      let block = number / perBlock - blocks.lowerBound
      return width.record(
        bytes.span, at: block * Run.blockByteCount + number % perBlock * width.recordByteCount)
    }
  }

  /// The indexes of the entries with a key, in order.
  func find(_ key: SHA256Hash) throws -> [UInt64] {
    let (key, word) = (width.kept(key), key.leadingWord)
    var found: [UInt64] = []
    // Equal keys may begin at the end of the block before.
    for number in max(0, firstFence(notBelow: word) - 1)..<blockCount where fences[number] <= word {
      found += try find(key, in: number)
      guard number + 1 < blockCount, fences[number + 1] <= word else { break }
    }
    return found
  }

  private func firstFence(notBelow word: UInt64) -> Int {
    Run.first(in: 0..<fences.count) { fences[$0] >= word }
  }

  private func find(_ key: SHA256Hash, in block: Int) throws -> [UInt64] {
    let bytes = try Run.read(file, at: block * Run.blockByteCount, count: Run.blockByteCount)
    let perBlock = Run.recordsPerBlock(width)
    let held = min(perBlock, count - block * perBlock)
    func record(_ place: Int) -> RunRecord { width.record(bytes.span, at: place * width.recordByteCount) }
    let first = Run.first(in: 0..<held) { record($0).key >= key }
    return (first..<held).lazy.map(record).prefix { $0.key == key }.map(\.index)
  }

  /// The first of `range` for which `isThere` holds, as it does for all after it; the end of the range if there is none.
  private static func first(in range: Range<Int>, where isThere: (Int) -> Bool) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if isThere(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// The records of a run, one after the other.
struct RunReader {
  private let run: Run
  private var block = 0
  private var held: [RunRecord] = []
  private var place = 0
  private static let blocksAtOnce = 32

  init(_ run: Run) throws {
    self.run = run
    try fill()
  }

  /// The record that is next; nil at the end.
  var current: RunRecord? { place < held.count ? held[place] : nil }

  mutating func advance() throws {
    place += 1
    if place >= held.count { try fill() }
  }

  private mutating func fill() throws {
    let end = min(block + RunReader.blocksAtOnce, run.blockCount)
    held = try run.records(block..<end)
    (block, place) = (end, 0)
  }
}
