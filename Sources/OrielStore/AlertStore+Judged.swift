package import CertificateTransparency
package import MerkleTree

/// An issuance that was judged for a domain, as later ones are compared with it.
package struct JudgedRecord: Hashable, Sendable {
  package let id: IssuanceID
  /// The names that hit the domain's item.
  package let names: [String]
  package let issuerKeyHash: SHA256Hash
  /// Fingerprints of the issuers' certificates, the nearest first.
  package let chain: [SHA256Hash]
  package let publicKey: SHA256Hash?
  /// Seconds since 1970.
  package let notBefore: Int64?
  package let notAfter: Int64?
  /// Milliseconds since 1970.
  package let firstSeen: Int64
  /// As they stand in the table.
  package let verdict: String
  package let isProven: Bool
  package let state: String
}

/// What a verdict takes into account of a domain, beside its settings.
package struct JudgingSettings: Hashable, Sendable {
  /// The CAA records that were confirmed before those that are now.
  package var previousCAA: String?
  /// Milliseconds since 1970.
  package var caaConfirmedAt: Int64?
  /// Whether the owner undertook to tell of everything.
  package var isInventoryComplete = false
}

extension AlertStore {
  /// More of a history than this decides nothing.
  package static let longestHistory = 5000

  /// What was accepted for a domain, the newest ``longestHistory`` of it, and what was denied, oldest first.
  package func judged(for domain: Int64, item: String) async throws -> [JudgedRecord] {
    try await database.read { connection in
      let rows = try connection.query(
        """
        SELECT i.id, i.issuer_key_hash, i.spki_sha256, i.not_before, i.not_after, j.first_seen, j.verdict, j.is_proven,
          j.state, (SELECT c.chain FROM certificates c WHERE c.issuance_id = i.id ORDER BY length(c.chain) DESC LIMIT 1)
        FROM judgements j JOIN issuances i ON i.number = j.issuance
        WHERE j.domain_id = ?1 AND j.rowid IN (
          SELECT rowid FROM (
            SELECT rowid FROM judgements
            WHERE domain_id = ?1 AND (verdict <> 'unexplained' OR state = 'claimed') AND state <> 'denied'
            ORDER BY first_seen DESC, issuance DESC LIMIT \(AlertStore.longestHistory))
          UNION ALL
          SELECT rowid FROM (
            -- However much came since, what was denied stays denied.
            SELECT rowid FROM judgements WHERE domain_id = ?1 AND state = 'denied'
            ORDER BY first_seen DESC, issuance DESC LIMIT \(AlertStore.longestHistory)))
        ORDER BY j.first_seen DESC, j.issuance DESC
        """, [.integer(domain)])
      return try rows.reversed().map { row in
        guard let key = row.blob(0), let id = SHA256Hash(key), let issuer = row.blob(1).flatMap({ SHA256Hash($0) }),
          let verdict = row.text(6), let state = row.text(8)
        else { throw CorruptRow(table: "judgements") }
        let names = try connection.query(
          "SELECT name FROM matches WHERE issuance_id = ? AND item = ?", [.blob(key), .text(item)]
        ).compactMap { $0.text(0) }
        return JudgedRecord(
          id: IssuanceID(id), names: names.filter { !$0.isEmpty }, issuerKeyHash: issuer,
          chain: AlertStore.hashes(row.blob(9)), publicKey: row.blob(2).flatMap { SHA256Hash($0) },
          notBefore: row.integer(3), notAfter: row.integer(4), firstSeen: row.integer(5) ?? 0, verdict: verdict,
          isProven: row.integer(7) == 1, state: state)
      }
    }
  }

  /// Of the newest ``mostEarlier`` that were judged for a domain before an issuance, how many were unexplained or denied;
  /// and whether one of the same issuer was accepted, or is in the inventory or the confirmed baseline.
  ///
  /// - Parameter baseline: when the owner confirmed all that there was, in milliseconds since 1970.
  package func judgedBefore(
    _ issuance: IssuanceID, domain: Int64, baseline: Int64?
  ) async throws -> (acceptsIssuer: Bool, unexplained: Int) {
    try await database.read { connection in
      let row = try connection.query(
        """
        WITH own AS (SELECT nullif(issuer_key_hash, zeroblob(32)) AS key FROM issuances WHERE id = ?1)
        SELECT
          coalesce(max(is_accepted AND issuer_key_hash = (SELECT key FROM own)), 0)
            OR EXISTS (SELECT 1 FROM inventory v JOIN own ON own.key = v.issuer_key_hash
              WHERE v.domain_id = ?2 AND v.removed_at IS NULL)
            OR EXISTS (SELECT 1 FROM baseline b JOIN own ON own.key = b.issuer_key_hash
              WHERE b.domain_id = ?2 AND b.is_confirmed = 1),
          sum(NOT is_accepted AND (verdict = 'unexplained' OR state = 'denied'))
        FROM (
          SELECT i.issuer_key_hash, j.verdict, j.state,
            j.state = 'claimed' OR (j.state <> 'denied' AND (j.verdict IN ('known', 'expected')
              OR (j.verdict = 'no-history' AND j.first_seen <= ?3))) AS is_accepted
          FROM judgements j JOIN issuances i ON i.number = j.issuance
          WHERE j.domain_id = ?2 AND (j.first_seen, j.issuance) < (
            SELECT t.first_seen, t.issuance FROM judgements t JOIN issuances o ON o.number = t.issuance
            WHERE o.id = ?1 AND t.domain_id = ?2)
          ORDER BY j.first_seen DESC, j.issuance DESC LIMIT \(AlertStore.mostEarlier))
        """, [.blob(issuance.hash.bytes), .integer(domain), .integer(baseline ?? -1)]
      ).first
      return (row?.integer(0) == 1, Int(row?.integer(1) ?? 0))
    }
  }

