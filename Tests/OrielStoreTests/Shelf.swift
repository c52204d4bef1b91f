import CertificateTransparency
import MerkleTree
import OrielStore
import TestSupport
import TestWorld

/// A state in a folder of its own, with issuances that a log showed.
struct Shelf {
  let folder: TemporaryFolder
  let database: SQLiteDatabase
  let following: FollowingStore
  let alerts: AlertStore
  let log: LogDescription
  private let authority: TestAuthority

  /// When everything is seen, in milliseconds.
  static let now: Int64 = 1_800_000_000_000
  static let day: Int64 = 86_400_000

  var path: String { folder.path + "/oriel.db" }

  init() async throws {
    folder = try TemporaryFolder()
    database = try SQLiteDatabase(path: folder.path + "/oriel.db", isChecked: false)
    following = FollowingStore(database, writesAlerts: true)
    alerts = AlertStore(database)
    authority = try TestAuthority()
    log = try TestLog(.staticCT, name: "shelf").description(url: "https://log.example/")
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
  }

  /// Puts away the certificate and the precertificate for a name below `own.example`, expired so many days before
  /// ``now``.
  @discardableResult
  func put(_ name: String, expired days: Int64, at index: UInt64) async throws -> IssuedPair {
    var request = CertificateRequest([name + ".own.example", name + ".also.example"])
    request.notAfter = Timestamp(milliseconds: UInt64(Shelf.now - days * Shelf.day))
    request.notBefore = Timestamp(milliseconds: UInt64(Shelf.now - 5000 * Shelf.day))
    let pair = try authority.issue(request)
    try await put(pair, pair.issuanceID, pair.issuerKeyHash, pair.precertificate, "precert", index: 2 * index)
    try await put(pair, pair.issuanceID, pair.issuerKeyHash, pair.certificate, "x509", index: 2 * index + 1)
    return pair
  }

  func put(
    _ pair: IssuedPair, _ issuance: IssuanceID, _ issuer: SHA256Hash, _ der: [UInt8], _ type: String, index: UInt64
  ) async throws {
    let facts = CertificateFacts(certificate: der)
    let sighting = NewSighting(
      index: index, timestamp: UInt64(Shelf.now), issuance: issuance, issuerKeyHash: issuer, entryType: type,
      certificate: der, chain: [], issuers: [], facts: facts,
      matches: [StoredMatch(item: "own.example", name: facts.text(of: .dnsName).first ?? "")], problems: [])
    try await following.commit(
      [sighting], of: log.logID, downloaded: LogPosition(index: 0, frontier: Frontier()), verified: nil,
      unreadable: 0, now: Shelf.now)
  }

  /// Routes everything to an address.
  func route(burst: Int = 1000) async throws {
    let target = AlertTarget(recipient: "owner", target: "mail:owner@own.example")
    try await alerts.route(
      try await alerts.unrouted().alerts.map { RoutedAlert($0, to: [RoutedTarget(target)]) },
      burst: BurstLimit(first: burst, window: 1), now: Shelf.now)
  }

  /// How what fails is tried: the pause after each failure in a row is a minute longer.
  static let policy = RetryPolicy(longest: 3_600_000, giveUpAfter: 5 * day, window: 3_600_000) { Int64($0) * 60_000 }

  func settle(_ outcome: AttemptOutcome) async throws {
    for delivery in try await alerts.deliveries(in: [.waiting], limit: 1000) {
      try await alerts.record(delivery.id, outcome, words: "so it is", now: Shelf.now, Shelf.policy)
    }
  }

  /// Rows of each table that issuances are in.
  func rows() async throws -> [String: Int64] {
    try await database.read { connection in
      var rows: [String: Int64] = [:]
      for table in [
        "issuances", "issuance_names", "certificates", "matches", "omitted_matches", "sightings", "alerts",
        "deliveries",
      ] {
        rows[table] = try connection.query("SELECT count(*) FROM \(table)").first?.integer(0)
      }
      return rows
    }
  }

  /// The first labels of the names that are found.
  func names() async throws -> [String] {
    var query = IssuanceQuery()
    query.name = .atOrBelow("own.example")
    return try await IssuanceSearch(database).page(query).results.compactMap {
      $0.names.first?.split(separator: ".").first.map(String.init)
    }
  }
}
