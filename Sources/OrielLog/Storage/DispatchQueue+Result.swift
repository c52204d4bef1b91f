import Dispatch

extension DispatchQueue {
  /// Does work that blocks on a thread that may.
  func result<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      async { continuation.resume(with: Result { try work() }) }
    }
  }
}
