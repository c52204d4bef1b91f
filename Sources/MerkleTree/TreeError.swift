/// Why hashes do not make a tree.
public enum TreeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A subtree was appended where none of its size can begin.
  case misaligned(level: Int, at: UInt64)
  /// Two ranges were merged that do not meet.
  case apart(end: UInt64, start: UInt64)
  /// A root was asked of a range that does not begin at the first leaf.
  case noRoot(start: UInt64)
  /// A tree of this size is described by another number of hashes.
  case wrongCount(expected: Int, found: Int)
  /// More leaves than a tree can have, or than tiles can hold.
  case tooLarge(UInt64)
  /// Stored bytes that are no frontier, or a tile of the wrong length.
  case malformed(String)

  public var description: String {
    switch self {
    case .misaligned(let level, let position): "no subtree of level \(level) begins at leaf \(position)"
    case .apart(let end, let start): "the ranges do not meet: one ends at \(end), the next starts at \(start)"
    case .noRoot(let start): "a range that starts at leaf \(start) has no root"
    case .wrongCount(let expected, let found): "expected \(expected) hashes, found \(found)"
    case .tooLarge(let size): "a tree of \(size) leaves is too large"
    case .malformed(let what): what
    }
  }
}
