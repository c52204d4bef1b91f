import CertificateTransparency
import Crypto
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielLogging
import OrielMail
import OrielServer
import OrielStore
import OrielWatchlist
import Synchronization
import TestSupport
import TestWorld

/// Accounts, an outbox and a judge in a fresh database, with a clock that is moved by hand and mail that is kept.
final class Courtroom: Sendable {
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 24 * hour
  /// 2027-01-15, a Friday, 08:00 UTC.
  static let start: Int64 = 1_800_000_000_000

  let folder: TemporaryFolder
  let database: SQLiteDatabase
  let store: AccountStore
  let alerts: AlertStore
  let authority: TestAuthority
  let post = Post()
  let routes = AlertRoutesHolder(AlertRoutes(channels: [:]))
  private let owners = Owners()
  let router: VerdictRouter
  private let clock: Clock
  private let log: LogDescription
  private let index = Mutex<UInt64>(0)

  private final class Owners: Sendable {
    let held = Mutex<CAOwners?>(nil)
  }

  private final class Clock: Sendable {
    private let value = Mutex(Courtroom.start)
    var now: Int64 { value.withLock { $0 } }
    func pass(_ milliseconds: Int64) { value.withLock { $0 += milliseconds } }
  }

  init(
    change: (inout VerdictRouter.Settings) -> Void = { _ in },
    registrar: (@Sendable (DomainName) async -> RegistrarLookup.Answer)? = nil,
    readInventory: @escaping VerdictRouter.ReadInventory = { _, _ in false }
  ) async throws {
    folder = try TemporaryFolder()
    let clock = Clock()
    let numbers = Clock()
    self.clock = clock
    database = try SQLiteDatabase(path: folder.path + "/oriel.db", isChecked: false)
    store = AccountStore(
      database, now: { clock.now },
      random: { count in
        numbers.pass(1)
        return Array(SHA256.hash(data: Array("random \(numbers.now)".utf8)).prefix(count))
      })
    alerts = AlertStore(database)
    authority = try TestAuthority(now: { Timestamp(milliseconds: UInt64(clock.now)) })
    log = try TestLog(.staticCT, name: "court").description(url: "https://log.example/")
    var settings = VerdictRouter.Settings()
    settings.mail = MailPost(
      transport: .sendmail(SendmailProgram(path: "/bin/false")), sender: try MailAddress("oriel@mail.example"))
    settings.publicURL = "https://oriel.example"
    change(&settings)
    let owners = owners
    router = VerdictRouter(
      store, database, routes: routes, settings: settings, owners: { owners.held.withLock { $0 } },
      registrar: registrar, readInventory: readInventory, now: { clock.now })
    let following = FollowingStore(database, writesAlerts: true)
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
  }

  var now: Int64 { clock.now }
  func pass(_ milliseconds: Int64) { clock.pass(milliseconds) }

  var accounts: Accounts { Accounts(store) }
  var service: AccountService { AccountService(store) }

  /// Routes and sends all that is due, as the service would after a restart.
  func settle(firstRetry: Duration = .seconds(60)) async throws {
    var settings = AlertSettings()
    settings.firstRetry = firstRetry
    try await AlertService(
      store: alerts, routes: routes, router: Postman(router: router, post: post), settings: settings,
      logger: .silent, now: { [clock] in clock.now }
    ).settle()
  }

  // MARK: People

  /// An account whose owner has confirmed.
  func account(_ name: String, plan: Plan = .enterprise) async throws -> Actor {
    let made = try await service.addAccount(name: name, owner: "owner@\(name).example", plan: plan)
    _ = try await SignIn(store).confirm(made.letter.secret)
    return .machine(made.account.id)
  }

  /// A domain that is on and tells these addresses.
  func domain(
    _ account: Actor, _ item: String = "shop.example", hasBaseline: Bool = true, telling addresses: [String] = [],
    _ delivery: (inout DeliveryTimes) -> Void = { _ in }
  ) async throws -> Domain {
    let id = try await accounts.addDomain(account, item: item).id
    var (change, times) = (DomainChange(), DeliveryTimes())
    delivery(&times)
    change.isOn = true
    for level in VerdictLevel.allCases { change.delivery[level] = times[level] }
    change.isBaselineConfirmed = hasBaseline
    let domain = try await accounts.change(account, id, change)
    for address in addresses {
      if let letter = try await accounts.addRecipient(account, to: id, address: address).letter {
        _ = try await SignIn(store).confirm(letter.secret)
      }
    }
    return domain
  }

  func remove(_ address: String, from domain: Domain, of account: Actor) async throws {
    for recipient in try await accounts.recipients(account, of: domain.id) where recipient.address == address {
      try await accounts.removeRecipient(account, recipient.id, of: domain.id)
    }
  }

  func turnOff(_ domain: Domain, of account: Actor) async throws {
    var change = DomainChange()
    change.isOn = false
    _ = try await accounts.change(account, domain.id, change)
  }

  // MARK: Certificates

  /// A key to be used again.
  static let key = [UInt8](P256.Signing.PrivateKey().publicKey.derRepresentation)

