import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts
import Synchronization
import TestSupport
import TestWorld

@testable import OrielServer

/// The pages on loopback, over a fresh database with a clock that is moved by hand.
final class Dashboard: Sendable {
  static let day: Int64 = 86_400_000

  let database: SQLiteDatabase
  let store: AccountStore
  let accounts: Accounts
  let signIn: SignIn
  let service: AccountService
  let authority: TestAuthority
  let log: LogDescription
  let letters = Letters()
  let folder: TemporaryFolder
  private let clock: TestClock
  private let sighted = Mutex<UInt64>(0)

  /// The letters that were sent, with where they lead.
  final class Letters: Sendable {
    private let all = Mutex<[(letter: LinkLetter, url: String)]>([])
    func add(_ letter: LinkLetter, _ url: String) { all.withLock { $0.append((letter, url)) } }

    /// The path of the last letter to an address, once it is there.
    func path(to address: String) async throws -> String {
      while true {
        if let url = all.withLock({ $0.last { $0.letter.address == address }?.url }) {
          return "/" + url.split(separator: "/").dropFirst(2).joined(separator: "/")
        }
        try await Task.sleep(for: .milliseconds(5))
      }
    }

    var count: Int { all.withLock { $0.count } }
  }

  private final class TestClock: Sendable {
    private let time = Mutex<Int64>(1_795_000_000_000)
    var now: Int64 { time.withLock { $0 } }
    func pass(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
  }

  init() async throws {
    folder = try TemporaryFolder()
    database = try SQLiteDatabase(path: folder.path + "/oriel.db", isChecked: false)
    let clock = TestClock()
    self.clock = clock
    var limits = AccountLimits()
    limits.linksPerClient = 1000
    store = AccountStore(database, limits: limits, now: { clock.now })
    accounts = Accounts(store)
    signIn = SignIn(store)
    service = AccountService(store)
    authority = try TestAuthority(
      organisation: "Harbour Trust Services", now: { Timestamp(milliseconds: UInt64(clock.now)) })
    log = try TestLog(.staticCT, name: "Lighthouse 2026h2").description(
      url: "https://log.example/", operatorName: "Coast Watch")
    let following = FollowingStore(database)
    _ = try await following.register([log], start: "start", now: clock.now)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
    try await following.setState(.current, of: log.logID, reason: nil, now: clock.now, answered: true)
  }

  var now: Int64 { clock.now }
  func pass(_ milliseconds: Int64) { clock.pass(milliseconds) }

  /// Serves while `body` runs.
  func serve<Value: Sendable>(
    _ change: (inout WebServer.Settings, inout WebServer.Parts) -> Void = { _, _ in },
    _ body: @escaping @Sendable (Int) async throws -> Value
  ) async throws -> Value {
    let (letters, clock) = (letters, clock)
    var settings = WebServer.Settings()
    settings.port = 0
    settings.liveInterval = .milliseconds(20)
    settings.linkDelay = .zero
    var parts = WebServer.Parts(
      accounts: store, database: database, now: { clock.now }, sendLetter: { letters.add($0, $1) })
    change(&settings, &parts)
    let server = try WebServer(parts, settings)
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        try await server.run(onListening: { port.yield($0) }, until: { for await _ in ends {} })
        return nil
      }
      group.addTask {
        defer { end.finish() }
        guard let number = await ports.first(where: { _ in true }) else { throw CancellationError() }
        return try await body(number)
      }
      var value: Value?
      for try await result in group { value = result ?? value }
      guard let value else { throw CancellationError() }
      return value
    }
  }

  // MARK: Who and what there is

  /// An account whose owner has signed in and confirmed.
  func account(_ name: String) async throws -> (actor: Actor, session: Secret) {
    let address = "owner@\(name.filter(\.isLetter).lowercased()).example"
    let made = try await service.addAccount(name: name, owner: address, plan: .enterprise)
    _ = try await signIn.confirm(made.letter.secret)
    return try await member(address)
  }

  func member(_ address: String) async throws -> (actor: Actor, session: Secret) {
    guard let letter = try await signIn.requestLink(address: address, client: address) else {
      throw CancellationError()
    }
    let client = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0"
    let secret = try await signIn.signIn(letter.secret, client: client).secret
    return (try await signIn.actor(session: secret), secret)
  }

  func domain(_ actor: Actor, _ item: String, isOn: Bool = true, isConfirmed: Bool = true) async throws -> DomainID {
    let id = try await accounts.addDomain(actor, item: item).id
    var change = DomainChange()
    (change.isOn, change.isBaselineConfirmed) = (isOn, isConfirmed)
    // As the configuration file would: before anything has been seen.
    _ = try await accounts.change(.machine(actor.account), id, change)
    return id
  }

  /// Sights a certificate for these names, and judges it.
  @discardableResult
  func sight(
    _ names: [String], for domain: DomainID? = nil, item: String, _ level: VerdictLevel = .unexplained,
    isProven: Bool = false, _ reasons: [Reason] = [], change: (inout CertificateRequest) -> Void = { _ in }
  ) async throws -> IssuanceID {
    var request = CertificateRequest(names)
    change(&request)
    return try await store(
      try authority.issue(request), for: domain, item: item, level, isProven: isProven, reasons, name: names.first)
  }

  /// Sights a certificate, or its precertificate alone, and judges it.
  @discardableResult
  func store(
    _ pair: IssuedPair, for domain: DomainID? = nil, item: String, _ level: VerdictLevel = .unexplained,
    isProven: Bool = false, _ reasons: [Reason] = [], isFinal: Bool = true, name: String? = nil
  ) async throws -> IssuanceID {
    let certificate = isFinal ? pair.certificate : pair.precertificate
    let facts = CertificateFacts(certificate: certificate)
    let place = sighted.withLock { index in
      index += 1
      return index
    }
    let issuers = pair.chain.map { SHA256Hash.hash($0) }
    let sighting = NewSighting(
      index: place - 1, timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: isFinal ? "x509" : "precert", certificate: certificate, chain: issuers, issuers: pair.chain,
      facts: facts, matches: [StoredMatch(item: item, name: name ?? facts.text(of: .dnsName).first ?? "")],
      problems: [])
    var frontier = Frontier()
    for _ in 0..<place { try frontier.append(.zero) }
    let position = LogPosition(index: place, frontier: frontier)
    try await FollowingStore(database).commit(
      [sighting], of: log.logID, downloaded: position, verified: position, unreadable: 0, now: now)
    if let domain {
      let json = try JSONEncoder().encode(reasons.map(StoredReason.init))
      try await service.judge(
        pair.issuanceID, for: domain, level, isProven: isProven, reasons: String(decoding: json, as: UTF8.self))
    }
    return pair.issuanceID
  }
}
