/// The way from a subtree up to the root of a tree that contains it: what inclusion proofs (the subtree is one leaf),
/// consistency proofs (it is the older tree) and subtree proofs have in common.
///
/// It follows the recursive definitions of RFC 6962, sections 2.1.1 and 2.1.2, and fixes how many hashes a proof has.
struct ProofPath {
  enum Side {
    /// The sibling lies behind the subtree.
    case after
    /// The sibling lies before the subtree.
    case before
    /// The sibling is a part of the subtree that lies before the node climbed from.
    case within
  }

  /// The siblings, from the bottom up.
  private let steps: [(sibling: Range<UInt64>, side: Side)]
  /// The node of the tree that the path starts at: the subtree, or its right end where the whole is no node of the tree.
  private let foot: Range<UInt64>
  private let startsAtSubtree: Bool

  /// - Precondition: the subtree has leaves, all of them within the tree.
  init(from subtree: Subtree, toTreeOf treeSize: UInt64) {
    var steps: [(Range<UInt64>, Side)] = []
    var (lower, upper, start) = (UInt64(0), treeSize, subtree.start)
    while lower != start || upper != subtree.end {
      let middle = lower + ProofPath.split(upper - lower)
      if subtree.end <= middle {
        steps.append((middle..<upper, .after))
        upper = middle
      } else if middle <= start {
        steps.append((lower..<middle, .before))
        lower = middle
      } else {
        // The subtree reaches over the middle, so it begins where this node does.
        steps.append((lower..<middle, .within))
        (lower, start) = (middle, middle)
      }
    }
    self.steps = steps.reversed()
    foot = lower..<upper
    startsAtSubtree = start == subtree.start
  }

  /// The number of hashes in a proof.
  var length: Int { steps.count + (startsAtSubtree ? 0 : 1) }

  /// Computes what the hashes of a proof lead to.
  ///
  /// - Returns: the hash of the subtree (`known` itself where the proof cannot tell) and the root of the tree.
  /// - Throws: ``ProofError/wrongLength(expected:found:)``.
  func climb(
    from known: SHA256Hash, _ hashes: [SHA256Hash]
  ) throws(ProofError) -> (subtree: SHA256Hash, root: SHA256Hash) {
    guard hashes.count == length else { throw .wrongLength(expected: length, found: hashes.count) }
    var path = hashes[...]
    var root = startsAtSubtree ? known : path.removeFirst()
    var subtree = root
    for (step, hash) in zip(steps, path) {
      switch step.side {
      case .after: root = TreeHasher.nodeHash(root, hash)
      case .before: root = TreeHasher.nodeHash(hash, root)
      case .within:
        root = TreeHasher.nodeHash(hash, root)
        subtree = TreeHasher.nodeHash(hash, subtree)
      }
    }
    return (subtree, root)
  }

  /// The hashes of the proof.
  func hashes<Failure: Error>(from hashes: SubtreeHashes<Failure>) throws(Failure) -> [SHA256Hash] {
    var path: [SHA256Hash] = []
    if !startsAtSubtree { path.append(try ProofPath.root(of: foot, from: hashes)) }
    for step in steps { path.append(try ProofPath.root(of: step.sibling, from: hashes)) }
    return path
  }

  /// The root over a node of the tree; one at the right edge is put together from the complete subtrees in it.
  private static func root<Failure: Error>(
    of range: Range<UInt64>, from hashes: SubtreeHashes<Failure>
  ) throws(Failure) -> SHA256Hash {
    var parts: [SHA256Hash] = []
    var position = range.lowerBound
    while position < range.upperBound {
      let level = 63 - (range.upperBound - position).leadingZeroBitCount
      parts.append(try hashes(level, position >> UInt64(level)))
      position += 1 << UInt64(level)
    }
    return TreeHasher.root(ofParts: parts)
  }

  /// The largest power of two below `size`, which is at least 2.
  private static func split(_ size: UInt64) -> UInt64 { 1 << UInt64(63 - (size - 1).leadingZeroBitCount) }
}
