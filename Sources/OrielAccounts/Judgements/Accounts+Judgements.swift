package import CertificateTransparency
import MerkleTree
package import OrielStore

extension Accounts {
  /// Issuances with what was made of them, newest first.
  ///
  /// - Parameter domain: nil for all domains of the account; an issuance that hits two of them is there twice.
  package func history(
    _ actor: Actor, of domain: DomainID? = nil, _ filter: HistoryFilter = HistoryFilter(),
    after cursor: HistoryCursor? = nil, limit: Int = 50
  ) async throws -> (results: [Judgement], next: HistoryCursor?) {
    try await look(actor, .read) { turn in
      let limit = max(1, min(limit, IssuanceSearch.longestPage))
      let (body, arguments) = try turn.history(of: domain, filter)
      let place = cursor.map { cursor -> [SQLValue] in
        [.integer(cursor.issuance.firstSeen), .integer(cursor.issuance.number), .integer(cursor.domain.value)]
      }
      let keys = try turn.connection.query(
        """
        SELECT j.first_seen, j.issuance, j.domain_id\(body)
        \(place == nil ? "" : "AND (j.first_seen, j.issuance, j.domain_id) < (?, ?, ?)")
        ORDER BY j.first_seen DESC, j.issuance DESC, j.domain_id DESC LIMIT ?
        """, arguments + (place ?? []) + [.integer(Int64(limit + 1))]
      ).map { row in
        HistoryCursor(
          issuance: SearchCursor(firstSeen: row.integer(0) ?? 0, number: row.integer(1) ?? 0),
          domain: DomainID(row.integer(2) ?? 0))
      }
      let results = try keys.prefix(limit).map { try turn.judgement($0.issuance.number, $0.domain) }
      return (results, keys.count > limit ? keys[limit - 1] : nil)
    }
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  package func historyCount(
    _ actor: Actor, of domain: DomainID? = nil, _ filter: HistoryFilter = HistoryFilter(), ceiling: Int? = nil
  ) async throws -> SearchCount {
    try await look(actor, .read) { turn in
      let ceiling = min(ceiling ?? .max, .max - 1)
      let (body, arguments) = try turn.history(of: domain, filter)
      let rows = try turn.connection.query(
        "SELECT count(*) FROM (SELECT 1\(body) LIMIT ?)", arguments + [.integer(Int64(ceiling + 1))])
      return SearchCount(counted: rows.first?.integer(0) ?? 0, ceiling: ceiling)
    }
  }

  /// How many there are of each verdict since a time.
  package func verdictCounts(_ actor: Actor, of domain: DomainID? = nil, since time: Int64) async throws
    -> [VerdictLevel: Int]
  {
    var filter = HistoryFilter()
    filter.from = time
    return try await look(actor, .read) { [filter] turn in
      let (body, arguments) = try turn.history(of: domain, filter)
      let rows = try turn.connection.query("SELECT j.verdict, count(*)\(body) GROUP BY j.verdict", arguments)
      return Dictionary(
        rows.compactMap { row in
          row.text(0).flatMap(VerdictLevel.init(rawValue:)).map { ($0, Int(row.integer(1) ?? 0)) }
        }, uniquingKeysWith: +)
    }
  }

  /// One issuance for one domain.
  package func judgement(_ actor: Actor, of domain: DomainID, _ issuance: IssuanceID) async throws -> Judgement {
    try await look(actor, .read) { try $0.judgement(issuance, of: domain) }
  }

  /// All that is stored of an issuance, if it was judged for a domain of this account.
  package func record(_ actor: Actor, _ issuance: IssuanceID) async throws -> IssuanceRecord {
    try await look(actor, .read) { turn in
      let isOwn = try turn.count(
        """
        SELECT count(*) FROM issuances i JOIN judgements j ON j.issuance = i.number
        WHERE i.id = ? AND j.account_id = ?
        """, [.blob(issuance.hash.bytes), turn.account])
      guard isOwn > 0, let record = try IssuanceSearch.record(turn.connection, issuance) else {
        throw AccountError.notFound
      }
      return record
    }
  }

  /// Searches what was judged for this account.
  package func search(
    _ actor: Actor, _ query: IssuanceQuery, after cursor: SearchCursor? = nil, limit: Int = 50
  ) async throws -> SearchPage<IssuanceSummary> {
    var query = query
    query.account = actor.account.value
    return try await look(actor, .read) { [query] in
      try IssuanceSearch.page($0.connection, query, after: cursor, limit: limit)
    }
  }

  package func searchCount(_ actor: Actor, _ query: IssuanceQuery, ceiling: Int? = nil) async throws -> SearchCount {
    var query = query
    query.account = actor.account.value
    return try await look(actor, .read) { [query] in
      try IssuanceSearch.count($0.connection, query, ceiling: ceiling)
    }
  }

  /// Says what is thought of an issuance. What is claimed goes into the inventory; what no longer is leaves it.
  package func setState(
    _ actor: Actor, of domain: DomainID, _ issuance: IssuanceID, to state: Judgement.State, note: String? = nil
  ) async throws -> Judgement {
    try await run(actor, .write, changing: .settings) { turn in
      let before = try turn.judgement(issuance, of: domain)
      let note = try note.map { try Words.checked($0, .note, most: 1000) }
      try turn.connection.execute(
        "UPDATE judgements SET state = ?, note = ?, changed_by = ?, changed_at = ? WHERE issuance = ? AND domain_id = ?",
        [
          .text(state.rawValue), .optional(note), .text(actor.name), .integer(turn.now),
          .integer(before.issuance.number), .integer(domain.value),
        ])
      let inventory = Inventory(connection: turn.connection, now: turn.now)
      if state == .claimed {
        let entry = NewInventoryEntry(
          kind: .certificate, hash: issuance.hash, names: before.issuance.names, notAfter: before.issuance.notAfter)
        try inventory.add(entry, to: domain, source: Inventory.claimed)
      } else if before.state == .claimed {
        try inventory.withdraw(issuance.hash, from: domain)
      }
      try turn.audit("\(before.item): issuance \(issuance) is \(state.rawValue)")
      return try turn.judgement(issuance, of: domain)
    }
  }
}

/// Where a page of a history ends.
package struct HistoryCursor: Hashable, Sendable, CustomStringConvertible {
  let issuance: SearchCursor
  let domain: DomainID

  init(issuance: SearchCursor, domain: DomainID) {
    self.issuance = issuance
    self.domain = domain
  }

  package init?(_ text: some StringProtocol) {
    guard let last = text.lastIndex(of: "-"), let issuance = SearchCursor(text[..<last]),
      let domain = DomainID(String(text[text.index(after: last)...]))
    else { return nil }
    self.init(issuance: issuance, domain: domain)
  }

  package var description: String { "\(issuance)-\(domain)" }
}

extension Turn {
  /// From what to where a history is read.
  fileprivate func history(
    of domain: DomainID?, _ filter: HistoryFilter
  ) throws -> (body: String, arguments: [SQLValue]) {
    var conditions: [String] = []
    var arguments: [SQLValue] = []
    if let domain {
      _ = try self.domain(domain)
      conditions.append("j.domain_id = ?")
      arguments.append(.integer(domain.value))
    } else {
      conditions.append("j.account_id = ?")
      arguments.append(account)
    }
    if let from = filter.from {
      conditions.append("j.first_seen >= ?")
      arguments.append(.integer(from))
    }
    if let before = filter.before {
      conditions.append("j.first_seen < ?")
      arguments.append(.integer(before))
    }
    let isOpen = filter.levels == [.unexplained] && filter.states == [.new]
    if isOpen {
      // As constants: what is open has an index of its own.
      conditions.append("j.verdict = 'unexplained' AND j.state = 'new'")
    } else {
      for (column, values) in [
        ("verdict", filter.levels.map(\.rawValue).sorted()), ("state", filter.states.map(\.rawValue).sorted()),
      ] where !values.isEmpty {
        conditions.append("j.\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
        arguments += values.map { .text($0) }
      }
    }
    if let name = filter.name {
      conditions.append(
        """
        EXISTS (SELECT 1 FROM issuance_names n
          WHERE n.key = ? AND n.first_seen = j.first_seen AND n.issuance = j.issuance)
        """)
      arguments.append(.text(name.description))
    }
    let index = domain != nil ? "judgements_by_domain" : isOpen ? "judgements_open" : "judgements_by_account"
    return (" FROM judgements j INDEXED BY \(index) WHERE \(conditions.joined(separator: " AND ")) ", arguments)
  }

  func judgement(_ issuance: IssuanceID, of domain: DomainID) throws -> Judgement {
    guard let place = try IssuanceSearch.number(connection, of: issuance) else { throw AccountError.notFound }
    return try judgement(place.number, domain)
  }

  fileprivate func judgement(_ issuance: Int64, _ domain: DomainID) throws -> Judgement {
    let rows = try connection.query(
      """
      SELECT d.item, j.verdict, j.is_proven, j.reasons, j.at, j.state, j.note, j.changed_by, j.changed_at
      FROM judgements j JOIN domains d ON d.id = j.domain_id
      WHERE j.issuance = ? AND j.domain_id = ? AND j.account_id = ?
      """, [.integer(issuance), .integer(domain.value), account])
    guard let row = rows.first else { throw AccountError.notFound }
    guard let item = row.text(0), let level = row.text(1).flatMap(VerdictLevel.init(rawValue:)),
      let state = row.text(5).flatMap(Judgement.State.init(rawValue:))
    else { throw UnreadableRow(table: "judgements") }
    return Judgement(
      domain: domain, item: item, issuance: try IssuanceSearch.summary(connection, number: issuance), level: level,
      isProven: row.integer(2) == 1, reasons: row.text(3) ?? "[]", at: row.integer(4) ?? 0, state: state,
      note: row.text(6), changedBy: row.text(7), changedAt: row.integer(8))
  }
}
