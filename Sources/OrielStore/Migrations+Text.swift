import CertificateTransparency
import Foundation
import GRDB
import MerkleTree

extension Migrations {
  /// Text is escaped from here on (``StoredText``): see ``escapeText(_:)``.
  static let escapedText = "-- text as StoredText has it"

  /// What of a migration SQL can't do, by its statements, after which it runs.
  static let inCode: [String: @Sendable (Database) throws -> Void] = [escapedText: escapeText]

  /// Brings what earlier versions stored to the form that is stored now: text that would be taken for escaped is escaped,
  /// and the names to search by that were cut at a NUL are derived again from the certificates.
  private static func escapeText(_ database: Database) throws {
    let escape = DatabaseFunction("oriel_escaped", argumentCount: 1, pure: true) { values in
      String.fromDatabaseValue(values[0]).map { StoredText.escaped($0).databaseValue } ?? values[0]
    }
    database.add(function: escape)
    defer { database.remove(function: escape) }
    let columns = try Row.fetchAll(
      database,
      sql: """
        SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.type = 'TEXT'
        """)
    for column in columns {
      guard let table = String.fromDatabaseValue(column[0]), let name = String.fromDatabaseValue(column[1]) else {
        continue
      }
      // As a blob in between: text that is escaped already may not meet what is not yet, where a column is unique.
      try database.execute(
        sql: """
          UPDATE "\(table)" SET "\(name)" = CAST(oriel_escaped("\(name)") AS BLOB)
          WHERE typeof("\(name)") = 'text' AND instr("\(name)", '\\u{0}') > 0
          """)
      guard database.changesCount > 0 else { continue }
      try database.execute(
        sql: """
          UPDATE "\(table)" SET "\(name)" = CAST("\(name)" AS TEXT) WHERE typeof("\(name)") = 'blob'
          """)
    }
    try deriveNames(GRDBConnection(database: database), database)
  }

  private static func deriveNames(_ connection: any SQLConnection, _ database: Database) throws {
    var cut: [(id: IssuanceID, place: SearchCursor)] = []
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT i.id, i.first_seen, i.number, c.entry_type, c.sha256, c.der
        FROM issuances i JOIN certificates c ON c.issuance_id = i.id WHERE i.is_indexed = 1
        """)
    while let row = try rows.next() {
      guard let id = Data.fromDatabaseValue(row[0]).flatMap({ SHA256Hash([UInt8]($0)) }),
        let firstSeen = Int64.fromDatabaseValue(row[1]), let number = Int64.fromDatabaseValue(row[2]),
        let type = String.fromDatabaseValue(row[3]),
        let hash = Data.fromDatabaseValue(row[4]).flatMap({ SHA256Hash([UInt8]($0)) }),
        let der = Data.fromDatabaseValue(row[5])
      else { throw CorruptRow(table: "issuances") }
      let certificate = StoredCertificate(entryType: type, sha256: hash, der: [UInt8](der))
      guard NameKeys.names(certificate.facts.names, most: .max).contains(where: NameKeys.hasNUL) else { continue }
      cut.append((IssuanceID(id), SearchCursor(firstSeen: firstSeen, number: number)))
    }
    for (id, place) in cut {
      // By statements of its own: the tables go on changing after this version.
      let key = [SQLValue.blob(id.hash.bytes)]
      let names = try connection.query(
        """
        SELECT entry_type, sha256, der FROM certificates WHERE issuance_id = ?1 AND sha256 IN
          (SELECT certificate FROM sightings WHERE issuance_id = ?1) ORDER BY \(StoredCertificate.order)
        """, key
      ).flatMap { row in
        guard let type = row.text(0), let hash = row.blob(1).flatMap({ SHA256Hash($0) }), let der = row.blob(2)
        else { throw CorruptRow(table: "certificates") }
        return StoredCertificate(entryType: type, sha256: hash, der: der).facts.names
      }
      let matches = try connection.query(
        "SELECT item, name FROM matches WHERE issuance_id = ? ORDER BY item, name", key
      ).map { StoredMatch(item: $0.text(0) ?? "", name: $0.text(1) ?? "") }
      let keys = NameKeys.keys(names, matches: matches)
      let former = keys + matches.map { "=" + $0.name }
      let wrong = Set(former.map { String($0.unicodeScalars.prefix { $0 != "\0" }) }).subtracting(keys)
      try NameKeys.remove(connection, wrong, place)
      try NameKeys.insert(connection, keys, place)
    }
  }
}
