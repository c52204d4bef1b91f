package import CertificateTransparency
import MerkleTree

/// An issuance is reported once to each target of an account, however many of the account's items it matches.
///
/// The delivery that reports it stands for the alerts about the other items, unless one of them has a more serious
/// verdict. They are kept with it: if it is cancelled, as its own item is muted or known by now, one of them takes its
/// place.
extension AlertStore {
  /// The more serious a verdict, the lower. What nobody judged is like what there is no history for.
  static func urgency(of verdict: String?) -> Int64 {
    switch verdict {
    case "unexplained": 0
    case "expected": 2
    case "known": 3
    default: 1
    }
  }

  /// Deliveries that the account of a recipient, or a recipient that the configuration names, gets about an issuance.
  private static let ofRecipient = """
    CASE WHEN substr(?2, 1, 7) = 'domain:'
      THEN account_id = (SELECT account_id FROM domains WHERE id = CAST(substr(?2, 8) AS INTEGER))
      ELSE recipient = ?2 END
    """

  /// Each pair of an alert and a target, the most serious first of those about the same issuance: it stands for the
  /// others.
  static func pairs(_ routes: [RoutedAlert]) -> [(alert: StoredAlert, target: RoutedTarget)] {
    var places: [IssuanceID: Int] = [:]
    let pairs = routes.flatMap { route in route.targets.map { (alert: route.alert, target: $0) } }
    let ranks = pairs.enumerated().map { place, pair in
      guard pair.alert.kind == .certificate, let issuance = pair.alert.issuance else { return (place, Int64(0), place) }
      let first = places[issuance] ?? place
      places[issuance] = first
      return (first, urgency(of: pair.target.verdict), place)
    }
    return pairs.indices.sorted { ranks[$0] < ranks[$1] }.map { pairs[$0] }
  }

  /// Adds an alert to those that a delivery of the same issuance to the same target stands for.
  ///
  /// - Returns: whether there is such a delivery, with a verdict that is at least as serious.
  static func merge(_ connection: any SQLConnection, _ alert: StoredAlert, to routed: RoutedTarget) throws -> Bool {
    guard alert.kind == .certificate, let issuance = alert.issuance else { return false }
    let rows = try connection.query(
      """
      SELECT d.id, d.verdict FROM deliveries d
      WHERE d.issuance_id = ?1 AND d.target = ?3 AND d.alert_id <> ?4 AND d.state <> 'dropped' AND \(ofRecipient)
        AND NOT EXISTS (
          SELECT 1 FROM deliveries w
          WHERE w.alert_id = d.digest AND w.recipient = d.recipient AND w.target = d.target AND w.state = 'dropped')
      """,
      [
        .blob(issuance.hash.bytes), .text(routed.target.recipient), .text(routed.target.target), .integer(alert.id),
      ])
    let urgency = urgency(of: routed.verdict)
    let worst = rows.min { AlertStore.urgency(of: $0.text(1)) < AlertStore.urgency(of: $1.text(1)) }
    guard let worst, let delivery = worst.integer(0), AlertStore.urgency(of: worst.text(1)) <= urgency else {
      return false
    }
    try connection.execute(
      """
      INSERT INTO merged_alerts (delivery, urgency, alert_id, recipient, verdict) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING
      """,
      [
        .integer(delivery), .integer(urgency), .integer(alert.id), .text(routed.target.recipient),
        .optional(routed.verdict),
      ])
    return true
  }

  /// After a delivery was cancelled, the most serious of the alerts that it stood for takes its place; the same for all
  /// that a digest listed.
  static func promoteMerged(_ connection: any SQLConnection, after delivery: Int64, now: Int64) throws {
    let deliveries = try connection.query(
      """
      SELECT ?1 UNION ALL
      SELECT d.id FROM deliveries w JOIN deliveries d
        ON d.digest = w.alert_id AND d.recipient = w.recipient AND d.target = w.target AND d.state = 'digested'
      WHERE w.id = ?1
      """, [.integer(delivery)])
    for id in deliveries.map({ $0.values[0] }) {
      let next = try connection.query(
        """
        SELECT urgency, alert_id, recipient, verdict FROM merged_alerts WHERE delivery = ?
        ORDER BY urgency, alert_id, recipient LIMIT 1
        """, [id]
      ).first?.values
      guard let next else { continue }
      try connection.execute(
        "DELETE FROM merged_alerts WHERE delivery = ? AND urgency = ? AND alert_id = ? AND recipient = ?",
        [id] + next.prefix(3))
      try connection.execute(
        """
        UPDATE OR IGNORE deliveries SET alert_id = ?, recipient = ?, verdict = ?, state = 'waiting', digest = NULL,
          next_attempt = ?, attempts = 0, refusals = 0, message_refusals = 0, failing_since = NULL, reported_at = NULL,
          last_attempt = NULL, words = NULL
        WHERE id = ?
        """, next.suffix(3) + [.integer(now), id])
    }
  }

