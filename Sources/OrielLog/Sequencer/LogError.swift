package import CertificateTransparency
package import MerkleTree

/// Why a log does not start, or stopped.
package enum LogError: Error, Hashable, CustomStringConvertible {
  /// The lock knows no such log.
  case notCreated(origin: String)
  case alreadyCreated(origin: String)
  /// A checkpoint that can't be read, or was not signed by this log's key.
  case badCheckpoint(place: String, reason: String)
  /// The directory publishes a later head than the lock holds.
  case directoryAhead(lock: UInt64, lockTime: Timestamp, directory: UInt64, directoryTime: Timestamp)
  /// Two trees of one size.
  case forked(size: UInt64, ours: SHA256Hash, theirs: SHA256Hash, where: String)
  /// The tree in the lock is in the directory neither published nor staged.
  case directoryBehind(lock: UInt64, directory: UInt64?, reason: String)
  /// The public knows a later head than lock and directory.
  case behindPublic(size: UInt64, known: UInt64, knownTime: Timestamp)
  /// The anchor holds a later head than lock and directory, or one of another tree, or can't be read.
  case anchor(reason: String)
  /// A file is missing, or not what it should be.
  case damaged(path: String, reason: String)
  /// The clock is not past the last head.
  case clockBehind(now: Timestamp, last: Timestamp)
  /// The time of day moved against the steady clock.
  case clockStepped(bySeconds: Int64)

  /// Whether it says that others have seen a tree that this one does not go on from.
  var isFork: Bool {
    switch self {
    case .forked, .behindPublic: true
    default: false
    }
  }

  var isBadCheckpoint: Bool { if case .badCheckpoint = self { true } else { false } }

  package var description: String {
    switch self {
    case .notCreated(let origin):
      "the lock has no log \(origin) with this key: create it first, or give the lock that it was created in"
    case .alreadyCreated(let origin): "\(origin) exists already: a log is created once in its life"
    case .badCheckpoint(let place, let reason): "the checkpoint in the \(place) is not this log's: \(reason)"
    case .directoryAhead(let lock, let lockTime, let directory, let directoryTime):
      """
      the directory publishes \(directory) entries as of \(directoryTime), the lock only \(lock) as of \(lockTime): \
      this is not the lock that the log was run with, or it was restored from a backup. To go on would fork the log
      """
    case .forked(let size, let ours, let theirs, let place):
      "two trees of \(size) entries: the lock has root \(ours), the \(place) has \(theirs)"
    case .directoryBehind(let lock, let directory, let reason):
      """
      the lock has \(lock) entries, the directory \(directory.map { "publishes \($0)" } ?? "publishes none") and has \
      not staged the rest (\(reason)): it is another directory, or was restored from a backup
      """
    case .behindPublic(let size, let known, let time):
      """
      the public knows \(known) entries as of \(time), lock and directory only \(size): both were restored from a \
      backup. To go on would fork the log
      """
    case .anchor(let reason): reason
    case .damaged(let path, let reason): "\(path): \(reason)"
    case .clockBehind(let now, let last): "the clock shows \(now), but the last tree head is of \(last)"
    case .clockStepped(let seconds): "the clock was moved by \(seconds) seconds while the log ran"
    }
  }
}
