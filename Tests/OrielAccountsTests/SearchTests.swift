import CertificateTransparency
import Crypto
import MerkleTree
import OrielStore
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielAccounts

@Suite("Search")
struct SearchTests {
  private static let hosts = ["a.example", "www.a.example", "*.a.example", "b.example", "deep.www.a.example", "c.test"]

  /// An issuance as the search should see it.
  private struct Known {
    let pair: IssuedPair
    let names: [String]
    let firstSeen: Int64
    let isOwn: Bool
    var facts: CertificateFacts { CertificateFacts(certificate: pair.certificate) }
  }

  /// Issuances for random names, some of them judged for an account; the newest first.
  private func fill(_ registry: Registry, count: Int, _ random: inout SeededGenerator) async throws -> (Actor, [Known])
  {
    let owner = try await registry.account("alpha")
    let (first, second) = (
      try await registry.domain(owner, "a.example"), try await registry.domain(owner, "www.a.example")
    )
    let key = try P256.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 1, count: 32))
    let shared = Array(key.publicKey.derRepresentation)
    var known: [Known] = []
    for number in 0..<count {
      registry.pass(Int64(random.next() % 3))
      let names = SearchTests.hosts.filter { _ in random.next() % 3 == 0 } + ["n\(number).z.example"]
      let issuer = random.next() % 2 == 0 ? "One CA" : "Two CA"
      let isShared = random.next() % 2 == 0
      let pair = try await registry.sight(names, item: names[0]) { request in
        request.issuerOrganisation = issuer
        if isShared { request.subjectPublicKeyInfo = shared }
      }
      let isOwn = random.next() % 2 == 0
      if isOwn {
        try await registry.service.judge(pair.issuanceID, for: first, .expected, isProven: true, reasons: "[]")
        // An issuance that hits two domains is one result.
        try await registry.service.judge(pair.issuanceID, for: second, .expected, isProven: true, reasons: "[]")
      }
      known.insert(Known(pair: pair, names: names, firstSeen: registry.now, isOwn: isOwn), at: 0)
    }
    return (owner, known)
  }

  @Test("every combination of conditions finds what it should, counts it, and pages through it in order")
  func combinations() async throws {
    var random = SeededGenerator(seed: 7)
    let registry = try await Registry()
    let (owner, known) = try await fill(registry, count: 40, &random)
    let search = IssuanceSearch(registry.database)
    for _ in 0..<120 {
      var query = IssuanceQuery()
      let sample = known[Int(random.next() % 40)]
      var expected = known
      if random.next() % 2 == 0 {
        let text =
          ["a.example", "=a.example", "www.a.example", "*.a.example", "example", "=n3.z.example", "nothing.test"]
          .randomElement(using: &random) ?? ""
        query.name = try SearchName(parsing: text)
        expected = expected.filter { item in item.names.contains { SearchTests.matches($0, text) } }
      }
      if random.next() % 4 == 0 {
        query.publicKey = sample.facts.publicKeyHash
        expected = expected.filter { $0.facts.publicKeyHash == sample.facts.publicKeyHash }
      }
      if random.next() % 3 == 0 {
        query.issuerKey = sample.pair.issuerKeyHash
        expected = expected.filter { $0.pair.issuerKeyHash == sample.pair.issuerKeyHash }
      }
      if random.next() % 8 == 0 {
        query.serial = sample.facts.serialNumber
        expected = expected.filter { $0.facts.serialNumber == sample.facts.serialNumber }
      }
      if random.next() % 8 == 0 {
        query.certificate = SHA256Hash.hash(sample.pair.certificate)
        expected = expected.filter { $0.pair.issuanceID == sample.pair.issuanceID }
      }
      if random.next() % 8 == 0 {
        query.issuance = sample.pair.issuanceID
        expected = expected.filter { $0.pair.issuanceID == sample.pair.issuanceID }
      }
      if random.next() % 3 == 0 {
        query.from = sample.firstSeen
        query.before = sample.firstSeen + 10
        expected = expected.filter { $0.firstSeen >= sample.firstSeen && $0.firstSeen < sample.firstSeen + 10 }
      }
      let ids = expected.map(\.pair.issuanceID)
      let own = expected.filter(\.isOwn).map(\.pair.issuanceID)
      #expect(try await search.page(query, limit: 1000).results.map(\.id) == ids)
      #expect(try await search.count(query) == SearchCount(value: ids.count, isExact: true))
      #expect(try await registry.accounts.searchCounted(owner, query, ceiling: nil).count.value == own.count)
      let ceiling = Int(random.next() % 6)
      #expect(
        try await registry.accounts.searchCounted(owner, query, limit: 4, ceiling: ceiling).count
          == SearchCount(value: min(own.count, max(4, ceiling)), isExact: own.count <= max(4, ceiling)))
      var (paged, cursor): ([IssuanceID], SearchCursor?) = ([], nil)
      repeat {
        let page = try await registry.accounts.search(owner, query, after: cursor, limit: 3)
        paged += page.results.map(\.id)
        // As a link on a page carries it.
        cursor = page.next.flatMap { SearchCursor("\($0)") }
      } while cursor != nil
      #expect(paged == own)
    }
  }

  private static func matches(_ name: String, _ text: String) -> Bool {
    if text.hasPrefix("=") { return name == text.dropFirst() }
    if text.hasPrefix("*") { return name == text }
    return name == text || name.hasSuffix("." + text)
  }

  @Test("what comes in while somebody turns pages moves nothing, and counting stops at the ceiling")
  func stablePages() async throws {
    var random = SeededGenerator(seed: 9)
    let registry = try await Registry()
    let (owner, known) = try await fill(registry, count: 12, &random)
    let own = known.filter(\.isOwn).map(\.pair.issuanceID)
    let first = try await registry.accounts.search(owner, IssuanceQuery(), limit: 2)
    try await registry.sight(["late.a.example"], item: "a.example")
    let second = try await registry.accounts.search(owner, IssuanceQuery(), after: first.next, limit: 2)
    #expect((first.results + second.results).map(\.id) == Array(own.prefix(4)))
    let search = IssuanceSearch(registry.database)
    #expect(try await search.count(IssuanceQuery(), ceiling: 5) == SearchCount(value: 5, isExact: false))
    #expect(try await search.count(IssuanceQuery(), ceiling: 13) == SearchCount(value: 13, isExact: true))
    #expect(try await search.count(IssuanceQuery(), ceiling: .max) == SearchCount(value: 13, isExact: true))
  }

  @Test(
    "names are read as people write them",
    arguments: [
      ("Example.COM.", "example.com"), ("=WWW.example.com", "=www.example.com"),
      (" bücher.example ", "xn--bcher-kva.example"),
      ("*.Example.com", "=*.example.com"), (".example.com", "example.com"), ("192.0.2.1", "=192.0.2.1"),
      ("2001:DB8:0::1", "=2001:db8::1"), ("co.uk", "co.uk"),
    ])
  func names(text: String, read: String) throws { #expect(try SearchName(parsing: text).description == read) }

  @Test("what is no name is refused", arguments: ["", "a b", "a..b", "https://a.example", "a@b.example", "*", "="])
  func refusedNames(text: String) { #expect(throws: AccountError.self) { try SearchName(parsing: text) } }

  @Test(
    "a certificate is found by names of every kind",
    arguments: [
      "=192.0.2.7", "=2001:db8::7", "mail.example", "=host.example", "xn--bcher-kva.example", "=*.wild.example",
      "wild.example", "cn.example", "upper.example",
    ])
  func kinds(text: String) async throws {
    let registry = try await Registry()
    let pair = try await registry.sight(
      ["*.wild.example", "xn--bcher-kva.example", "WWW.Upper.Example"], item: "wild.example"
    ) { request in
      request.ipAddresses = [[192, 0, 2, 7], [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]]
      request.emails = ["somebody@mail.example"]
      request.uris = ["https://user@host.example/path"]
      request.commonNames = ["cn.example", "Some Organisation, Inc."]
    }
    var query = IssuanceQuery()
    query.name = try SearchName(parsing: text)
    #expect(try await IssuanceSearch(registry.database).page(query).results.map(\.id) == [pair.issuanceID])
  }

  @Test("a certificate with more names than anybody indexes is found by what it was stored for")
  func manyNames() async throws {
    let registry = try await Registry()
    let names = (0..<9000).map { "a\($0).b.c.many.example" }
    try await registry.sight(["x.mine.example"] + names, item: "mine.example") { $0.commonNames = ["cn.example"] }
    var query = IssuanceQuery()
    for text in ["mine.example", "=x.mine.example"] {
      query.name = try SearchName(parsing: text)
      #expect(try await IssuanceSearch(registry.database).count(query).value == 1)
    }
    let keys = try await registry.database.transaction { try $0.query("SELECT count(*) FROM issuance_names") }
    #expect(keys.first?.integer(0) == 8192)
  }

  @Test("what was stored before there was a search is found once it has been indexed")
  func older() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/old.db"
    let authority = try TestAuthority()
    let pairs = try (0..<3).map { try authority.issue(CertificateRequest(["old\($0).example"])) }
    let log = try TestLog(.staticCT, name: "old").description(url: "https://log.example/")
    do {
      let old = try SQLiteDatabase(path: path, migrations: Array(Migrations.all.prefix(2)))
      _ = try await FollowingStore(old).register([log], start: "start", now: 0)
      try await old.transaction { connection in
        for (number, pair) in pairs.enumerated() {
          let id = SQLValue.blob(pair.issuanceID.hash.bytes)
          let hash = SQLValue.blob(SHA256Hash.hash(pair.certificate).bytes)
          try connection.execute(
            "INSERT INTO issuances (id, issuer_key_hash, first_seen) VALUES (?, ?, ?)",
            [id, .blob(pair.issuerKeyHash.bytes), .integer(Int64(10 - number))])
          try connection.execute(
            "INSERT INTO certificates (sha256, issuance_id, entry_type, der, chain) VALUES (?, ?, 'x509', ?, ?)",
            [hash, id, .blob(pair.certificate), .blob([])])
          try connection.execute(
            "INSERT INTO sightings (log_id, entry_index, issuance_id, certificate, timestamp, seen_at) VALUES (?,?,?,?,0,0)",
            [.blob(log.logID.hash.bytes), .integer(Int64(number)), id, hash])
        }
      }
    }
    let search = IssuanceSearch(try SQLiteDatabase(path: path))
    var query = IssuanceQuery()
    #expect(try await search.page(query).results.map(\.id) == pairs.map(\.issuanceID))
    #expect(try await search.page(query).results.map(\.number) == [3, 2, 1])
    query.name = .atOrBelow("old1.example")
    #expect(try await search.count(query).value == 0)
    #expect(try await search.indexOlder(limit: 2) == 2)
    #expect(try await search.indexOlder(limit: 2) == 1)
    #expect(try await search.indexOlder(limit: 2) == 0)
    #expect(try await search.page(query).results.map(\.id) == [pairs[1].issuanceID])
  }

  @Test("a cursor is read back, and what is none is not", arguments: ["", "1", "1-", "-1-2", "a-b", "1-2-3-4"])
  func cursors(text: String) {
    #expect(SearchCursor(text) == nil)
    #expect(HistoryCursor(text) == nil)
    let cursor = SearchCursor(firstSeen: 5, number: 6)
    #expect(SearchCursor("\(cursor)") == cursor)
    let history = HistoryCursor(issuance: cursor, domain: DomainID(7))
    #expect(HistoryCursor("\(history)") == history)
  }
}
