import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore
import TestSupport
import TestWorld
import Testing

/// A data directory as following leaves it.
struct StoredState {
  let folder: TemporaryFolder
  let database: SQLiteDatabase
  private let following: FollowingStore
  private let log: LogDescription
  private let authority: TestAuthority

  static let firstDay = Timestamp(milliseconds: 1_767_225_600_000)  // 2026-01-01
  static let day: Int64 = 86_400_000

  var path: String { folder.path + "/data" }
  var databasePath: String { path + "/oriel.db" }

  init() async throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/data", withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: folder.path + "/data/oriel.db")
    following = FollowingStore(database)
    authority = try TestAuthority()
    log = try TestLog(.staticCT, name: "stored").description(url: "https://log.example/")
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
  }

  /// Stores a certificate, first seen so many days after ``firstDay``.
  @discardableResult
  func add(_ names: [String], day: Int, issuer: String? = nil) async throws -> IssuedPair {
    var request = CertificateRequest(names)
    request.issuerOrganisation = issuer
    let pair = try authority.issue(request)
    let now = Int64(StoredState.firstDay.milliseconds) + Int64(day) * StoredState.day
    let sighting = NewSighting(
      index: UInt64(day), timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate),
      matches: [StoredMatch(item: names[0], name: names[0])], problems: [])
    try await following.commit(
      [sighting], of: log.logID, downloaded: LogPosition(index: 0, frontier: Frontier()), verified: nil,
      unreadable: 0, now: now)
    return pair
  }

  func search(_ arguments: [String]) async throws -> Command.Result {
    try await Command.run(["search", "--data-dir", path] + arguments)
  }
}

/// The parts of a line of `oriel search --json` that tests look at.
private struct SearchedLine: Decodable {
  let cursor: String
  let issuance: String
  let first_seen: String
  let dns_names: [String]

  static func all(in output: String) throws -> [SearchedLine] {
    try output.split(separator: "\n").map { try JSONDecoder().decode(SearchedLine.self, from: Data($0.utf8)) }
  }
}

@Suite("oriel search")
struct SearchCommandTests {
  @Test("names, keys, issuers, serial numbers, hashes and dates find what they should, beside a state that is in use")
  func kinds() async throws {
    let state = try await StoredState()
    let names = ["a.example", "www.a.example", "b.example", "*.c.example", "a.example.test"]
    var pairs: [IssuedPair] = []
    for (day, name) in names.enumerated() {
      pairs.append(try await state.add([name], day: day, issuer: day < 2 ? "First CA" : "Second CA"))
    }
    let facts = pairs.map { CertificateFacts(certificate: $0.certificate) }
    let key = try #require(facts[2].publicKeyHash)
    let serial = try #require(facts[3].serialNumber)
    let hash = SHA256Hash.hash(pairs[1].certificate).hex
    let colons = stride(from: 0, to: 64, by: 2).map { hash.dropFirst($0).prefix(2).uppercased() }.joined(separator: ":")
    let table: [([String], [Int])] = [
      (["a.example"], [1, 0]), (["=a.example"], [0]), (["A.Example."], [1, 0]), (["*.c.example"], [3]),
      (["example"], [3, 2, 1, 0]), (["spki:" + key.hex], [2]), (["issuer:" + pairs[0].issuerKeyHash.hex], [1, 0]),
      (["issuer:" + pairs[0].issuerKeyHash.hex, "=a.example"], [0]), (["serial:" + serial], [3]),
      (["serial:00:" + serial.uppercased()], [3]), ([hash], [1]), ([colons], [1]),
      (["\(pairs[4].issuanceID)"], [4]), (["--from", "2026-01-03"], [4, 3, 2]),
      (["--before", "2026-01-03"], [1, 0]),
      (["example", "--from", "2026-01-02T00:00:00Z", "--before", "2026-01-03"], [1]),
      (["nothing.example"], []), (["a.example", "serial:" + serial], []),
    ]
    for (arguments, found) in table {
      let result = try await state.search(["--json"] + arguments)
      #expect(result.status == 0, "\(arguments): \(result.errors)")
      let lines = try SearchedLine.all(in: result.output)
      #expect(lines.map(\.issuance) == found.map { "\(pairs[$0].issuanceID)" }, "\(arguments)")
      #expect(lines.map(\.first_seen) == found.map { "2026-01-0\($0 + 1)T00:00:00Z" })
      #expect(result.errors.contains("\(found.count) found\n"), "\(arguments)")
    }
  }

