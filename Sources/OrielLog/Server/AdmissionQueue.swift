import Dispatch
import Foundation
import Synchronization

/// Where signatures are checked: on threads of their own, so that it never holds up the sequencer or the readers.
///
/// What comes when too many wait already is turned away before any work was done for it.
final class AdmissionQueue: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var workers = 0
    /// Jobs that wait or are being done.
    var count = 0
  }

  private let threads = DispatchQueue(label: "oriel.log.admission", qos: .utility, attributes: .concurrent)
  private let state = Mutex(State())
  private let limit: Int
  private let workers = ProcessInfo.processInfo.activeProcessorCount

  /// So many are taken at once: waking a thread for each would cost more than some of the work.
  private static let lot = 4

  /// - Parameter limit: at about 0.4 ms each, less than half a second on one core.
  init(limit: Int = 1024) { self.limit = limit }

  func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let needsWorker = state.withLock { state -> Bool? in
        guard state.count < limit else { return nil }
        state.count += 1
        state.jobs.append { continuation.resume(with: Result { try work() }) }
        guard state.workers < workers else { return false }
        state.workers += 1
        return true
      }
      guard let needsWorker else { return continuation.resume(throwing: Rejection.overloaded(retryAfter: 10)) }
      if needsWorker { threads.async { self.workOff() } }
    }
  }

  private func workOff() {
    var done = 0
    while true {
      let jobs = state.withLock { state in
        state.count -= done
        let jobs = Array(state.jobs.prefix(AdmissionQueue.lot))
        state.jobs.removeFirst(jobs.count)
        if jobs.isEmpty { state.workers -= 1 }
        return jobs
      }
      guard !jobs.isEmpty else { return }
      for job in jobs { job() }
      done = jobs.count
    }
  }
}
