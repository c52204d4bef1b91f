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
}