  /// An issuance that was unexplained for a domain is known now: the targets to which it was reported as unexplained hear
  /// of that, once it is so for all items that the report stands for.
  ///
  /// - Parameters:
  ///   - account: whose domain it is.
  ///   - isConfigured: whether those are notified whom the configuration names.
  package static func explain(
    _ connection: any SQLConnection, _ issuance: IssuanceID, account: Int64, isConfigured: Bool, now: Int64
  ) throws {
    let id = SQLValue.blob(issuance.hash.bytes)
    let reports = try connection.query(
      """
      SELECT a.item, d.recipient FROM deliveries d JOIN alerts a ON a.id = d.alert_id
      WHERE d.issuance_id = ?1 AND d.state <> 'dropped' AND coalesce(d.verdict, 'unexplained') = 'unexplained'
        AND CASE WHEN ?3 THEN d.account_id IS NULL AND substr(d.recipient, 1, 7) <> 'domain:'
          ELSE d.account_id = ?2 END
        AND NOT EXISTS (
          SELECT 1 FROM domains o
            JOIN judgements j ON j.domain_id = o.id AND j.issuance = (SELECT number FROM issuances WHERE id = ?1)
          WHERE o.account_id = ?2 AND j.verdict = 'unexplained' AND j.state <> 'claimed' AND o.item IN (
            SELECT a.item UNION ALL
            SELECT b.item FROM merged_alerts m JOIN alerts b ON b.id = m.alert_id WHERE m.delivery = d.id))
      """, [id, .integer(account), .integer(isConfigured ? 1 : 0)])
    for row in reports {
      guard let item = row.text(0), let recipient = row.text(1) else { throw CorruptRow(table: "deliveries") }
      try connection.execute(
        """
        INSERT INTO alerts (key, kind, issuance_id, item, content, created_at) VALUES (?, 'explained', ?, ?, ?, ?)
        ON CONFLICT (key) DO NOTHING
        """,
        [
          .text(key("explained", issuance.hash.hex, item, recipient)), id, .text(item), .blob(Array(recipient.utf8)),
          .integer(now),
        ])
    }
  }

  /// The items that a recipient watches and an issuance matches, in alphabetical order: those of the account's domains
  /// that are on; for one whom the configuration names, those that are routed to them.
  ///
  /// - Parameter isRouted: whether alerts for an item go to a recipient whom the configuration names.
  /// - Returns: those that are kept, and how many others there are.
  package func items(
    matchedBy issuance: IssuanceID, for target: AlertTarget, isRouted: @escaping @Sendable (String) -> Bool
  ) async throws -> (kept: [String], others: Int) {
    let (id, recipient) = (SQLValue.blob(issuance.hash.bytes), target.recipient)
    return try await database.read { connection in
      let others = try WideMatches.omitted(connection, issuance, for: target)
      func matched(_ limit: Int64) throws -> [String] {
        try connection.query(
          "SELECT DISTINCT item FROM matches WHERE issuance_id = ? ORDER BY item LIMIT ?", [id, .integer(limit)]
        ).compactMap { $0.text(0) }
      }
      guard recipient.hasPrefix("domain:") else { return (try matched(.max).filter(isRouted), others) }
      // One certificate that matches everybody's items must not be looked through for each of them.
      let isWide = try matched(AlertStore.mostProbed).count == AlertStore.mostProbed
      let match = "SELECT 1 FROM matches m WHERE m.issuance_id = ?1 AND m.item = d.item"
      let items = try connection.query(
        """
        SELECT d.item FROM domains d
        WHERE d.account_id = (SELECT account_id FROM domains WHERE id = ?2) AND d.is_on = 1
          AND \(isWide ? "EXISTS (\(match))" : "d.item IN (SELECT item FROM matches WHERE issuance_id = ?1)")
        ORDER BY d.item
        """, [id, .optional(Int64(recipient.dropFirst("domain:".count)))]
      ).compactMap { $0.text(0) }
      return (items, others)
    }
  }

  private static let mostProbed: Int64 = 1000
}
