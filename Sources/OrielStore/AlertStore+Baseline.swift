import Foundation
package import MerkleTree

/// A certificate that was in use for a domain before Oriel watched, as its owner lists it.
package struct BaselineRecord: Hashable, Sendable {
  /// The names that hit the domain's item.
  package var names: [String]
  package var issuerKeyHash: SHA256Hash?
  /// Who runs the CA, where that was found out.
  package var owner: String?
  package var publicKey: SHA256Hash?
  /// Seconds since 1970.
  package var notBefore: Int64?
  package var notAfter: Int64?
  /// Where it was found, for people.
  package var source: String
  /// What its issuer calls itself; it decides nothing.
  package var issuerName: String?
  package var serial: String?
  /// Its identity, where its issuer's key is known.
  package var issuance: SHA256Hash?
  /// Whether its owner has said that it is theirs; it counts for nothing before.
  package var isConfirmed = false

  package init(
    names: [String], issuerKeyHash: SHA256Hash?, owner: String?, publicKey: SHA256Hash?, notBefore: Int64?,
    notAfter: Int64?, source: String, issuerName: String? = nil, serial: String? = nil, issuance: SHA256Hash? = nil
  ) {
    self.names = names.sorted()
    self.issuerKeyHash = issuerKeyHash
    self.owner = owner
    self.publicKey = publicKey
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.source = source
    self.issuerName = issuerName
    self.serial = serial
    self.issuance = issuance
  }

  /// What makes it another certificate than the rest.
  fileprivate var digest: SHA256Hash {
    let dates = [notBefore, notAfter].map { $0.map(String.init) ?? "" }
    return SHA256Hash.hash(
      Array((names + [issuerKeyHash?.hex ?? "", owner ?? ""] + dates).joined(separator: "\n").utf8))
  }
}

extension AlertStore {
  /// More than this is no list that anybody confirms.
  package static let longestBaseline = 2000

  /// Lists certificates that were in use before, as far as there is room; those that are listed stay as they are.
  ///
  /// - Returns: how many are new, and how many more would be.
  @discardableResult
  package func addBaseline(
    _ records: [BaselineRecord], to domain: Int64
  ) async throws -> (added: Int, left: Int) {
    try await database.transaction { connection in
      let known = try connection.query("SELECT digest FROM baseline WHERE domain_id = ?", [.integer(domain)])
      var digests = Set(known.compactMap { $0.blob(0) })
      var (added, left) = (0, 0)
      for record in records where !record.names.isEmpty && digests.insert(record.digest.bytes).inserted {
        guard known.count + added < AlertStore.longestBaseline else {
          left += 1
          continue
        }
        let names = String(decoding: try JSONEncoder().encode(record.names), as: UTF8.self)
        let rows = try connection.query(
          """
          INSERT INTO baseline
            (domain_id, digest, names, issuer_key_hash, owner, public_key, not_before, not_after, source, issuer_name,
            serial, issuance)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
          """,
          [
            .integer(domain), .blob(record.digest.bytes), .text(names), .optional(record.issuerKeyHash?.bytes),
            .optional(record.owner), .optional(record.publicKey?.bytes), .optional(record.notBefore),
            .optional(record.notAfter), .text(String(record.source.prefix(500))),
            .optional(record.issuerName.map { String($0.prefix(500)) }),
            .optional(record.serial.map { String($0.prefix(100)) }), .optional(record.issuance?.bytes),
          ])
        added += rows.count
      }
      try connection.execute("UPDATE generations SET value = value + 1 WHERE name = 'settings'")
      return (added, left)
    }
  }

  /// What is listed, with numbers to remove it by.
  package func baseline(of domain: Int64) async throws -> [(id: Int64, record: BaselineRecord)] {
    try await database.read { connection in
      try connection.query(
        """
        SELECT id, names, issuer_key_hash, owner, public_key, not_before, not_after, source, issuer_name, serial,
          is_confirmed, issuance
        FROM baseline WHERE domain_id = ? ORDER BY not_before DESC, id
        """, [.integer(domain)]
      ).map { row in
        guard let id = row.integer(0), let text = row.text(1),
          let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8))
        else { throw CorruptRow(table: "baseline") }
        var record = BaselineRecord(
          names: names, issuerKeyHash: row.blob(2).flatMap { SHA256Hash($0) }, owner: row.text(3),
          publicKey: row.blob(4).flatMap { SHA256Hash($0) }, notBefore: row.integer(5), notAfter: row.integer(6),
          source: row.text(7) ?? "", issuerName: row.text(8), serial: row.text(9),
          issuance: row.blob(11).flatMap { SHA256Hash($0) })
        record.isConfirmed = row.integer(10) == 1
        return (id, record)
      }
    }
  }

  package func removeBaseline(_ id: Int64, of domain: Int64) async throws {
    try await database.transaction { connection in
      try connection.execute("DELETE FROM baseline WHERE id = ? AND domain_id = ?", [.integer(id), .integer(domain)])
      try connection.execute("UPDATE generations SET value = value + 1 WHERE name = 'settings'")
    }
  }
}
