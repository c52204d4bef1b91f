import CertificateTransparency
import Crypto
import MerkleTree
import OrielStore
import Synchronization
import TestSupport
import TestWorld

@testable import OrielAccounts

/// Accounts in a fresh database, with a clock that is moved by hand and randomness that repeats.
final class Registry: Sendable {
  let folder: TemporaryFolder
  let database: SQLiteDatabase
  let store: AccountStore
  let accounts: Accounts
  let signIn: SignIn
  let service: AccountService
  private let sighted = Mutex<UInt64>(0)
  private let time: Shared
  private let authority: TestAuthority
  private let log: LogDescription

  static let day: Int64 = 86_400_000

  init(change: (inout AccountLimits) -> Void = { _ in }) async throws {
    folder = try TemporaryFolder()
    database = try SQLiteDatabase(path: folder.path + "/oriel.db", isChecked: false)
    var limits = AccountLimits()
    change(&limits)
    let holder = Mutex<UInt64>(0)
    let clock = Shared(1_800_000_000_000)
    time = clock
    store = AccountStore(
      database, limits: limits, now: { clock.now },
      random: { count in
        let seed = holder.withLock { value in
          value += 1
          return value
        }
        return Array(SHA256.hash(data: Array("random \(seed)".utf8)).prefix(count))
      })
    accounts = Accounts(store)
    signIn = SignIn(store)
    service = AccountService(store)
    authority = try TestAuthority()
    log = try TestLog(.staticCT, name: "accounts").description(url: "https://log.example/")
    let following = FollowingStore(database)
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
  }

  var now: Int64 { time.now }

  func pass(_ milliseconds: Int64) { time.pass(milliseconds) }

  private final class Shared: Sendable {
    private let value: Mutex<Int64>
    init(_ start: Int64) { value = Mutex(start) }
    var now: Int64 { value.withLock { $0 } }
    func pass(_ milliseconds: Int64) { value.withLock { $0 += milliseconds } }
  }

  /// Sights a certificate for these names.
  @discardableResult
  func sight(_ names: [String], item: String, change: (inout CertificateRequest) -> Void = { _ in }) async throws
    -> IssuedPair
  {
    var request = CertificateRequest(names)
    change(&request)
    let pair = try authority.issue(request)
    let place = sighted.withLock { index in
      index += 1
      return index
    }
    let sighting = NewSighting(
      index: place - 1, timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate),
      matches: [StoredMatch(item: item, name: names.first ?? "")], problems: [])
    var frontier = Frontier()
    for _ in 0..<place { try frontier.append(.zero) }
    try await FollowingStore(database).commit(
      [sighting], of: log.logID, downloaded: LogPosition(index: place, frontier: frontier), verified: nil,
      unreadable: 0, now: now)
    return pair
  }

  /// An account whose owner has signed in and confirmed.
  func account(_ name: String, plan: Plan = .enterprise) async throws -> Actor {
    let made = try await service.addAccount(name: name, owner: "owner@\(name).example", plan: plan)
    _ = try await signIn.confirm(made.letter.secret)
    return try await actor("owner@\(name).example")
  }

  /// Signs an address in by mail.
  func session(_ address: String, client: String = "test") async throws -> Secret {
    guard let letter = try await signIn.requestLink(address: address, client: address) else { throw NoLetter() }
    return try await signIn.signIn(letter.secret, client: client).secret
  }

  func actor(_ address: String) async throws -> Actor {
    try await signIn.actor(session: session(address))
  }

  func member(_ owner: Actor, _ address: String, _ role: Role) async throws -> Actor {
    _ = try await accounts.addMember(owner, address: address, role: role)
    return try await actor(address)
  }

  func token(_ owner: Actor, _ scopes: Set<Scope>) async throws -> (actor: Actor, id: TokenID) {
    let made = try await accounts.addToken(owner, name: "script", scopes: scopes)
    return (try await signIn.actor(token: made.secret), made.token.id)
  }

  /// A domain that is on and tells this address.
  func domain(_ owner: Actor, _ item: String, telling address: String? = nil) async throws -> DomainID {
    let id = try await accounts.addDomain(owner, item: item).id
    var change = DomainChange()
    change.isOn = true
    _ = try await accounts.change(owner, id, change)
    if let address {
      let letter = try await accounts.addRecipient(owner, to: id, address: address).letter
      if let letter { _ = try await signIn.confirm(letter.secret) }
    }
    return id
  }

  func addresses(_ domain: DomainID) async throws -> [String] {
    try await service.addressees(of: domain).map(\.address)
  }

  /// The plan of a statement, one step a line.
  func plan(_ sql: String, _ arguments: [SQLValue]) async throws -> [String] {
    try await database.transaction { try $0.query("EXPLAIN QUERY PLAN " + sql, arguments).compactMap { $0.text(3) } }
  }

  struct NoLetter: Error {}
}
