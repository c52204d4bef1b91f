package import Logging
package import OrielStore
import Synchronization

/// How deliveries are repeated, and how many go at once.
package struct AlertSettings: Sendable {
  /// The pause after a first failure; each further one doubles it.
  package var firstRetry: Duration = .seconds(60)
  package var longestRetry: Duration = .seconds(6 * 3600)
  /// A delivery that has been refused for so long is given up, and so is what has waited so long for a target that takes
  /// nothing.
  package var giveUpAfter: Duration = .seconds(5 * 86_400)
  package var burst = BurstLimit(first: 20, window: 3_600_000)
  /// How often it is looked whether something is due.
  package var tick: Duration = .seconds(1)

  package init() {}

  /// The longest pause, with what it is spread by.
  var policy: RetryPolicy {
    RetryPolicy(
      longest: longestRetry.wholeMilliseconds * 6 / 5, giveUpAfter: giveUpAfter.wholeMilliseconds, window: burst.window
    ) { failures in
      pause(afterFailures: failures, asked: nil, random: .random(in: 0..<1))
    }
  }

  /// Milliseconds until the next attempt.
  func pause(afterFailures count: Int, asked: Duration?, random: Double) -> Int64 {
    let doubled = firstRetry * (1 << min(max(count, 1) - 1, 20))
    let usual = min(doubled, longestRetry)
    // Spread by a fifth, so that what failed together does not come together again.
    let spread = Double(usual.wholeMilliseconds) * (0.8 + 0.4 * random)
    return max(Int64(spread), min(asked ?? .zero, longestRetry).wholeMilliseconds)
  }
}

extension Duration {
  var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Takes alerts out of the outbox to those they concern: each target by itself, in the order of time seen, until it was
/// delivered or given up.
package final class AlertService: Sendable {
  let store: AlertStore
  let composer: AlertComposer
  let routes: AlertRoutesHolder
  let router: (any AlertRouter)?
  let settings: AlertSettings
  let logger: Logger
  let now: @Sendable () -> Int64
  /// Whose alerts were routed last: the others' come next.
  let lastRouted = Mutex(RoutingTurn())
  /// The audience that held alerts were released to last.
  let lastReleased = Mutex("")
  private let waker = Mutex<AsyncStream<Void>.Continuation?>(nil)
  /// What is at work: the targets that are sent to, and the release of what was held.
  private let busy = Mutex<Set<String>>([])
  private static let release = "release"

  /// - Parameters:
  ///   - router: says who else is told of certificates, and how they are judged.
  ///   - logger: gets a record of each delivery that fails, is given up or is cancelled.
  ///   - now: milliseconds since 1970.
  package init(
    store: AlertStore, routes: AlertRoutesHolder, router: (any AlertRouter)? = nil,
    settings: AlertSettings = AlertSettings(), logger: Logger, now: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.routes = routes
    self.router = router
    self.settings = settings
    self.logger = logger
    self.now = now
    composer = AlertComposer(store: store, router: router, routes: routes)
  }

  /// Says that there is something in the outbox.
  package func wake() { _ = waker.withLock { $0?.yield() } }

  /// Sends until cancelled.
  ///
  /// - Throws: what the store throws. Trouble with a receiver is a result, never an error.
  package func run() async throws {
    let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    waker.withLock { $0 = continuation }
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { [self] in
        while true {
          try await Task.sleep(for: settings.tick)
          wake()
        }
      }
      group.addTask { [self] in try await dispatch(wakes) }
      try await group.next()
    }
  }

  /// Sends what is due, each alert once, and returns when nothing is left that could go now.
  package func settle() async throws {
    while try await routeSome() {}
    while try await releaseSome() {}
    try await withThrowingTaskGroup(of: Void.self) { group in
      for target in try await store.waitingTargets(now: now(), settings.policy) {
        group.addTask { [self] in try await send(to: target) }
      }
      try await group.waitForAll()
    }
  }

  private func dispatch(_ wakes: AsyncStream<Void>) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      wake()
      for await _ in wakes {
        // What waits is sent, and what was held is released, while the rest is still being routed.
        begin(AlertService.release, in: &group) { [self] in
          while try await releaseSome() { wake() }
        }
        if try await routeSome() { wake() }
        for target in try await store.waitingTargets(now: now(), settings.policy) {
          begin("target " + target, in: &group) { [self] in try await send(to: target) }
        }
      }
      group.cancelAll()
    }
  }

  /// Starts a piece of work, unless it is being done.
  private func begin(
    _ name: String, in group: inout ThrowingTaskGroup<Void, any Error>,
    _ work: @escaping @Sendable () async throws -> Void
  ) {
    guard busy.withLock({ $0.insert(name).inserted }) else { return }
    group.addTask { [self] in
      defer { busy.withLock { _ = $0.remove(name) } }
      try await work()
    }
  }
}
