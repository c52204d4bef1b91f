package import CTPolicy
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
package import OrielAccounts
package import OrielContacts
package import OrielMonitor
package import OrielStore
package import OrielWatchlist
import ServiceLifecycle

/// The pages for people, behind one HTTP/1.1 address. TLS is for a proxy in front.
package struct WebServer: Sendable {
  package struct Settings: Sendable {
    package var host = "127.0.0.1"
    /// 0 for any that is free.
    package var port = 8080
    /// How browsers reach the pages, such as `https://oriel.example`; nil for the address that is listened on.
    package var publicURL: String?
    /// Whether a proxy in front tells who the client is, in X-Forwarded-For.
    package var trustsForwarded = false
    package var connections = 1024
    /// Connections of one address without a request under way.
    package var idleConnectionsPerAddress = 64
    /// The most bytes of a form.
    package var formByteCount = 1 << 20
    /// The most bytes of a form of somebody who is not signed in.
    package var anonymousFormByteCount = 16 << 10
    /// The most bytes of a form with files in it.
    package var uploadByteCount = 8 << 20
    /// The time for the body of a request, however its bytes trickle in.
    package var bodyTimeout: Duration = .seconds(10)
    package var uploadTimeout: Duration = .seconds(120)
    /// The time for the head of a request, and for silence between two.
    package var idleTimeout: Duration = .seconds(30)
    /// How long somebody who has hosts looked at waits for what comes of it, before the page tells that it goes on.
    package var probeWait: Duration = .seconds(12)
    /// Bodies of requests that arrive at once.
    package var bodies = Quota(total: 256, perAddress: 32)
    /// Forms with files that arrive, or are worked on, at once.
    package var uploads = Quota(total: 8, perAccount: 2, perAddress: 4)
    /// A link to sign in is made within so long of the answer to whoever asked for it.
    package var linkDelay: Duration = .seconds(2)
    /// How often pages that are open look for news, and how many may.
    package var liveInterval: Duration = .seconds(2)
    package var livePages = Quota(total: 256, perAccount: 64, perSession: 8, perAddress: 128)
    /// Streams of certificates, and when something is said in each.
    package var streams = Quota(total: 256, perAccount: 8, perAddress: 128)
    package var streamHeartbeat: Duration = .seconds(15)
    /// How long a reader may take nothing of an answer.
    package var writeTimeout: Duration = .seconds(30)
    /// How long who asks for a page waits for other processes that write.
    package var writePatience: Duration = .seconds(5)
    /// The time for answers under way, once the server is to stop.
    package var stopTimeout: Duration = .seconds(10)

    package init() {}
  }

  /// What the pages show, and what they can do.
  package struct Parts: Sendable {
    package var accounts: AccountStore
    package var database: any SQLDatabase
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64
    /// Sends a letter with the address of the page that it leads to.
    package var sendLetter: @Sendable (LinkLetter, _ url: String) async -> Void
    /// How the logs fare at this moment.
    package var statuses: @Sendable () -> [FollowStatus] = { [] }
    /// CCADB's data, where there are any.
    package var owners: @Sendable () -> CAOwners? = { nil }
    /// One sentence on them.
    package var ownersSummary: @Sendable () -> String? = { nil }
    /// The logs whose SCTs a browser accepts, where a list has been read.
    package var logs: @Sendable (BrowserPolicy) -> PolicyLogs? = { _ in nil }
    /// How hosts are looked at.
    package var probe = HostProbe()
    /// Finds out who registered a domain for its owner; nil where nobody says whom to ask.
    package var registrar: (@Sendable (DomainName) async -> RegistrarLookup.Answer)?
    /// Fetches an entry of a log, with the proof for the tree of a size; nil where no log may be asked.
    package var inclusion: (@Sendable (LogRecord, _ entry: UInt64, _ treeSize: UInt64) async throws -> LoggedEntry)?
    /// Looks CAA records up; nil where nothing may be looked up.
    package var caa: (@Sendable (DomainName) async -> CAAResult)?
    /// Whom the configuration file has told of an item; nil where that is not known.
    package var recipients: @Sendable (_ item: String) -> [AlertTarget]? = { _ in nil }
    /// Files of the operator's inventory folders that can't be read, and why, by path.
    package var unreadFiles: @Sendable (_ item: String) async -> [String: String] = { _ in [:] }

    package init(
      accounts: AccountStore, database: any SQLDatabase, now: @escaping @Sendable () -> Int64,
      sendLetter: @escaping @Sendable (LinkLetter, _ url: String) async -> Void
    ) {
      self.accounts = accounts
      self.database = database
      self.now = now
      self.sendLetter = sendLetter
    }
  }

  private let site: Site

  /// - Throws: if a template has a mistake in it.
  package init(_ parts: Parts, _ settings: Settings = Settings()) throws { site = try Site(parts, settings) }

  /// Where a letter leads to. Where no public address was given, this is known once the server listens.
  package func url(of letter: LinkLetter) -> String { site.url(of: letter) }

  /// Serves the pages until `stop` returns; once only.
  ///
  /// - Parameter onListening: is told the port.
  package func run(
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }, until stop: @escaping @Sendable () async -> Void
  ) async throws {
    let (site, settings) = (site, site.settings)
    let responder = try WebResponder(site)
    let quiet = Logger(label: "oriel.web") { _ in SwiftLogNoOpLogHandler() }
    // Behind a proxy all connections are of one address.
    let idle = settings.trustsForwarded ? settings.connections : settings.idleConnectionsPerAddress
    let connections = Connections(Connections.Limits(total: settings.connections, idlePerAddress: idle))
    var http = HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        StalledWriteHandler(limit: TimeAmount(settings.writeTimeout)), ConnectionHandler(connections),
      ],
      idleTimeout: TimeAmount(settings.idleTimeout))
    http.httpDecoder = .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)
    let application = Application(
      responder: responder, server: .http1(configuration: http),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port),
        // Some more, for those that are about to make room.
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connections + 128, logger: quiet)),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? 0
        site.address.listening(host: settings.host, port: port)
        await onListening(port)
      }, logger: quiet)
    var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
    configuration.maximumGracefulShutdownDuration = settings.stopTimeout
    let serving = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await stop()
        site.streams.stop()
        await serving.triggerGracefulShutdown()
      }
      group.addTask { await site.sendLetters() }
      group.addTask { await site.probes.run() }
      group.addTask {
        defer {
          site.endLetters()
          site.probes.end()
        }
        try await serving.run()
      }
      // What fails, such as an address that somebody else has, ends the rest.
      while try await group.next() != nil {}
    }
  }
}
