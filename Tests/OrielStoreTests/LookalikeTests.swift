import CertificateTransparency
import MerkleTree
import OrielStore
import TestWorld
import Testing

@Suite("Look-alikes in the state")
struct LookalikeTests {
  private static let account: Int64 = 7
  private let authority: TestAuthority

  init() throws { authority = try TestAuthority() }

  /// An account with two domains, of which one has its switch on.
  private func shelf() async throws -> Shelf {
    let shelf = try await Shelf()
    try await shelf.database.transaction { connection in
      try connection.execute("INSERT INTO accounts (id, name, plan, created_at) VALUES (7, 'a', 'free', 0)")
      for (item, isSought) in [("shop.example", 1), ("other.example", 0)] {
        try connection.execute(
          """
          INSERT INTO domains (account_id, item, source, is_on, unexplained, expected, known, no_history, lookalikes,
            created_at)
          VALUES (7, ?, 'dashboard', 1, 'at once', 'daily', 'record only', 'daily', ?, 0)
          """, [.text(item), .integer(Int64(isSought))])
      }
    }
    return shelf
  }

  static func lookalike(
    _ registrable: String = "sh0p.example", of item: String = "shop.example", owner: Int64 = account,
    rating: Int = 85
  ) -> StoredLookalike {
    StoredLookalike(
      owner: owner, item: item, registrable: registrable, name: "www." + registrable, unicode: nil,
      reason: "confusable", sentence: "It is alike.", rating: rating)
  }

  private func sighting(_ lookalikes: [StoredLookalike], isMatch: Bool = false, at index: UInt64) throws -> NewSighting
  {
    let pair = try authority.issue(CertificateRequest([lookalikes.first?.name ?? "none.example"]))
    var sighting = NewSighting(
      index: index, timestamp: UInt64(Shelf.now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate),
      matches: isMatch ? [StoredMatch(item: "other.example", name: "www.other.example")] : [], problems: [])
    sighting.lookalikes = lookalikes
    return sighting
  }

  private func commit(
    _ sightings: [NewSighting], to shelf: Shelf, in database: (any SQLDatabase)? = nil, at time: Int64 = Shelf.now
  ) async throws {
    var frontier = Frontier()
    try frontier.append(.zero)
    try await FollowingStore(database ?? shelf.database, writesAlerts: true).commit(
      sightings, of: shelf.log.logID, downloaded: LogPosition(index: 1, frontier: frontier), verified: nil,
      unreadable: 0, now: time)
  }

  private func page(_ shelf: Shelf, of item: String = "shop.example", owner: Int64 = account) async throws
    -> [LookalikeRecord]
  {
    try await shelf.database.read { try Lookalikes.page($0, owner: owner, item: item, limit: 100) }
  }

  private func alerts(_ shelf: Shelf) async throws -> [StoredLookalike] {
    try await shelf.alerts.unrouted().alerts.filter { $0.kind == .lookalike }.compactMap(\.lookalike)
  }

  @Test(
    "A look-alike is told of once, and again only when it was quiet for long",
    arguments: [([], 1), ([0], 1), ([30, 60, 60, 80, 89], 1), ([90], 2), ([89, 200], 2), ([100, 100], 3)])
  func quiet(_ days: [Int64], _ count: Int) async throws {
    let shelf = try await shelf()
    var time = Shelf.now
    for (index, pause) in ([0] + days).enumerated() {
      time += pause * Shelf.day
      let sighting = try sighting([Self.lookalike()], at: UInt64(index))
      // The same entry twice, as after a restart.
      try await commit([sighting], to: shelf, at: time)
      try await commit([sighting], to: shelf, at: time)
    }
    #expect(try await alerts(shelf).count == count)
    let records = try await page(shelf)
    #expect(records.map(\.count) == [days.count + 1])
    #expect(records.first?.firstSeen == Shelf.now && records.first?.lastSeen == time)
  }

  @Test("Each imitated domain and each registered name has its own; a stronger imitation takes the place of a weaker")
  func keys() async throws {
    let shelf = try await shelf()
    let weak = Self.lookalike(rating: 45)
    try await commit([try sighting([weak, Self.lookalike("shopp.example")], at: 0)], to: shelf)
    try await commit([try sighting([Self.lookalike(rating: 90)], at: 1)], to: shelf)
    try await commit([try sighting([weak], at: 2)], to: shelf)
    try await commit([try sighting([Self.lookalike(owner: StoredLookalike.configuration)], at: 3)], to: shelf)
    let records = try await page(shelf)
    #expect(records.map(\.lookalike.registrable) == ["shopp.example", "sh0p.example"])
    #expect(records.map(\.lookalike.rating) == [85, 90] && records.map(\.count) == [1, 3])
    #expect(records.map(\.lookalike.level) == [.high, .high] && weak.level == .low)
    #expect(try await alerts(shelf).count == 3)
    #expect(try await page(shelf, owner: StoredLookalike.configuration).count == 1)
    #expect(try await page(shelf, owner: 8).isEmpty)
    #expect(try await page(shelf, of: "other.example").isEmpty)
  }

