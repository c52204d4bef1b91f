import Synchronization

/// What has come of following a log so far, for whoever decides when to give it up.
final class FollowProgress: Sendable {
  private struct State {
    var steps: UInt64 = 0
    var preliminarySteps = 0
    var trouble: LogFollower.Ending?
    /// Whether what was read is being stored and told, which may take as long as a reader likes.
    var isTelling = false
  }

  private let state = Mutex(State())

  /// How often it is looked whether there is progress.
  private static let interval = Duration.milliseconds(100)
  /// So many steps find a date among all entries that a log can have, each halving what is left.
  private static let mostPreliminarySteps = 64

  /// Entries were read, or a tree verified.
  func advanced() {
    state.withLock { state in
      state.steps += 1
      state.trouble = nil
    }
  }

  /// Something was read on the way to the first entry. A log that has this done again and again makes no progress.
  func prepared() {
    state.withLock { state in
      guard state.preliminarySteps < FollowProgress.mostPreliminarySteps else { return }
      state.preliminarySteps += 1
      state.steps += 1
    }
  }

  /// What was read is being stored and told, or no more.
  func tells(_ isTelling: Bool) { state.withLock { $0.isTelling = isTelling } }

  /// The log is in trouble, which may pass.
  func isHeldUp(by trouble: LogFollower.Ending) { state.withLock { $0.trouble = trouble } }

  /// Returns when there was no progress for `patience`, whatever the log answers and for how long it asks to wait.
  ///
  /// - Returns: what held it up.
  func stalled(for patience: Duration, _ time: Timekeeper) async throws -> LogFollower.Ending {
    var (seen, waited) = (state.withLock { $0.steps }, Duration.zero)
    while waited < patience {
      let pause = min(FollowProgress.interval, patience - waited)
      try await time.sleep(pause)
      let (steps, isTelling) = state.withLock { ($0.steps, $0.isTelling) }
      waited = steps == seen && !isTelling ? waited + pause : .zero
      seen = steps
    }
    return state.withLock { $0.trouble } ?? .unreachable("nothing could be read for \(patience)")
  }
}
