import CertificateTransparency
import Logging
import OrielMonitor
import OrielStore

/// Shows how the followers fare: a line that is written over on a terminal, and a message whenever a log gets into
/// trouble or out of it.
struct ProgressReporter: Sendable {
  let board: StatusBoard
  let logger: Logger

  func run() async throws {
    var states: [LogID: LogState] = [:]
    while true {
      try await Task.sleep(for: .seconds(1))
      let all = board.all
      for status in all {
        let before = states.updateValue(status.state, forKey: status.logID)
        tell(status, before: before)
      }
      Terminal.progress(ProgressReporter.line(all))
    }
  }

  private func tell(_ status: FollowStatus, before: LogState?) {
    guard status.state != before else { return }
    switch status.state {
    case .unreachable, .lying, .frozen, .drained:
      let reason = status.reason.map { ": " + $0 } ?? ""
      let level: Logger.Level = status.state == .drained ? .notice : status.state == .lying ? .error : .warning
      logger.log(level: level, "\(status.description) is \(status.state.rawValue)\(reason)")
    case .current where before == .unreachable || before == .lying || before == .frozen:
      logger.notice("\(status.description) is well again")
    default: break
    }
  }

  static func line(_ all: [FollowStatus]) -> String {
    let digested = all.reduce(0) { $0 + $1.digested }
    let matches = all.reduce(0) { $0 + $1.matches }
    let pace = all.reduce(0.0) { $0 + ($1.entriesIn ?? 0) }
    let counts = LogState.allCases.compactMap { state -> String? in
      let count = all.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state.rawValue)"
    }
    var line =
      "\(counted(all.count, "log", "logs")) (\(counts.joined(separator: ", "))), "
      + "\(counted(digested, "entry", "entries")) read"
    if pace >= 1 { line += " (\(Int(pace))/s)" }
    line += ", \(counted(matches, "match", "matches"))"
    if let longest = all.compactMap(\.secondsToCatchUp).max(), longest >= 1 {
      line += ", caught up in \(duration(longest))"
    }
    return line
  }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(min(seconds / 86_400, 1e6))) days"
    }
  }
}
