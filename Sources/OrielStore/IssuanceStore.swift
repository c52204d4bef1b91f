package import CertificateTransparency
package import MerkleTree

/// A match that a follower found: one entry of one log, with all that is kept of it.
package struct NewSighting: Sendable {
  package var index: UInt64
  /// The entry's timestamp, in milliseconds since 1970.
  package var timestamp: UInt64
  package var issuance: IssuanceID
  package var issuerKeyHash: SHA256Hash
  /// `x509`, `precert`, or `unknown` where the leaf is neither.
  package var entryType: String
  package var certificate: [UInt8]
  package var chain: [SHA256Hash]
  /// The certificates of the chain that the state may not have yet.
  package var issuers: [[UInt8]]
  package var notBefore: Int64?
  package var notAfter: Int64?
  package var serialNumber: String?
  package var issuer: String?
  package var publicKeyHash: SHA256Hash?
  package var names: [FoundName]
  package var matches: [StoredMatch]
  package var problems: [String]
  /// What its names imitate.
  package var lookalikes: [StoredLookalike] = []

  package init(
    index: UInt64, timestamp: UInt64, issuance: IssuanceID, issuerKeyHash: SHA256Hash, entryType: String,
    certificate: [UInt8], chain: [SHA256Hash], issuers: [[UInt8]], facts: CertificateFacts, matches: [StoredMatch],
    problems: [String]
  ) {
    self.index = index
    self.timestamp = timestamp
    self.issuance = issuance
    self.issuerKeyHash = issuerKeyHash
    self.entryType = entryType
    self.certificate = certificate
    self.chain = chain
    self.issuers = issuers
    notBefore = facts.notBefore
    notAfter = facts.notAfter
    serialNumber = facts.serialNumber
    issuer = facts.issuer?.description
    publicKeyHash = facts.publicKeyHash
    names = facts.names
    self.matches = matches
    self.problems = problems
  }
}

/// A watched item (as its owner writes it) and the name that hit it.
package struct StoredMatch: Hashable, Sendable {
  package let item: String
  package let name: String

  package init(item: String, name: String) {
    self.item = item
    self.name = name
  }
}

/// One sighting, as kept.
package struct StoredSighting: Hashable, Sendable {
  package let logID: LogID
  package let log: String
  package let index: UInt64
  package let timestamp: UInt64
  package let problems: [String]
  /// Whether the log's tree did not add up when this was read.
  package let isSuspect: Bool
}

/// One certificate of an issuance.
package struct StoredCertificate: Hashable, Sendable {
  package let entryType: String
  package let sha256: SHA256Hash
  package let der: [UInt8]
  /// Of a precertificate, the precertificate signing certificate that signed it in the CA's place (RFC 6962, 3.1).
  var precertificateSigner: [UInt8]?

  /// The order in which certificates stand for their issuance, in SQL: the final one, the precertificate, any other.
  static let order = "CASE entry_type WHEN 'x509' THEN 0 WHEN 'precert' THEN 1 ELSE 2 END, sha256"

  /// What it says. Of a precertificate, the log may have given the TBSCertificate alone; its issuer is that of the final
  /// certificate, whoever signed it.
  package var facts: CertificateFacts {
    guard entryType == "precert" else { return CertificateFacts(certificate: der) }
    guard isWhole else { return CertificateFacts(tbsCertificate: der) }
    if let signer = precertificateSigner,
      let final = try? TBSCertificate.withoutPoison(precertificate: der, signingCertificate: signer)
    {
      return CertificateFacts(tbsCertificate: final)
    }
    return CertificateFacts(certificate: der)
  }

  /// Whether this is a certificate, and not the TBSCertificate of one alone.
  package var isWhole: Bool {
    CertificateFields(certificate: 0..<der.count, in: der.span)?.isComplete ?? false
  }
}

/// An issuance with everything seen of it.
package struct IssuanceRecord: Sendable {
  package let id: IssuanceID
  package let issuerKeyHash: SHA256Hash
  /// False at its first sighting, true when a later one was added.
  package let isUpdate: Bool
  /// Of very many, some.
  package let matches: [StoredMatch]
  /// How many there are, those that are not kept included.
  package let matchCount: Int
  /// The one that represents the issuance first: the final certificate if it has been seen, else the precertificate.
  package let certificates: [StoredCertificate]
  package let sightings: [StoredSighting]

  /// What the certificate says that represents the issuance.
  package var facts: CertificateFacts { certificates.first?.facts ?? CertificateFacts(certificate: []) }
}

/// A sighting that has not been told of yet.
package struct PendingAnnouncement: Sendable {
  package let issuance: IssuanceRecord
  let logID: LogID
  let index: UInt64
}

