/// Why a proof does not prove what it is meant to.
public enum ProofError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The leaf lies beyond the tree.
  case indexBeyondSize(index: UInt64, size: UInt64)
  /// The older tree is larger than the newer one.
  case sizesReversed(old: UInt64, new: UInt64)
  /// A proof for these sizes has another number of hashes.
  case wrongLength(expected: Int, found: Int)
  /// The hashes lead to another root of the (newer) tree than the one given.
  case rootMismatch(computed: SHA256Hash, expected: SHA256Hash)
  /// The hashes lead to another root of the older tree, or of the subtree, than the one given.
  case subtreeMismatch(computed: SHA256Hash, expected: SHA256Hash)
  /// Only the proof of the last leaf shows the right edge of a tree.
  case notTheLastLeaf(index: UInt64, size: UInt64)
  /// These leaves are no subtree of any tree.
  case notASubtree(start: UInt64, end: UInt64)
  /// The leaf is not in the subtree.
  case outsideSubtree(index: UInt64, start: UInt64, end: UInt64)
  /// A tree of this size can be proved about but not followed: see ``Frontier/maximumSize``.
  case treeTooLarge(size: UInt64)

  public var description: String {
    switch self {
    case .indexBeyondSize(let index, let size): "a tree of \(size) leaves has no leaf \(index)"
    case .sizesReversed(let old, let new): "the older tree has \(old) leaves, the newer one only \(new)"
    case .wrongLength(let expected, let found): "a proof of \(expected) hashes was expected, it has \(found)"
    case .rootMismatch(let computed, let expected): "the proof leads to the root \(computed), expected \(expected)"
    case .subtreeMismatch(let computed, let expected):
      "the proof leads to \(computed) for the older tree or subtree, expected \(expected)"
    case .notTheLastLeaf(let index, let size): "leaf \(index) is not the last of a tree of \(size) leaves"
    case .notASubtree(let start, let end): "the leaves \(start)..<\(end) are no subtree"
    case .outsideSubtree(let index, let start, let end): "leaf \(index) is not in the subtree \(start)..<\(end)"
    case .treeTooLarge(let size): "a tree of \(size) leaves is too large to be followed"
    }
  }
}
