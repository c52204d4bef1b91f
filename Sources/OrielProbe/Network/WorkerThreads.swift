import Foundation
import Synchronization

/// A bounded set of threads for work that blocks, which Swift's own threads must not do.
///
/// Threads start when there is work and end when there is none; work beyond the limit waits its turn.
final class WorkerThreads: Sendable {
  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var taken = 0
    var running = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func submit(_ job: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.waiting.append(job)
      guard state.running < limit else { return false }
      state.running += 1
      return true
    }
    // Without a thread to be had, the caller's own does it: late is better than never.
    if needsThread, !start() { work() }
  }

  private func start() -> Bool {
    let argument = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { (argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? in
        if let argument { Unmanaged<WorkerThreads>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, argument.toOpaque())
    guard status == 0 else {
      argument.release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  private func work() {
    while let job = next() { job() }
  }

  private func next() -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard state.taken < state.waiting.count else {
        state.waiting = []
        state.taken = 0
        state.running -= 1
        return nil
      }
      let job = state.waiting[state.taken]
      state.taken += 1
      // Whatever was done is dropped now and then, not each time.
      if state.taken >= 256 {
        state.waiting.removeFirst(state.taken)
        state.taken = 0
      }
      return job
    }
  }
}

/// Says to a thread that its work is no longer wanted.
final class Cancellation: Sendable {
  private let flag = Atomic(false)

  func cancel() { flag.store(true, ordering: .releasing) }
  var isCancelled: Bool { flag.load(ordering: .acquiring) }
}

/// How long something may take, and whether anybody still wants it.
struct Watch: Sendable {
  let cancellation: Cancellation
  let end: ContinuousClock.Instant

  /// The same, for a part of the work that has a limit of its own.
  func limited(to limit: Duration) -> Watch { Watch(cancellation: cancellation, end: min(end, .now + limit)) }

  /// How long to wait before asking again, in milliseconds.
  ///
  /// - Throws: ``ProbeError/cancelled`` or ``ProbeError/timedOut(_:)``.
  func slice(_ phase: ProbeError.Phase) throws(ProbeError) -> Int32 {
    guard !cancellation.isCancelled else { throw .cancelled }
    let left = ContinuousClock.Instant.now.duration(to: end)
    guard left > .zero else { throw .timedOut(phase) }
    return left < .milliseconds(100) ? Int32(left / .milliseconds(1)) + 1 : 100
  }
}

/// A value that one thread gives and another waits for.
final class Answer<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let signal = DispatchSemaphore(value: 0)

  func give(_ value: Value) {
    self.value.withLock { $0 = value }
    signal.signal()
  }

  func wait(_ watch: Watch, _ phase: ProbeError.Phase) throws(ProbeError) -> Value {
    while true {
      let slice = try watch.slice(phase)
      _ = signal.wait(timeout: .now() + .milliseconds(Int(slice)))
      if let value = value.withLock({ $0 }) { return value }
    }
  }
}
