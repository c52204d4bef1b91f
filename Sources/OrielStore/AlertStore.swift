package import CertificateTransparency
import MerkleTree

/// The outbox: what is to be told, to whom, and what became of it.
///
/// An alert is written in the transaction that brings its cause; routing makes one delivery for each target, in one
/// transaction; a delivery ends only when its receiver took it or somebody gave up on it.
package struct AlertStore: Sendable {
  let database: any SQLDatabase

  package init(_ database: any SQLDatabase) { self.database = database }

  // MARK: What happened

  /// The stable name of an event: what is the same has the same.
  package static func key(_ parts: String...) -> String {
    let hex = SHA256Hash.hash(Array(parts.joined(separator: "\u{0}").utf8)).hex
    return String(hex.prefix(40))
  }

  /// One alert for an issuance and each watched item that it hits, however often it is sighted.
  static func add(_ connection: any SQLConnection, _ sighting: NewSighting, now: Int64) throws {
    let issuance = sighting.issuance.hash
    var items: Set<String> = []
    for item in sighting.matches.map(\.item) where items.insert(item).inserted {
      try connection.execute(
        """
        INSERT INTO alerts (key, kind, issuance_id, item, created_at) VALUES (?, 'certificate', ?, ?, ?)
        ON CONFLICT (key) DO NOTHING
        """, [.text(key("certificate", issuance.hex, item)), .blob(issuance.bytes), .text(item), .integer(now)])
    }
  }

  /// A log turned out to lie: whoever was told of what it said since its last verified entry hears of that.
  static func followUp(_ connection: any SQLConnection, _ logID: LogID, _ evidence: Evidence, now: Int64) throws {
    let rows = try connection.query(
      """
      SELECT DISTINCT a.issuance_id, a.item FROM alerts a JOIN sightings s ON s.issuance_id = a.issuance_id
      WHERE a.kind = 'certificate' AND s.log_id = ? AND s.suspect = 0 AND s.entry_index >=
        (SELECT verified_position FROM logs WHERE logs.log_id = s.log_id)
      """, [.blob(logID.hash.bytes)])
    for row in rows {
      guard let issuance = row.blob(0).flatMap({ SHA256Hash($0) }), let item = row.text(1) else {
        throw CorruptRow(table: "alerts")
      }
      let content = Array("\(logID)\n\(evidence.kind.rawValue): \(evidence.detail)".utf8)
      try connection.execute(
        """
        INSERT INTO alerts (key, kind, issuance_id, item, content, created_at) VALUES (?, 'follow-up', ?, ?, ?, ?)
        ON CONFLICT (key) DO NOTHING
        """,
        [
          .text(key("follow-up", issuance.hex, item, logID.description)), .blob(issuance.bytes), .text(item),
          .blob(content), .integer(now),
        ])
    }
  }

  /// Writes an alert that is not about a certificate; nothing happens if it is there already.
  package func add(_ kind: StoredAlert.Kind, key: String, content: [UInt8], now: Int64) async throws {
    try await database.transaction { try AlertStore.insert($0, kind, key: key, content: content, now: now) }
  }

  private static func insert(
    _ connection: any SQLConnection, _ kind: StoredAlert.Kind, key: String, content: [UInt8], now: Int64
  ) throws {
    try connection.execute(
      "INSERT INTO alerts (key, kind, content, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
      [.text(key), .text(kind.rawValue), .blob(content), .integer(now)])
  }

  /// Notes the state of something that is watched over, and writes an alert where that is asked for, both or neither.
  ///
  /// - Returns: whether the state is another one than before.
  package func alarm(
    _ subject: String, state: String, now: Int64, alert: (kind: StoredAlert.Kind, key: String, content: [UInt8])?
  ) async throws -> Bool {
    let (kind, key, content) = alert ?? (.sample, "", [])
    let isAlerting = alert != nil
    return try await database.transaction { connection in
      let before = try connection.query("SELECT state FROM alarms WHERE subject = ?", [.text(subject)]).first?.text(0)
      guard before != state else { return false }
      try connection.execute(
        """
        INSERT INTO alarms (subject, state, since) VALUES (?, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET state = excluded.state, since = excluded.since
        """, [.text(subject), .text(state), .integer(now)])
      if isAlerting { try AlertStore.insert(connection, kind, key: key, content: content, now: now) }
      return true
    }
  }

  /// What was noted last of something watched over.
  package func alarm(_ subject: String) async throws -> (state: String, since: Int64)? {
    try await database.transaction { connection in
      try connection.query("SELECT state, since FROM alarms WHERE subject = ?", [.text(subject)]).first.flatMap { row in
        row.text(0).flatMap { state in row.integer(1).map { (state, $0) } }
      }
    }
  }

  // MARK: To whom

  /// Alerts that have no deliveries yet, oldest first.
  package func unrouted(limit: Int = 256) async throws -> [StoredAlert] {
    try await database.transaction { connection in
      try connection.query(
        AlertStore.selectAlert + " WHERE routed = 0 ORDER BY id LIMIT ?", [.integer(Int64(limit))]
      ).map { try StoredAlert($0) }
    }
  }

  /// The targets that an issuance was reported to, for one item.
  package func targets(toldOf issuance: IssuanceID, item: String) async throws -> [AlertTarget] {
    try await database.transaction { connection in
      try connection.query(
        """
        SELECT DISTINCT d.recipient, d.target FROM deliveries d JOIN alerts a ON a.id = d.alert_id
        WHERE a.kind = 'certificate' AND a.issuance_id = ? AND a.item = ? ORDER BY d.id
        """, [.blob(issuance.hash.bytes), .text(item)]
      ).map { AlertTarget(recipient: $0.text(0) ?? "", target: $0.text(1) ?? "") }
    }
  }

  /// Makes the deliveries of alerts, all of them or none.
  ///
  /// - Parameters:
  ///   - held: what waits for its audience's time.
  ///   - released: what no longer waits.
  ///   - burst: certificates and look-alikes beyond it wait for a digest; other alerts always go at once.
  package func route(
    _ routes: [(alert: StoredAlert, targets: [AlertTarget])], holding held: [HeldAlert] = [],
    releasing released: [HeldAlert] = [], burst: BurstLimit, now: Int64
  ) async throws {
    try await database.transaction { connection in
      for alert in released { try AlertStore.release(connection, alert) }
      for alert in held { try AlertStore.hold(connection, alert) }
      for (alert, targets) in routes {
        for target in targets { try AlertStore.route(connection, alert, to: target, burst: burst, now: now) }
        try connection.execute("UPDATE alerts SET routed = 1 WHERE id = ?", [.integer(alert.id)])
      }
    }
  }

  /// So many certificates make one digest; more make another.
  private static let largestDigest: Int64 = 5000

  private static func route(
    _ connection: any SQLConnection, _ alert: StoredAlert, to target: AlertTarget, burst: BurstLimit, now: Int64
  ) throws {
    let who: [SQLValue] = [.text(target.recipient), .text(target.target)]
    var digest = SQLValue.null
    if alert.kind == .certificate || alert.kind == .lookalike {
      let row = try connection.query(
        "SELECT started_at, sent, digest FROM bursts WHERE recipient = ? AND target = ?", who
      ).first
      let started = row?.integer(0).flatMap { now < $0 + burst.window && now >= $0 ? $0 : nil }
      let sent = started == nil ? 0 : row?.integer(1) ?? 0
      if sent >= Int64(burst.first), let started {
        digest = .integer(
          try openDigest(
            connection, (sent - Int64(burst.first)) % largestDigest == 0 ? nil : row?.integer(2), for: target,
            at: started + burst.window, now: now))
      }
      try connection.execute(
        """
        INSERT INTO bursts (recipient, target, started_at, sent, digest) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (recipient, target) DO UPDATE SET
          started_at = excluded.started_at, sent = excluded.sent, digest = excluded.digest
        """, who + [.integer(started ?? now), .integer(sent + 1), digest])
    }
    try connection.execute(
      """
      INSERT INTO deliveries (alert_id, recipient, target, state, next_attempt, digest) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (alert_id, recipient, target) DO NOTHING
      """,
      [.integer(alert.id)] + who + [.text(digest == .null ? "waiting" : "digested"), .integer(now), digest])
  }

  /// The digest that a target's further alerts go into: the one given unless it is closed, or a new one.
  private static func openDigest(
    _ connection: any SQLConnection, _ known: Int64?, for target: AlertTarget, at due: Int64, now: Int64
  ) throws -> Int64 {
    if let known,
      try connection.query("SELECT 1 FROM alerts WHERE id = ? AND closed = 0", [.integer(known)]).first != nil
    {
      return known
    }
    let count = try connection.query("SELECT count(*) FROM alerts WHERE kind = 'digest'").first?.integer(0) ?? 0
    let rows = try connection.query(
      "INSERT INTO alerts (key, kind, created_at, routed) VALUES (?, 'digest', ?, 1) RETURNING id",
      [.text(key("digest", target.recipient, target.target, "\(due)", "\(count)")), .integer(now)])
    guard let id = rows.first?.integer(0) else { throw CorruptRow(table: "alerts") }
    try connection.execute(
      "INSERT INTO deliveries (alert_id, recipient, target, next_attempt) VALUES (?, ?, ?, ?)",
      [.integer(id), .text(target.recipient), .text(target.target), .integer(due)])
    return id
  }
}

