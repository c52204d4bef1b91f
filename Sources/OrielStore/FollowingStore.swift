package import CertificateTransparency
import MerkleTree

/// Positions, heads and evidence of the logs that are followed.
///
/// Everything that belongs together is one transaction: a position never moves past entries whose sightings are not
/// committed with it, and a head is never marked verified without the frontier that proves it.
package struct FollowingStore: Sendable {
  let database: any SQLDatabase
  /// Whether each new pair of an issuance and a watched item goes into the outbox, in the transaction that brings it.
  let writesAlerts: Bool
  /// Those whom the configuration names, for an item.
  let targets: @Sendable (_ item: String) -> [AlertTarget]

  package init(
    _ database: any SQLDatabase, writesAlerts: Bool = false,
    targets: @escaping @Sendable (_ item: String) -> [AlertTarget] = { _ in [] }
  ) {
    self.database = database
    self.writesAlerts = writesAlerts
    self.targets = targets
  }

  /// Takes note of the logs that are followed now, of their names and addresses, and gives what is known of each.
  ///
  /// - Parameter start: where reading begins, for the logs of the very first call. A log that appears later is always
  ///   read from entry 0.
  package func register(_ logs: [LogDescription], start: String, now: Int64) async throws -> [LogRecord] {
    try await database.transaction { connection in
      let isFirst = try connection.query("SELECT 1 FROM logs LIMIT 1").isEmpty
      return try logs.map { log in
        try connection.execute(
          """
          INSERT INTO logs (log_id, description, operator, kind, url, first_seen, start) VALUES (?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (log_id) DO UPDATE SET
            description = excluded.description, operator = excluded.operator, kind = excluded.kind, url = excluded.url
          """,
          [
            .blob(log.logID.hash.bytes), .text(log.description), .text(log.operatorName), .text(log.kindName),
            .text(log.monitoringURL), .integer(now), .text(isFirst ? start : "start"),
          ])
        let rows = try connection.query(FollowingStore.select + " WHERE log_id = ?", [.blob(log.logID.hash.bytes)])
        guard let record = try rows.first.map(LogRecord.init(row:)) else { throw CorruptRow(table: "logs") }
        return record
      }
    }
  }

  /// All logs ever followed, by name.
  package func logs() async throws -> [LogRecord] {
    try await database.read { connection in
      try connection.query(FollowingStore.select + " ORDER BY description, log_id").map(LogRecord.init(row:))
    }
  }

  private static let select = """
    SELECT log_id, description, operator, kind, url, first_seen, frontier, verified_frontier,
      last_success, state, state_since, reason, unreadable, start FROM logs
    """

  /// Settles where reading begins: both positions at once, with the head that proves the frontier, if one does.
  package func begin(_ logID: LogID, at position: LogPosition, head: HeadRecord?) async throws {
    try await database.transaction { connection in
      try FollowingStore.move(connection, logID, downloaded: position, verified: position)
      if let head { try FollowingStore.keep(connection, logID, head, isVerified: true) }
    }
  }

  /// Keeps a head that was received.
  package func keep(_ head: HeadRecord, of logID: LogID) async throws {
    try await database.transaction { try FollowingStore.keep($0, logID, head, isVerified: head.isVerified) }
  }

  /// Marks everything up to a head as verified, and forgets verified heads that later ones made superfluous.
  package func verified(_ head: HeadRecord, of logID: LogID, at position: LogPosition) async throws {
    try await database.transaction { connection in
      try FollowingStore.move(connection, logID, downloaded: position, verified: position)
      try FollowingStore.keep(connection, logID, head, isVerified: true)
      try connection.execute(
        "DELETE FROM heads WHERE log_id = ? AND verified = 1 AND tree_size < ?",
        [.blob(logID.hash.bytes), .count(head.treeSize)])
    }
  }

  /// Keeps evidence and, if asked to, takes the position back to the last verified one; what was seen in the range that
  /// is read again stays, marked as suspect.
  package func lied(_ logID: LogID, _ evidence: Evidence, now: Int64, rewind: Bool) async throws {
    let material = evidence.encodedMaterial
    try await database.transaction { [writesAlerts] connection in
      try connection.execute(
        """
        INSERT INTO evidence (log_id, at, kind, detail, digest, material) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (log_id, kind, digest) DO NOTHING
        """,
        [
          .blob(logID.hash.bytes), .integer(now), .text(evidence.kind.rawValue), .text(evidence.detail),
          .blob(SHA256Hash.hash(material).bytes), .blob(material),
        ])
      guard rewind else { return }
      if writesAlerts { try AlertStore.followUp(connection, logID, evidence, now: now) }
      try connection.execute(
        """
        UPDATE sightings SET suspect = 1 WHERE log_id = ? AND entry_index >=
          (SELECT verified_position FROM logs WHERE logs.log_id = sightings.log_id)
        """, [.blob(logID.hash.bytes)])
      try connection.execute(
        "UPDATE logs SET position = verified_position, frontier = verified_frontier WHERE log_id = ?",
        [.blob(logID.hash.bytes)])
    }
  }

  /// The evidence against a log, oldest first, without its material.
  package func evidence(against logID: LogID) async throws -> [(at: Int64, kind: String, detail: String)] {
    try await database.read { connection in
      try connection.query(
        "SELECT at, kind, detail FROM evidence WHERE log_id = ? ORDER BY id", [.blob(logID.hash.bytes)]
      ).map { ($0.integer(0) ?? 0, $0.text(1) ?? "", $0.text(2) ?? "") }
    }
  }

  /// Records how a log fares; `since` moves only when the state changes, or if a clock that was ahead set it.
  package func setState(
    _ state: LogState, of logID: LogID, reason: String?, now: Int64, answered: Bool
  ) async throws {
    try await database.transaction { connection in
      try connection.execute(
        """
        UPDATE logs SET state_since = CASE WHEN state = ?1 AND state_since <= ?2 THEN state_since ELSE ?2 END,
          state = ?1, reason = ?3, last_success = CASE WHEN ?4 = 1 THEN ?2 ELSE last_success END WHERE log_id = ?5
        """,
        [
          .text(state.rawValue), .integer(now), .optional(reason), .integer(answered ? 1 : 0),
          .blob(logID.hash.bytes),
        ])
    }
  }

  /// Heads of a log, smallest first.
  package func heads(of logID: LogID) async throws -> [HeadRecord] {
    try await database.read { connection in
      try connection.query(
        """
        SELECT tree_size, root, timestamp, signed, seen_at, verified FROM heads
        WHERE log_id = ? ORDER BY tree_size, timestamp
        """, [.blob(logID.hash.bytes)]
      ).map { row in
        guard let size = row.count(0), let root = row.blob(1).flatMap({ SHA256Hash($0) }), let time = row.integer(2),
          let signed = row.blob(3), let seen = row.integer(4)
        else { throw CorruptRow(table: "heads") }
        return HeadRecord(
          treeSize: size, root: root, timestamp: UInt64(bitPattern: time), signed: signed, seenAt: seen,
          isVerified: row.integer(5) == 1)
      }
    }
  }

  static func move(
    _ connection: any SQLConnection, _ logID: LogID, downloaded: LogPosition, verified: LogPosition?
  ) throws {
    try connection.execute(
      "UPDATE logs SET position = ?, frontier = ? WHERE log_id = ?",
      [.count(downloaded.index), .blob(downloaded.frontier.encoded), .blob(logID.hash.bytes)])
    guard let verified else { return }
    try connection.execute(
      "UPDATE logs SET verified_position = ?, verified_frontier = ? WHERE log_id = ?",
      [.count(verified.index), .blob(verified.frontier.encoded), .blob(logID.hash.bytes)])
  }

  private static func keep(
    _ connection: any SQLConnection, _ logID: LogID, _ head: HeadRecord, isVerified: Bool
  ) throws {
    try connection.execute(
      """
      INSERT INTO heads (log_id, tree_size, root, timestamp, signed, seen_at, verified) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (log_id, tree_size, root) DO UPDATE SET
        timestamp = max(timestamp, excluded.timestamp), signed = excluded.signed,
        verified = max(verified, excluded.verified)
      """,
      [
        .blob(logID.hash.bytes), .count(head.treeSize), .blob(head.root.bytes),
        .integer(Int64(bitPattern: head.timestamp)), .blob(head.signed), .integer(head.seenAt),
        .integer(isVerified ? 1 : 0),
      ])
  }
}

/// A row that this program can't have written.
struct CorruptRow: Error, CustomStringConvertible {
  let table: String
  var description: String { "the table \(table) holds a row that can't be read: the database is damaged" }
}

extension LogRecord {
  fileprivate init(row: SQLRow) throws {
    guard let id = row.blob(0).flatMap({ SHA256Hash($0) }), let description = row.text(1), let name = row.text(2),
      let kind = row.text(3), let url = row.text(4), let firstSeen = row.integer(5),
      let state = row.text(9).flatMap(LogState.init(rawValue:)), let since = row.integer(10), let start = row.text(13)
    else { throw CorruptRow(table: "logs") }
    let position = { (column: Int) throws -> LogPosition? in
      guard let encoded = row.blob(column) else { return nil }
      let frontier = try Frontier(encoded: encoded)
      return LogPosition(index: frontier.end, frontier: frontier)
    }
    self.init(
      logID: LogID(id), description: description, operatorName: name, kind: kind, url: url,
      firstSeen: firstSeen, start: start, downloaded: try position(6), verified: try position(7),
      lastSuccess: row.integer(8),
      state: state, stateSince: since, reason: row.text(11), unreadable: row.integer(12) ?? 0)
  }
}
