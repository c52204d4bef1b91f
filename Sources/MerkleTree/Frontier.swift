/// The compact range over the leaves `start..<end`: the roots of the largest complete subtrees that cover it, left to right.
///
/// From leaf 0 on it is all that is needed to append to a tree and to know its root. Ranges that meet can be merged, so
/// that batches are hashed side by side and put together in order.
public struct Frontier: Hashable, Sendable {
  /// No tree has more leaves.
  public static let maximumSize = UInt64(Int64.max)

  public let start: UInt64
  public private(set) var end: UInt64
  /// The subtree roots, left to right.
  public private(set) var hashes: [SHA256Hash]

  /// The empty tree.
  public init() { self.init(start: 0) }

  /// The empty range at `start`.
  public init(start: UInt64) {
    self.start = start
    end = start
    hashes = []
  }

  /// The tree of `size` leaves whose complete subtrees have these roots, largest first.
  ///
  /// - Throws: ``TreeError/tooLarge(_:)``, ``TreeError/wrongCount(expected:found:)``.
  public init(size: UInt64, hashes: [SHA256Hash]) throws(TreeError) {
    guard size <= Frontier.maximumSize else { throw .tooLarge(size) }
    guard hashes.count == size.nonzeroBitCount else {
      throw .wrongCount(expected: size.nonzeroBitCount, found: hashes.count)
    }
    start = 0
    end = size
    self.hashes = hashes
  }

  /// The number of leaves.
  public var count: UInt64 { end - start }

  /// The level of each hash: a subtree of level n covers 2^n leaves.
  public var levels: [Int] {
    var levels: [Int] = []
    var position = start
    while position < end {
      // The largest subtree that may begin here and does not reach beyond the end.
      let level = min(position.trailingZeroBitCount, 63 - (end - position).leadingZeroBitCount)
      levels.append(level)
      position += 1 << UInt64(level)
    }
    return levels
  }

  /// The root of the tree over all leaves (RFC 6962, section 2.1).
  ///
  /// - Throws: ``TreeError/noRoot(start:)`` unless the range begins at leaf 0.
  public func root() throws(TreeError) -> SHA256Hash {
    guard start == 0 else { throw .noRoot(start: start) }
    return TreeHasher.root(ofParts: hashes)
  }
}

extension Frontier {
  /// Appends one leaf hash.
  ///
  /// - Throws: ``TreeError/tooLarge(_:)``.
  public mutating func append(_ leafHash: SHA256Hash) throws(TreeError) { try append(subtree: leafHash, level: 0) }

  /// Appends the root of a complete subtree of 2^level leaves, which must begin at a multiple of its size.
  ///
  /// - Throws: ``TreeError/misaligned(level:at:)``, ``TreeError/tooLarge(_:)``; the range is then as it was.
  public mutating func append(subtree: SHA256Hash, level: Int) throws(TreeError) {
    guard (0...62).contains(level), end & ((1 << UInt64(level)) - 1) == 0 else {
      throw .misaligned(level: level, at: end)
    }
    try checkRoom(for: 1 << UInt64(level))
    var (hash, level) = (subtree, level)
    // A right child joins its left sibling, as long as that lies within the range.
    while end >> UInt64(level) & 1 == 1, end - (1 << UInt64(level)) >= start, let left = hashes.popLast() {
      hash = TreeHasher.nodeHash(left, hash)
      end -= 1 << UInt64(level)
      level += 1
    }
    hashes.append(hash)
    end += 1 << UInt64(level)
  }

  /// Appends leaf hashes; aligned runs are folded in place.
  ///
  /// - Throws: ``TreeError/tooLarge(_:)``; the range is then as it was.
  public mutating func append(leaves: [SHA256Hash]) throws(TreeError) {
    try checkRoom(for: UInt64(leaves.count))
    var rest = leaves[...]
    while !rest.isEmpty {
      let level = min(end.trailingZeroBitCount, Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
      // Too short a run is not worth the copy that folding it needs.
      guard level > 2 else {
        try append(rest.removeFirst())
        continue
      }
      var run = Array(rest.prefix(1 << level))
      rest = rest.dropFirst(1 << level)
      try append(subtree: TreeHasher.root(ofComplete: &run), level: level)
    }
  }

  /// Appends a range that starts where this one ends.
  ///
  /// - Throws: ``TreeError/apart(end:start:)``; the range is then as it was.
  public mutating func merge(_ next: Frontier) throws(TreeError) {
    guard next.start == end else { throw .apart(end: end, start: next.start) }
    for (hash, level) in zip(next.hashes, next.levels) { try append(subtree: hash, level: level) }
  }

  private func checkRoom(for leaves: UInt64) throws(TreeError) {
    guard end <= Frontier.maximumSize, leaves <= Frontier.maximumSize - end else {
      throw .tooLarge(end.addingReportingOverflow(leaves).overflow ? .max : end + leaves)
    }
  }
}

extension Frontier {
  /// Start, end (eight bytes each, big-endian) and hashes, for keeping.
  public var encoded: [UInt8] {
    let ends = [start, end].flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
    return ends + hashes.flatMap(\.bytes)
  }

  /// Reads what ``encoded`` gave.
  ///
  /// - Throws: ``TreeError/malformed(_:)``, ``TreeError/tooLarge(_:)``, ``TreeError/wrongCount(expected:found:)``.
  public init(encoded bytes: [UInt8]) throws(TreeError) {
    guard bytes.count % SHA256Hash.byteCount == 16 else { throw .malformed("\(bytes.count) bytes are no frontier") }
    let number = { (range: Range<Int>) in bytes[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    start = number(0..<8)
    end = number(8..<16)
    hashes = stride(from: 16, to: bytes.count, by: SHA256Hash.byteCount).map {
      SHA256Hash(copying: bytes.span, at: $0)
    }
    guard start <= end else { throw .malformed("a frontier cannot start at leaf \(start) and end at \(end)") }
    guard end <= Frontier.maximumSize else { throw .tooLarge(end) }
    let expected = levels.count
    guard expected == hashes.count else { throw .wrongCount(expected: expected, found: hashes.count) }
  }
}
