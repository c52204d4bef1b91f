package import CertificateTransparency
import MerkleTree

/// How many alerts of one kind a target gets one by one, before the rest of a window comes as digests.
package struct BurstLimit: Hashable, Sendable {
  package let first: Int
  /// Milliseconds.
  package let window: Int64
  /// The longest that an unexplained certificate waits for a digest, in milliseconds.
  package static let urgent: Int64 = 300_000

  package init(first: Int, window: Int64) {
    self.first = first
    self.window = window
  }

  /// When a digest that is begun now is due.
  fileprivate func due(ofUrgent isUrgent: Bool, started: Int64, now: Int64) -> Int64 {
    isUrgent ? min(started + window, now + BurstLimit.urgent) : started + window
  }
}

/// One of those whom an alert goes to.
package struct RoutedTarget: Hashable, Sendable {
  package let target: AlertTarget
  /// What was made of the certificate for this target, as in the table of judgements; nil where nobody judges.
  package let verdict: String?
  /// Whether a burst comes to it as digests, and not one by one.
  package let combinesBursts: Bool

  package init(_ target: AlertTarget, verdict: String? = nil, combinesBursts: Bool = true) {
    self.target = target
    self.verdict = verdict
    self.combinesBursts = combinesBursts
  }
}

/// The item and the issuance whose alerts were routed last: others come next.
package struct RoutingTurn: Hashable, Sendable {
  fileprivate var item = SQLValue.text("")
  fileprivate var issuance = SQLValue.text("")

  package init() {}

  fileprivate init(item: SQLValue, issuance: SQLValue) {
    self.item = item
    self.issuance = issuance
  }
}

/// An alert, and those whom it goes to.
package struct RoutedAlert: Hashable, Sendable {
  package let alert: StoredAlert
  package let targets: [RoutedTarget]

  package init(_ alert: StoredAlert, to targets: [RoutedTarget]) {
    self.alert = alert
    self.targets = targets
  }
}

extension AlertStore {
  /// So many certificates make one digest; more make another.
  static let longestDigest: Int64 = 5000

  /// Some of the alerts that have no deliveries yet, oldest first.
  ///
  /// Each watched item gets its share, and each issuance, so that many issuances for one item, or one that matches many
  /// items, keep the others' alerts waiting for one round at most.
  ///
  /// - Parameter turn: where to go on, as an earlier call said.
  package func unrouted(
    after turn: RoutingTurn = RoutingTurn(), limit: Int = 256
  ) async throws -> (alerts: [StoredAlert], next: RoutingTurn) {
    try await database.read { connection in
      // What is about no item (the service itself) comes first.
      var alerts = try connection.query(
        AlertStore.selectAlert + " WHERE routed = 0 AND item IS NULL ORDER BY id LIMIT ?", [.integer(Int64(limit))]
      ).map { try StoredAlert($0) }
      let room = max(1, limit - alerts.count)
      let issuances = try AlertStore.unrouted(
        connection, by: "issuance_id", after: turn.issuance, limit: room / 2)
      let items = try AlertStore.unrouted(
        connection, by: "item", after: turn.item, limit: room - issuances.alerts.count)
      var ids: Set<Int64> = []
      alerts += (issuances.alerts + items.alerts).filter { ids.insert($0.id).inserted }
      return (
        alerts.sorted { $0.id < $1.id },
        RoutingTurn(item: items.last ?? turn.item, issuance: issuances.last ?? turn.issuance)
      )
    }
  }

  /// An equal share of alerts for each value of a column, from one value on and around: one probe of the index for each.
  private static func unrouted(
    _ connection: any SQLConnection, by column: String, after last: SQLValue, limit: Int
  ) throws -> (alerts: [StoredAlert], last: SQLValue?) {
    var values: [SQLValue] = []
    for start in [last, .text("")] {
      let (end, next) = (values.first, "SELECT min(\(column)) FROM alerts WHERE routed = 0 AND \(column) > ?")
      while values.count < limit,
        let value = try connection.query(next, [values.last ?? start]).first?.values[0], value != .null, value != end
      { values.append(value) }
    }
    let share = SQLValue.integer(Int64(max(1, limit / max(1, values.count))))
    let alerts = try values.flatMap { value in
      try connection.query(
        AlertStore.selectAlert + " WHERE routed = 0 AND \(column) = ? ORDER BY id LIMIT ?", [value, share]
      ).map { try StoredAlert($0) }
    }
    return (alerts, values.last)
  }

  /// The targets that an issuance was reported to, for one item.
  package func targets(toldOf issuance: IssuanceID, item: String) async throws -> [AlertTarget] {
    try await database.read { connection in
      try connection.query(
        """
        SELECT DISTINCT d.recipient, d.target FROM deliveries d JOIN alerts a ON a.id = d.alert_id
        WHERE a.kind = 'certificate' AND a.issuance_id = ? AND a.item = ? ORDER BY d.id
        """, [.blob(issuance.hash.bytes), .text(item)]
      ).map { AlertTarget(recipient: $0.text(0) ?? "", target: $0.text(1) ?? "") }
    }
  }

  /// The message by which the certificate that an alert is about was reported to the same target before: the key of
  /// its alert, or of the digest that it was in; nil if neither was delivered.
  package func origin(of delivery: StoredDelivery) async throws -> String? {
    guard let issuance = delivery.alert.issuance, let item = delivery.alert.item else { return nil }
    return try await database.read { connection in
      let row = try connection.query(
        """
        SELECT a.key, d.state, g.key, w.state FROM alerts a JOIN deliveries d ON d.alert_id = a.id
          LEFT JOIN alerts g ON g.id = d.digest
          LEFT JOIN deliveries w ON w.alert_id = d.digest AND w.recipient = d.recipient AND w.target = d.target
        WHERE a.kind = 'certificate' AND a.issuance_id = ? AND a.item = ? AND d.recipient = ? AND d.target = ?
        """,
        [.blob(issuance.hash.bytes), .text(item), .text(delivery.recipient), .text(delivery.target)]
      ).first
      let delivered = StoredDelivery.State.delivered.rawValue
      if row?.text(1) == delivered { return row?.text(0) }
      return row?.text(3) == delivered ? row?.text(2) : nil
    }
  }

