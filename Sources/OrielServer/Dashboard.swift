package import CTLogClient
package import CTPolicy
import CertificateTransparency
import Foundation
import NIOCore
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
  private let port: Int
  private let accounts: AccountStore
  private let search: IssuanceSearch
  private let letters: LetterRound

  /// - Parameters:
  ///   - transport: how logs are asked for proofs; nil where they are not.
  ///   - logs: the logs whose SCTs a browser accepts, where a list has been read.
  ///   - note: is told of letters that could not be sent.
  /// - Returns: nil where the configuration has no dashboard.
  package init?(
    _ configuration: Configuration, _ accounts: AccountsAtWork, _ database: any SQLDatabase, _ board: StatusBoard,
    transport: HTTPTransport? = nil, logs: @escaping @Sendable (BrowserPolicy) -> PolicyLogs? = { _ in nil },
    time: Timekeeper = .system,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    guard let place = configuration.dashboard else { return nil }
    let store = accounts.store
    let letters = LetterRound(
      ServicePlan.post(configuration).map { LinkMail($0) }, AccountService(store), time: time, note: note)
    var parts = WebServer.Parts(accounts: store, database: database, now: time.now) { letter, url in
      await letters.send(letter, url: url)
    }
    parts.statuses = { board.all }
    parts.owners = { accounts.owners }
    parts.ownersSummary = { accounts.ownersSummary }
    parts.logs = logs
    parts.probe.allowsPrivate = place.probesPrivate
    parts.registrar = try RegistrarDirectory.asked(by: configuration, time)
    parts.recipients = { accounts.recipients(ofItem: $0) }
    parts.unreadFiles = { await accounts.unreadFiles(ofItem: $0) }
    if let transport {
      let lookup = InclusionLookup(transport)
      parts.inclusion = { try await lookup.entry($1, of: $0, treeSize: $2) }
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
    port = place.port
    host = place.host.contains(":") ? "[\(place.host)]" : place.host
    self.accounts = store
    self.letters = letters
    search = IssuanceSearch(database)
  }

  /// Goes on with another configuration, as far as mail to sign in goes; the rest takes a restart.
  package func replace(with configuration: Configuration) {
    letters.replace(ServicePlan.post(configuration).map { LinkMail($0) })
  }

  /// Nobody can be served at an address.
  package struct Unlistenable: Error, CustomStringConvertible {
    let address: String
    let reason: String

    package var description: String {
      "dashboard.listen: \(address) can't be listened on: \(reason). Does another program, or another oriel, have it?"
    }
  }

  /// Serves the pages until cancelled.
  ///
  /// - Parameter note: is told where the pages are, and how the first account is made.
  package func run(_ note: @escaping @Sendable (String) -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await web.run(onListening: { port in await tell(port, note) }, until: untilCancelled)
        } catch let error as IOError {
          throw Unlistenable(address: "\(host):\(port)", reason: String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError.UnknownHost {
          throw Unlistenable(address: "\(host):\(port)", reason: "there is no host \(error.host)")
        }
      }
      // What older versions stored becomes findable by name.
      group.addTask { while try await search.indexOlder() > 0 {} }
      while try await group.next() != nil {}
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
