import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore

/// Where reading of a log begins, for the logs of the first start. A stored position always wins.
package enum StartPolicy: Hashable, Sendable, CustomStringConvertible {
  /// At the newest head.
  case now
  /// At entry 0.
  case start
  /// At the first entry that is younger than so many days.
  case days(Int)
  /// At this entry.
  case index(UInt64)

  /// Reads `now`, `start`, `7d` or an index; nil if it is none of those.
  package init?(_ text: String) {
    switch text {
    case "now": self = .now
    case "start": self = .start
    default:
      if text.hasSuffix("d"), let days = Int(text.dropLast()), (0...36_500).contains(days) {
        self = .days(days)
      } else if let index = UInt64(text), index < 1 << 62 {
        self = .index(index)
      } else {
        return nil
      }
    }
  }

  package var description: String {
    switch self {
    case .now: "now"
    case .start: "start"
    case .days(let days): "\(days)d"
    case .index(let index): "\(index)"
    }
  }

  /// The index at which reading begins in the tree of `head`.
  ///
  /// - Parameter onStep: is called as the search for it goes on.
  func index(
    in source: some LogSource, head: HeadRecord, now: Int64, onStep: () -> Void = {}
  ) async throws -> UInt64 {
    switch self {
    case .now: return head.treeSize
    case .start: return 0
    case .index(let index): return min(index, head.treeSize)
    case .days(let days):
      let since = UInt64(max(0, now - Int64(days) * 86_400_000))
      var low: UInt64 = 0
      var high = head.treeSize
      // Timestamps of a log are all but sorted; an entry that is out of order by the merge delay does not matter here.
      while low < high {
        let middle = low + (high - low) / 2
        if try await source.timestamp(ofEntry: middle, of: head) < since { low = middle + 1 } else { high = middle }
        onStep()
      }
      return low
    }
  }
}
