import CertificateTransparency
package import OrielAccounts
import OrielAlerting
package import OrielContacts
package import OrielMonitor
package import OrielStore
package import OrielWatchlist
import Synchronization

/// What the service does for accounts besides following the logs: it takes up changes of settings, keeps inventories,
/// CA owners and CAA records fresh, and routes alerts by verdict.
package final class AccountsAtWork: Sendable {
  /// Where what is looked up comes from; tests bring their own.
  package struct Sources: Sendable {
    package var fetch: Fetch
    /// Nil to ask name servers, as the configuration says.
    package var caa: (@Sendable (DomainName) async -> CAAResult)?

    package init(fetch: @escaping Fetch, caa: (@Sendable (DomainName) async -> CAAResult)? = nil) {
      self.fetch = fetch
      self.caa = caa
    }

    /// The public Internet, and nothing within one's own net.
    package static let network = Sources(fetch: { url in
      let fetch = PublicFetch(limit: 64 << 20, timeout: .seconds(300), userAgent: "oriel/\(OrielVersion.text)")
      return try await fetch.bytes(at: url)
    })
  }

  private static let (hour, day): (Int64, Int64) = (3_600_000, 86_400_000)

  package let store: AccountStore
  private let alerts: AlertStore
  private let sources: Sources
  private let time: Timekeeper
  private let note: @Sendable (String) -> Void
  private let configuration: ConfigurationAccount
  private let inventory: InventoryWatch
  private let caa: Mutex<(settings: CAALookup.Settings, watch: CAAWatch)?>
  private let directory: Mutex<(source: CADataSource, directory: CADirectory, readAt: Int64?)?>
  private let operatorsAccount = Mutex<AccountID?>(nil)
  private let routes = Mutex<AlertRoutes?>(nil)
  /// What was watched when it was last asked for.
  private let items = Mutex<[String: WatchedItem]>([:])

  /// - Parameter note: is told what whoever runs the service should know of, in a sentence.
  package init(
    _ store: AccountStore, _ database: any SQLDatabase, sources: Sources = .network, time: Timekeeper,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.store = store
    self.sources = sources
    self.time = time
    self.note = note
    alerts = AlertStore(database)
    configuration = ConfigurationAccount(store)
    inventory = InventoryWatch(store, alerts, now: time.now, note: note)
    caa = Mutex(nil)
    directory = Mutex(nil)
  }

  /// CCADB's data, where there are any.
  package var owners: CAOwners? { directory.withLock { $0?.directory.owners } }

  /// One sentence on CCADB's data.
  package var ownersSummary: String {
    directory.withLock { $0?.directory }?.summary(at: Timestamp(milliseconds: UInt64(max(0, time.now()))))
      ?? "CA owners are not known: the configuration does not say where CCADB's data are (contacts.ccadb)."
  }

  /// Shows what the configuration file watches in the operator's account.
  func show(_ plan: ServicePlan) async throws {
    routes.withLock { $0 = plan.routes }
    let account = try await configuration.show(plan.mirrored, owner: plan.owner)
    operatorsAccount.withLock { $0 = account }
    await inventory.watch(plan.inventory, of: account)
  }

  /// Reads the folders of a domain's inventory again, unless that was done since a point in time.
  ///
  /// - Returns: whether there is a folder that can be read.
  func readInventory(of domain: Domain, since time: Int64) async throws -> Bool {
    try await inventory.lookAgain(for: domain, since: time)
  }

  /// Whom the configuration file has told of an item; nil before it was read.
  package func recipients(ofItem item: String) -> [AlertTarget]? {
    routes.withLock { $0?.targets(ofItem: item) }
  }

  /// Files of the operator's inventory folders that can't be read, and why.
  package func unreadFiles(ofItem item: String) async -> [String: String] { await inventory.problems(of: item) }

  /// The folders of the inventory that were looked into, each with the reason if it can't be listed.
  func inventoryFolders() async -> [String: String?] { await inventory.listings }

  /// What accounts watch.
  func watchedItems() async throws -> [WatchedItem] {
    // Reading a hundred thousand takes seconds, and most are those of the last time.
    let found = try await AccountService(store).watchedItems(items.withLock { $0 })
    items.withLock { $0 = Dictionary(found.map { ($0.description, $0) }) { first, _ in first } }
    return found
  }

  /// Whose imitations accounts want to hear of.
  func lookalikeNames() async throws -> LookalikeNames { try await AccountService(store).lookalikeNames() }

  /// Looks once after all that is to be kept fresh, as far as its time has come.
  ///
  /// - Returns: whether there is something new in the outbox.
  func refresh(_ plan: ServicePlan, _ items: [WatchedItem]) async throws -> Bool {
    // A configuration that was read anew says so to nobody else.
    try await show(plan)
    await refreshOwners(plan.caSource)
    if let account = operatorsAccount.withLock({ $0 }) { try await inventory.look(into: plan.inventory, of: account) }
    try await AccountService(store).sweep()
    guard let lookup = plan.caaLookup else { return false }
    return try await caaWatch(lookup).look(at: items)
  }

  private func caaWatch(_ settings: CAALookup.Settings) -> CAAWatch {
    caa.withLock { caa in
      if let caa, caa.settings == settings { return caa.watch }
      let lookup = CAALookup(settings)
      let asked = sources.caa
      let watch = CAAWatch(store, alerts, now: time.now) { name in
        if let asked { return await asked(name) }
        return await lookup.records(for: name)
      }
      caa = (settings, watch)
      return watch
    }
  }

  private func refreshOwners(_ source: CADataSource?) async {
    let now = time.now()
    let due = directory.withLock { held -> CADirectory? in
      guard let source else {
        held = nil
        return nil
      }
      if held?.source != source { held = (source, CADirectory(source, fetch: sources.fetch), nil) }
      if let readAt = held?.readAt, !StoredTime.hasPassed(AccountsAtWork.day, since: readAt, now: now) { return nil }
      held?.readAt = now
      return held?.directory
    }
    guard case .failed(let reason)? = await due?.refresh(now: Timestamp(milliseconds: UInt64(max(0, now)))) else {
      return
    }
    // What was there before still is.
    note("CCADB's data can't be read (contacts.ccadb), tried again in an hour: \(reason)")
    directory.withLock { $0?.readAt = now - AccountsAtWork.day + AccountsAtWork.hour }
  }
}
