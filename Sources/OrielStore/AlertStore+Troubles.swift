/// What keeps alerts from those they are for, as far as nobody was notified of it yet.
package struct DeliveryTroubles: Hashable, Sendable {
  /// A target that takes no alerts, or did not until now.
  package struct Target: Hashable, Sendable {
    package let target: String
    /// Milliseconds since 1970.
    package let since: Int64
    package let words: String
    package let waiting: Int
  }

  /// An alert about unexplained certificates that was refused for long, or was given up.
  package struct Undelivered: Hashable, Sendable {
    package let delivery: Int64
    package let target: String
  }

  package fileprivate(set) var failing: [Target] = []
  package fileprivate(set) var recovered: [Target] = []
  package fileprivate(set) var undelivered: [Undelivered] = []
  /// How many more there are.
  package fileprivate(set) var omitted = 0

  package var isEmpty: Bool { failing.isEmpty && recovered.isEmpty && undelivered.isEmpty }
}

extension AlertStore {
  /// So many of a kind are reported one by one.
  private static let mostReported = 50

  /// Writes one alert about everything that keeps alerts from those they are for and was not reported yet; all of it is
  /// reported from then on.
  ///
  /// - Parameters:
  ///   - after: how long it may last before anybody is notified, in milliseconds.
  ///   - content: what the alert says.
  /// - Returns: whether there was anything.
  package func reportTroubles(
    after: Int64, now: Int64, content: @escaping @Sendable (DeliveryTroubles) throws -> [UInt8]
  ) async throws -> Bool {
    // Nearly always there is nothing, and nobody who writes need wait for that.
    guard try await database.read({ try !AlertStore.troubles($0, after: after, now: now).isEmpty }) else {
      return false
    }
    return try await database.transaction { connection in
      let troubles = try AlertStore.troubles(connection, after: after, now: now)
      guard !troubles.isEmpty else { return false }
      let limit: [SQLValue] = [.integer(now - after), .integer(now)]
      try connection.execute(
        "UPDATE targets SET reported_at = NULL WHERE \(AlertStore.recovered)")
      try connection.execute("UPDATE targets SET reported_at = ?2 WHERE \(AlertStore.failing)", limit)
      for condition in AlertStore.undelivered {
        try connection.execute("UPDATE deliveries SET reported_at = ?2 WHERE \(condition)", limit)
      }
      let subject =
        troubles.failing.map(\.target) + troubles.recovered.map(\.target)
        + troubles.undelivered.map { "\($0.delivery)" }
      let key = AlertStore.key("delivery-health", "\(now)", subject.joined(separator: " "))
      try AlertStore.insert(connection, .deliveryHealth, key: key, content: try content(troubles), now: now)
      return true
    }
  }

  /// Alerts about unexplained certificates that somebody has yet to hear of: refused since ?1 or before, or given up.
  private static let undelivered = [
    """
    verdict = 'unexplained' AND reported_at IS NULL AND state = 'waiting' AND refusals > 0 AND failing_since <= ?1
      AND ?2 > 0
    """,
    "verdict = 'unexplained' AND reported_at IS NULL AND state = 'given-up' AND ?2 > 0",
  ]

  /// Targets that something waits for, and that have taken nothing since ?1 or before: nothing reached them, or all that
  /// came, more than one alert, was refused.
  private static let failing = """
    reported_at IS NULL AND EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 'waiting' AND d.target = targets.target
      AND (targets.failing_since <= ?1 OR targets.refusals > 1 AND d.refusals > 0 AND d.failing_since <= ?1))
    """
  private static let recovered = "reported_at IS NOT NULL AND failing_since IS NULL AND refusals = 0"

  private static func troubles(
    _ connection: any SQLConnection, after: Int64, now: Int64
  ) throws -> DeliveryTroubles {
    var troubles = DeliveryTroubles()
    func part(_ rows: [SQLRow]) -> ArraySlice<SQLRow> {
      troubles.omitted += max(0, rows.count - mostReported)
      return rows.prefix(mostReported)
    }
    let targets = try connection.query(
      """
      SELECT target, coalesce(failing_since, reported_at, (SELECT min(d.failing_since) FROM deliveries d
        WHERE d.state = 'waiting' AND d.target = targets.target AND d.failing_since <= ?1)), words, \(recovered)
      FROM targets WHERE (\(failing)) OR (\(recovered))
      ORDER BY target LIMIT 10000
      """, [.integer(now - after)])
    for row in part(targets) {
      guard let target = row.text(0), let since = row.integer(1) else { throw CorruptRow(table: "targets") }
      let waiting = try connection.query(
        "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 'waiting' AND target = ? LIMIT 10000)",
        [.text(target)])
      let trouble = DeliveryTroubles.Target(
        target: target, since: since, words: row.text(2) ?? "", waiting: Int(waiting.first?.integer(0) ?? 0))
      if row.integer(3) == 1 { troubles.recovered.append(trouble) } else { troubles.failing.append(trouble) }
    }
    let deliveries = try undelivered.flatMap {
      try connection.query(
        "SELECT id, target FROM deliveries WHERE \($0) ORDER BY id LIMIT 10000", [.integer(now - after), .integer(now)])
    }
    troubles.undelivered = part(deliveries).compactMap { row in
      row.integer(0).map { DeliveryTroubles.Undelivered(delivery: $0, target: row.text(1) ?? "") }
    }
    return troubles
  }

  /// The targets that take nothing, with since when and why: those that have not for so long.
  package func failingTargets(since limit: Int64 = .max) async throws -> [String: (since: Int64, words: String)] {
    try await database.read { connection in
      let rows = try connection.query(
        "SELECT target, failing_since, words FROM targets WHERE failing_since <= ?", [.integer(limit)])
      return Dictionary(
        rows.compactMap { row in
          row.text(0).flatMap { target in row.integer(1).map { (target, (since: $0, words: row.text(2) ?? "")) } }
        }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// How many deliveries to each target were given up since then, and why the last one was.
  package func givenUp(since time: Int64, now: Int64) async throws -> [String: (count: Int, words: String)] {
    try await database.read { connection in
      let rows = try connection.query(
        """
        SELECT target, count(*), max(words) FROM deliveries WHERE state = 'given-up' AND last_attempt > ? AND last_attempt <= ?
        GROUP BY target
        """, [.integer(time), .integer(now)])
      return Dictionary(
        rows.compactMap { row in
          row.text(0).map { ($0, (count: Int(row.integer(1) ?? 0), words: row.text(2) ?? "")) }
        }, uniquingKeysWith: { first, _ in first })
    }
  }
}
