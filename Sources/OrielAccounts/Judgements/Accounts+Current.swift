package import OrielStore

/// Where a page of what is valid ends.
package struct ExpiryCursor: Hashable, Sendable, CustomStringConvertible {
  /// Seconds since 1970.
  let notAfter: Int64
  let issuance: Int64

  init(notAfter: Int64, issuance: Int64) {
    self.notAfter = notAfter
    self.issuance = issuance
  }

  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let time = Int64(parts[0]), let issuance = Int64(parts[1]) else { return nil }
    self.init(notAfter: time, issuance: issuance)
  }

  package var description: String { "\(notAfter)-\(issuance)" }
}

extension Accounts {
  /// What was judged for a domain and is valid now, what expires first at the top.
  package func current(
    _ actor: Actor, of domain: DomainID, after cursor: ExpiryCursor? = nil, limit: Int = 50
  ) async throws -> (results: [Judgement], next: ExpiryCursor?) {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      let (limit, now) = (max(1, min(limit, IssuanceSearch.longestPage)), turn.now / 1000)
      // A certificate is valid up to and including the second that it names.
      let start = ExpiryCursor(notAfter: now - 1, issuance: .max)
      let place = cursor.map { $0.notAfter < now ? start : $0 } ?? start
      let rows = try turn.connection.query(
        """
        SELECT issuance, not_after FROM judgements INDEXED BY judgements_by_end
        WHERE domain_id = ? AND (not_after, issuance) > (?, ?) AND coalesce(not_before, 0) <= ?
        ORDER BY not_after, issuance LIMIT ?
        """,
        [
          .integer(domain.value), .integer(place.notAfter), .integer(place.issuance), .integer(now),
          .integer(Int64(limit + 1)),
        ]
      ).map { row in
        guard let issuance = row.integer(0), let notAfter = row.integer(1) else {
          throw UnreadableRow(table: "judgements")
        }
        return ExpiryCursor(notAfter: notAfter, issuance: issuance)
      }
      let results = try rows.prefix(limit).map { try turn.judgement($0.issuance, domain) }
      return (results, rows.count > limit ? rows[limit - 1] : nil)
    }
  }

  /// How much of what was judged for a domain is valid now.
  ///
  /// - Parameters:
  ///   - end: seconds since 1970; what is valid longer is left out.
  ///   - ceiling: how far to count.
  package func currentCount(
    _ actor: Actor, of domain: DomainID, upTo end: Int64 = .max, ceiling: Int = 10_000
  ) async throws -> SearchCount {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      let now = turn.now / 1000
      let count = try turn.count(
        """
        SELECT count(*) FROM (
          SELECT 1 FROM judgements INDEXED BY judgements_by_end
          WHERE domain_id = ? AND not_after >= ? AND not_after <= ? AND coalesce(not_before, 0) <= ? LIMIT ?)
        """,
        [.integer(domain.value), .integer(now), .integer(end), .integer(now), .integer(Int64(ceiling + 1))])
      return SearchCount(counted: Int64(count), ceiling: ceiling)
    }
  }

  /// Those of some issuances that need no renewal any more: a later one for the same names is valid, and nobody has to be
  /// afraid of it.
  package func renewed(_ actor: Actor, of domain: DomainID, _ issuances: [IssuanceSummary]) async throws -> Set<Int64> {
    let ends = issuances.prefix(IssuanceSearch.longestPage).compactMap { issuance in
      issuance.notAfter.map { ExpiryCursor(notAfter: $0, issuance: issuance.number) }
    }
    return try await look(actor, .read) { turn in
      let item = try turn.domain(domain).item
      return Set(try ends.filter { try turn.isRenewed($0, of: domain, item) }.map(\.issuance))
    }
  }

  /// How much of what is valid now ends soon, and has not been renewed.
  ///
  /// - Parameters:
  ///   - end: seconds since 1970; what is valid longer is left out.
  ///   - ceiling: of how many it is found out.
  package func dueCount(
    _ actor: Actor, of domain: DomainID, upTo end: Int64, ceiling: Int = 200
  ) async throws -> SearchCount {
    try await look(actor, .read) { turn in
      let (item, now) = (try turn.domain(domain).item, turn.now / 1000)
      let rows = try turn.connection.query(
        """
        SELECT issuance, not_after FROM judgements INDEXED BY judgements_by_end
        WHERE domain_id = ? AND not_after >= ? AND not_after <= ? AND coalesce(not_before, 0) <= ?
        ORDER BY not_after, issuance LIMIT ?
        """,
        [.integer(domain.value), .integer(now), .integer(end), .integer(now), .integer(Int64(ceiling + 1))])
      let count = try rows.prefix(ceiling).count { row in
        guard let issuance = row.integer(0), let notAfter = row.integer(1) else { return false }
        return try !turn.isRenewed(ExpiryCursor(notAfter: notAfter, issuance: issuance), of: domain, item)
      }
      return SearchCount(value: count, isExact: rows.count <= ceiling)
    }
  }
}

extension Turn {
  /// More of the newest certificates for a name are not looked at.
  private static let mostSuccessors = 20

  /// Whether a later certificate for all of its names that hit the item is valid, and neither unexplained nor denied.
  fileprivate func isRenewed(_ end: ExpiryCursor, of domain: DomainID, _ item: String) throws -> Bool {
    try count(
      """
      SELECT count(*) FROM (
        SELECT i.id AS old, n.issuance AS new FROM issuances i
          JOIN matches m ON m.issuance_id = i.id AND m.item = ?3 AND m.name <> ''
          JOIN issuance_names n ON n.key = '=' || m.name
          JOIN judgements j ON j.issuance = n.issuance AND j.domain_id = ?2
        WHERE i.number = ?1 AND m.name = (
            SELECT min(name) FROM matches WHERE issuance_id = i.id AND item = ?3 AND name <> '')
          AND j.not_after > ?4 AND coalesce(j.not_before, 0) <= ?5 AND j.state <> 'denied'
          AND (j.verdict <> 'unexplained' OR j.state = 'claimed')
        ORDER BY n.first_seen DESC LIMIT \(Turn.mostSuccessors))
      WHERE NOT EXISTS (
        SELECT 1 FROM matches m WHERE m.issuance_id = old AND m.item = ?3 AND NOT EXISTS (
          SELECT 1 FROM matches o JOIN issuances s ON s.id = o.issuance_id
          WHERE s.number = new AND o.item = ?3 AND o.name = m.name))
      """,
      [
        .integer(end.issuance), .integer(domain.value), .text(item), .integer(end.notAfter), .integer(now / 1000),
      ]) > 0
  }
}
