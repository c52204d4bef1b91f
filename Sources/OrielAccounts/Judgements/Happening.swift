package import OrielStore

/// Something that became of an issuance, as far as one account is concerned.
package struct Happening: Hashable, Sendable {
  package enum What: Hashable, Sendable {
    /// It was judged, or judged again with another result.
    case judged(VerdictLevel)
    /// Somebody said what they think of it.
    case said(Judgement.State, by: String, note: String?)
    /// Somebody was told of it, or is to be.
    case told(StoredAlert.Kind, target: String, StoredDelivery.State)
  }

  /// Milliseconds since 1970.
  package let at: Int64
  /// The item that it was for.
  package let item: String
  package let what: What

  /// So many things that were said about an issuance are kept for a domain; then nothing more can be said.
  package static let mostStatements = 1000
  /// So many of the newest are given.
  package static let most = 1000

  /// Notes a verdict, before it takes the place of the one there is. The first alone is with the judgement, and no event.
  static func note(
    _ level: VerdictLevel, of issuance: Int64, for domain: DomainID, _ connection: any SQLConnection, now: Int64
  ) throws {
    let key: [SQLValue] = [.integer(issuance), .integer(domain.value)]
    let judged = try connection.query("SELECT verdict, at FROM judgements WHERE issuance = ? AND domain_id = ?", key)
    guard let before = judged.first?.text(0), let at = judged.first?.integer(1) else { return }
    func add(_ level: String, at time: Int64) throws {
      try connection.execute(
        "INSERT INTO judgement_events (issuance, domain_id, at, kind, value) VALUES (?, ?, ?, 'judged', ?)",
        key + [.integer(time), .text(level)])
    }
    let isFirst = try connection.query(
      "SELECT 1 FROM judgement_events WHERE issuance = ? AND domain_id = ? AND kind = 'judged' LIMIT 1", key
    ).isEmpty
    if isFirst { try add(before, at: at) }
    if before != level.rawValue { try add(level.rawValue, at: now) }
  }

  /// Notes what somebody said.
  static func note(
    _ state: Judgement.State, by who: String, _ note: String?, of issuance: Int64, for domain: DomainID, _ turn: Turn
  ) throws {
    let key: [SQLValue] = [.integer(issuance), .integer(domain.value)]
    let count = try turn.count(
      "SELECT count(*) FROM judgement_events WHERE issuance = ? AND domain_id = ? AND kind = 'said'", key)
    guard count < mostStatements else {
      throw AccountError.refused(
        field: .note, reason: "\(mostStatements) things were said about this certificate already")
    }
    try turn.connection.execute(
      "INSERT INTO judgement_events (issuance, domain_id, at, kind, value, who, note) VALUES (?, ?, ?, 'said', ?, ?, ?)",
      key + [.integer(turn.now), .text(state.rawValue), .text(who), .optional(note)])
  }
}
