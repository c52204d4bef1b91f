package import CertificateTransparency
import MerkleTree
package import OrielStore

extension Accounts {
  /// Issuances with what was made of them, newest first.
  ///
  /// - Parameters:
  ///   - domain: nil for all domains of the account; an issuance that hits two of them is there twice.
  ///   - mostNames: how many names of each are read.
  package func history(
    _ actor: Actor, of domain: DomainID? = nil, _ filter: HistoryFilter = HistoryFilter(),
    after cursor: HistoryCursor? = nil, limit: Int = 50, mostNames: Int = IssuanceSummary.mostNames
  ) async throws -> (results: [Judgement], next: HistoryCursor?) {
    try await look(actor, .read) { turn in
      let limit = max(1, min(limit, IssuanceSearch.longestPage))
      let keys = try turn.historyLists(of: domain, filter).flatMap {
        try $0.page(turn.connection, after: cursor, limit: limit + 1)
      }.sorted(by: >).prefix(limit + 1)
      let results = try keys.prefix(limit).map {
        try turn.judgement($0.issuance.number, $0.domain, mostNames: mostNames)
      }
      return (results, keys.count > limit ? keys[limit - 1] : nil)
    }
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  package func historyCount(
    _ actor: Actor, of domain: DomainID? = nil, _ filter: HistoryFilter = HistoryFilter(), ceiling: Int? = nil
  ) async throws -> SearchCount {
    try await look(actor, .read) { turn in
      if let domain, filter.isOfLevelsAlone {
        _ = try turn.domain(domain)
        let counts = try turn.monthlyCounts(of: domain, from: "").values.flatMap { $0 }
        let all = counts.filter { filter.levels.isEmpty || filter.levels.contains($0.key) }.reduce(0) { $0 + $1.value }
        return SearchCount(counted: Int64(all), ceiling: .max)
      }
      return try turn.historyCount(of: domain, filter, ceiling: ceiling)
    }
  }

  /// How many there are of each verdict since a time.
  package func verdictCounts(_ actor: Actor, of domain: DomainID? = nil, since time: Int64) async throws
    -> [VerdictLevel: Int]
  {
    try await look(actor, .read) { turn in
      if let domain { _ = try turn.domain(domain) }
      let (column, owner) = domain.map { ("domain", SQLValue.integer($0.value)) } ?? ("account", turn.account)
      // Each from where it stands together: to sort them out takes three times as long.
      let states = Judgement.State.allCases.map { SQLValue.text($0.rawValue) }
      let marks = states.map { _ in "?" }.joined(separator: ", ")
      var counts: [VerdictLevel: Int] = [:]
      for level in VerdictLevel.allCases {
        let count = try turn.count(
          """
          SELECT count(*) FROM judgements INDEXED BY judgements_by_\(column)_and_verdict
          WHERE \(column)_id = ? AND verdict = ? AND state IN (\(marks)) AND first_seen >= ?
          """, [owner, .text(level.rawValue)] + states + [.integer(time)])
        if count > 0 { counts[level] = count }
      }
      return counts
    }
  }

  /// How many of each verdict were first seen in each month of a domain (`2026-11`, by UTC), from one on.
  package func monthlyCounts(
    _ actor: Actor, of domain: DomainID, from month: String
  ) async throws -> [String: [VerdictLevel: Int]] {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      return try turn.monthlyCounts(of: domain, from: month)
    }
  }

  /// One issuance for one domain.
  package func judgement(_ actor: Actor, of domain: DomainID, _ issuance: IssuanceID) async throws -> Judgement {
    try await look(actor, .read) { try $0.judgement(issuance, of: domain) }
  }

