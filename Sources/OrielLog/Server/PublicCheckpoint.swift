import CertificateTransparency
import Synchronization

/// What is served as a log's checkpoint at its monitoring URL, by whomever.
package struct PublicCheckpoint: Sendable {
  package enum Answer: Sendable {
    /// The signed note, not verified.
    case note([UInt8])
    /// The log serves it itself: there is nothing to compare.
    case own
    case unreachable(String)
  }

  package let ask: @Sendable () async -> Answer

  package init(_ ask: @escaping @Sendable () async -> Answer) { self.ask = ask }

  /// For logs that nobody else serves.
  package static let none = PublicCheckpoint { .own }
}

/// Compares a log, while it runs, with what somebody else serves as its checkpoint: of two copies of a log, each signing
/// on its own, the one that is not the public one notices.
final class PublicComparison: Sendable {
  private enum Outcome {
    case own
    case consistent(Timestamp)
    case notCompared(String)
    case inconsistent(String)
  }

  private let log: Log
  private let source: PublicCheckpoint
  private let clock: LogClock
  private let last = Mutex<Outcome?>(nil)

  init(_ log: Log, _ source: PublicCheckpoint, clock: LogClock) {
    (self.log, self.source, self.clock) = (log, source, clock)
  }

  /// Compares again and again until the task is cancelled.
  func run(every period: Duration) async {
    repeat { await compare() } while (try? await Task.sleep(for: period)) != nil
  }

  func compare() async {
    let outcome: Outcome
    switch await source.ask() {
    case .own: outcome = .own
    case .unreachable(let reason): outcome = .notCompared("unreachable: \(reason)")
    case .note(let note):
      do {
        try await log.compare(with: note)
        outcome = .consistent(clock.now())
      } catch let error as LogError where error.isFork || error.isBadCheckpoint {
        outcome = .inconsistent(error.description)
      } catch {
        outcome = .notCompared("the log's own files can't be read: \(error)")
      }
    }
    last.withLock { $0 = outcome }
  }

  /// What came of the last comparison; nil before the first.
  var summary: String? {
    switch last.withLock({ $0 }) {
    case nil: nil
    case .own: "own"
    case .consistent(let time): "consistent as of \(time)"
    case .notCompared(let reason): reason
    case .inconsistent(let reason): "inconsistent: \(reason)"
    }
  }

  /// What is wrong with what is served there; nil if nothing is, as far as can be told.
  var problem: String? {
    guard case .inconsistent(let reason) = last.withLock({ $0 }) else { return nil }
    return "what is served at the monitoring URL does not go with the log: \(reason)"
  }
}
