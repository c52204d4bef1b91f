import CertificateTransparency
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

  static func insert(
    _ connection: any SQLConnection, _ kind: StoredAlert.Kind, key: String, content: [UInt8], now: Int64
  ) throws {
    try connection.execute(
      "INSERT INTO alerts (key, kind, content, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
      [.text(key), .text(kind.rawValue), .blob(content), .integer(now)])
  }

  /// Notes the state of something that is watched over, and writes an alert where that is asked for, both or neither.
  ///
  /// - Parameter forgotten: what is not watched over any more from then on.
  /// - Returns: whether the state is another one than before.
  package func alarm(
    _ subject: String, state: String, now: Int64, forgetting forgotten: String? = nil,
    alert: (kind: StoredAlert.Kind, key: String, content: [UInt8])?
  ) async throws -> Bool {
    let (kind, key, content) = alert ?? (.sample, "", [])
    let isAlerting = alert != nil
    return try await database.transaction { connection in
      let before = try connection.query("SELECT state, since FROM alarms WHERE subject = ?", [.text(subject)]).first
      let isSame = before?.text(0) == state
      // A time that a clock that was ahead noted would hold up what is counted from it.
      guard !isSame || before?.integer(1) ?? 0 > now else { return false }
      try connection.execute(
        """
        INSERT INTO alarms (subject, state, since) VALUES (?, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET state = excluded.state, since = excluded.since
        """, [.text(subject), .text(state), .integer(now)])
      if let forgotten { try connection.execute("DELETE FROM alarms WHERE subject = ?", [.text(forgotten)]) }
      guard !isSame else { return false }
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

  /// Tries deliveries again at once, and lets their targets be tried: those given, or all that were given up.
  ///
  /// - Returns: how many.
  package func retry(_ ids: [Int64]?, now: Int64) async throws -> Int {
    try await change(
      ids,
      """
      state = 'waiting', attempts = 0, refusals = 0, message_refusals = 0, failing_since = NULL, reported_at = NULL,
        next_attempt = \(now)
      """,
      where: ids == nil ? "state = 'given-up'" : "state IN ('given-up', 'dropped', 'waiting')", restartsTargets: true)
  }

  /// Takes deliveries out: those given, or all that were given up.
  ///
  /// - Returns: how many.
  package func drop(_ ids: [Int64]?) async throws -> Int {
    try await change(
      ids, "state = 'dropped'", where: ids == nil ? "state = 'given-up'" : "state IN ('given-up', 'waiting')")
  }

  private func change(
    _ ids: [Int64]?, _ change: String, where condition: String, restartsTargets: Bool = false
  ) async throws -> Int {
    try await database.transaction { connection in
      let statement = "UPDATE deliveries SET \(change) WHERE \(condition)"
      let rows =
        try ids.map {
          try $0.flatMap { try connection.query(statement + " AND id = ? RETURNING target", [.integer($0)]) }
        }
        ?? connection.query(statement + " RETURNING target")
      for target in Set(rows.compactMap { $0.text(0) }) where restartsTargets {
        try connection.execute("UPDATE targets SET stopped_until = NULL WHERE target = ?", [.text(target)])
      }
      return rows.count
    }
  }
}

// MARK: - Rows

extension AlertStore {
  static let alertColumns = ["id", "key", "kind", "issuance_id", "item", "content", "created_at"]
  static let selectAlert = "SELECT \(alertColumns.joined(separator: ", ")) FROM alerts"
  static let selectDelivery = """
    SELECT \(alertColumns.map { "a." + $0 }.joined(separator: ", ")), d.id, d.recipient, d.target, d.state, d.attempts,
      d.next_attempt, d.last_attempt, d.words, d.verdict, d.refusals, d.message_refusals, d.failing_since,
      t.stopped_until, t.delivered_at IS NOT NULL
    FROM deliveries d JOIN alerts a ON a.id = d.alert_id LEFT JOIN targets t ON t.target = d.target
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
      id: id, alert: try StoredAlert(row), recipient: recipient, target: target, verdict: row.text(first + 8),
      state: state, attempts: Int(attempts), refusals: Int(row.integer(first + 9) ?? 0),
      messageRefusals: Int(row.integer(first + 10) ?? 0), failingSince: row.integer(first + 11),
      isTargetProven: row.integer(first + 13) == 1, nextAttempt: max(next, row.integer(first + 12) ?? 0),
      lastAttempt: row.integer(first + 6), words: row.text(first + 7))
  }
}
