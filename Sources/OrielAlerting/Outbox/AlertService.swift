package import OrielStore
import Synchronization

/// How deliveries are repeated, and how many go at once.
package struct AlertSettings: Sendable {
  /// The pause after a first failure; each further one doubles it.
  package var firstRetry: Duration = .seconds(60)
  package var longestRetry: Duration = .seconds(6 * 3600)
  /// Counted from the alert: past it, a delivery that fails is given up.
  package var giveUpAfter: Duration = .seconds(5 * 86_400)
  package var burst = BurstLimit(first: 20, window: 3_600_000)
  /// How often it is looked whether something is due.
  package var tick: Duration = .seconds(1)

  package init() {}

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
  private let store: AlertStore
  private let composer: AlertComposer
  private let routes: AlertRoutesHolder
  private let router: (any AlertRouter)?
  private let settings: AlertSettings
  private let now: @Sendable () -> Int64
  private let waker = Mutex<AsyncStream<Void>.Continuation?>(nil)
  private let busy = Mutex<Set<String>>([])

  /// - Parameters:
  ///   - router: says who else is told of certificates, and how they are judged.
  ///   - now: milliseconds since 1970.
  package init(
    store: AlertStore, routes: AlertRoutesHolder, router: (any AlertRouter)? = nil,
    settings: AlertSettings = AlertSettings(), now: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.routes = routes
    self.router = router
    self.settings = settings
    self.now = now
    composer = AlertComposer(store: store, router: router)
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
      for target in try await store.waitingTargets() { group.addTask { [self] in try await send(to: target) } }
      try await group.waitForAll()
    }
  }

  private func dispatch(_ wakes: AsyncStream<Void>) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      wake()
      for await _ in wakes {
        // What waits is sent while the rest is still being routed.
        if try await routeSome() { wake() }
        if try await releaseSome() { wake() }
        for target in try await store.waitingTargets() where busy.withLock({ $0.insert(target).inserted }) {
          group.addTask { [self] in
            defer { busy.withLock { _ = $0.remove(target) } }
            try await send(to: target)
          }
        }
      }
      group.cancelAll()
    }
  }

  // MARK: Routing

  /// Makes the deliveries of the oldest alerts that have none; whether there were any.
  private func routeSome() async throws -> Bool {
    let alerts = try await store.unrouted()
    guard !alerts.isEmpty else { return false }
    let routes = routes.routes
    var routed: [(alert: StoredAlert, targets: [AlertTarget])] = []
    var held: [HeldAlert] = []
    for alert in alerts { routed.append((alert, try await targets(of: alert, routes, &held))) }
    try await store.route(routed, holding: held, burst: settings.burst, now: now())
    return true
  }

  /// Tells one audience what was held until now; whether there was anything.
  private func releaseSome() async throws -> Bool {
    guard let router else { return false }
    let due = try await store.dueHeld(now: now())
    guard let audience = due.first?.audience else { return false }
    var (told, held, dropped): ([HeldAlert], [HeldAlert], [HeldAlert]) = ([], [], [])
    for alert in due {
      switch try await router.time(of: alert) {
      case .atOnce: told.append(alert)
      case .held(let kind, let until):
        held.append(HeldAlert(alert: alert.alert, audience: audience, kind: kind, until: until))
      case .never: dropped.append(alert)
      }
    }
    let targets = try await router.targets(of: audience)
    if due.first?.kind == .review {
      try await store.route(
        told.map { ($0.alert, targets) }, holding: held, releasing: told + dropped, burst: settings.burst, now: now())
    } else {
      try await store.route([], holding: held, burst: settings.burst, now: now())
      try await store.makeDigest(of: told, dropping: dropped, for: targets, now: now())
    }
    return true
  }

  private func targets(
    of alert: StoredAlert, _ routes: AlertRoutes, _ held: inout [HeldAlert]
  ) async throws -> [AlertTarget] {
    switch alert.kind {
    case .certificate, .lookalike:
      let configured = routes.targets(ofItem: alert.item ?? "")
      guard let routing = try await router?.routing(of: alert) else { return configured }
      var targets = routing.tellsConfigured ? configured : []
      for audience in routing.audiences {
        switch audience.time {
        case .atOnce: targets += try await router?.targets(of: audience.name) ?? []
        case .held(let kind, let until):
          held.append(HeldAlert(alert: alert, audience: audience.name, kind: kind, until: until))
        case .never: break
        }
      }
      return targets
    case .caaChange:
      let audience = try CAAChangeAlert.Stored(alert).audience
      return try await router?.targets(of: audience) ?? []
    case .followUp:
      guard let issuance = alert.issuance, let item = alert.item else { return [] }
      return try await store.targets(toldOf: issuance, item: item)
    case .logHealth: return routes.logHealth
    case .heartbeat: return routes.heartbeat
    case .sample: return routes.all
    case .canary:
      let name = try await composer.compose(alert).canaryName
      return name.flatMap { routes.canaries[$0] } ?? routes.standard
    case .digest: return []
    }
  }

  // MARK: Sending

  /// Sends what is due to one target, until nothing is or an attempt failed.
  private func send(to target: String) async throws {
    while !Task.isCancelled {
      let due = try await store.next(to: target, now: now())
      guard !due.isEmpty, try await send(due) == due.count else { return }
    }
  }

  /// Sends these in order; letters are written ahead while others are under way.
  ///
  /// - Returns: how many went, before one that failed or is not due yet.
  private func send(_ due: [StoredDelivery]) async throws -> Int {
    let (letters, written) = AsyncStream.makeStream(of: Letter.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [self] in
        defer { written.finish() }
        for delivery in due {
          guard !Task.isCancelled, let letter = try await write(delivery) else { return }
          written.yield(letter)
        }
      }
      var count = 0
      for await letter in letters {
        guard try await attempt(due[count], letter) else {
          group.cancelAll()
          // What was still being written is of no more use, and neither is how that ended.
          while await group.nextResult() != nil {}
          return count
        }
        count += 1
      }
      try await group.waitForAll()
      return count
    }
  }

  private static let gone = DeliveryResult.refused("it is not configured any more")

  private typealias Letter = @Sendable () async -> DeliveryResult

  /// Puts together what is to be said; nil if it is not due yet.
  private func write(_ delivery: StoredDelivery) async throws -> Letter? {
    guard delivery.nextAttempt <= now() else { return nil }
    guard case .channel(let channel) = try await reach(delivery) else { return { AlertService.gone } }
    let alert = try await composer.compose(delivery.alert, for: delivery.recipient)
    let id = AlertStore.key(delivery.alert.key, delivery.recipient, delivery.target)
    return await channel.prepare(Delivery(id: id, alert: alert))
  }

  /// How a delivery's target is reached at this moment.
  private func reach(_ delivery: StoredDelivery) async throws -> AlertReach {
    let target = AlertTarget(recipient: delivery.recipient, target: delivery.target)
    if let reach = try await router?.reach(target, with: delivery.alert) { return reach }
    return routes.routes.channels[delivery.target].map { .channel($0) }
      ?? .unreachable("it is not configured any more")
  }

  /// Makes one attempt and notes what became of it.
  ///
  /// - Returns: whether the next one may follow at once.
  private func attempt(_ delivery: StoredDelivery, _ letter: Letter) async throws -> Bool {
    let result: DeliveryResult
    switch try await reach(delivery) {
    case .channel: result = await letter()
    case .unreachable(let words): result = .refused(words)
    case .unwanted(let words):
      try await note(delivery.id, state: .dropped, words: words, now: now())
      return true
    }
    // An attempt that was broken off has no result to note; it is repeated after the restart.
    if Task.isCancelled, case .failed = result { return false }
    let now = now()
    switch result {
    case .delivered(let words):
      try await note(delivery.id, state: .delivered, words: words, now: now)
      return true
    case .refused(let words):
      let target = AlertTarget(recipient: delivery.recipient, target: delivery.target)
      let isSettled = try await router?.refused(target, words: words) ?? false
      try await note(delivery.id, state: isSettled ? .dropped : .givenUp, words: words, now: now)
      return true
    case .failed(let words, let retryAfter):
      let isOver = now - delivery.alert.createdAt >= settings.giveUpAfter.wholeMilliseconds
      let pause = settings.pause(
        afterFailures: delivery.attempts + 1, asked: retryAfter, random: .random(in: 0..<1))
      try await note(
        delivery.id, state: isOver ? .givenUp : .waiting, words: words, retryAt: now + pause, now: now)
      return isOver
    }
  }

  /// Notes what became of an attempt, also while the service is being stopped: what was delivered and is not noted is
  /// sent again.
  private func note(
    _ delivery: Int64, state: StoredDelivery.State, words: String, retryAt: Int64 = 0, now: Int64
  ) async throws {
    // Out of reach of the cancellation that stops the service.
    try await Task { [store] in
      try await store.record(delivery, state: state, words: words, retryAt: retryAt, now: now)
    }.value
  }
}

extension Alert {
  fileprivate var canaryName: String? {
    if case .canary(let canary) = content { canary.name } else { nil }
  }
}
