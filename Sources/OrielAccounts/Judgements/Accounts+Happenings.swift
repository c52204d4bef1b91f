package import CertificateTransparency
import MerkleTree
import OrielStore

extension Accounts {
  /// What became of an issuance, the oldest first.
  package func happenings(_ actor: Actor, of issuance: IssuanceID) async throws -> [Happening] {
    try await look(actor, .read) { turn in
      guard let number = try IssuanceSearch.number(turn.connection, of: issuance)?.number else { return [] }
      let judged = try turn.judgementHappenings(of: number)
      let told = try turn.deliveryHappenings(of: issuance)
      // What was said keeps its order, whatever the clock did meanwhile.
      var latest = Int64.min
      let timed = judged.map { happening in
        latest = max(latest, happening.at)
        return (time: latest, rank: 0, happening)
      }
      let all = (timed + told.map { ($0.at, 1, $0) }).enumerated()
      return all.sorted {
        ($0.element.0, $0.element.1, $0.offset) < ($1.element.0, $1.element.1, $1.offset)
      }.map(\.element.2).suffix(Happening.most)
    }
  }
}

extension Turn {
  /// Verdicts and statements, in the order in which they came.
  fileprivate func judgementHappenings(of issuance: Int64) throws -> [Happening] {
    let judgements = try connection.query(
      """
      SELECT j.domain_id, d.item, j.verdict, j.at FROM judgements j JOIN domains d ON d.id = j.domain_id
      WHERE j.issuance = ? AND +j.account_id = ? ORDER BY j.domain_id LIMIT 100
      """, [.integer(issuance), account])
    var found: [(id: Int64, happening: Happening)] = []
    for row in judgements {
      guard let domain = row.integer(0), let item = row.text(1), let verdict = row.text(2), let at = row.integer(3)
      else { throw UnreadableRow(table: "judgements") }
      let events = try connection.query(
        """
        SELECT id, at, kind, value, who, note FROM judgement_events WHERE issuance = ? AND domain_id = ?
        ORDER BY id DESC LIMIT \(Happening.most)
        """, [.integer(issuance), .integer(domain)])
      if !events.contains(where: { $0.text(2) == "judged" }), let level = VerdictLevel(rawValue: verdict) {
        found.append((0, Happening(at: at, item: item, what: .judged(level))))
      }
      // The first verdict is noted once there is a second, and still came before everything.
      let first = events.last { $0.text(2) == "judged" }?.integer(0)
      for event in events {
        guard let id = event.integer(0), let at = event.integer(1), let value = event.text(3) else {
          throw UnreadableRow(table: "judgement_events")
        }
        if event.text(2) == "judged", let level = VerdictLevel(rawValue: value) {
          found.append((id == first ? 0 : id, Happening(at: at, item: item, what: .judged(level))))
        } else if let state = Judgement.State(rawValue: value) {
          let said = Happening.What.said(state, by: event.text(4) ?? "", note: event.text(5))
          found.append((id, Happening(at: at, item: item, what: said)))
        }
      }
    }
    return found.sorted { $0.id < $1.id }.map(\.happening)
  }

  /// What was sent about it to people of this account, and if it is the operator's to those whom the configuration file
  /// names; what stands in a digest, when that was sent.
  fileprivate func deliveryHappenings(of issuance: IssuanceID) throws -> [Happening] {
    let isOperators = try AccountService.noted(connection) == actor.account
    // The plus keeps from looking through all that an account has ever been sent.
    return try connection.query(
      """
      SELECT a.kind, a.item, d.target, d.state, coalesce(w.last_attempt, d.last_attempt, a.created_at)
      FROM alerts a CROSS JOIN deliveries d ON d.alert_id = a.id
        LEFT JOIN deliveries w ON w.alert_id = d.digest AND w.recipient = d.recipient AND w.target = d.target
      WHERE a.issuance_id = ? AND (+d.account_id = ?
        OR ? AND +d.account_id IS NULL AND substr(d.recipient, 1, 7) <> 'domain:')
      ORDER BY d.id DESC LIMIT \(Happening.most)
      """, [.blob(issuance.hash.bytes), account, .integer(isOperators ? 1 : 0)]
    ).reversed().map { row in
      guard let kind = row.text(0).flatMap(StoredAlert.Kind.init(rawValue:)), let target = row.text(2),
        let state = row.text(3).flatMap(StoredDelivery.State.init(rawValue:)), let at = row.integer(4)
      else { throw UnreadableRow(table: "deliveries") }
      return Happening(at: at, item: row.text(1) ?? "", what: .told(kind, target: target, state))
    }
  }
}
