import CertificateTransparency
package import OrielStore

/// Watches over the watcher: logs that are not well for long, names that do not come, and the proof that all is.
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
    /// How long a log may be frozen, behind or unreachable before anybody is told. A lie is told at once.
    package var after: Duration = .seconds(3600)
    package var heartbeat: Duration?
    package var canaries: [Canary] = []

    package init() {}
  }

  private let store: AlertStore
  private let following: FollowingStore
  private let settings: Settings
  private let now: @Sendable () -> Int64

  package init(
    store: AlertStore, following: FollowingStore, settings: Settings, now: @escaping @Sendable () -> Int64
  ) {
    self.store = store
    self.following = following
    self.settings = settings
    self.now = now
  }

  /// Looks once; what is to be told goes into the outbox.
  ///
  /// - Parameter watchedCount: how many items are watched, for the heartbeat.
  /// - Returns: whether there is something new in the outbox.
  @discardableResult
  package func look(watchedCount: Int) async throws -> Bool {
    let logs = try await following.logs()
    var isNew = false
    for log in logs where try await look(at: log) { isNew = true }
    for canary in settings.canaries where try await look(at: canary) { isNew = true }
    if let every = settings.heartbeat, try await heartbeat(every, logs, watchedCount) { isNew = true }
    return isNew
  }

  private func look(at log: LogRecord) async throws -> Bool {
    let subject = "log:\(log.logID)"
    let known = try await store.alarm(subject)
    let isBad = [.frozen, .behind, .unreachable, .lying].contains(log.state)
    let patience = log.state == .lying ? 0 : settings.after.wholeMilliseconds
    if isBad {
      guard now() - log.stateSince >= patience else { return false }
    } else if known == nil || known?.state == LogState.current.rawValue {
      return false
    }
    let state = isBad ? log.state : .current
    let content = StoredContent.LogHealth(
      log: log.description, operatorName: log.operatorName, state: state.rawValue, since: log.stateSince,
      reason: log.reason)
    let key = AlertStore.key("log-health", "\(log.logID)", state.rawValue, "\(log.stateSince)")
    return try await store.alarm(
      subject, state: state.rawValue, now: now(), alert: (.logHealth, key, try StoredContent.encode(content)))
  }

  private func look(at canary: Canary) async throws -> Bool {
    let subject = "canary:\(canary.item)"
    let now = now()
    let last = try await store.lastSighting(ofItem: canary.item)
    guard let known = try await store.alarm(subject) else {
      // From the first look on, it has its time to come.
      _ = try await store.alarm(subject, state: "expected", now: now, alert: nil)
      return false
    }
    let due = max(last ?? 0, known.state == "missing" ? 0 : known.since) + canary.every.wholeMilliseconds
    guard now >= due else {
      _ = try await store.alarm(subject, state: "expected", now: now, alert: nil)
      return false
    }
    let content = StoredContent.Canary(name: canary.item, due: due, lastSeen: last)
    return try await store.alarm(
      subject, state: "missing", now: now,
      alert: (.canary, AlertStore.key("canary", canary.item, "\(due)"), try StoredContent.encode(content)))
  }

  /// Silence is the alarm: nothing is said unless every log is well and every delivery on its way.
  private func heartbeat(_ every: Duration, _ logs: [LogRecord], _ watchedCount: Int) async throws -> Bool {
    let now = now()
    let last = try await store.alarm("heartbeat")?.since ?? 0
    guard now - last >= every.wholeMilliseconds, !logs.isEmpty,
      logs.allSatisfy({ [.current, .drained].contains($0.state) }),
      try await store.counts()[.givenUp] ?? 0 == 0,
      try await store.oldestWaiting().map({ now - $0 < settings.after.wholeMilliseconds }) ?? true
    else { return false }
    let content = StoredContent.Heartbeat(
      logs: logs.count, watched: watchedCount, certificates: try await store.alertCount(since: last), since: last)
    return try await store.alarm(
      "heartbeat", state: "\(now)", now: now,
      alert: (.heartbeat, AlertStore.key("heartbeat", "\(now)"), try StoredContent.encode(content)))
  }
}
