/// An alert that waits for the time of its audience.
package struct HeldAlert: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// For a digest.
    case daily, weekly
    /// To be decided about again: somebody may yet explain it.
    case review
  }

  package let alert: StoredAlert
  /// Those who are to be told, by a name that the one who decides has given them.
  package let audience: String
  package let kind: Kind
  /// Milliseconds since 1970.
  package let until: Int64

  package init(alert: StoredAlert, audience: String, kind: Kind, until: Int64) {
    self.alert = alert
    self.audience = audience
    self.kind = kind
    self.until = until
  }
}

extension AlertStore {
  /// So many are decided about at a time, as others wait for their turn.
  private static let mostReviewed = 256
  private static let day: Int64 = 86_400_000

  static func hold(_ connection: any SQLConnection, _ held: HeldAlert) throws {
    try connection.execute(
      """
      INSERT INTO held (audience, alert_id, kind, until) VALUES (?, ?, ?, ?)
      ON CONFLICT (audience, alert_id) DO UPDATE SET kind = excluded.kind, until = excluded.until
      """,
      [.text(held.audience), .integer(held.alert.id), .text(held.kind.rawValue), .integer(held.until)])
  }

  static func release(_ connection: any SQLConnection, _ held: HeldAlert) throws {
    try connection.execute(
      "DELETE FROM held WHERE audience = ? AND alert_id = ?", [.text(held.audience), .integer(held.alert.id)])
  }

  /// What one audience is to be notified of now, oldest first; empty if nobody's time has come.
  ///
  /// - Parameters:
  ///   - audience: the audience that had its turn last; the others have theirs before it has another.
  ///   - review: the longest that anything is held for a review, in milliseconds.
  package func dueHeld(after audience: String = "", now: Int64, review: Int64) async throws -> [HeldAlert] {
    // What is held for longer than its kind may be was held by a clock that was ahead.
    let isDue = """
      (held.until <= ?1 OR held.until > ?1 + CASE held.kind
        WHEN 'review' THEN ?2 WHEN 'daily' THEN \(AlertStore.day) ELSE \(7 * AlertStore.day) END)
      """
    let times: [SQLValue] = [.integer(now), .integer(review)]
    return try await database.read { connection in
      let next =
        try connection.query(
          "SELECT min(audience) FROM held WHERE \(isDue) AND audience > ?3", times + [.text(audience)]
        ).first?.text(0)
        ?? connection.query("SELECT min(audience) FROM held WHERE \(isDue)", times).first?.text(0)
      guard let audience = next else { return [] }
      let first = try connection.query(
        "SELECT kind FROM held WHERE audience = ?3 AND \(isDue) ORDER BY kind <> 'review', until LIMIT 1",
        times + [.text(audience)])
      guard let kind = first.first?.text(0).flatMap(HeldAlert.Kind.init(rawValue:)) else { return [] }
      let most = kind == .review ? Int64(AlertStore.mostReviewed) : AlertStore.longestDigest
      let rows = try connection.query(
        """
        SELECT \(AlertStore.alertColumns.map { "a." + $0 }.joined(separator: ", ")), until
        FROM held JOIN alerts a ON a.id = held.alert_id
        WHERE audience = ?3 AND held.kind = ?4 AND \(isDue) ORDER BY a.id LIMIT ?5
        """, times + [.text(audience), .text(kind.rawValue), .integer(most)])
      return try rows.map { row in
        HeldAlert(
          alert: try StoredAlert(row), audience: audience, kind: kind,
          until: row.integer(AlertStore.alertColumns.count) ?? now)
      }
    }
  }

  /// Makes one digest of what was held for an audience, and its deliveries; all of it or nothing.
  ///
  /// - Parameters:
  ///   - told: what goes into the digest, each with its verdict as in the table of judgements.
  ///   - dropped: what was held as well, and is not told of.
  package func makeDigest(
    of told: [(held: HeldAlert, verdict: String?)], dropping dropped: [HeldAlert] = [], for targets: [AlertTarget],
    now: Int64
  ) async throws {
    try await database.transaction { connection in
      for held in told.map(\.held) + dropped { try AlertStore.release(connection, held) }
      var digest: Int64?
      for target in targets {
        let listed = try told.filter { held, verdict in
          try !AlertStore.merge(connection, held.alert, to: RoutedTarget(target, verdict: verdict))
        }
        guard let first = told.first, !listed.isEmpty else { continue }
        guard let id = try digest ?? AlertStore.addDigest(connection, of: first.held, now: now) else { return }
        digest = id
        let who: [SQLValue] = [.text(target.recipient), .text(target.target)]
        for (held, verdict) in listed {
          try connection.execute(
            """
            INSERT INTO deliveries (alert_id, recipient, target, state, next_attempt, digest, verdict, issuance_id)
            VALUES (?, ?, ?, 'digested', ?, ?, ?, ?) ON CONFLICT (alert_id, recipient, target) DO NOTHING
            """,
            [.integer(held.alert.id)] + who + [
              .integer(now), .integer(id), .optional(verdict), .optional(held.alert.reported),
            ])
        }
        // One that nobody could explain makes the digest as serious.
        let verdict = listed.contains { $0.verdict == "unexplained" } ? "unexplained" : first.verdict
        try connection.execute(
          "INSERT INTO deliveries (alert_id, recipient, target, verdict, next_attempt) VALUES (?, ?, ?, ?, ?)",
          [.integer(id)] + who + [.optional(verdict), .integer(now)])
      }
    }
  }

  /// - Returns: nil if there is this digest already.
  private static func addDigest(_ connection: any SQLConnection, of first: HeldAlert, now: Int64) throws -> Int64? {
    try connection.query(
      """
      INSERT INTO alerts (key, kind, content, created_at, routed) VALUES (?, 'digest', ?, ?, 1)
      ON CONFLICT (key) DO NOTHING RETURNING id
      """,
      [
        .text(key("held", first.audience, first.kind.rawValue, "\(first.until)", first.alert.key)),
        .blob(Array(first.kind.rawValue.utf8)), .integer(now),
      ]
    ).first?.integer(0)
  }
}
