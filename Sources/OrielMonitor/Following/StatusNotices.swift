import CertificateTransparency
package import Logging
import OrielStore

/// Puts into words, once each, that a log gets into trouble or out of it.
package struct StatusNotices: Sendable {
  package struct Notice: Hashable, Sendable {
    package let level: Logger.Level
    package let text: String
  }

  private var states: [LogID: LogState] = [:]
  private var clockIsSuspect = false
  private var looks = 0

  /// So many looks long it is waited for the heads of other logs, before a log that is ahead of time is named alone.
  private static let looksForOthers = 5

  package init() {}

  /// What is new since the last look.
  ///
  /// - Parameters:
  ///   - now: milliseconds since 1970.
  ///   - isLast: whether nobody looks again.
  package mutating func next(_ all: [FollowStatus], now: Int64, isLast: Bool = false) -> [Notice] {
    looks += 1
    var notices: [Notice] = []
    let suspicion = ClockSuspicion(all, now: now)
    if let suspicion, !clockIsSuspect { notices.append(Notice(level: .warning, text: suspicion.description)) }
    if suspicion == nil, clockIsSuspect {
      notices.append(Notice(level: .notice, text: "this machine's clock agrees with the logs again"))
    }
    clockIsSuspect = suspicion != nil
    let mayWait = !isLast && looks < StatusNotices.looksForOthers && all.contains { $0.headTimestamp == nil }
    for status in all {
      let isAhead = status.state == .frozen && status.isAhead(at: now)
      // Whose clock is wrong shows once most have answered.
      if isAhead, mayWait || suspicion != nil { continue }
      let before = states.updateValue(status.state, forKey: status.logID)
      if status.state != before, let notice = StatusNotices.notice(status, before: before) { notices.append(notice) }
    }
    return notices
  }

  private static func notice(_ status: FollowStatus, before: LogState?) -> Notice? {
    let trouble = "\(status.description) is \(status.state.rawValue)" + (status.reason.map { ": " + $0 } ?? "")
    switch status.state {
    case .unreachable, .frozen: return Notice(level: .warning, text: trouble)
    case .lying: return Notice(level: .error, text: trouble)
    case .drained: return Notice(level: .notice, text: trouble)
    case .current where before == .unreachable || before == .lying || before == .frozen:
      return Notice(level: .notice, text: "\(status.description) is well again")
    default: return nil
    }
  }
}
