import CertificateTransparency
import Logging
import OrielMonitor
import OrielStore
import Synchronization

/// Shows how the followers fare: a line that is written over on a terminal, and a message whenever a log gets into
/// trouble or out of it.
final class ProgressReporter: Sendable {
  private let board: StatusBoard
  private let logger: Logger
  private let notices = Mutex(StatusNotices())

  init(board: StatusBoard, logger: Logger) { (self.board, self.logger) = (board, logger) }

  /// Shows them until cancelled.
  func run() async throws {
    while true {
      try await Task.sleep(for: .seconds(1))
      let all = board.all
      note(all)
      Terminal.progress(ProgressReporter.line(all))
    }
  }

  /// Says what was not said yet, once all logs were read.
  ///
  /// - Parameter named: logs that somebody else names.
  func finish(except named: Set<LogID>) { note(board.all.filter { !named.contains($0.logID) }, isLast: true) }

  private func note(_ all: [FollowStatus], isLast: Bool = false) {
    for notice in notices.withLock({ $0.next(all, isLast: isLast) }) {
      logger.log(level: notice.level, "\(notice.text)")
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
