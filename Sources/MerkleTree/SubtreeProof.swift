/// A run of leaves that can be a node of a tree: it begins at a multiple of the least power of two that is not below its
/// length (draft-ietf-plants-merkle-tree-certs, "Subtrees"). One leaf and a whole tree are subtrees; so is no leaf at all.
public struct Subtree: Hashable, Sendable {
  public let start: UInt64
  public let end: UInt64

  /// - Throws: ``ProofError/notASubtree(start:end:)``.
  public init(start: UInt64, end: UInt64) throws(ProofError) {
    guard start <= end, start & Subtree.mask(end - start) == 0 else { throw .notASubtree(start: start, end: end) }
    self.start = start
    self.end = end
  }

  /// The tree of the first `size` leaves.
  init(size: UInt64) { (start, end) = (0, size) }

  /// One leaf; nil for the one that no tree can have.
  init?(leaf index: UInt64) {
    guard index < .max else { return nil }
    (start, end) = (index, index + 1)
  }

  private static func mask(_ length: UInt64) -> UInt64 {
    length < 2 ? 0 : UInt64.max >> UInt64((length - 1).leadingZeroBitCount)
  }

  public var isEmpty: Bool { start == end }

  /// Checks that a leaf, by its number in the whole tree, is in the subtree with this root.
  public func verifyInclusion(
    of leafHash: SHA256Hash, at index: UInt64, hashes: [SHA256Hash], root: SHA256Hash
  ) throws(ProofError) {
    guard start <= index, index < end else { throw .outsideSubtree(index: index, start: start, end: end) }
    let proof = InclusionProof(leafIndex: index - start, treeSize: end - start, hashes: hashes)
    try proof.verify(leafHash: leafHash, root: root)
  }
}

/// Proof that a subtree is part of a tree (draft-ietf-plants-merkle-tree-certs, "Subtree Consistency Proofs").
public struct SubtreeProof: Hashable, Sendable {
  public let subtree: Subtree
  public let treeSize: UInt64
  public let hashes: [SHA256Hash]

  public init(subtree: Subtree, treeSize: UInt64, hashes: [SHA256Hash]) {
    self.subtree = subtree
    self.treeSize = treeSize
    self.hashes = hashes
  }

  /// Checks that the subtree with `subtreeHash` is part of the tree with `root`.
  ///
  /// Every tree contains the empty one; that needs no hashes and says nothing about a `root` that is not empty itself.
  public func verify(subtreeHash: SHA256Hash, root: SHA256Hash) throws(ProofError) {
    guard subtree.end <= treeSize else { throw .indexBeyondSize(index: subtree.end - 1, size: treeSize) }
    guard !subtree.isEmpty else { return try verifyEmpty(subtreeHash, root) }
    let path = ProofPath(from: subtree, toTreeOf: treeSize)
    let computed = try path.climb(from: subtreeHash, hashes)
    guard computed.subtree == subtreeHash else {
      throw .subtreeMismatch(computed: computed.subtree, expected: subtreeHash)
    }
    guard computed.root == root else { throw .rootMismatch(computed: computed.root, expected: root) }
  }

  private func verifyEmpty(_ subtreeHash: SHA256Hash, _ root: SHA256Hash) throws(ProofError) {
    let empty = TreeHasher.emptyRoot
    guard hashes.isEmpty else { throw .wrongLength(expected: 0, found: hashes.count) }
    guard subtreeHash == empty else { throw .subtreeMismatch(computed: empty, expected: subtreeHash) }
    guard treeSize > 0 || root == empty else { throw .rootMismatch(computed: empty, expected: root) }
  }

  /// Makes the proof from hashes of complete subtrees of the tree.
  ///
  /// - Throws: ``ProofError/indexBeyondSize(index:size:)``, or what `hashes` throws.
  public static func make<Failure: Error>(
    subtree: Subtree, treeSize: UInt64, hashes: SubtreeHashes<Failure>
  ) throws -> SubtreeProof {
    guard subtree.end <= treeSize else { throw ProofError.indexBeyondSize(index: subtree.end - 1, size: treeSize) }
    let path = subtree.isEmpty ? [] : try ProofPath(from: subtree, toTreeOf: treeSize).hashes(from: hashes)
    return SubtreeProof(subtree: subtree, treeSize: treeSize, hashes: path)
  }
}
