import CTLogClient
import CertificateTransparency
import OrielAccounts
import OrielMonitor
import OrielServer
import OrielStore
import OrielWatchlist

/// The pages of the demonstration, and the shop's account that they show.
struct DemoDashboard: Sendable {
  static let owner = "owner@shop.example"

  let store: AccountStore
  /// Where the pages are, without a slash at its end.
  let url: String
  /// Signs the owner in.
  let link: String
  private let domains: [DomainID]

  /// Serves the pages while `body` runs.
  static func run(
    _ database: SQLiteDatabase, board: StatusBoard, transport: HTTPTransport,
    say: @escaping @Sendable (String) throws -> Void,
    _ body: (DemoDashboard) async throws -> Void
  ) async throws {
    let store = AccountStore(database, now: Timekeeper.system.now)
    let domains = try await open(store)
    var parts = WebServer.Parts(accounts: store, database: database, now: Timekeeper.system.now) { letter, url in
      try? say("mail to \(letter.address), with a link: \(url)")
    }
    parts.statuses = { board.all }
    let lookup = InclusionLookup(transport)
    parts.inclusion = { try await lookup.entry($1, of: $0, treeSize: $2) }
    var settings = WebServer.Settings()
    settings.port = 0
    settings.stopTimeout = .seconds(1)
    let web = try WebServer(parts, settings)
    try await ServedWhile.run({ try await web.run(onListening: $0, until: $1) }) { port in
      guard let letter = try await SignIn(store).requestLink(address: owner, client: "terminal") else { return }
      try await body(
        DemoDashboard(store: store, url: "http://127.0.0.1:\(port)", link: web.url(of: letter), domains: domains))
    }
  }

  /// Makes the account, with domains of which there is a history.
  private static func open(_ store: AccountStore) async throws -> [DomainID] {
    let service = AccountService(store)
    let made = try await service.addAccount(name: "The shop", owner: owner)
    let actor = Actor.machine(made.account.id)
    try await service.mirror(
      try DemoStory.watched.map { ConfiguredDomain(try WatchedItem(parsing: $0)) },
      in: try await service.operatorsAccount())
    var change = DomainChange()
    change.isBaselineConfirmed = true
    var domains: [DomainID] = []
    for domain in try await Accounts(store).domains(actor) {
      domains.append(try await Accounts(store).change(actor, domain.id, change).id)
    }
    return domains
  }

  /// Tells of a certificate's key before a log shows it, as the shop's deploy hook would.
  func tell(_ precertificate: [UInt8]) async throws {
    let facts = CertificateFacts(certificate: precertificate)
    guard let key = facts.publicKeyHash else { return }
    let entry = NewInventoryEntry(kind: .key, hash: key, names: facts.text(of: .dnsName), notAfter: facts.notAfter)
    for domain in domains {
      try await AccountService(store).found([entry], for: domain, source: "the shop's deploy hook")
    }
  }
}
