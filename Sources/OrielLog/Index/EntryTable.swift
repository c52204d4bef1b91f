package import MerkleTree

/// The entries of a log by a hash, such as ``PendingEntry/key`` or that of the leaf.
///
/// It is a hint, and may be lost: what it says is compared with the log's own entries before anybody believes it.
package protocol EntryTable: Sendable {
  /// The number of entries, from the first, that are all there.
  func coveredSize() async throws -> UInt64
  /// Forgets entries, where it has more than `size`: of a log that was restored from a backup they are not there.
  func forget(after size: UInt64) async throws
  /// The indexes, smallest first, of entries that may have one of `keys`; those of which there are none are left out.
  func find(_ keys: [SHA256Hash]) async throws -> [SHA256Hash: [UInt64]]
  /// Adds the entries between ``coveredSize()`` and `size`. One call at a time.
  ///
  /// - Parameters:
  ///   - size: what ``coveredSize()`` is from now on.
  ///   - resting: whether to leave time to others who write to the same disk; where nobody does, it is not needed.
  func insert(_ entries: [SHA256Hash: UInt64], covering size: UInt64, resting: Bool) async throws
}
