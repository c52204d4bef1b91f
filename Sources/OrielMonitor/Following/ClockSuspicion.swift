package import CertificateTransparency

/// Most logs date their heads in the future: then it is this machine's clock that is behind.
package struct ClockSuspicion: Sendable {
  /// The logs that seem to be ahead.
  package let logs: Set<LogID>
  private let knownCount: Int
  /// The middle one of the milliseconds by which they are ahead.
  private let lead: UInt64

  /// Of fewer, it can't be told whose clock is wrong.
  private static let fewestLogs = 3

  /// - Parameter now: milliseconds since 1970, as the machine has it.
  /// - Returns: nil where it is not the case.
  package init?(_ all: [FollowStatus], now: Int64) {
    let known = all.filter { $0.headTimestamp != nil }
    let ahead = known.filter { $0.isAhead(at: now) }
    guard known.count >= ClockSuspicion.fewestLogs, ahead.count * 2 > known.count else { return nil }
    logs = Set(ahead.map(\.logID))
    knownCount = known.count
    lead = ahead.compactMap(\.headTimestamp).sorted()[ahead.count / 2] - UInt64(max(0, now))
  }
}

extension ClockSuspicion: CustomStringConvertible {
  package var description: String {
    """
    this machine's clock is behind: the newest heads of \(logs.count) of \(knownCount) logs are dated in the future, by \
    \(lead / 60_000) minutes. Set the clock right, best by NTP
    """
  }
}