extension FollowingStore {
  /// Commits what a run of batches brought: sightings and the position behind them, all or nothing.
  ///
  /// Repeating a batch changes nothing: a sighting is known by its log, index and issuance.
  package func commit(
    _ sightings: [NewSighting], of logID: LogID, downloaded: LogPosition, verified: LogPosition?, unreadable: Int,
    now: Int64
  ) async throws {
    try await database.transaction { [writesAlerts, targets] connection in
      var wide = WideMatches()
      for var sighting in sightings {
        sighting.matches = try wide.take(
          connection, sighting.matches, of: sighting.issuance, targets: targets)
        let lookalikes = try Lookalikes.wanted(connection, sighting.lookalikes)
        // Nobody wants to know any more.
        if lookalikes.isEmpty, !sighting.lookalikes.isEmpty, sighting.matches.isEmpty { continue }
        try FollowingStore.insert(connection, sighting, of: logID, now: now)
        let news = try Lookalikes.insert(connection, lookalikes, of: sighting.issuance, now: now)
        guard writesAlerts else { continue }
        try AlertStore.add(connection, sighting, now: now)
        for lookalike in news { try AlertStore.add(connection, lookalike, of: sighting.issuance, now: now) }
      }
      try FollowingStore.move(connection, logID, downloaded: downloaded, verified: verified)
      guard unreadable > 0 else { return }
      try connection.execute(
        "UPDATE logs SET unreadable = unreadable + ? WHERE log_id = ?",
        [.integer(Int64(unreadable)), .blob(logID.hash.bytes)])
    }
  }

