package import CertificateTransparency

/// The one place that decides which tree a log has signed last.
///
/// It is kept apart from the log's directory, and never restored from a backup. All writers of a log share one.
package protocol CheckpointLock: Sendable {
  /// The signed checkpoint of a log; nil if the log was never created.
  func load(_ log: LogID) async throws -> [UInt8]?

  /// Enters a new log.
  ///
  /// - Throws: ``LockError/alreadyThere`` if there is one of this id.
  func create(_ log: LogID, _ checkpoint: [UInt8]) async throws

  /// Replaces `old` by `new`, durably, if `old` is still what is there.
  ///
  /// - Throws: ``LockError/taken`` if it is not. After any other error, the outcome is unknown.
  func replace(_ log: LogID, _ old: [UInt8], by new: [UInt8]) async throws
}

package enum LockError: Error, Hashable, CustomStringConvertible {
  case alreadyThere
  case taken

  package var description: String {
    switch self {
    case .alreadyThere: "the lock has a checkpoint of this log already"
    case .taken: "the lock holds another checkpoint than the one to replace: somebody else writes to this log"
    }
  }
}