// MARK: - Sending

extension AlertStore {
  /// After so many failures of one delivery, others to the same target no longer wait for it.
  private static let patience: Int64 = 5

  /// The targets that something waits for.
  package func waitingTargets() async throws -> [String] {
    try await database.transaction { connection in
      // One probe of the index for each target, however much waits.
      var targets: [String] = []
      while let next = try connection.query(
        "SELECT min(target) FROM deliveries WHERE state = 'waiting' AND target > ?", [.text(targets.last ?? "")]
      ).first?.text(0) {
        targets.append(next)
      }
      return targets
    }
  }

  /// What is to be sent next to a target, in the order of time seen, and when: a delivery that failed a few times holds
  /// up those behind it, so that order is kept; one that keeps failing no longer does.
  package func next(to target: String, now: Int64, limit: Int = 32) async throws -> [StoredDelivery] {
    try await database.transaction { connection in
      try connection.query(
        AlertStore.selectDelivery + """
           WHERE d.target = ? AND d.state = 'waiting' AND (d.next_attempt <= ? OR (d.attempts BETWEEN 1 AND ?))
          ORDER BY d.id LIMIT ?
          """, [.text(target), .integer(now), .integer(AlertStore.patience - 1), .integer(Int64(limit))]
      ).map { try StoredDelivery($0) }
    }
  }

