package import CertificateTransparency
package import MerkleTree

/// Where an entry is in its log.
package struct LogPlace: Hashable, Sendable {
  package let index: UInt64
  package let timestamp: Timestamp

  package init(index: UInt64, timestamp: Timestamp) {
    self.index = index
    self.timestamp = timestamp
  }
}

/// Which submissions are in the log already, by ``PendingEntry/key``.
///
/// It is a hint, and may be lost: what it says is compared with the log's own entries before anybody believes it.
package protocol DeduplicationTable: Sendable {
  /// The number of entries, from the first, whose keys are all there.
  func coveredSize() async throws -> UInt64
  /// The places of those of `keys` that are there.
  func find(_ keys: [SHA256Hash]) async throws -> [SHA256Hash: LogPlace]
  /// Adds places; the first of a key stays.
  ///
  /// - Parameters:
  ///   - size: what ``coveredSize()`` is from now on.
  ///   - resting: whether to leave time to others who use the same storage; where nobody does, it is not needed.
  func insert(_ places: [SHA256Hash: LogPlace], covering size: UInt64, resting: Bool) async throws
}
