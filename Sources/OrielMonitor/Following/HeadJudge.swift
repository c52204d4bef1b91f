import CertificateTransparency
import MerkleTree
import OrielStore

/// Compares a head with the newest one known: a log grows, and never changes its mind.
struct HeadJudge {
  enum Verdict: Equatable {
    /// Nothing new.
    case same
    /// A larger tree.
    case newer
    /// An older head: what a lagging front end or a cache serves. Kept as evidence, not held against the log.
    case stale
  }

  /// The largest head seen so far, with a signature that verified.
  var known: HeadRecord?

  /// Compares a head with the final tree head that the log lists state of a log that takes no more entries.
  ///
  /// - Throws: ``LogFault`` if the two are of one size and have different roots.
  func compare(_ head: HeadRecord, withFinal final: LogDescription.FinalTreeHead?) throws {
    guard let final, final.treeSize == head.treeSize, final.rootHash != head.root else { return }
    throw LogFault(
      .conflictingHeads, "the root of size \(head.treeSize) is not that of the final tree head in the log list",
      [(name: "head", bytes: head.signed), (name: "final root", bytes: final.rootHash.bytes)])
  }

  /// - Throws: ``LogFault`` with both heads where no honest log could have signed them.
  mutating func judge(_ head: HeadRecord) throws -> Verdict {
    guard let known else {
      self.known = head
      return .newer
    }
    let material = [(name: "head", bytes: head.signed), (name: "earlier head", bytes: known.signed)]
    if head.treeSize == known.treeSize {
      guard head.root == known.root else {
        throw LogFault(.conflictingHeads, "two heads of size \(head.treeSize) have different roots", material)
      }
      if head.timestamp > known.timestamp { self.known = head }
      return .same
    }
    if head.treeSize < known.treeSize {
      guard head.timestamp <= known.timestamp else {
        let detail = "size \(head.treeSize) at \(head.timestamp), after size \(known.treeSize) at \(known.timestamp)"
        throw LogFault(.shrinkingHead, detail, material)
      }
      return .stale
    }
    guard head.timestamp >= known.timestamp else {
      let detail = "size \(head.treeSize) is dated \(head.timestamp), the smaller \(known.treeSize) \(known.timestamp)"
      throw LogFault(.timeBackwards, detail, material)
    }
    self.known = head
    return .newer
  }
}
