package import CTLogClient
package import CertificateTransparency
import OrielAlerting
package import OrielMonitor
package import OrielSettings
package import OrielStore
import OrielWatchlist
import Synchronization

/// The service: follows the logs, alerts those concerned, and watches over itself.
package final class Service: Sendable {
  private let store: FollowingStore
  private let alertStore: AlertStore
  private let monitor: LogMonitor
  private let watch: WatchIndexHolder
  private let routes: AlertRoutesHolder
  private let plan: Mutex<ServicePlan>
  private let alerts: AlertService
  private let time: Timekeeper
  /// How often the service looks after itself.
  private let healthInterval: Duration

  /// - Parameter tell: shows each sighting, beside the alerts; at least once.
  package init(
    _ configuration: Configuration, database: any SQLDatabase, transport: HTTPTransport, settings: MonitorSettings,
    board: StatusBoard, time: Timekeeper = .system, healthInterval: Duration = .seconds(30),
    tell: @escaping @Sendable (IssuanceRecord) async throws -> Void = { _ in }
  ) throws {
    let plan = try ServicePlan(configuration)
    self.plan = Mutex(plan)
    self.time = time
    self.healthInterval = healthInterval
    store = FollowingStore(database, writesAlerts: true)
    alertStore = AlertStore(database)
    watch = WatchIndexHolder(WatchIndex(plan.items))
    routes = AlertRoutesHolder(plan.routes)
    let alerts = AlertService(store: alertStore, routes: routes, settings: plan.alerts, now: time.now)
    self.alerts = alerts
    monitor = LogMonitor(
      store: store, transport: transport, settings: settings, time: time, board: board, watch: watch,
      announcer: Announcer(store: store) { record in
        alerts.wake()
        try await tell(record)
      })
  }

  /// Runs until cancelled or, if the settings say `once`, until every log is verified to the head it had at the start
  /// and what could be delivered is.
  ///
  /// - Parameter logs: gives the logs to follow; asked again every so often.
  /// - Returns: how each log ended.
  /// - Throws: what the state throws, or `logs` at the very start.
  @discardableResult
  package func run(_ logs: @escaping @Sendable () async throws -> [LogDescription]) async throws -> [LogMonitor.Outcome]
  {
    let outcomes = try await withThrowingTaskGroup(of: [LogMonitor.Outcome].self) { group in
      defer { group.cancelAll() }
      group.addTask { [self] in
        try await alerts.run()
        return []
      }
      group.addTask { [self] in
        try await watchHealth()
        return []
      }
      group.addTask { [self] in try await monitor.run(logs) }
      return try await group.next() ?? []
    }
    try await alerts.settle()
    return outcomes
  }

  /// Puts another configuration in force: what is watched, who is told and how. Positions stay as they are.
  ///
  /// - Throws: what the watch lists' reading throws; nothing has changed then.
  package func replace(with configuration: Configuration) throws {
    let fresh = try ServicePlan(configuration)
    watch.replace(with: WatchIndex(fresh.items))
    routes.replace(with: fresh.routes)
    plan.withLock { $0 = fresh }
    alerts.wake()
  }

  private func watchHealth() async throws {
    while true {
      try await time.sleep(healthInterval)
      let plan = plan.withLock { $0 }
      let watch = HealthWatch(store: alertStore, following: store, settings: plan.health, now: time.now)
      if try await watch.look(watchedCount: plan.items.count) { alerts.wake() }
    }
  }
}
