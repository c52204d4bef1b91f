/// Proof that one tree is the beginning of another (RFC 6962, section 2.1.2), checked as strictly as RFC 9162, section
/// 2.1.4.2 demands.
public struct ConsistencyProof: Hashable, Sendable {
  public let oldSize: UInt64
  public let newSize: UInt64
  public let hashes: [SHA256Hash]

  public init(oldSize: UInt64, newSize: UInt64, hashes: [SHA256Hash]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.hashes = hashes
  }

  /// Checks that the tree with `oldRoot` is the beginning of the tree with `newRoot`.
  ///
  /// Every tree begins with the empty one; that needs no hashes and says nothing about a newer tree that has leaves.
  public func verify(oldRoot: SHA256Hash, newRoot: SHA256Hash) throws(ProofError) {
    guard oldSize <= newSize else { throw .sizesReversed(old: oldSize, new: newSize) }
    let proof = SubtreeProof(subtree: Subtree(size: oldSize), treeSize: newSize, hashes: hashes)
    try proof.verify(subtreeHash: oldRoot, root: newRoot)
  }

  /// Makes the proof from hashes of complete subtrees of the newer tree.
  ///
  /// - Throws: ``ProofError/sizesReversed(old:new:)``, or what `hashes` throws.
  public static func make<Failure: Error>(
    oldSize: UInt64, newSize: UInt64, hashes: SubtreeHashes<Failure>
  ) throws -> ConsistencyProof {
    guard oldSize <= newSize else { throw ProofError.sizesReversed(old: oldSize, new: newSize) }
    let proof = try SubtreeProof.make(subtree: Subtree(size: oldSize), treeSize: newSize, hashes: hashes)
    return ConsistencyProof(oldSize: oldSize, newSize: newSize, hashes: proof.hashes)
  }
}