  private static func insert(
    _ connection: any SQLConnection, _ sighting: NewSighting, of logID: LogID, now: Int64
  ) throws {
    let issuance = SQLValue.blob(sighting.issuance.hash.bytes)
    let certificate = SQLValue.blob(SHA256Hash.hash(sighting.certificate).bytes)
    let new = try connection.query(
      """
      INSERT INTO issuances
        (id, issuer_key_hash, first_seen, not_before, not_after, serial, issuer, spki_sha256, is_indexed, number)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, (SELECT coalesce(max(number), 0) + 1 FROM issuances))
      ON CONFLICT (id) DO NOTHING RETURNING number
      """,
      [
        issuance, .blob(sighting.issuerKeyHash.bytes), .integer(now), .optional(sighting.notBefore),
        .optional(sighting.notAfter), .optional(sighting.serialNumber), .optional(sighting.issuer),
        .optional(sighting.publicKeyHash?.bytes),
      ])
    if let number = new.first?.integer(0) {
      try NameKeys.insert(
        connection, NameKeys.keys(sighting.names, matches: sighting.matches),
        SearchCursor(firstSeen: now, number: number))
    }
    try connection.execute(
      """
      INSERT INTO certificates (sha256, issuance_id, entry_type, der, chain) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (sha256) DO NOTHING
      """,
      [
        certificate, issuance, .text(sighting.entryType), .blob(sighting.certificate),
        .blob(sighting.chain.flatMap(\.bytes)),
      ])
    for issuer in sighting.issuers {
      try connection.execute(
        "INSERT INTO issuers (sha256, der) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING",
        [.blob(SHA256Hash.hash(issuer).bytes), .blob(issuer)])
    }
    for match in sighting.matches {
      try connection.execute(
        "INSERT INTO matches (issuance_id, item, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [issuance, .text(match.item), .text(match.name)])
    }
    try connection.execute(
      """
      INSERT INTO sightings (log_id, entry_index, issuance_id, certificate, timestamp, seen_at, problems, announced)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (log_id, entry_index, issuance_id) DO UPDATE SET suspect = 0
      """,
      [
        .blob(logID.hash.bytes), .count(sighting.index), issuance, certificate, .count(sighting.timestamp),
        .integer(now), .text(sighting.problems.joined(separator: "\n")),
        // A look-alike is no sighting of what is watched.
        .integer(sighting.matches.isEmpty && !sighting.lookalikes.isEmpty ? 1 : 0),
      ])
  }

  /// Sightings that nobody has been told of, oldest first, each with its issuance as it stood then.
  package func unannounced(limit: Int = 256) async throws -> [PendingAnnouncement] {
    try await database.read { connection in
      let rows = try connection.query(
        """
        SELECT rowid, log_id, entry_index, issuance_id FROM sightings WHERE announced = 0 ORDER BY rowid LIMIT ?
        """, [.integer(Int64(limit))])
      return try rows.map { row in
        guard let position = row.integer(0), let log = row.blob(1).flatMap({ SHA256Hash($0) }),
          let index = row.count(2), let issuance = row.blob(3).flatMap({ SHA256Hash($0) })
        else { throw CorruptRow(table: "sightings") }
        let record = try FollowingStore.issuance(connection, IssuanceID(issuance), upTo: position)
        return PendingAnnouncement(issuance: record, logID: LogID(log), index: index)
      }
    }
  }

  /// Notes that these have been told.
  package func announced(_ announcements: [PendingAnnouncement]) async throws {
    try await database.transaction { connection in
      for item in announcements {
        try connection.execute(
          "UPDATE sightings SET announced = 1 WHERE log_id = ? AND entry_index = ? AND issuance_id = ?",
          [.blob(item.logID.hash.bytes), .count(item.index), .blob(item.issuance.id.hash.bytes)])
      }
    }
  }

  /// The certificate of an issuer that was fetched before.
  package func issuer(_ hash: SHA256Hash) async throws -> [UInt8]? {
    try await database.read { connection in
      try connection.query("SELECT der FROM issuers WHERE sha256 = ?", [.blob(hash.bytes)]).first?.blob(0)
    }
  }

  /// All issuances, by the time they were first seen.
  package func issuances() async throws -> [IssuanceRecord] {
    try await database.read { connection in
      try connection.query("SELECT id FROM issuances ORDER BY first_seen, id").compactMap { row in
        guard let id = row.blob(0).flatMap({ SHA256Hash($0) }) else { throw CorruptRow(table: "issuances") }
        return try FollowingStore.issuance(connection, IssuanceID(id), upTo: .max)
      }
    }
  }

  /// - Parameter item: the only one whose matches are wanted; nil for all.
  static func issuance(
    _ connection: any SQLConnection, _ id: IssuanceID, upTo position: Int64 = .max, item: String? = nil
  ) throws -> IssuanceRecord {
    let key = SQLValue.blob(id.hash.bytes)
    let own = try connection.query("SELECT issuer_key_hash FROM issuances WHERE id = ?", [key])
    guard let issuerKeyHash = own.first?.blob(0).flatMap({ SHA256Hash($0) }) else {
      throw CorruptRow(table: "issuances")
    }
    let matches = try connection.query(
      "SELECT item, name FROM matches WHERE issuance_id = ?1\(item == nil ? "" : " AND item = ?2") ORDER BY item, name",
      [key] + (item.map { [.text($0)] } ?? [])
    ).map { StoredMatch(item: $0.text(0) ?? "", name: $0.text(1) ?? "") }
    let certificates = try connection.query(
      """
      SELECT entry_type, sha256, der, CASE entry_type WHEN 'precert' THEN
        (SELECT i.der FROM issuers i WHERE i.sha256 = substr(certificates.chain, 1, 32)) END
      FROM certificates WHERE issuance_id = ? AND sha256 IN
        (SELECT certificate FROM sightings WHERE issuance_id = ? AND rowid <= ?) ORDER BY \(StoredCertificate.order)
      """, [key, key, .integer(position)]
    ).map { row in
      guard let type = row.text(0), let hash = row.blob(1).flatMap({ SHA256Hash($0) }), let der = row.blob(2)
      else { throw CorruptRow(table: "certificates") }
      let signer = row.blob(3).flatMap { TBSCertificate.isPrecertificateSigningCertificate($0) ? $0 : nil }
      return StoredCertificate(entryType: type, sha256: hash, der: der, precertificateSigner: signer)
    }
    let sightings = try connection.query(
      """
      SELECT s.log_id, logs.description, s.entry_index, s.timestamp, s.problems, s.suspect
      FROM sightings s JOIN logs ON logs.log_id = s.log_id
      WHERE s.issuance_id = ? AND s.rowid <= ? ORDER BY s.rowid
      """, [key, .integer(position)]
    ).map { row in
      guard let log = row.blob(0).flatMap({ SHA256Hash($0) }), let index = row.count(2), let time = row.count(3)
      else { throw CorruptRow(table: "sightings") }
      let problems = (row.text(4) ?? "").split(separator: "\n").map(String.init)
      return StoredSighting(
        logID: LogID(log), log: row.text(1) ?? "", index: index, timestamp: time, problems: problems,
        isSuspect: row.integer(5) == 1)
    }
    return IssuanceRecord(
      id: id, issuerKeyHash: issuerKeyHash, isUpdate: sightings.count > 1, matches: matches,
      matchCount: matches.count + (try WideMatches.omitted(connection, id)), certificates: certificates,
      sightings: sightings)
  }
}
