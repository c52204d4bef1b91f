import CertificateTransparency
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielStore

@Suite("Text with NUL")
struct StoredTextTests {
  @Test(
    "has a form without NUL; all other text stays as it is",
    arguments: [
      ("", ""), ("a", "a"), ("a\0b", #"a\u{0}b"#), ("\0\0", #"\u{0}\u{0}"#), (#"a\u{0}b"#, #"a\\u{0}b"#),
      (#"\\u{0}"#, #"\\\\u{0}"#), ("\\\0", #"\\\u{0}"#), ("u{0}", "u{0}"), (#"\"#, #"\"#), (#"\\x\u{1}"#, #"\\x\u{1}"#),
      (#"\u{0"#, #"\u{0"#), (#"{"a":"\\u{0}\u0000"}"#, #"{"a":"\\\\u{0}\u0000"}"#),
    ])
  func known(text: String, stored: String) {
    #expect(StoredText.escaped(text) == stored)
    #expect(StoredText.unescaped(stored) == text)
  }

  @Test("comes back from that form, and no two texts have the same", arguments: 0..<8 as Range<UInt64>)
  func reversible(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let pieces = ["\0", "\\", "u{0}", "\\u{0}", "u", "{0}", "é", "\0\u{301}"]
    var seen: [String: String] = [:]
    for _ in 0..<2000 {
      let count = Int.random(in: 0...6, using: &generator)
      let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
      let stored = StoredText.escaped(text)
      #expect(!stored.utf8.contains(0))
      #expect(Array(StoredText.unescaped(stored).utf8) == Array(text.utf8))
      #expect(seen.updateValue(text, forKey: stored).map { $0 == text } ?? true)
    }
  }

  @Test("goes through a database whole, and is found there as what it is, and not by its beginning")
  func stored() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/test.db"
    let database = try SQLiteDatabase(path: path, migrations: ["CREATE TABLE t (a TEXT)"])
    let texts = [
      "shop.example", "shop.example\0.attacker.example", #"shop.example\u{0}.attacker.example"#, "\0", #"\"#,
    ]
    try await database.transaction { connection in
      for text in texts { try connection.execute("INSERT INTO t (a) VALUES (?)", [.text(text)]) }
    }
    for database in [database, try SQLiteDatabase(reading: path, migrations: ["CREATE TABLE t (a TEXT)"])] {
      let found = try await database.read { connection in
        try texts.map { try connection.query("SELECT a FROM t WHERE a = ?", [.text($0)]).map { $0.text(0) } }
      }
      #expect(found == texts.map { [$0] })
    }
  }

  private static let alarms = [#"\u{0}"#, #"\\u{0}"#, #"\\\\u{0}"#]

  private func names(_ connection: any SQLConnection) throws -> Set<String> {
    Set(try connection.query("SELECT key FROM issuance_names").compactMap { $0.text(0) })
  }

  @Test("that an earlier version cut off is made again from the certificates, and what looks escaped stays what it is")
  func upgraded() async throws {
    let (whole, cut) = ("shop.example\0.attacker.example", "shop.example")
    let authority = try TestAuthority()
    let pairs = try [[whole, "own.example"], [whole, cut]].map { try authority.issue(CertificateRequest($0)) }
    let folder = try TemporaryFolder()
    let path = folder.path + "/oriel.db"
    let before = try #require(Migrations.all.firstIndex(of: Migrations.escapedText))
    var all: Set<String> = []
    do {
      let old = try SQLiteDatabase(path: path, migrations: Array(Migrations.all.prefix(before)))
      let log = try TestLog(.staticCT, name: "old").description(url: "https://log.example/")
      let store = FollowingStore(old)
      _ = try await store.register([log], start: "start", now: 0)
      try await store.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
      for (index, pair) in pairs.enumerated() {
        let sighting = NewSighting(
          index: UInt64(index), timestamp: 0, issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
          entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
          facts: CertificateFacts(certificate: pair.certificate),
          matches: [
            StoredMatch(item: "own.example", name: "own.example"), StoredMatch(item: "shop.example", name: cut),
          ], problems: [])
        try await store.commit(
          [sighting], of: log.logID, downloaded: LogPosition(index: 0, frontier: Frontier()), verified: nil,
          unreadable: 0, now: 1)
      }
      all = try await old.transaction { connection in
        let all = try names(connection)
        // As it was bound before: cut off at the NUL, and nothing escaped.
        let rows = try connection.query("SELECT key, first_seen, issuance FROM issuance_names")
        for row in rows {
          guard let key = row.text(0), key.contains("\0") else { continue }
          try connection.execute(
            "DELETE FROM issuance_names WHERE key = ? AND issuance = ?", [.text(key), row.values[2]])
          try connection.execute(
            "INSERT INTO issuance_names VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [.text(String(key.prefix { $0 != "\0" }))] + row.values[1...])
        }
        // Either becomes another that is there.
        for text in StoredTextTests.alarms {
          try connection.execute(
            "INSERT INTO alarms (subject, state, since) VALUES (CAST(? AS TEXT), 'x', 1)", [.blob(Array(text.utf8))])
        }
        try connection.execute(#"UPDATE sightings SET problems = 'literal\u{0}'"#)
        try connection.execute(#"UPDATE logs SET reason = '["a\\u{0}b"]'"#)
        return all
      }
      #expect(all.contains("=" + whole))
    }
    let database = try SQLiteDatabase(path: path)
    #expect(try await database.read { try names($0) } == all)
    for (name, count) in [(whole, 2), (cut, 1), ("own.example", 1)] {
      var query = IssuanceQuery()
      query.name = .exactly(name)
      #expect(try await IssuanceSearch(database).count(query).value == count, "\(name)")
    }
    let record = try #require(try await IssuanceSearch(database).record(pairs[0].issuanceID))
    #expect(record.sightings.map(\.problems) == [[#"literal\u{0}"#]])
    for text in StoredTextTests.alarms { #expect(try await AlertStore(database).alarm(text)?.state == "x", "\(text)") }
    #expect(try await FollowingStore(database).logs().map(\.reason) == [#"["a\\u{0}b"]"#])
  }
}
