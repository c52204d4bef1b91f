/// Waits for `work`, but no longer than `limit`; nil if it takes longer, or if the waiting task is cancelled.
///
/// What takes longer is cancelled and left to end on its own, so that work which can't be cancelled (a name lookup)
/// keeps nobody waiting.
package func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> Value? {
  let (results, continuation) = AsyncStream.makeStream(of: Value?.self)
  let worker = Task { continuation.yield(await work()) }
  let timer = Task {
    try? await Task.sleep(for: max(limit, .zero))
    continuation.yield(nil)
  }
  defer {
    worker.cancel()
    timer.cancel()
  }
  for await result in results { return result }
  return nil
}
