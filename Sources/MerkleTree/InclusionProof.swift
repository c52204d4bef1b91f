/// Proof that a leaf is in a tree (RFC 6962, section 2.1.1), checked as strictly as RFC 9162, section 2.1.3.2 demands: a
/// proof with a hash too many is as wrong as one with a hash too few.
public struct InclusionProof: Hashable, Sendable {
  public let leafIndex: UInt64
  public let treeSize: UInt64
  /// From the leaf up.
  public let hashes: [SHA256Hash]

  public init(leafIndex: UInt64, treeSize: UInt64, hashes: [SHA256Hash]) {
    self.leafIndex = leafIndex
    self.treeSize = treeSize
    self.hashes = hashes
  }

  /// The root that the proof leads to.
  ///
  /// - Throws: ``ProofError`` where no tree of this size has such a proof.
  public func root(leafHash: SHA256Hash) throws(ProofError) -> SHA256Hash {
    try InclusionProof.path(leafIndex, treeSize).climb(from: leafHash, hashes).root
  }

  /// Checks that the leaf is in the tree with this root.
  public func verify(leafHash: SHA256Hash, root expected: SHA256Hash) throws(ProofError) {
    let computed = try root(leafHash: leafHash)
    guard computed == expected else { throw .rootMismatch(computed: computed, expected: expected) }
  }

  /// The frontier of the whole tree, which the proof of its last leaf contains. Compare its root before believing it.
  ///
  /// - Throws: ``ProofError`` for any other leaf, a proof of the wrong length, or a tree beyond ``Frontier/maximumSize``.
  public func frontier(leafHash: SHA256Hash) throws(ProofError) -> Frontier {
    guard leafIndex < treeSize else { throw .indexBeyondSize(index: leafIndex, size: treeSize) }
    guard leafIndex == treeSize - 1 else { throw .notTheLastLeaf(index: leafIndex, size: treeSize) }
    // Every sibling on the way up from the last leaf is a complete subtree to its left.
    let expected = leafIndex.nonzeroBitCount
    guard hashes.count == expected else { throw .wrongLength(expected: expected, found: hashes.count) }
    do {
      var frontier = try Frontier(size: leafIndex, hashes: hashes.reversed())
      try frontier.append(leafHash)
      return frontier
    } catch {
      throw .treeTooLarge(size: treeSize)
    }
  }

  /// Makes the proof from hashes of complete subtrees.
  ///
  /// - Throws: ``ProofError/indexBeyondSize(index:size:)``, or what `hashes` throws.
  public static func make<Failure: Error>(
    leafIndex: UInt64, treeSize: UInt64, hashes: SubtreeHashes<Failure>
  ) throws -> InclusionProof {
    let path = try path(leafIndex, treeSize).hashes(from: hashes)
    return InclusionProof(leafIndex: leafIndex, treeSize: treeSize, hashes: path)
  }

  private static func path(_ leafIndex: UInt64, _ treeSize: UInt64) throws(ProofError) -> ProofPath {
    guard leafIndex < treeSize, let leaf = Subtree(leaf: leafIndex) else {
      throw .indexBeyondSize(index: leafIndex, size: treeSize)
    }
    return ProofPath(from: leaf, toTreeOf: treeSize)
  }
}