  /// Notes what became of an attempt.
  ///
  /// - Parameter retryAt: when to try again, if it is still waiting.
  package func record(
    _ delivery: Int64, state: StoredDelivery.State, words: String, retryAt: Int64 = 0, now: Int64
  ) async throws {
    try await database.transaction { connection in
      // What a person dropped meanwhile stays dropped, unless it got through after all.
      try connection.execute(
        """
        UPDATE deliveries SET state = ?, words = ?, next_attempt = ?, last_attempt = ?, attempts = attempts + 1
        WHERE id = ? AND (state = 'waiting' OR ? = 'delivered')
        """,
        [
          .text(state.rawValue), .text(words), .integer(retryAt), .integer(now), .integer(delivery),
          .text(state.rawValue),
        ])
    }
  }

  /// Closes a digest, so that it says the same however often it is sent, and gives what it tells.
  package func close(digest: Int64) async throws -> [StoredAlert] {
    try await database.transaction { connection in
      try connection.execute("UPDATE alerts SET closed = 1 WHERE id = ?", [.integer(digest)])
      return try connection.query(
        AlertStore.selectAlert
          + " WHERE id IN (SELECT alert_id FROM deliveries WHERE digest = ? AND state = 'digested') ORDER BY id",
        [.integer(digest)]
      ).map { try StoredAlert($0) }
    }
  }

  /// Earlier issuances are counted up to here.
  package static let mostEarlier = 100

  /// An issuance as it stands now, with what was seen under the same item before it.
  package func certificate(
    _ issuance: IssuanceID, item: String, alert: Int64
  ) async throws -> (record: IssuanceRecord, earlier: [EarlierIssuance], earlierCount: Int) {
    try await database.read { connection in
      let record = try FollowingStore.issuance(connection, issuance)
      let condition =
        "FROM alerts a JOIN issuances i ON i.id = a.issuance_id WHERE a.kind = 'certificate' AND a.item = ? AND a.id < ?"
      let arguments: [SQLValue] = [.text(item), .integer(alert)]
      let earlier = try connection.query(
        "SELECT i.issuer, i.issuer_key_hash, i.not_before, i.first_seen \(condition) ORDER BY a.id DESC LIMIT 10",
        arguments
      ).map { row in
        guard let key = row.blob(1).flatMap({ SHA256Hash($0) }), let seen = row.integer(3) else {
          throw CorruptRow(table: "issuances")
        }
        return EarlierIssuance(
          issuer: row.text(0) ?? "", issuerKeyHash: key, notBefore: row.integer(2), firstSeen: seen)
      }
      // Counting goes no further than anybody wants to know.
      let count = try connection.query(
        """
        SELECT count(*) FROM
          (SELECT 1 FROM alerts WHERE kind = 'certificate' AND item = ? AND id < ? LIMIT \(AlertStore.mostEarlier))
        """, arguments
      ).first?.integer(0)
      return (record, earlier, Int(count ?? 0))
    }
  }

  /// When a watched item was last hit.
  package func lastSighting(ofItem item: String) async throws -> Int64? {
    try await database.transaction { connection in
      try connection.query(
        "SELECT max(s.seen_at) FROM matches m JOIN sightings s ON s.issuance_id = m.issuance_id WHERE m.item = ?",
        [.text(item)]
      ).first?.integer(0)
    }
  }
}

// MARK: - For people

