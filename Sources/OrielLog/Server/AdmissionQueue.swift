import Dispatch
import Synchronization

/// Where signatures are checked: on threads of their own, so that it never holds up the sequencer or the readers.
///
/// What comes when too many wait already is turned away before any work was done for it.
final class AdmissionQueue: Sendable {
  private let threads = DispatchQueue(label: "oriel.log.admission", qos: .utility, attributes: .concurrent)
  private let waiting = Atomic<Int>(0)
  private let limit: Int

  /// - Parameter limit: at about 0.5 ms each, a quarter of a second on one core.
  init(limit: Int = 512) { self.limit = limit }

  func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    defer { waiting.subtract(1, ordering: .relaxed) }
    guard waiting.add(1, ordering: .relaxed).newValue <= limit else { throw Rejection.overloaded(retryAfter: 10) }
    return try await withCheckedThrowingContinuation { continuation in
      threads.async { continuation.resume(with: Result { try work() }) }
    }
  }
}