  /// The fingerprints of the issuers above an issuance, the nearest first, as far as a log gave them.
  package func chain(of issuance: IssuanceID) async throws -> [SHA256Hash] {
    try await database.read { connection in
      AlertStore.hashes(
        try connection.query(
          "SELECT chain FROM certificates WHERE issuance_id = ? ORDER BY length(chain) DESC LIMIT 1",
          [.blob(issuance.hash.bytes)]
        ).first?.blob(0))
    }
  }

  /// The same for one of its certificates; twenty at most.
  package func chain(of certificate: SHA256Hash) async throws -> [SHA256Hash] {
    let rows = try await database.read { connection in
      try connection.query("SELECT chain FROM certificates WHERE sha256 = ?", [.blob(certificate.bytes)])
    }
    return Array(AlertStore.hashes(rows.first?.blob(0)).prefix(20))
  }

  private static func hashes(_ bytes: [UInt8]?) -> [SHA256Hash] {
    let bytes = bytes ?? []
    return stride(from: 0, to: bytes.count, by: 32).compactMap { SHA256Hash(bytes[$0...].prefix(32)) }
  }

  /// What is judged while a key is told of may have been judged without it: so many milliseconds later it is judged
  /// again.
  package static let tellingOverlap: Int64 = 60_000

  /// Some of what was judged to be unexplained, and told of since: itself, or its key; and of what was judged before the
  /// baseline of its domain was confirmed, or taken back.
  ///
  /// - Parameter since: what was told of before is left out.
  package func toldAfterwards(
    since: Int64 = 0, now: Int64, limit: Int = 500
  ) async throws -> [(issuance: IssuanceID, domain: Int64, item: String)] {
    try await database.read { connection in
      try connection.query(
        """
        SELECT i.id, d.id, d.item FROM inventory v CROSS JOIN issuances i ON i.id = v.hash
          CROSS JOIN judgements j ON j.domain_id = v.domain_id AND j.issuance = i.number
          JOIN domains d ON d.id = v.domain_id
        WHERE v.added_at >= ?1 AND v.kind = 'certificate' AND v.removed_at IS NULL AND d.is_on = 1
          AND j.verdict IN ('unexplained', 'no-history') AND j.state = 'new'
        UNION
        SELECT i.id, d.id, d.item FROM inventory v CROSS JOIN issuances i ON i.spki_sha256 = v.hash
          CROSS JOIN judgements j ON j.domain_id = v.domain_id AND j.issuance = i.number
          JOIN domains d ON d.id = v.domain_id
        WHERE v.added_at >= ?1 AND v.kind = 'key' AND v.removed_at IS NULL AND d.is_on = 1
          AND j.verdict = 'unexplained' AND j.state = 'new'
          -- A judgement of a clock that was ahead says nothing of what came first.
          AND (v.added_at > j.at - ?2 OR j.at > ?4)
        UNION
        SELECT * FROM (\(AlertStore.judgedBeforeBaseline(now: now)) AND d.baseline_changed_at >= ?1 LIMIT ?3) LIMIT ?3
        """, [.integer(since), .integer(AlertStore.tellingOverlap), .integer(Int64(limit)), .integer(now)]
      ).map(AlertStore.told)
    }
  }

  /// What is not explained and was judged before the baseline of its domain was confirmed, or taken back.
  private static func judgedBeforeBaseline(now: Int64) -> String {
    """
    SELECT i.id, d.id, d.item FROM domains d CROSS JOIN judgements j ON j.domain_id = d.id
      JOIN issuances i ON i.number = j.issuance
    WHERE d.is_on = 1 AND j.verdict IN ('unexplained', 'no-history') AND j.state IN ('new', 'acknowledged')
      AND (j.at <= d.baseline_changed_at OR j.at > \(now))
    """
  }

