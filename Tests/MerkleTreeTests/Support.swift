import Foundation
import MerkleTree
import TestWorld
import Testing

extension SeededGenerator {
  /// `count` elements cut into runs, some of them empty.
  mutating func cuts(of count: Int) -> [Range<Int>] {
    var ends = (0..<Int.random(in: 0...8, using: &self)).map { _ in Int.random(in: 0...count, using: &self) }
    ends = [0] + ends.sorted() + [count]
    return zip(ends, ends.dropFirst()).map { $0..<$1 }
  }
}

/// The definitions of RFC 6962, section 2.1, as they stand there: slow, and nothing in common with what they check.
struct ReferenceTree {
  let leaves: [SHA256Hash]

  init(_ leaves: [SHA256Hash]) { self.leaves = leaves }

  /// A tree of the leaves "0", "1", ...
  init(size: Int) { self.init((0..<size).map { SHA256Hash.hash([0] + Array(String($0).utf8)) }) }

  /// MTH over the leaf hashes.
  func root(_ range: Range<Int>) -> SHA256Hash {
    guard let first = range.first else { return SHA256Hash.hash([]) }
    guard range.count > 1 else { return leaves[first] }
    let (left, right) = halves(range)
    return SHA256Hash.hash([1] + root(left).bytes + root(right).bytes)
  }

  func root(_ size: Int) -> SHA256Hash { root(0..<size) }

  /// PATH(m, D[n]).
  func path(_ index: Int, _ range: Range<Int>) -> [SHA256Hash] {
    guard range.count > 1 else { return [] }
    let (left, right) = halves(range)
    return index < left.upperBound ? path(index, left) + [root(right)] : path(index, right) + [root(left)]
  }

  /// SUBTREE_SUBPROOF(start, end, D[n], b) of draft-ietf-plants-merkle-tree-certs; from 0 on, SUBPROOF of RFC 6962.
  func subproof(_ subtree: Range<Int>, in range: Range<Int>, known: Bool = true) -> [SHA256Hash] {
    if subtree == range { return known ? [] : [root(range)] }
    let (left, right) = halves(range)
    if subtree.upperBound <= left.upperBound { return subproof(subtree, in: left, known: known) + [root(right)] }
    if left.upperBound <= subtree.lowerBound { return subproof(subtree, in: right, known: known) + [root(left)] }
    return subproof(right.lowerBound..<subtree.upperBound, in: right, known: false) + [root(left)]
  }

  private func halves(_ range: Range<Int>) -> (Range<Int>, Range<Int>) {
    var half = 1
    while half * 2 < range.count { half *= 2 }
    let middle = range.lowerBound + half
    return (range.lowerBound..<middle, middle..<range.upperBound)
  }
}

/// The hashes of all complete subtrees: at `levels[k]`, those of 2^k leaves.
struct SubtreeStore {
  private(set) var levels: [[SHA256Hash]]

  init(_ leaves: [SHA256Hash]) {
    levels = [leaves]
    while let below = levels.last, below.count > 1 {
      levels.append((0..<(below.count / 2)).map { TreeHasher.nodeHash(below[2 * $0], below[2 * $0 + 1]) })
    }
  }

  struct Missing: Error {}

  func hash(_ level: Int, _ index: UInt64) throws -> SHA256Hash {
    guard level < levels.count, index < levels[level].count else { throw Missing() }
    return levels[level][Int(index)]
  }

  func tile(_ coordinate: TileCoordinate) throws -> [SHA256Hash] {
    let first = 256 * coordinate.index
    return try (first..<(first + UInt64(coordinate.width))).map { try hash(8 * coordinate.level, $0) }
  }
}

/// The verifiers of RFC 9162, sections 2.1.3.2 and 2.1.4.2, step by step: a second opinion on every proof.
enum RFC9162 {
  static func includes(_ proof: InclusionProof, leafHash: SHA256Hash, root: SHA256Hash) -> Bool {
    guard proof.leafIndex < proof.treeSize else { return false }
    var (fn, sn, r) = (proof.leafIndex, proof.treeSize - 1, leafHash)
    for p in proof.hashes {
      guard sn != 0 else { return false }
      if fn & 1 == 1 || fn == sn {
        r = SHA256Hash.hash([1] + p.bytes + r.bytes)
        while fn & 1 == 0, fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        r = SHA256Hash.hash([1] + r.bytes + p.bytes)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return sn == 0 && r == root
  }

  /// For 0 < oldSize < newSize, the only case that the algorithm is defined for.
  static func isConsistent(_ proof: ConsistencyProof, oldRoot: SHA256Hash, newRoot: SHA256Hash) -> Bool {
    guard !proof.hashes.isEmpty else { return false }
    let path = (proof.oldSize.nonzeroBitCount == 1 ? [oldRoot] : []) + proof.hashes
    var (fn, sn) = (proof.oldSize - 1, proof.newSize - 1)
    while fn & 1 == 1 { (fn, sn) = (fn >> 1, sn >> 1) }
    var (fr, sr) = (path[0], path[0])
    for c in path.dropFirst() {
      guard sn != 0 else { return false }
      if fn & 1 == 1 || fn == sn {
        fr = SHA256Hash.hash([1] + c.bytes + fr.bytes)
        sr = SHA256Hash.hash([1] + c.bytes + sr.bytes)
        while fn & 1 == 0, fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        sr = SHA256Hash.hash([1] + sr.bytes + c.bytes)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return fr == oldRoot && sr == newRoot && sn == 0
  }
}

extension SHA256Hash {
  init(base64: String) throws {
    let data = try #require(Data(base64Encoded: base64))
    self = try #require(SHA256Hash(data))
  }
}

/// Whether a check passes.
func holds(_ check: () throws(ProofError) -> Void) -> Bool {
  do {
    try check()
    return true
  } catch {
    return false
  }
}

/// Proofs with one hash changed, lost, added or moved: none of them may pass where `hashes` does.
func spoilt(_ hashes: [SHA256Hash], seed: UInt64) -> [[SHA256Hash]] {
  var generator = SeededGenerator(seed: seed)
  var variants = [hashes + [.zero], [.zero] + hashes]
  if let last = hashes.last { variants += [hashes.dropLast(), Array(hashes.dropFirst()), hashes + [last]] }
  if hashes.count > 1 { variants.append(hashes.reversed()) }
  for index in hashes.indices {
    var bytes = hashes[index].bytes
    bytes[Int.random(in: 0..<32, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    var variant = hashes
    variant[index] = SHA256Hash(bytes) ?? .zero
    variants.append(variant)
  }
  return variants
}