  /// All that is stored of an issuance, if it was judged for a domain of this account, or imitates one.
  package func record(_ actor: Actor, _ issuance: IssuanceID) async throws -> IssuanceRecord {
    try await look(actor, .read) { turn in
      // The plus, here and elsewhere, keeps from looking through all that was ever judged for an account.
      let isOwn = try turn.count(
        """
        SELECT count(*) FROM issuances i JOIN judgements j ON j.issuance = i.number
        WHERE i.id = ? AND +j.account_id = ?
        """, [.blob(issuance.hash.bytes), turn.account])
      let isKnown =
        try isOwn > 0
        || !Lookalikes.records(turn.connection, of: issuance, account: turn.actor.account.value).isEmpty
      guard isKnown, let record = try IssuanceSearch.record(turn.connection, issuance) else {
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

  /// Of each of these issuances, by number, what needs somebody most of what was made of it for the account.
  package func judgements(_ actor: Actor, of numbers: [Int64]) async throws -> [Int64: Judgement] {
    try await look(actor, .read) { turn in
      var worst: [Int64: Judgement] = [:]
      for number in numbers.prefix(IssuanceSearch.longestPage) {
        let rows = try turn.connection.query(
          "SELECT domain_id, verdict, state FROM judgements WHERE issuance = ? AND +account_id = ? LIMIT 100",
          [.integer(number), turn.account])
        let standings = rows.compactMap { row -> (domain: Int64, urgency: Int)? in
          guard let domain = row.integer(0), let level = row.text(1).flatMap(VerdictLevel.init(rawValue:)) else {
            return nil
          }
          return (domain, row.text(2) == "claimed" ? VerdictLevel.known.urgency : level.urgency)
        }
        guard let first = standings.max(by: { $0.urgency < $1.urgency }) else { continue }
        worst[number] = try turn.judgement(number, DomainID(first.domain))
      }
      return worst
    }
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  package func searchCounted(
    _ actor: Actor, _ query: IssuanceQuery, after cursor: SearchCursor? = nil, limit: Int = 50, ceiling: Int?
  ) async throws -> (page: SearchPage<IssuanceSummary>, count: SearchCount) {
    var query = query
    query.account = actor.account.value
    return try await look(actor, .read) { [query] in
      try IssuanceSearch.pageAndCount($0.connection, query, after: cursor, limit: limit, ceiling: ceiling)
    }
  }

  /// Says what is thought of an issuance. What is claimed goes into the inventory; what no longer is leaves it.
  package func setState(
    _ actor: Actor, of domain: DomainID, _ issuance: IssuanceID, to state: Judgement.State?, note: String? = nil
  ) async throws -> Judgement {
    try await run(actor, .write, changing: .settings) { turn in
      let before = try turn.judgement(issuance, of: domain)
      let note = try note.map { try Words.checked($0, .note, most: 1000) }
      let (isAnswer, state) = (state != nil, state ?? before.state)
      try turn.connection.execute(
        "UPDATE judgements SET state = ?, note = ?, changed_by = ?, changed_at = ? WHERE issuance = ? AND domain_id = ?",
        [
          .text(state.rawValue), .optional(note), .text(actor.name), .integer(turn.now),
          .integer(before.issuance.number), .integer(domain.value),
        ])
      try Happening.note(state, by: actor.name, note, of: before.issuance.number, for: domain, turn)
      guard isAnswer else {
        try turn.audit("\(before.item): noted on issuance \(issuance)")
        return try turn.judgement(issuance, of: domain)
      }
      let inventory = Inventory(connection: turn.connection, now: turn.now)
      if state == .claimed {
        try inventory.claim(before.issuance, for: domain, item: before.item)
      } else if before.state == .claimed {
        try inventory.withdraw(before.issuance, from: domain)
      }
      try turn.audit("\(before.item): issuance \(issuance) is \(state.rawValue)")
      return try turn.judgement(issuance, of: domain)
    }
  }
}

/// Where a page of a history ends.
package struct HistoryCursor: Hashable, Comparable, Sendable, CustomStringConvertible {
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

  package static func < (left: HistoryCursor, right: HistoryCursor) -> Bool {
    (left.issuance.firstSeen, left.issuance.number, left.domain.value)
      < (right.issuance.firstSeen, right.issuance.number, right.domain.value)
  }
}

extension HistoryFilter {
  fileprivate var isOfLevelsAlone: Bool { states.isEmpty && name == nil && from == nil && before == nil }
}

extension Turn {
  func historyCount(of domain: DomainID?, _ filter: HistoryFilter, ceiling: Int?) throws -> SearchCount {
    try historyLists(of: domain, filter).reduce(SearchCount(value: 0, isExact: true)) { sum, list in
      guard sum.value < ceiling ?? .max else { return SearchCount(value: sum.value, isExact: false) }
      let count = try list.count(connection, ceiling: ceiling.map { $0 - sum.value })
      return SearchCount(value: sum.value + count.value, isExact: sum.isExact && count.isExact)
    }
  }

  fileprivate func monthlyCounts(of domain: DomainID, from month: String) throws -> [String: [VerdictLevel: Int]] {
    let rows = try connection.query(
      "SELECT month, verdict, count FROM judgement_months WHERE domain_id = ? AND month >= ? AND count > 0",
      [.integer(domain.value), .text(month)])
    var months: [String: [VerdictLevel: Int]] = [:]
    for row in rows {
      guard let month = row.text(0), let level = row.text(1).flatMap(VerdictLevel.init(rawValue:)) else {
        throw UnreadableRow(table: "judgement_months")
      }
      months[month, default: [:]][level, default: 0] += Int(row.integer(2) ?? 0)
    }
    return months
  }

  func judgement(_ issuance: IssuanceID, of domain: DomainID) throws -> Judgement {
    guard let place = try IssuanceSearch.number(connection, of: issuance) else { throw AccountError.notFound }
    return try judgement(place.number, domain)
  }

  func judgement(
    _ issuance: Int64, _ domain: DomainID, mostNames: Int = IssuanceSummary.mostNames
  ) throws -> Judgement {
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
      domain: domain, item: item,
      issuance: try IssuanceSearch.summary(connection, number: issuance, items: [item], mostNames: mostNames),
      level: level, isProven: row.integer(2) == 1, reasons: row.text(3) ?? "[]", at: row.integer(4) ?? 0, state: state,
      note: row.text(6), changedBy: row.text(7), changedAt: row.integer(8))
  }
}

extension VerdictLevel {
  fileprivate var urgency: Int {
    switch self {
    case .known: 0
    case .expected: 1
    case .noHistory: 2
    case .unexplained: 3
    }
  }
}