  /// The same for one domain.
  package func judgedBeforeBaseline(of domain: Int64, now: Int64, limit: Int) async throws -> [IssuanceID] {
    try await database.read { connection in
      try connection.query(
        AlertStore.judgedBeforeBaseline(now: now) + " AND d.id = ? LIMIT ?", [.integer(domain), .integer(Int64(limit))]
      ).map { try AlertStore.told($0).issuance }
    }
  }

  private static func told(_ row: SQLRow) throws -> (issuance: IssuanceID, domain: Int64, item: String) {
    guard let id = row.blob(0).flatMap({ SHA256Hash($0) }), let domain = row.integer(1), let item = row.text(2)
    else { throw CorruptRow(table: "judgements") }
    return (IssuanceID(id), domain, item)
  }

  package func judgingSettings(of domain: Int64) async throws -> JudgingSettings {
    try await database.read { connection in
      let row = try connection.query(
        "SELECT caa_previous, caa_confirmed_at, is_inventory_complete FROM domains WHERE id = ?", [.integer(domain)]
      ).first
      return JudgingSettings(
        previousCAA: row?.text(0), caaConfirmedAt: row?.integer(1), isInventoryComplete: row?.integer(2) == 1)
    }
  }

  /// Notes whether a domain's owner undertook to tell of everything.
  ///
  /// - Returns: whether that is news.
  package func setInventoryComplete(_ isComplete: Bool, for domain: Int64) async throws -> Bool {
    try await database.transaction { connection in
      let value = SQLValue.integer(isComplete ? 1 : 0)
      let rows = try connection.query(
        "UPDATE domains SET is_inventory_complete = ? WHERE id = ? AND is_inventory_complete <> ? RETURNING id",
        [value, .integer(domain), value])
      guard !rows.isEmpty else { return false }
      try connection.execute("UPDATE generations SET value = value + 1 WHERE name = 'settings'")
      return true
    }
  }
}

extension AlertStore {
  /// Who issued an issuance, and its names that hit an item; nil if there is no such issuance.
  package func issuerAndNames(
    of issuance: IssuanceID, item: String
  ) async throws -> (issuer: SHA256Hash, names: [String])? {
    try await database.read { connection in
      let key = SQLValue.blob(issuance.hash.bytes)
      let rows = try connection.query("SELECT issuer_key_hash FROM issuances WHERE id = ?", [key])
      guard let issuer = rows.first?.blob(0).flatMap({ SHA256Hash($0) }) else { return nil }
      let names = try connection.query(
        "SELECT name FROM matches WHERE issuance_id = ? AND item = ?", [key, .text(item)]
      ).compactMap { $0.text(0) }
      return (issuer, names)
    }
  }

  /// Of how many certificates and look-alikes, for which items, a digest speaks to whom it is delivered, most first.
  package func members(
    of digest: StoredDelivery
  ) async throws -> [(item: String, certificates: Int, lookalikes: Int)] {
    try await database.read { connection in
      try connection.query(
        """
        SELECT item, sum(kind <> 'look-alike'), sum(kind = 'look-alike') FROM alerts WHERE id IN
          (SELECT alert_id FROM deliveries WHERE digest = ? AND recipient = ? AND target = ? AND state = 'digested')
        GROUP BY item ORDER BY count(*) DESC, 1 LIMIT 1000
        """, [.integer(digest.alert.id), .text(digest.recipient), .text(digest.target)]
      ).map { ($0.text(0) ?? "", Int($0.integer(1) ?? 0), Int($0.integer(2) ?? 0)) }
    }
  }

  /// What was sent about the domains of an account, newest first.
  ///
  /// - Parameters:
  ///   - isOperators: whether it is the account that shows the configuration file's domains: what those hear whom the
  ///     file names belongs to it.
  ///   - id: goes on before that one.
  package func deliveries(
    ofAccount account: Int64, isOperators: Bool = false, before id: Int64? = nil, limit: Int
  ) async throws -> [StoredDelivery] {
    let configured = """
       WHERE d.account_id IS NULL AND substr(d.recipient, 1, 7) <> 'domain:' AND d.id < ?1
      ORDER BY d.id DESC LIMIT ?2
      """
    let (before, most) = (SQLValue.integer(id ?? .max), SQLValue.integer(Int64(limit)))
    return try await database.read { connection in
      var rows = try connection.query(
        AlertStore.selectDelivery + " WHERE d.account_id = ?3 AND d.id < ?1 ORDER BY d.id DESC LIMIT ?2",
        [before, most, .integer(account)])
      if isOperators { rows += try connection.query(AlertStore.selectDelivery + configured, [before, most]) }
      return Array(try rows.map { try StoredDelivery($0) }.sorted { $0.id > $1.id }.prefix(limit))
    }
  }
}
