import OrielStore
import Synchronization

/// Who gets which alert.
extension AlertService {
  /// Makes the deliveries of some alerts that have none; whether there were any.
  func routeSome() async throws -> Bool {
    let (alerts, last) = try await store.unrouted(after: lastRouted.withLock { $0 })
    guard !alerts.isEmpty else { return false }
    lastRouted.withLock { $0 = last }
    let routes = routes.routes
    var routed: [RoutedAlert] = []
    var held: [HeldAlert] = []
    for alert in alerts { routed.append(RoutedAlert(alert, to: try await targets(of: alert, routes, &held))) }
    try await store.route(routed, holding: held, burst: settings.burst, now: now())
    return true
  }

  /// Notifies one audience of what was held until now; whether there was anything.
  func releaseSome() async throws -> Bool {
    guard let router else { return false }
    let due = try await store.dueHeld(
      after: lastReleased.withLock { $0 }, now: now(), review: router.longestReview)
    guard let audience = due.first?.audience else { return false }
    lastReleased.withLock { $0 = audience }
    var told: [(alert: HeldAlert, decision: AlertDecision)] = []
    var (held, dropped): ([HeldAlert], [HeldAlert]) = ([], [])
    for alert in due {
      let decision = try await router.decision(on: alert)
      switch decision.time {
      case .atOnce: told.append((alert, decision))
      case .held(let kind, let until):
        held.append(HeldAlert(alert: alert.alert, audience: audience, kind: kind, until: until))
      case .never: dropped.append(alert)
      }
    }
    let targets = try await router.targets(of: audience)
    let routes = routes.routes
    if due.first?.kind == .review {
      let routed = told.map { RoutedAlert($0.alert.alert, to: routes.routed(targets, $0.decision)) }
      try await store.route(
        routed, holding: held, releasing: told.map(\.alert) + dropped, burst: settings.burst, now: now())
    } else {
      try await store.route([], holding: held, burst: settings.burst, now: now())
      let judged = told.map { (held: $0.alert, verdict: $0.decision.level?.rawValue) }
      try await store.makeDigest(of: judged, dropping: dropped, for: targets, now: now())
    }
    return true
  }

  private func targets(
    of alert: StoredAlert, _ routes: AlertRoutes, _ held: inout [HeldAlert]
  ) async throws -> [RoutedTarget] {
    switch alert.kind {
    case .certificate, .lookalike:
      let configured = routes.targets(ofItem: alert.item ?? "")
      guard let routing = try await router?.routing(of: alert) else {
        return routes.routed(configured, AlertDecision(.atOnce))
      }
      var targets = routing.configured.map { routes.routed(configured, $0) } ?? []
      for audience in routing.audiences {
        switch audience.decision.time {
        case .atOnce:
          targets += routes.routed(try await router?.targets(of: audience.name) ?? [], audience.decision)
        case .held(let kind, let until):
          held.append(HeldAlert(alert: alert, audience: audience.name, kind: kind, until: until))
        case .never: break
        }
      }
      return targets
    default: return try await targets(of: alert, routes).map { RoutedTarget($0) }
    }
  }

  /// The same for what nobody judges.
  private func targets(of alert: StoredAlert, _ routes: AlertRoutes) async throws -> [AlertTarget] {
    switch alert.kind {
    case .certificate, .lookalike, .digest: return []
    case .caaChange:
      let audience = try CAAChangeAlert.Stored(alert).audience
      return try await router?.targets(of: audience) ?? []
    case .followUp:
      guard let issuance = alert.issuance, let item = alert.item else { return [] }
      return try await store.targets(toldOf: issuance, item: item)
    case .explained:
      guard let issuance = alert.issuance, let item = alert.item else { return [] }
      let recipient = String(decoding: alert.content ?? [], as: UTF8.self)
      return try await store.targets(toldOf: issuance, item: item).filter { $0.recipient == recipient }
    case .logHealth, .inventoryHealth: return routes.logHealth
    case .heartbeat:
      let recipient = try alert.decoded(StoredContent.Heartbeat.self).recipient
      return routes.heartbeat.filter { recipient == nil || $0.recipient == recipient }
    case .deliveryHealth: return try await reachable(routes.logHealth, of: alert)
    case .sample: return routes.all
    case .canary:
      let name = try await composer.compose(alert).canaryName
      return name.flatMap { routes.canaries[$0] } ?? routes.standard
    }
  }
}

extension AlertService {
  /// Those who are to hear that alerts don't get through: by other ways than those that fail, where there are any.
  private func reachable(_ targets: [AlertTarget], of alert: StoredAlert) async throws -> [AlertTarget] {
    let content = try alert.decoded(StoredContent.DeliveryHealth.self)
    let failing = try await Set(store.failingTargets().keys)
    let refusing = failing.union(content.refusing)
    for avoided in [refusing, failing] {
      let others = targets.filter { !avoided.contains($0.target) }
      if !others.isEmpty { return others }
    }
    return targets
  }
}

extension AlertRoutes {
  fileprivate func routed(_ targets: [AlertTarget], _ decision: AlertDecision) -> [RoutedTarget] {
    targets.map { target in
      RoutedTarget(
        target, verdict: decision.level?.rawValue,
        combinesBursts: channels[target.target]?.combinesBursts ?? true)
    }
  }
}

extension Alert {
  fileprivate var canaryName: String? {
    if case .canary(let canary) = content { canary.name } else { nil }
  }
}
