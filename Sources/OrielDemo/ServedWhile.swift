/// A server that runs as long as something else.
enum ServedWhile {
  /// The server did not begin to listen.
  struct NotServed: Error {}

  /// - Parameters:
  ///   - serve: is given whom to tell the port, and what returns when it is to stop.
  ///   - body: is given the port.
  static func run(
    _ serve:
      @escaping @Sendable (
        _ onListening: @escaping @Sendable (Int) async -> Void, _ stop: @escaping @Sendable () async -> Void
      ) async throws -> Void,
    _ body: (Int) async throws -> Void
  ) async throws {
    let (ports, opener) = AsyncStream<Int>.makeStream()
    let (stops, stopper) = AsyncStream<Void>.makeStream()
    // Not cancelled with this task: a server that is told to stop ends its connections in order.
    let serving = Task {
      defer { opener.finish() }
      try await serve({ opener.yield($0) }, { for await _ in stops {} })
    }
    let result: Result<Void, any Error>
    do {
      guard let port = await ports.first(where: { _ in true }) else { throw NotServed() }
      result = .success(try await body(port))
    } catch {
      result = .failure(error)
    }
    stopper.finish()
    try await serving.value
    try result.get()
  }
}
