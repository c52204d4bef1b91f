import OrielStore

/// Judgements in the order of a history, straight from one index: all of a domain or an account, or those of one verdict
/// and one state. What a filter allows is in one of them, or in several.
struct HistoryList {
  /// Lists are compared no further than this.
  static let probe: Int64 = 10_001

  private let source: String
  private let condition: String
  private let arguments: [SQLValue]
  /// What of the list there is to be; tried for each entry.
  private let name: SQLValue?

  /// - Parameters:
  ///   - owner: `domain_id` or `account_id`, and the number.
  ///   - kind: the verdict and the state; nil for all.
  fileprivate init(
    _ connection: any SQLConnection, owner: (column: String, number: SQLValue), kind: (VerdictLevel, Judgement.State)?,
    _ wanted: HistoryFilter
  ) throws {
    var conditions = ["j.\(owner.column) = ?"]
    var arguments = [owner.number]
    if let (level, state) = kind {
      conditions.append("j.verdict = ? AND j.state = ?")
      arguments += [.text(level.rawValue), .text(state.rawValue)]
    }
    for (time, comparison) in [(wanted.from, ">="), (wanted.before, "<")] {
      guard let time else { continue }
      conditions.append("j.first_seen \(comparison) ?")
      arguments.append(.integer(time))
    }
    let index = owner.column.replacing("_id", with: "") + (kind == nil ? "" : "_and_verdict")
    let own = "judgements j INDEXED BY judgements_by_\(index)"
    let condition = conditions.joined(separator: " AND ")
    guard let name = wanted.name.map({ SQLValue.text($0.description) }) else {
      (source, self.condition, self.arguments, self.name) = (own, condition, arguments, nil)
      return
    }
    let length = { (sql: String, arguments: [SQLValue]) in
      try connection.query("SELECT count(*) FROM (SELECT 1 FROM \(sql) LIMIT \(HistoryList.probe))", arguments).first?
        .integer(0)
        ?? 0
    }
    if try length("issuance_names WHERE key = ?", [name]) < length("\(own) WHERE \(condition)", arguments) {
      // A name that few have is read from the list of those.
      source = "issuance_names n CROSS JOIN judgements j ON j.issuance = n.issuance AND j.first_seen = n.first_seen"
      self.condition = "n.key = ? AND \(condition)"
      self.arguments = [name] + arguments
      self.name = nil
    } else {
      (source, self.condition, self.arguments, self.name) = (own, condition, arguments, name)
    }
  }

  private static func hasName(_ time: String, _ issuance: String) -> String {
    "EXISTS (SELECT 1 FROM issuance_names n WHERE n.key = ? AND n.first_seen = \(time) AND n.issuance = \(issuance))"
  }

  func page(_ connection: any SQLConnection, after cursor: HistoryCursor?, limit: Int) throws -> [HistoryCursor] {
    var sql = "SELECT j.first_seen, j.issuance, j.domain_id FROM \(source) WHERE \(condition)"
    var arguments = arguments
    if let name {
      sql += " AND \(HistoryList.hasName("j.first_seen", "j.issuance"))"
      arguments.append(name)
    }
    if let cursor {
      sql += " AND (j.first_seen, j.issuance, j.domain_id) < (?, ?, ?)"
      arguments += [
        .integer(cursor.issuance.firstSeen), .integer(cursor.issuance.number), .integer(cursor.domain.value),
      ]
    }
    sql += " ORDER BY j.first_seen DESC, j.issuance DESC, j.domain_id DESC LIMIT ?"
    return try connection.query(sql, arguments + [.integer(Int64(limit))]).map { row in
      HistoryCursor(
        issuance: SearchCursor(firstSeen: row.integer(0) ?? 0, number: row.integer(1) ?? 0),
        domain: DomainID(row.integer(2) ?? 0))
    }
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  func count(_ connection: any SQLConnection, ceiling: Int?) throws -> SearchCount {
    try CountedList(
      entries: "SELECT j.first_seen AS entry_time, j.issuance AS entry_number FROM \(source) WHERE \(condition)",
      arguments: arguments, filter: name.map { _ in HistoryList.hasName("entry_time", "entry_number") },
      filterArguments: name.map { [$0] } ?? []
    ).count(connection, ceiling: ceiling)
  }
}

extension Turn {
  /// What together makes up a history.
  func historyLists(of domain: DomainID?, _ filter: HistoryFilter) throws -> [HistoryList] {
    if let domain { _ = try self.domain(domain) }
    let owner = domain.map { ("domain_id", SQLValue.integer($0.value)) } ?? ("account_id", account)
    guard !filter.levels.isEmpty || !filter.states.isEmpty else {
      return [try HistoryList(connection, owner: owner, kind: nil, filter)]
    }
    let levels = filter.levels.isEmpty ? VerdictLevel.allCases : filter.levels.sorted { $0.rawValue < $1.rawValue }
    let states = filter.states.isEmpty ? Judgement.State.allCases : filter.states.sorted { $0.rawValue < $1.rawValue }
    return try levels.flatMap { level in
      try states.map { try HistoryList(connection, owner: owner, kind: (level, $0), filter) }
    }
  }
}
