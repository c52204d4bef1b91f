package import CTLogClient
package import CertificateTransparency
package import Logging
import OrielAccounts
import OrielAlerting
import OrielContacts
package import OrielMonitor
package import OrielSettings
package import OrielStore
import OrielWatchlist
import Synchronization

/// The service: follows the logs, alerts those concerned, and watches over itself.
package final class Service: Sendable {
  private let database: any SQLDatabase
  private let store: FollowingStore
  private let alertStore: AlertStore
  private let monitor: LogMonitor
  private let watch: WatchIndexHolder
  private let routes: AlertRoutesHolder
  private let plan: Mutex<ServicePlan>
  /// What accounts watch, what the file watches for those whom it names included.
  private let accountItems = Mutex<[WatchedItem]>([])
  /// How many items are watched, by the file, by accounts or by both.
  private let watchedCount: Mutex<Int>
  /// Whose imitations are sought.
  private let lookalikes: Mutex<(accounts: LookalikeNames, all: LookalikeNames, index: LookalikeIndex)>
  private let accounts: AccountsAtWork?
  private let router: VerdictRouter?
  private let fileRouter: FileRouter
  private let alerts: AlertService
  private let logger: Logger
  private let board: StatusBoard
  private let time: Timekeeper
  /// How often the service looks after itself.
  private let healthInterval: Duration
  private let settingsInterval: Duration
  /// How often what is looked up for accounts is looked at.
  private static let upkeepInterval = Duration.seconds(60)
  private static let day: Int64 = 86_400_000

  /// - Parameters:
  ///   - accounts: nil where nothing is judged, and nobody but the configuration says what is watched.
  ///   - settingsInterval: how often changes that other processes make of accounts are looked for.
  ///   - tell: shows each sighting, beside the alerts; at least once.
  package init(
    _ configuration: Configuration, database: any SQLDatabase, transport: HTTPTransport, settings: MonitorSettings,
    board: StatusBoard, accounts: AccountsAtWork? = nil, logger: Logger, time: Timekeeper = .system,
    healthInterval: Duration = .seconds(30), settingsInterval: Duration = .seconds(1),
    tell: @escaping @Sendable (IssuanceRecord) async throws -> Void = { _ in }
  ) throws {
    let plan = try ServicePlan(configuration)
    self.plan = Mutex(plan)
    self.logger = logger
    self.board = board
    self.time = time
    self.healthInterval = healthInterval
    self.settingsInterval = settingsInterval
    self.database = database
    alertStore = AlertStore(database)
    let index = plan.lookalikes.index
    lookalikes = Mutex((LookalikeNames(), plan.lookalikes, index))
    watch = WatchIndexHolder(WatchIndex(plan.items), lookalikes: index)
    watchedCount = Mutex(plan.items.count)
    let routes = AlertRoutesHolder(plan.routes)
    self.routes = routes
    store = FollowingStore(database, writesAlerts: true) { routes.routes.targets(ofItem: $0) }
    self.accounts = accounts
    if let accounts {
      router = VerdictRouter(
        accounts.store, database, routes: routes, settings: plan.verdicts, owners: { accounts.owners },
        registrar: configuration.looksUpRegistrars ? try RegistrarDirectory.asked(by: configuration, time) : nil,
        readInventory: { try await accounts.readInventory(of: $0, since: $1) }, now: time.now)
    } else {
      router = nil
    }
    fileRouter = FileRouter(routes: routes, digestHour: plan.verdicts.digestHour, now: time.now)
    let alerts = AlertService(
      store: alertStore, routes: routes, router: router ?? fileRouter, settings: plan.alerts, logger: logger,
      now: time.now)
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
    // Who starts it anew may have put right what was wrong with a target.
    try await alertStore.restartTargets()
    // Before anything is read: what goes by unwatched does not come back.
    if let accounts {
      try await accounts.show(plan.withLock { $0 })
      try await takeUp(accounts)
    }
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
      group.addTask { [self] in
        try await followAccounts()
        return []
      }
      group.addTask { [self] in
        try await keepUp()
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
  /// - Throws: what the watch lists' reading throws; nothing has changed then. And what the state throws.
  package func replace(with configuration: Configuration) async throws {
    let fresh = try ServicePlan(configuration)
    routes.replace(with: fresh.routes)
    router?.replace(with: fresh.verdicts)
    fileRouter.replace(digestHour: fresh.verdicts.digestHour)
    plan.withLock { $0 = fresh }
    // What was wrong with a target may be mended.
    try await alertStore.restartTargets()
    // Before anything is seen that is watched only now: it is judged, and told when the file says.
    try await accounts?.show(fresh)
    rearrange()
    alerts.wake()
  }

  /// Puts what the file and the accounts watch in force.
  private func rearrange() {
    // Under one lock, so that of two changes at once the later is not undone.
    accountItems.withLock { items in
      let plan = plan.withLock { $0 }
      let index = lookalikes.withLock { held in
        let all = plan.lookalikes + held.accounts
        if held.all != all { (held.all, held.index) = (all, all.index) }
        return held.index
      }
      let own = Set(plan.items)
      let all = plan.items + items.filter { !own.contains($0) }
      watchedCount.withLock { $0 = all.count }
      watch.replace(with: WatchIndex(all), lookalikes: index)
    }
  }

  /// Takes up what people change in their accounts. Returns only when cancelled.
  private func followAccounts() async throws {
    guard let accounts else { return try await Service.wait() }
    let last = Mutex<Int64?>(nil)
    try await accounts.store.follow(every: settingsInterval) { [self] generation in
      try await accounts.show(plan.withLock { $0 })
      let isNew = last.withLock { last in
        defer { last = generation.watch }
        return last != generation.watch
      }
      if isNew { try await takeUp(accounts) }
      // Perhaps they told of something.
      try await router?.reconsider()
      // Many changes in a row are taken up together.
      if isNew { try await Task.sleep(for: .milliseconds(250)) }
    }
  }

  private func takeUp(_ accounts: AccountsAtWork) async throws {
    let (items, names) = (try await accounts.watchedItems(), try await accounts.lookalikeNames())
    lookalikes.withLock { $0.accounts = names }
    accountItems.withLock { $0 = items }
    rearrange()
  }

  /// Keeps fresh what verdicts take into account, and forgets what is to be forgotten. Returns only when cancelled.
  private func keepUp() async throws {
    var sweptAt: Int64?
    while true {
      if let accounts, try await accounts.refresh(plan.withLock { $0 }, accountItems.withLock { $0 }) { alerts.wake() }
      try await router?.reconsider()
      let now = time.now()
      let isDue = sweptAt.map { StoredTime.hasPassed(Service.day, since: $0, now: now) } ?? true
      if isDue, let retention = plan.withLock({ $0.retention }) {
        try await IssuanceRetention(database, days: Int(retention / .seconds(86_400))).sweep(now: now)
        sweptAt = now
      }
      try await time.sleep(Service.upkeepInterval)
    }
  }

  private static func wait() async throws {
    while true { try await Task.sleep(for: .seconds(86_400)) }
  }

  private func watchHealth() async throws {
    var clock = ClockSuspicion()
    while true {
      try await time.sleep(healthInterval)
      let plan = plan.withLock { $0 }
      let watch = HealthWatch(
        store: alertStore, following: store, settings: plan.health, routes: plan.routes, logger: logger,
        now: time.now)
      let count = watchedCount.withLock { $0 }
      clock.look(board.all)
      let folders = await accounts?.inventoryFolders() ?? [:]
      if try await watch.look(watchedCount: count, clock: (clock.reason, clock.logs), folders: folders) {
        alerts.wake()
      }
    }
  }
}
