package import CertificateTransparency
import Synchronization

/// A clock that stands still until it is moved on; who sleeps on it wakes when their time has come.
package final class HeldClock: Clock {
  /// A point on the clock, counted from where it started.
  package struct Instant: InstantProtocol {
    package let offset: Duration

    package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    package func duration(to other: Instant) -> Duration { other.offset - offset }
    package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct State {
    var now = Instant(offset: .zero)
    var sleepers: [UInt64: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var cancelled: Set<UInt64> = []
    var nextSleeper: UInt64 = 0
  }

  /// What the clock shows at offset zero.
  package let start: Timestamp
  private let state = Mutex(State())

  /// 2026-06-01T00:00:00Z, unless told otherwise.
  package init(start: Timestamp = Timestamp(milliseconds: 1_780_272_000_000)) { self.start = start }

  package var now: Instant { state.withLock { $0.now } }
  package var minimumResolution: Duration { .milliseconds(1) }

  /// The time of day.
  package var timestamp: Timestamp {
    let (seconds, attoseconds) = now.offset.components
    return Timestamp(milliseconds: start.milliseconds + UInt64(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }

  /// How many are asleep.
  package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Moves the clock on, and wakes whose time has come.
  package func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.now = max(state.now, state.now.advanced(by: duration))
      let due = state.sleepers.filter { $0.value.deadline <= state.now }.sorted {
        $0.value.deadline < $1.value.deadline
      }
      for (sleeper, _) in due { state.sleepers[sleeper] = nil }
      return due.map(\.value.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  /// Waits until at least `count` are asleep, so that moving the clock on reaches them.
  package func waitForSleepers(_ count: Int = 1) async throws {
    while sleeperCount < count { try await Task.sleep(for: .milliseconds(1)) }
  }

  package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let sleeper = state.withLock { state in
      state.nextSleeper += 1
      return state.nextSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(sleeper) != nil { return .failure(CancellationError()) }
          if deadline <= state.now { return .success(()) }
          state.sleepers[sleeper] = (deadline, continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      // Cancellation may come before the continuation is there; it then finds the note.
      let found = state.withLock { state in
        let found = state.sleepers.removeValue(forKey: sleeper)
        if found == nil { state.cancelled.insert(sleeper) }
        return found
      }
      found?.continuation.resume(throwing: CancellationError())
    }
  }
}