  func issue(
    _ names: [String] = ["www.shop.example"], from start: Int64 = 0, days: Int64 = 90, key: [UInt8]? = nil,
    by organisation: String? = nil
  ) throws -> IssuedPair {
    var request = CertificateRequest(names)
    request.notBefore = Timestamp(milliseconds: UInt64(now + start * Courtroom.day))
    request.notAfter = Timestamp(milliseconds: UInt64(now + (start + days) * Courtroom.day))
    request.subjectPublicKeyInfo = key
    request.issuerOrganisation = organisation
    return try authority.issue(request)
  }

  /// A log shows a certificate.
  @discardableResult
  func sight(
    _ pair: IssuedPair, items: [String] = ["shop.example"], lookalikes: [StoredLookalike] = []
  ) async throws -> IssuanceID {
    let place = index.withLock { index in
      index += 1
      return index
    }
    let facts = CertificateFacts(certificate: pair.certificate)
    let chain = pair.chain.map { SHA256Hash.hash($0) }
    var sighting = NewSighting(
      index: place - 1, timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: chain, issuers: [], facts: facts,
      matches: items.flatMap { item in facts.text(of: .dnsName).map { StoredMatch(item: item, name: $0) } },
      problems: [])
    sighting.lookalikes = lookalikes
    var frontier = Frontier()
    for _ in 0..<place { try frontier.append(.zero) }
    try await FollowingStore(database, writesAlerts: true).commit(
      [sighting], of: log.logID, downloaded: LogPosition(index: place, frontier: frontier), verified: nil,
      unreadable: 0, now: now)
    return pair.issuanceID
  }

  /// Tells Oriel of a certificate beforehand.
  func tell(_ pair: IssuedPair, of domain: Domain, isByProgram: Bool = false) async throws {
    let entry = NewInventoryEntry(kind: .certificate, hash: pair.issuanceID.hash, names: ["www.shop.example"])
    try await service.found([entry], for: domain.id, source: "upload", isByProgram: isByProgram)
  }

  func judgement(_ issuance: IssuanceID, of domain: Domain) async throws -> Judgement {
    try await accounts.judgement(.machine(domain.account), of: domain.id, issuance)
  }

  /// CCADB's data that know who runs the authority's intermediate, and how to report to it.
  func learnOwners(_ name: String = "Honest Trust") throws {
    let fingerprint = SHA256Hash.hash(try authority.intermediate().chain[0]).hex.uppercased()
    var reader = CAOwnersReader()
    try reader.addRecords(
      Array(
        "\"CA Owner\",\"SHA-256 Fingerprint\",\"Parent SHA-256 Fingerprint\"\n\"\(name)\",\"\(fingerprint)\",\"\"\n"
          .utf8))
    try reader.addMechanisms(
      Array("\"CA Owner\",\"Problem Reporting Mechanism\"\n\"\(name)\",\"problems@honest.example\"\n".utf8))
    let read = reader.finish(asOf: Timestamp(milliseconds: UInt64(now)))
    owners.held.withLock { $0 = read }
  }
}

/// Keeps the mails, and answers as it is told.
final class Post: Sendable {
  struct Mail: Sendable {
    let id: String
    let to: String
    let message: MailMessage
    var subject: String { message.subject }
    var text: String { message.text.replacing(/\s+/, with: " ") }
    var isReply: Bool { message.headers.contains { $0.name == "In-Reply-To" } }
    var leave: String? { message.headers.first { $0.name == "List-Unsubscribe" }?.value }
  }

  private let got = Mutex<[Mail]>([])
  private let answer = Mutex<DeliveryResult>(.delivered("250 ok"))

  var mails: [Mail] { got.withLock { $0 } }
  var subjects: [String] { mails.map(\.subject) }

  func answer(_ result: DeliveryResult) { answer.withLock { $0 = result } }

  func take(_ mail: Mail) -> DeliveryResult {
    got.withLock { $0.append(mail) }
    return answer.withLock { $0 }
  }
}

/// The router, with the post in place of the mail server.
struct Postman: AlertRouter {
  let router: VerdictRouter
  let post: Post

  func routing(of alert: StoredAlert) async throws -> AlertRouting { try await router.routing(of: alert) }
  func decision(on held: HeldAlert) async throws -> AlertDecision { try await router.decision(on: held) }
  var longestReview: Int64 { router.longestReview }
  func targets(of audience: String) async throws -> [AlertTarget] { try await router.targets(of: audience) }

  func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach? {
    let reach = try await router.reach(target, with: alert)
    guard case .channel(let channel, let isConfirmed) = reach, let mail = channel as? MailChannel else { return reach }
    let box = Box(mail: mail, to: String(target.target.drop { $0 != ":" }.dropFirst()), post: post)
    return .channel(box, isConfirmed: isConfirmed)
  }

  func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict? {
    try await router.verdict(on: certificate, for: recipient)
  }

  func steps(on lookalike: LookalikeAlert) async throws -> [CertificateVerdict.Step] {
    try await router.steps(on: lookalike)
  }

  func refused(_ target: AlertTarget, words: String) async throws -> Bool {
    try await router.refused(target, words: words)
  }

  private struct Box: Channel {
    let mail: MailChannel
    let to: String
    let post: Post

    func deliver(_ delivery: Delivery) async -> DeliveryResult {
      post.take(Post.Mail(id: delivery.id, to: to, message: mail.message(delivery)))
    }
  }
}
