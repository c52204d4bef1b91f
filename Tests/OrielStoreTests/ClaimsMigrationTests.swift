import TestSupport
import Testing

@testable import OrielStore

@Suite("What older versions stored")
struct ClaimsMigrationTests {
  @Test("the key of what was claimed is in the inventory afterwards, once, with the names that hit")
  func claims() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/oriel.db"
    let before = try #require(Migrations.all.firstIndex(of: Migrations.claims))
    do {
      let old = try SQLiteDatabase(path: path, migrations: Array(Migrations.all.prefix(before)))
      try await old.transaction { connection in
        for statement in [
          "INSERT INTO accounts (id, name, plan, created_at) VALUES (1, 'A', 'enterprise', 0)",
          """
          INSERT INTO domains (id, account_id, item, source, unexplained, expected, known, no_history, created_at)
          VALUES (4, 1, 'a.example', 'dashboard', 'at once', 'daily', 'record only', 'daily', 0)
          """,
          """
          INSERT INTO issuances (id, issuer_key_hash, first_seen, spki_sha256, number) VALUES
            (x'01', x'aa', 10, x'11', 1), (x'02', x'aa', 20, x'22', 2), (x'03', x'aa', 30, NULL, 3),
            (x'04', x'aa', 40, x'44', 4)
          """,
          """
          INSERT INTO matches (issuance_id, item, name) VALUES (x'01', 'a.example', 'www.a.example'),
            (x'01', 'a.example', ''), (x'01', 'b.example', 'b.example'), (x'02', 'a.example', 'a.example'),
            (x'04', 'a.example', 'a.example')
          """,
          """
          INSERT INTO judgements
            (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, state, changed_at)
          VALUES (1, 4, 1, 10, 'unexplained', 0, '[]', 11, 'claimed', 15),
            (2, 4, 1, 20, 'unexplained', 0, '[]', 21, 'denied', 25),
            (3, 4, 1, 30, 'unexplained', 0, '[]', 31, 'claimed', 35),
            (4, 4, 1, 40, 'unexplained', 0, '[]', 41, 'claimed', NULL)
          """,
          """
          INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen)
          VALUES (4, 'key', x'44', '["a.example"]', 'upload', 1, 2)
          """,
        ] {
          try connection.execute(statement)
        }
      }
    }
    let rows = try await SQLiteDatabase(path: path).read { connection in
      try connection.query("SELECT hash, names, source, added_at FROM inventory ORDER BY hash").map { row in
        [
          "\(row.blob(0) ?? [])", row.text(1), row.text(2), row.integer(3).map { "\($0)" },
        ]
      }
    }
    #expect(
      rows == [
        ["[17]", #"["www.a.example"]"#, "this was me", "15"], ["[68]", #"["a.example"]"#, "upload", "1"],
      ])
  }
}
