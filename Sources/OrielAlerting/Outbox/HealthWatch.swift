package import CertificateTransparency
import Foundation
package import Logging
package import OrielStore

/// Watches over the watcher: logs that are not well for long, alerts that don't get through, names that do not come, and
/// the proof that all is well.
package struct HealthWatch: Sendable {
  package struct Canary: Hashable, Sendable {
    /// The watched item that a certificate is to hit, such as `=canary.example.com`.
    package let item: String
    package let every: Duration

    package init(item: String, every: Duration) {
      self.item = item
      self.every = every
    }
  }

  package struct Settings: Sendable {
    /// How long a log may be frozen, behind or unreachable, or a target take no alerts, before anybody is notified. A lie
    /// is reported at once.
    package var after: Duration = .seconds(3600)
    package var heartbeat: Duration?
    package var canaries: [Canary] = []

    package init() {}
  }

  let store: AlertStore
  let settings: Settings
  let routes: AlertRoutes
  let logger: Logger
  let now: @Sendable () -> Int64
  private let following: FollowingStore

  package init(
    store: AlertStore, following: FollowingStore, settings: Settings, routes: AlertRoutes, logger: Logger,
    now: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.following = following
    self.settings = settings
    self.routes = routes
    self.logger = logger
    self.now = now
  }

  /// Looks once; what is to be told goes into the outbox.
  ///
  /// - Parameters:
  ///   - watchedCount: how many items are watched, for the heartbeat.
  ///   - clock: why this machine's clock must be wrong, nil if it seems right; and the logs whose trouble that explains.
  ///   - folders: those of the inventory, each with the reason if it can't be listed.
  /// - Returns: whether there is something new in the outbox.
  @discardableResult
  package func look(
    watchedCount: Int, clock: (reason: String?, logs: Set<LogID>) = (nil, []), folders: [String: String?] = [:]
  ) async throws -> Bool {
    let logs = try await following.logs()
    var isNew = try await look(atClock: clock.reason)
    for log in logs where !clock.logs.contains(log.logID) {
      if try await look(at: log) { isNew = true }
    }
    if try await lookAtDeliveries() { isNew = true }
    for (folder, reason) in folders where try await look(atFolder: folder, reason) { isNew = true }
    for canary in settings.canaries where try await look(at: canary) { isNew = true }
    if let every = settings.heartbeat, try await heartbeats(every, logs, watchedCount, folders) { isNew = true }
    return isNew
  }

  /// Whether a log is in a state that somebody has to know of, once it lasts.
  static func isBad(_ log: LogRecord) -> Bool { [.frozen, .behind, .unreachable, .lying].contains(log.state) }

  /// Whether it has lasted.
  func isReportable(_ log: LogRecord) -> Bool {
    let patience = log.state == .lying ? 0 : settings.after.wholeMilliseconds
    return HealthWatch.isBad(log) && max(0, now() - log.stateSince) >= patience
  }

  private func look(at log: LogRecord) async throws -> Bool {
    let subject = "log:\(log.logID)"
    let isBad = HealthWatch.isBad(log)
    if isBad {
      guard isReportable(log) else { return false }
    } else {
      let known = try await store.alarm(subject)
      if known == nil || known?.state == LogState.current.rawValue { return false }
    }
    let state = isBad ? log.state : .current
    let content = StoredContent.LogHealth(
      log: log.description, operatorName: log.operatorName, state: state.rawValue, since: log.stateSince,
      reason: log.reason)
    let key = AlertStore.key("log-health", "\(log.logID)", state.rawValue, "\(log.stateSince)")
    return try await store.alarm(
      subject, state: state.rawValue, now: now(), alert: (.logHealth, key, try StoredContent.encode(content)))
  }

  private func lookAtDeliveries() async throws -> Bool {
    try await store.reportTroubles(after: settings.after.wholeMilliseconds, now: now()) { troubles in
      try StoredContent.encode(StoredContent.DeliveryHealth(troubles))
    }
  }

  /// One alert for the clock, in place of one for each log that it makes look wrong.
  private func look(atClock reason: String?) async throws -> Bool {
    let subject = "clock"
    let known = try await store.alarm(subject)
    func note(_ state: String, since: Int64? = nil) async throws -> Bool {
      guard let since else {
        _ = try await store.alarm(subject, state: state, now: now(), alert: nil)
        return false
      }
      let content = StoredContent.LogHealth(
        log: LogHealthAlert.clock, operatorName: "", state: state, since: since, reason: reason)
      let key = AlertStore.key("log-health", subject, state, "\(since)")
      return try await store.alarm(
        subject, state: state, now: now(), alert: (.logHealth, key, try StoredContent.encode(content)))
    }
    switch (known, reason) {
    case (nil, nil): return false
    case (let known?, nil) where known.state == LogHealthAlert.clockState:
      return try await note(LogState.current.rawValue, since: known.since)
    case (_, nil): return try await note(LogState.current.rawValue)
    case (let known?, _?) where known.state == HealthWatch.suspect:
      // It may be set right before anybody has to know.
      guard now() - known.since >= settings.after.wholeMilliseconds else { return false }
      return try await note(LogHealthAlert.clockState, since: known.since)
    case (let known?, _?) where known.state == LogHealthAlert.clockState: return false
    case (_, _?): return try await note(HealthWatch.suspect)
    }
  }

  private static let suspect = "suspect"

  private func look(atFolder folder: String, _ reason: String?) async throws -> Bool {
    let subject = "inventory:\(folder)"
    let state = reason == nil ? "listed" : "unlisted"
    let known = try await store.alarm(subject)?.state ?? "listed"
    guard known != state else { return false }
    let content = StoredContent.InventoryHealth(folder: folder, reason: reason, since: now())
    return try await store.alarm(
      subject, state: state, now: now(),
      alert: (
        .inventoryHealth, AlertStore.key("inventory-health", folder, state, "\(now())"),
        try StoredContent.encode(content)
      ))
  }

  private func look(at canary: Canary) async throws -> Bool {
    let subject = "canary:\(canary.item)"
    let now = now()
    let last = try await store.lastSighting(ofItem: canary.item, now: now)
    guard let known = try await store.alarm(subject) else {
      // From the first look on, it has its time to come.
      _ = try await store.alarm(subject, state: "expected", now: now, alert: nil)
      return false
    }
    if known.since > now { _ = try await store.alarm(subject, state: known.state, now: now, alert: nil) }
    let due = max(last ?? 0, known.state == "missing" ? 0 : min(known.since, now)) + canary.every.wholeMilliseconds
    guard now >= due else {
      _ = try await store.alarm(subject, state: "expected", now: now, alert: nil)
      return false
    }
    let content = StoredContent.Canary(name: canary.item, due: due, lastSeen: last)
    return try await store.alarm(
      subject, state: "missing", now: now,
      alert: (.canary, AlertStore.key("canary", canary.item, "\(due)"), try StoredContent.encode(content)))
  }
}