extension AlertStore {
  /// Deliveries, newest first.
  package func deliveries(in states: [StoredDelivery.State] = [], limit: Int) async throws -> [StoredDelivery] {
    try await database.read { connection in
      let marks = states.map { _ in "?" }.joined(separator: ", ")
      let condition = states.isEmpty ? "" : " WHERE d.state IN (\(marks))"
      return try connection.query(
        AlertStore.selectDelivery + condition + " ORDER BY d.id DESC LIMIT ?",
        states.map { .text($0.rawValue) } + [.integer(Int64(limit))]
      ).map { try StoredDelivery($0) }
    }
  }

  /// One delivery.
  package func delivery(_ id: Int64) async throws -> StoredDelivery? {
    try await database.read { connection in
      try connection.query(AlertStore.selectDelivery + " WHERE d.id = ?", [.integer(id)]).first
        .map { try StoredDelivery($0) }
    }
  }

  /// How many deliveries there are in each state.
  package func counts() async throws -> [StoredDelivery.State: Int] {
    try await database.read { connection in
      let rows = try connection.query("SELECT state, count(*) FROM deliveries GROUP BY state")
      return Dictionary(
        rows.compactMap { row in
          row.text(0).flatMap(StoredDelivery.State.init(rawValue:)).map { ($0, Int(row.integer(1) ?? 0)) }
        }, uniquingKeysWith: +)
    }
  }

  /// When the oldest delivery was due that is still waiting.
  package func oldestWaiting() async throws -> Int64? {
    try await database.read { connection in
      try connection.query(
        """
        SELECT min(a.created_at) FROM deliveries d JOIN alerts a ON a.id = d.alert_id
        WHERE d.state = 'waiting' AND a.kind <> 'digest'
        """, []
      ).first?.integer(0)
    }
  }

  /// How many certificates were told of since then.
  package func alertCount(since time: Int64) async throws -> Int {
    try await database.transaction { connection in
      let rows = try connection.query(
        "SELECT count(*) FROM alerts WHERE kind = 'certificate' AND created_at >= ?", [.integer(time)])
      return Int(rows.first?.integer(0) ?? 0)
    }
  }

  /// Tries deliveries again at once: those given, or all that were given up.
  ///
  /// - Returns: how many.
  package func retry(_ ids: [Int64]?, now: Int64) async throws -> Int {
    try await change(
      ids, "state = 'waiting', attempts = 0, next_attempt = \(now)",
      where: ids == nil ? "state = 'given-up'" : "state IN ('given-up', 'dropped', 'waiting')")
  }

  /// Takes deliveries out: those given, or all that were given up.
  ///
  /// - Returns: how many.
  package func drop(_ ids: [Int64]?) async throws -> Int {
    try await change(
      ids, "state = 'dropped'", where: ids == nil ? "state = 'given-up'" : "state IN ('given-up', 'waiting')")
  }

  private func change(_ ids: [Int64]?, _ change: String, where condition: String) async throws -> Int {
    try await database.transaction { connection in
      let statement = "UPDATE deliveries SET \(change) WHERE \(condition)"
      guard let ids else { return try connection.query(statement + " RETURNING id").count }
      return try ids.reduce(0) {
        $0 + (try connection.query(statement + " AND id = ? RETURNING id", [.integer($1)]).count)
      }
    }
  }
}

// MARK: - Rows

extension AlertStore {
  static let alertColumns = ["id", "key", "kind", "issuance_id", "item", "content", "created_at"]
  fileprivate static let selectAlert = "SELECT \(alertColumns.joined(separator: ", ")) FROM alerts"
  static let selectDelivery = """
    SELECT \(alertColumns.map { "a." + $0 }.joined(separator: ", ")), d.id, d.recipient, d.target, d.state, d.attempts,
      d.next_attempt, d.last_attempt, d.words FROM deliveries d JOIN alerts a ON a.id = d.alert_id
    """
}

extension StoredAlert {
  init(_ row: SQLRow) throws {
    guard let id = row.integer(0), let key = row.text(1), let kind = row.text(2).flatMap(Kind.init(rawValue:)),
      let created = row.integer(6)
    else { throw CorruptRow(table: "alerts") }
    self.init(
      id: id, key: key, kind: kind, issuance: row.blob(3).flatMap { SHA256Hash($0) }.map(IssuanceID.init),
      item: row.text(4), content: row.blob(5), createdAt: created)
  }
}

extension StoredDelivery {
  init(_ row: SQLRow) throws {
    let first = AlertStore.alertColumns.count
    guard let id = row.integer(first), let recipient = row.text(first + 1), let target = row.text(first + 2),
      let state = row.text(first + 3).flatMap(State.init(rawValue:)), let attempts = row.integer(first + 4),
      let next = row.integer(first + 5)
    else { throw CorruptRow(table: "deliveries") }
    self.init(
      id: id, alert: try StoredAlert(row), recipient: recipient, target: target, state: state,
      attempts: Int(attempts), nextAttempt: next, lastAttempt: row.integer(first + 6), words: row.text(first + 7))
  }
}
