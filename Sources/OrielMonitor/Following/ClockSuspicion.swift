package import CertificateTransparency

/// Tells whether most logs date their heads in the future: then it is this machine's clock that is behind.
package struct ClockSuspicion: Sendable {
  /// Of fewer, it can't be told whose clock is wrong.
  private static let fewestLogs = 3

  /// Heads are more or less old when they are polled, so that a clock at the limit would be suspected by turns: it is
  /// trusted again once most logs are so many milliseconds nearer.
  private static let slack: Int64 = 60_000

  /// Why this machine's clock must be wrong; nil while it seems right.
  package private(set) var reason: String?
  private var excused: [LogID: PolledHead] = [:]

  /// The logs whose trouble the clock explains: each until it is polled again with a clock that seems right.
  package var logs: Set<LogID> { Set(excused.keys) }

  package init() {}

  /// Looks at how the logs fare.
  package mutating func look(_ all: [FollowStatus]) {
    let heads = all.compactMap { status in status.head.map { (log: status.logID, head: $0) } }
    let leads = heads.map(\.head.lead).sorted()
    let limit = PolledHead.allowedLead - (reason == nil ? 0 : ClockSuspicion.slack)
    let count = leads.count { $0 > limit }
    let isSuspect = leads.count >= ClockSuspicion.fewestLogs && count * 2 > leads.count
    excused = Dictionary(
      heads.filter { $0.head.isAhead && (isSuspect || excused[$0.log] == $0.head) }.map { ($0.log, $0.head) },
      uniquingKeysWith: { $1 })
    reason = nil
    guard isSuspect else { return }
    let middle = leads[leads.count - count + count / 2]
    reason = """
      this machine's clock is behind: the newest heads of \(count) of \(leads.count) logs are dated in the future, by \
      \(middle / 60_000) minutes. Set the clock right, best by NTP
      """
  }
}
