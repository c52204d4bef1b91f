package import CertificateTransparency
package import OrielStore
import Synchronization

/// The newest head of a log, as of a poll.
package struct PolledHead: Hashable, Sendable {
  package let size: UInt64
  /// Milliseconds since 1970, as the log has it.
  package let timestamp: UInt64
  /// The time of the poll: milliseconds since 1970, as this machine has it.
  package let polledAt: Int64

  /// Milliseconds by which it was ahead of this machine's clock; negative if behind.
  var lead: Int64 { Int64(clamping: timestamp).subtractingReportingOverflow(polledAt).partialValue }

  /// Whether it was dated further in the future than clocks differ.
  var isAhead: Bool { lead > PolledHead.allowedLead }

  /// Milliseconds.
  static let allowedLead: Int64 = 300_000
}

/// How one log fares at this moment.
package struct FollowStatus: Sendable {
  package let logID: LogID
  package let description: String
  package let operatorName: String
  package let kind: String
  package var state: LogState = .new
  package var reason: String?
  package var position: UInt64?
  package var verified: UInt64?
  /// As of the last poll.
  package var head: PolledHead?
  /// Entries digested since the follower started.
  package var digested: UInt64 = 0
  package var matches: UInt64 = 0
  /// Entries per second read, and published, over the last minutes; nil until they can be told.
  package var entriesIn: Double?
  package var entriesOut: Double?

  /// Seconds until everything published is read, at the present pace; nil if it is not catching up.
  package var secondsToCatchUp: Double? {
    guard let position, let headSize = head?.size, let entriesIn, position < headSize else { return nil }
    let gain = entriesIn - (entriesOut ?? 0)
    return gain > 0 ? Double(headSize - position) / gain : nil
  }
}

/// Where the followers write how they fare, and whoever shows it reads.
package final class StatusBoard: Sendable {
  private let statuses = Mutex<[LogID: FollowStatus]>([:])

  package init() {}

  func update(_ log: LogDescription, _ change: (inout FollowStatus) -> Void) {
    statuses.withLock { statuses in
      var status =
        statuses[log.logID]
        ?? FollowStatus(
          logID: log.logID, description: log.description, operatorName: log.operatorName, kind: log.kindName)
      change(&status)
      statuses[log.logID] = status
    }
  }

  /// All logs, by name.
  package var all: [FollowStatus] {
    statuses.withLock { $0.values.sorted { $0.description < $1.description } }
  }
}

/// A count that is shared: more requests in flight than the one that every log may always have.
final class Permits: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  func take() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  func give() { free.withLock { $0 += 1 } }
}
