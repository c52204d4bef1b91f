public import Crypto

/// The hashes of RFC 6962, section 2.1: leaves and nodes are told apart by a first byte.
public enum TreeHasher {
  /// The root of the tree without leaves: SHA-256 of nothing.
  public static let emptyRoot = SHA256Hash(SHA256().finalize())

  /// SHA-256 of `00` and the leaf.
  public static func leafHash(of leaf: Span<UInt8>) -> SHA256Hash { hash(zeros: 1, then: leaf) }

  /// SHA-256 of `00` and the leaf.
  public static func leafHash(of leaf: [UInt8]) -> SHA256Hash { leafHash(of: leaf.span) }

  /// The leaf hash of a MerkleTreeLeaf (RFC 6962, section 3.4), given the TimestampedEntry in it.
  ///
  /// Version v1 and leaf type timestamped_entry are a zero byte each: with the leaf's own prefix, three zeros go first.
  public static func timestampedEntryLeafHash(_ entry: Span<UInt8>) -> SHA256Hash { hash(zeros: 3, then: entry) }

  private static func hash(zeros: Int, then bytes: Span<UInt8>) -> SHA256Hash {
    var hasher = SHA256()
    withUnsafeBytes(of: UInt32(0)) { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<zeros])) }
    bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    return SHA256Hash(hasher.finalize())
  }

  /// SHA-256 of `01` and both children.
  @inlinable
  public static func nodeHash(_ left: SHA256Hash, _ right: SHA256Hash) -> SHA256Hash {
    // One update over 65 bytes on the stack: hashing a node must not allocate here.
    withUnsafeTemporaryAllocation(byteCount: 65, alignment: 1) { scratch in
      scratch[0] = 1
      left.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: scratch[1..<33]).copyMemory(from: $0) }
      right.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: scratch[33..<65]).copyMemory(from: $0) }
      var hasher = SHA256()
      hasher.update(bufferPointer: UnsafeRawBufferPointer(scratch))
      return SHA256Hash(hasher.finalize())
    }
  }

  /// The root of the tree over `hashes`, in place: they are used up on the way.
  ///
  /// A power of two of them, aligned in the tree, gives the node above them; any other count gives the root that
  /// RFC 6962, section 2.1 defines, since a last hash without a neighbour moves up as it is.
  ///
  /// - Returns: the root; the empty root where there is no hash.
  public static func root(ofComplete hashes: inout [SHA256Hash]) -> SHA256Hash {
    var count = hashes.count
    guard count > 0 else { return emptyRoot }
    while count > 1 {
      let pairs = count / 2
      for index in 0..<pairs { hashes[index] = nodeHash(hashes[2 * index], hashes[2 * index + 1]) }
      if count % 2 == 1 { hashes[pairs] = hashes[count - 1] }
      count = pairs + count % 2
    }
    return hashes[0]
  }

  /// The root over complete subtrees, largest first, that lie side by side from the left edge of a tree on.
  static func root(ofParts parts: [SHA256Hash]) -> SHA256Hash {
    guard var root = parts.last else { return emptyRoot }
    for part in parts.dropLast().reversed() { root = nodeHash(part, root) }
    return root
  }
}