  /// Makes the deliveries of alerts, all of them or none.
  ///
  /// - Parameters:
  ///   - held: what waits for its audience's time.
  ///   - released: what no longer waits.
  ///   - burst: certificates and look-alikes beyond it wait for a digest; other alerts always go at once.
  package func route(
    _ routes: [RoutedAlert], holding held: [HeldAlert] = [], releasing released: [HeldAlert] = [], burst: BurstLimit,
    now: Int64
  ) async throws {
    try await database.transaction { connection in
      for alert in released { try AlertStore.release(connection, alert) }
      for alert in held { try AlertStore.hold(connection, alert) }
      for (alert, target) in AlertStore.pairs(routes) {
        try AlertStore.route(connection, alert, to: target, burst: burst, now: now)
      }
      for route in routes {
        try connection.execute("UPDATE alerts SET routed = 1 WHERE id = ?", [.integer(route.alert.id)])
      }
      try AlertStore.forgetBursts(connection, burst, now: now)
    }
  }

  private static func route(
    _ connection: any SQLConnection, _ alert: StoredAlert, to routed: RoutedTarget, burst: BurstLimit, now: Int64
  ) throws {
    guard try !merge(connection, alert, to: routed) else { return }
    let isCounted = routed.combinesBursts && [.certificate, .lookalike].contains(alert.kind)
    let digest = isCounted ? try count(connection, alert, routed, burst, now: now) : nil
    try connection.execute(
      """
      INSERT INTO deliveries (alert_id, recipient, target, verdict, state, next_attempt, digest, issuance_id)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert_id, recipient, target) DO NOTHING
      """,
      [
        .integer(alert.id), .text(routed.target.recipient), .text(routed.target.target), .optional(routed.verdict),
        .text(digest == nil ? "waiting" : "digested"), .integer(now), .optional(digest), .optional(alert.reported),
      ])
  }

  /// Counts an alert with others of its item and verdict, as one domain's renewals must not keep back what nobody can
  /// explain, nor another domain's alerts.
  ///
  /// - Returns: the digest that it goes into; nil if it goes by itself.
  private static func count(
    _ connection: any SQLConnection, _ alert: StoredAlert, _ routed: RoutedTarget, _ burst: BurstLimit, now: Int64
  ) throws -> Int64? {
    let kind = alert.kind == .certificate ? routed.verdict ?? "" : alert.kind.rawValue
    let key: [SQLValue] = [
      .text(routed.target.recipient), .text(routed.target.target), .text("\(kind) \(alert.item ?? "")"),
    ]
    let row = try connection.query(
      "SELECT started_at, sent, digest FROM bursts WHERE recipient = ? AND target = ? AND topic = ?", key
    ).first
    let started = row?.integer(0).flatMap { StoredTime.hasPassed(burst.window, since: $0, now: now) ? nil : $0 }
    let sent = started == nil ? 0 : row?.integer(1) ?? 0
    var digest: Int64?
    if sent >= Int64(burst.first), let started {
      let known = (sent - Int64(burst.first)) % longestDigest == 0 ? nil : row?.integer(2)
      let due = burst.due(ofUrgent: kind == "unexplained", started: started, now: now)
      digest = try openDigest(connection, known, from: alert, for: routed, at: due, now: now)
    }
    try connection.execute(
      """
      INSERT INTO bursts (recipient, target, topic, started_at, sent, digest) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (recipient, target, topic) DO UPDATE SET
        started_at = excluded.started_at, sent = excluded.sent, digest = excluded.digest
      """, key + [.integer(started ?? now), .integer(sent + 1), .optional(digest)])
    return digest
  }

  /// The digest that a target's further alerts go into: the one given unless it is closed, or a new one.
  private static func openDigest(
    _ connection: any SQLConnection, _ known: Int64?, from first: StoredAlert, for routed: RoutedTarget, at due: Int64,
    now: Int64
  ) throws -> Int64 {
    if let known,
      try connection.query("SELECT 1 FROM alerts WHERE id = ? AND closed = 0", [.integer(known)]).first != nil
    {
      return known
    }
    let target = routed.target
    let rows = try connection.query(
      "INSERT INTO alerts (key, kind, created_at, routed) VALUES (?, 'digest', ?, 1) RETURNING id",
      [.text(key("digest", target.recipient, target.target, first.key)), .integer(now)])
    guard let id = rows.first?.integer(0) else { throw CorruptRow(table: "alerts") }
    try connection.execute(
      "INSERT INTO deliveries (alert_id, recipient, target, verdict, next_attempt) VALUES (?, ?, ?, ?, ?)",
      [
        .integer(id), .text(target.recipient), .text(target.target), .optional(routed.verdict), .integer(due),
      ])
    return id
  }

  /// Forgets some of the counts that are over, so that they don't add up to all that was ever watched.
  private static func forgetBursts(_ connection: any SQLConnection, _ burst: BurstLimit, now: Int64) throws {
    try connection.execute(
      """
      DELETE FROM bursts WHERE (recipient, target, topic) IN
        (SELECT recipient, target, topic FROM bursts WHERE started_at <= ? LIMIT 300)
      """, [.integer(now - burst.window)])
  }
}
