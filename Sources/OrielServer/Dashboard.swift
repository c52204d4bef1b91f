package import CTPolicy
import CertificateTransparency
import OrielAccounts
import OrielAlerting
import OrielContacts
package import OrielMonitor
package import OrielSettings
package import OrielStore
import OrielWatchlist

/// The pages for people, beside the service.
package struct Dashboard: Sendable {
  private let web: WebServer
  private let host: String
  private let accounts: AccountStore
  private let search: IssuanceSearch

  /// - Parameter logs: the logs that browsers accept SCTs of, where a list has been read.
  /// - Returns: nil where the configuration has no dashboard.
  package init?(
    _ configuration: Configuration, _ accounts: AccountsAtWork, _ database: any SQLDatabase, _ board: StatusBoard,
    logs: @escaping @Sendable () -> LogView? = { nil }, time: Timekeeper = .system
  ) throws {
    guard let place = configuration.dashboard else { return nil }
    let store = accounts.store
    let mail = ServicePlan.post(configuration).map { LinkMail($0) }
    var parts = WebServer.Parts(accounts: store, database: database, now: time.now) { letter, url in
      // Who waits for it asks for another; nobody else could do anything about it.
      try? await mail?.send(letter, url: url, now: time.now())
    }
    parts.statuses = { board.all }
    parts.owners = { accounts.owners }
    parts.logs = { logs() }
    parts.probe.allowsPrivate = place.probesPrivate
    parts.registrar = try Dashboard.registrars(configuration, time)
    parts.deliveries = { (account: AccountID, limit: Int) in
      try await AlertStore(database).deliveries(ofAccount: account.value, limit: limit)
    }
    if let settings = try ServicePlan.caaLookup(configuration) {
      let lookup = CAALookup(settings)
      parts.caa = { await lookup.records(for: $0) }
    }
    var settings = WebServer.Settings()
    (settings.host, settings.port) = (place.host, place.port)
    settings.publicURL = configuration.publicURL
    settings.trustsForwarded = place.trustsForwarded
    web = try WebServer(parts, settings)
    host = place.host.contains(":") ? "[\(place.host)]" : place.host
    self.accounts = store
    search = IssuanceSearch(database)
  }

  /// Whom to ask for registrars; nil where the configuration does not say.
  private static func registrars(
    _ configuration: Configuration, _ time: Timekeeper
  ) throws -> (@Sendable (DomainName) async -> RegistrarLookup.Answer)? {
    guard let place = configuration.rdapBootstrap else { return nil }
    let fetch = PublicFetch(limit: 1 << 20, timeout: .seconds(15), userAgent: "oriel/\(OrielVersion.text)")
    let directory = RegistrarDirectory(
      place, suffixes: try configuration.publicSuffixList.map { try PublicSuffixes(file: $0) } ?? .system,
      now: { Timestamp(milliseconds: UInt64(max(0, time.now()))) }, fetch: { try await fetch.bytes(at: $0) })
    return { await directory.registrar(of: $0) }
  }

  /// Serves the pages until cancelled.
  ///
  /// - Parameter note: is told where the pages are, and how the first account is made.
  package func run(_ note: @escaping @Sendable (String) -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await web.run(onListening: { port in await tell(port, note) }, until: untilCancelled)
      }
      // What older versions stored becomes findable by name.
      group.addTask { while try await search.indexOlder() > 0 {} }
      try await group.waitForAll()
    }
  }

  private func tell(_ port: Int, _ note: @Sendable (String) -> Void) async {
    note("pages at http://\(host):\(port)/")
    guard let letter = try? await SignIn(accounts).firstStart() else { return }
    note("to make the first account, open \(web.url(of: letter)) within the hour")
  }
}

/// Returns when its task is cancelled.
@Sendable private func untilCancelled() async {
  while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
}