  @Test("pages go on where the last one ended, and the count is of all there are")
  func pages() async throws {
    let state = try await StoredState()
    for day in 0..<7 { try await state.add(["n\(day).a.example"], day: day) }
    var (cursor, names): (String?, [String]) = (nil, [])
    for _ in 0..<3 {
      let more = cursor.map { ["--after", $0] } ?? []
      let result = try await state.search(["a.example", "--json", "--limit", "3"] + more)
      let lines = try SearchedLine.all(in: result.output)
      #expect(result.errors.contains("7 found, \(lines.count) shown here"))
      names += lines.flatMap(\.dns_names)
      cursor = lines.last?.cursor
      let next = lines.count == 3 ? cursor.map { "--after \($0)\n" } : nil
      #expect(result.errors.contains("--after") == (next != nil))
      if let next { #expect(result.errors.contains(next)) }
      // What comes in meanwhile moves nothing.
      try await state.add(["late.other.example"], day: 20 + names.count)
    }
    #expect(names == (0..<7).reversed().map { "n\($0).a.example" })
  }

  @Test("people get a table, one certificate in full, and no text that moves their cursor")
  func table() async throws {
    let state = try await StoredState()
    let pair = try await state.add(["www.a.example", "b.a.example", "c.a.example", "d.a.example"], day: 0)
    try await state.add(["evil\u{1b}[2J.a.example"], day: 1)
    let table = try await state.search(["a.example"])
    #expect(table.status == 0 && table.errors.isEmpty)
    #expect(table.lines.count == 4)
    #expect(table.lines[0].hasPrefix("FIRST SEEN  EXPIRES"))
    #expect(table.lines[2].contains("www.a.example b.a.example c.a.example and 1 more"))
    #expect(table.lines[3] == "2 found")
    #expect(!table.output.contains("\u{1b}"))
    let one = try await state.search(["=www.a.example"])
    #expect(one.output.contains("names     www.a.example b.a.example c.a.example d.a.example"))
    #expect(one.output.contains(SHA256Hash.hash(pair.certificate).hex))
    let none = try await state.search(["c.example"])
    #expect(none.status == 0 && none.output.isEmpty && none.errors.contains("0 found"))
  }

  @Test("certificates are printed in PEM")
  func pem() async throws {
    let state = try await StoredState()
    let pairs = [try await state.add(["a.example"], day: 0), try await state.add(["b.example"], day: 1)]
    let result = try await state.search(["example", "--pem"])
    let blocks = result.output.split(separator: "-----BEGIN CERTIFICATE-----").dropFirst().compactMap { block in
      let text = block.split(separator: "-----END").first.map { $0.filter { !$0.isNewline } }
      return text.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
    }
    #expect(blocks == pairs.reversed().map(\.certificate))
  }

  @Test(
    "what can't be searched for is told, with 64",
    arguments: [
      ([], "Nothing to look for"), (["a b"], "a b"), (["spki:12"], "64 hexadecimal digits"), (["serial:xyz"], "serial"),
      (["a.example", "b.example"], "One name at a time"), (["a.example", "--from", "soon"], "--from"),
      (["a.example", "--limit", "0"], "--limit"), (["a.example", "--after", "here"], "--after"),
      (["a.example", "--json", "--pem"], "not both"), (["https://a.example/"], "https"),
    ] as [([String], String)])
  func usage(arguments: [String], message: String) async throws {
    let result = try await Command.run(["search"] + arguments)
    #expect(result.status == 64)
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  @Test("a directory without a state, and a state of another oriel, are told with 65 and left alone")
  func otherStates() async throws {
    let folder = try TemporaryFolder()
    let none = try await Command.run(["search", "a.example", "--data-dir", folder.path])
    #expect(none.status == 65 && none.errors.contains("oriel watch"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    for (migrations, word) in [
      (Array(Migrations.all.dropLast()), "first"), (Migrations.all + ["SELECT 1"], "newer"),
    ] {
      try? FileManager.default.removeItem(atPath: folder.path + "/oriel.db")
      let database = try SQLiteDatabase(path: folder.path + "/oriel.db", migrations: migrations)
      let result = try await Command.run(["search", "a.example", "--data-dir", folder.path])
      #expect(result.status == 65 && result.errors.contains(word), "\(result.errors)")
      let version = try await database.read { try $0.query("PRAGMA user_version").first?.integer(0) }
      #expect(version == Int64(migrations.count))
    }
  }
}
