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
  private var clock = ClockSuspicion()
  private var looks = 0

  /// So many looks long it is waited for the heads of other logs, before a log that is ahead of time is named alone.
  private static let looksForOthers = 5

  package init() {}

  /// What is new since the last look.
  ///
  /// - Parameter isLast: whether nobody looks again.
  package mutating func next(_ all: [FollowStatus], isLast: Bool = false) -> [Notice] {
    looks += 1
    var notices: [Notice] = []
    let wasSuspect = clock.reason != nil
    clock.look(all)
    if let reason = clock.reason, !wasSuspect { notices.append(Notice(level: .warning, text: reason)) }
    if clock.reason == nil, wasSuspect {
      notices.append(Notice(level: .notice, text: "this machine's clock agrees with the logs again"))
    }
    let mayWait = !isLast && looks < StatusNotices.looksForOthers && all.contains { $0.head == nil }
    let excused = clock.logs
    for status in all {
      // Whose clock is wrong shows once most have answered.
      let isAhead = status.state == .frozen && status.head?.isAhead == true
      if isAhead, mayWait || excused.contains(status.logID) { continue }
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
