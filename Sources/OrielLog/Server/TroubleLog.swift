import Logging
import Synchronization

/// Writes to the operator's log when a log gets into trouble and out of it, each once, however often it is looked at.
final class TroubleLog: Sendable {
  enum Kind: Hashable, Sendable {
    case publishing, diskSpace, publicCheckpoint

    /// What the operator should know besides the problem.
    fileprivate var consequence: String {
      switch self {
      case .publishing, .diskSpace: ". Submissions get 503 meanwhile"
      case .publicCheckpoint: ""
      }
    }

    fileprivate var recovery: String {
      switch self {
      case .publishing: "publishes again"
      case .diskSpace: "has enough disk space again"
      case .publicCheckpoint: "what is served at the monitoring URL goes with the log again"
      }
    }
  }

  /// Times are milliseconds of the steady clock.
  private struct Spell {
    let start: Int64
    var lastRecord: Int64
    /// Since when all is well; nil while it is not.
    var end: Int64?
  }

  /// Milliseconds after which what persists is written again, with the reason of then.
  static let reminder: Int64 = 3_600_000
  /// Milliseconds after which a spell is over: what comes and goes is one.
  static let settling: Int64 = 10_000

  private let name: String
  private let logger: Logger
  private let spells = Mutex<[Kind: Spell]>([:])

  init(_ name: String, _ logger: Logger) {
    self.name = name
    self.logger = logger
  }

  /// - Parameters:
  ///   - problem: nil if all is well.
  ///   - now: milliseconds of the steady clock.
  func note(_ kind: Kind, _ problem: String?, now: Int64) {
    let record = spells.withLock { spells -> (Logger.Level, String)? in
      switch (spells[kind], problem) {
      case (nil, nil): return nil
      case (nil, let problem?):
        spells[kind] = Spell(start: now, lastRecord: now)
        return (.error, problem + kind.consequence)
      case (var spell?, let problem?):
        defer { spells[kind] = spell }
        spell.end = nil
        guard now - spell.lastRecord >= TroubleLog.reminder else { return nil }
        spell.lastRecord = now
        return (.error, "\(problem)\(kind.consequence) (for \((now - spell.start) / 1000) s now)")
      case (var spell?, nil):
        let end = spell.end ?? now
        guard now - end >= TroubleLog.settling else {
          spell.end = end
          spells[kind] = spell
          return nil
        }
        spells[kind] = nil
        return (.notice, "\(kind.recovery), after \((end - spell.start) / 1000) s")
      }
    }
    if let (level, text) = record { logger.log(level: level, "\(name): \(text)") }
  }
}
