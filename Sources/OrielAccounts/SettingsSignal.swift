import OrielStore
import Synchronization

/// How often settings were changed; more in either means: look again.
package struct SettingsGeneration: Hashable, Sendable {
  /// Counts changes of any kind.
  package let settings: Int64
  /// Counts changes of what is watched.
  package let watch: Int64
}

/// Tells those who wait that settings were changed by this process.
package final class SettingsSignal: Sendable {
  private struct State {
    var next = 0
    var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package func raise() { state.withLock { state in for listener in state.listeners.values { listener.yield() } } }

  /// What listens until it is no longer waited for.
  func listen() -> (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation) {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let key = state.withLock { state in
      state.next += 1
      state.listeners[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.listeners.removeValue(forKey: key) } }
    return (stream, continuation)
  }
}

extension AccountStore {
  package func generation() async throws -> SettingsGeneration {
    try await database.read { connection in
      func value(_ name: String) throws -> Int64 {
        try connection.query("SELECT value FROM generations WHERE name = ?", [.text(name)]).first?.integer(0) ?? 0
      }
      return SettingsGeneration(settings: try value("settings"), watch: try value("watch"))
    }
  }

  /// Calls `apply` now, and again after each change: at once for one made by this process, after at most `interval` for
  /// another process's. Runs until cancelled, or until `apply` throws.
  package func follow(
    every interval: Duration = .seconds(1), _ apply: @escaping @Sendable (SettingsGeneration) async throws -> Void
  ) async throws {
    let (changes, continuation) = signal.listen()
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer {
        continuation.finish()
        group.cancelAll()
      }
      group.addTask {
        while true {
          continuation.yield()
          try await Task.sleep(for: interval)
        }
      }
      group.addTask { [self] in
        var last: SettingsGeneration?
        for await _ in changes {
          let generation = try await generation()
          guard generation != last else { continue }
          try await apply(generation)
          last = generation
        }
      }
      try await group.next()
    }
  }
}