  @Test("What was seen while the clock was ahead is quiet no longer than anything else", arguments: [2, 3650])
  func clockAhead(days: Int64) async throws {
    let shelf = try await shelf()
    let quiet = Int64(Lookalikes.quietDays) * Shelf.day
    try await commit([try sighting([Self.lookalike()], at: 0)], to: shelf, at: Shelf.now + days * Shelf.day)
    try await commit([try sighting([Self.lookalike()], at: 1)], to: shelf)
    #expect(try await alerts(shelf).count == 1)
    try await commit([try sighting([Self.lookalike()], at: 2)], to: shelf, at: Shelf.now + quiet)
    #expect(try await alerts(shelf).count == 2)
  }

  @Test("What nobody wants to hear of is not kept, and the position moves all the same")
  func unwanted() async throws {
    let shelf = try await shelf()
    let unwanted = [
      Self.lookalike("0ther.example", of: "other.example"), Self.lookalike(owner: 8),
      Self.lookalike(of: "gone.example"),
    ]
    try await commit(try unwanted.enumerated().map { try sighting([$1], at: UInt64($0)) }, to: shelf)
    #expect(try await shelf.rows()["issuances"] == 0)
    #expect(try await shelf.following.logs().first?.downloaded?.index == 1)
    // What is a match as well is kept for that.
    try await commit([try sighting([unwanted[0]], isMatch: true, at: 4)], to: shelf)
    #expect(try await shelf.rows()["issuances"] == 1)
    try await shelf.database.transaction { try $0.execute("UPDATE domains SET is_on = 0") }
    try await commit([try sighting([Self.lookalike()], at: 5)], to: shelf)
    #expect(try await shelf.rows()["issuances"] == 1)
    #expect(try await alerts(shelf).isEmpty)
    let count = try await shelf.database.read { try $0.query("SELECT 1 FROM lookalikes").count }
    #expect(count == 0)
  }

  @Test("A look-alike is no sighting of what is watched: it is neither announced nor judged")
  func apart() async throws {
    let shelf = try await shelf()
    try await commit([try sighting([Self.lookalike()], at: 0)], to: shelf)
    #expect(try await shelf.following.unannounced().isEmpty)
    #expect(try await shelf.alerts.alertCount(since: 0) == 0)
    #expect(try await shelf.alerts.lastSighting(ofItem: "shop.example", now: .max) == nil)
    try await commit([try sighting([Self.lookalike()], isMatch: true, at: 1)], to: shelf)
    #expect(try await shelf.following.unannounced().count == 1)
  }

  @Test("Look-alike, alert and position are committed together or not at all")
  func together() async throws {
    let shelf = try await shelf()
    let sighting = try sighting([Self.lookalike()], at: 0)
    await #expect(throws: FailingDatabase.Failure.self) {
      try await commit([sighting], to: shelf, in: FailingDatabase(inner: shelf.database, at: "UPDATE logs"))
    }
    #expect(try await page(shelf).isEmpty)
    #expect(try await alerts(shelf).isEmpty)
    #expect(try await shelf.rows()["issuances"] == 0)
    try await commit([sighting], to: shelf)
    #expect(try await page(shelf).count == 1)
    #expect(try await alerts(shelf).count == 1)
  }

  @Test("What has expired long ago is forgotten with its last issuance")
  func retention() async throws {
    let shelf = try await shelf()
    let sightings = try [Self.lookalike(), Self.lookalike("shopp.example"), Self.lookalike()].enumerated().map {
      try sighting([$1], at: UInt64($0))
    }
    try await commit(sightings, to: shelf)
    try await shelf.route()
    try await shelf.settle(.delivered)
    try await shelf.database.transaction { connection in
      try connection.execute(
        "UPDATE issuances SET not_after = ? WHERE number < 3", [.integer(Shelf.now / 1000 - 86_401)])
    }
    #expect(try await IssuanceRetention(shelf.database, days: 1).sweep(now: Shelf.now) == 2)
    #expect(try await page(shelf).map(\.lookalike.registrable) == ["sh0p.example"])
    #expect(try await page(shelf).map(\.count) == [1])
    #expect(try await shelf.database.read { try $0.query("PRAGMA foreign_key_check").count } == 0)
  }
}

/// A database that fails at a statement.
private struct FailingDatabase: SQLDatabase {
  struct Failure: Error {}

  struct Connection: SQLConnection {
    let inner: any SQLConnection
    let word: String

    func execute(_ sql: String, _ arguments: [SQLValue]) throws {
      if sql.hasPrefix(word) { throw Failure() }
      try inner.execute(sql, arguments)
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] { try inner.query(sql, arguments) }
  }

  let inner: any SQLDatabase
  let word: String

  init(inner: any SQLDatabase, at word: String) {
    self.inner = inner
    self.word = word
  }

  func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await inner.transaction { [word] in try body(Connection(inner: $0, word: word)) }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value { try await inner.read(body) }
}
