package import MerkleTree

/// A Merkle tree that remembers everything, its proofs written straight from RFC 6962, section 2.1.
package struct TestTree: Sendable {
  /// The hashes of all complete subtrees: at `levels[k]`, those of 2^k leaves.
  private var levels: [[SHA256Hash]] = [[]]

  package init() {}

  package var size: Int { levels[0].count }
  package var leafHashes: [SHA256Hash] { levels[0] }

  package mutating func append(_ leafHash: SHA256Hash) {
    levels[0].append(leafHash)
    var level = 0
    while levels[level].count % 2 == 0 {
      let pair = levels[level].suffix(2)
      if levels.count == level + 1 { levels.append([]) }
      levels[level + 1].append(TreeHasher.nodeHash(pair[pair.startIndex], pair[pair.startIndex + 1]))
      level += 1
    }
  }

  /// MTH of the first `size` leaves.
  package func root(_ size: Int) -> SHA256Hash { hash(0..<size) }

  /// MTH(D[range]); the range starts at a multiple of the power of two that covers it.
  package func hash(_ range: Range<Int>) -> SHA256Hash {
    guard !range.isEmpty else { return SHA256Hash.hash([]) }
    if range.count.nonzeroBitCount == 1 {
      let level = range.count.trailingZeroBitCount
      return levels[level][range.lowerBound >> level]
    }
    let middle = TestTree.split(range)
    return TreeHasher.nodeHash(hash(range.lowerBound..<middle), hash(middle..<range.upperBound))
  }

  /// Where a subtree of more than one leaf divides: after the largest power of two below its size.
  private static func split(_ range: Range<Int>) -> Int {
    range.lowerBound + 1 << (Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount)
  }

  /// PATH(m, D[range]).
  package func inclusionProof(_ index: Int, in range: Range<Int>) -> [SHA256Hash] {
    guard range.count > 1 else { return [] }
    let middle = TestTree.split(range)
    let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
    return index < middle
      ? inclusionProof(index, in: left) + [hash(right)] : inclusionProof(index, in: right) + [hash(left)]
  }

  /// PROOF(m, D[n]); nothing from or to an empty tree.
  package func consistencyProof(from first: Int, to second: Int) -> [SHA256Hash] {
    0 < first && first < second ? subproof(first, 0..<second, known: true) : []
  }

  private func subproof(_ end: Int, _ range: Range<Int>, known: Bool) -> [SHA256Hash] {
    if end == range.upperBound { return known ? [] : [hash(range)] }
    let middle = TestTree.split(range)
    let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
    return end <= middle
      ? subproof(end, left, known: known) + [hash(right)] : subproof(end, right, known: false) + [hash(left)]
  }

  /// The bytes of a hash tile: those of the first `width` hashes (256 for a full one) at a level counted in eights.
  func tile(level: Int, index: Int, width: Int) -> [UInt8] {
    levels[8 * level][(256 * index)..<(256 * index + width)].flatMap(\.bytes)
  }
}
