package import CertificateTransparency
import MerkleTree

/// What became of an attempt to deliver an alert.
package enum AttemptOutcome: Hashable, Sendable {
  case delivered
  /// Nobody wants it any more.
  case dropped
  /// It will not be tried again: refused for good, or for as long as the settings say.
  case givenUp
  /// Refused, by itself: it is tried again at its own time, and keeps no other alert waiting.
  ///
  /// - Parameter ofMessage: whether what it says was refused, and not its recipient.
  case refused(ofMessage: Bool, retryAt: Int64)
  /// No alert gets through to the target, this one included.
  ///
  /// - Parameter asked: the pause that the receiver asked for, in milliseconds.
  case unavailable(asked: Int64)
}

/// What follows from an attempt.
package struct RecordedAttempt: Hashable, Sendable {
  /// Whether the next alert may follow at once.
  package let takesMore: Bool
  /// When the delivery is tried again, if it still waits.
  package let nextAttempt: Int64?
  /// How many other deliveries to the target were given up as well.
  package let givenUpCount: Int
}

/// How long what fails is tried, in milliseconds.
package struct RetryPolicy: Sendable {
  /// The longest pause between two attempts.
  package let longest: Int64
  /// What fails for longer is given up.
  package let giveUpAfter: Int64
  /// The longest that a digest waits to be sent.
  package let window: Int64
  /// The pause after so many failures in a row.
  package let pause: @Sendable (Int) -> Int64

  package init(longest: Int64, giveUpAfter: Int64, window: Int64, pause: @escaping @Sendable (Int) -> Int64) {
    self.longest = longest
    self.giveUpAfter = giveUpAfter
    self.window = window
    self.pause = pause
  }
}

extension AlertStore {
  /// The targets that something waits for, but for those that take nothing at the moment.
  package func waitingTargets(now: Int64, _ policy: RetryPolicy) async throws -> [String] {
    try await database.read { connection in
      // One probe of the index for each target, however much waits.
      var (targets, last) = ([String](), "")
      while let next = try connection.query(
        "SELECT min(target) FROM deliveries WHERE state = 'waiting' AND target > ?", [.text(last)]
      ).first?.text(0) {
        last = next
        let target = try DeliveryTarget.load(connection, next)
        if !target.isStopped(now: now, longest: policy.longest) { targets.append(next) }
      }
      return targets
    }
  }

  /// What is to be sent next to a target: first what it has never refused, in the order of time seen; then what it has,
  /// as its time comes. Nothing while the target takes nothing.
  package func next(
    to target: String, now: Int64, _ policy: RetryPolicy, limit: Int = 32
  ) async throws -> [StoredDelivery] {
    let limit = SQLValue.integer(Int64(limit))
    return try await database.read { connection in
      guard try !DeliveryTarget.load(connection, target).isStopped(now: now, longest: policy.longest) else { return [] }
      // Only digests wait for their time, and not for longer than anybody could have set it: by a clock that was ahead.
      let fresh = try connection.query(
        AlertStore.selectDelivery + """
           WHERE d.target = ?1 AND d.state = 'waiting' AND d.refusals = 0
            AND (d.next_attempt <= ?2 OR d.next_attempt > ?2 + ?3 OR a.kind <> 'digest' OR a.created_at > ?2)
           ORDER BY d.id LIMIT ?4
          """, [.text(target), .integer(now), .integer(policy.window), limit])
      guard fresh.isEmpty else { return try fresh.map { try StoredDelivery($0) } }
      return try connection.query(
        AlertStore.selectDelivery + """
           WHERE d.target = ?1 AND d.state = 'waiting' AND d.refusals > 0
            AND (d.next_attempt <= ?2 OR d.next_attempt > ?2 + ?3 OR d.last_attempt > ?2) ORDER BY d.next_attempt LIMIT ?4
          """, [.text(target), .integer(now), .integer(policy.longest), limit]
      ).map { try StoredDelivery($0) }
    }
  }

  /// Notes what became of an attempt, and what that says of the target.
  ///
  /// - Returns: nil if there is no such delivery any more.
  @discardableResult
  package func record(
    _ delivery: Int64, _ outcome: AttemptOutcome, words: String, now: Int64, _ policy: RetryPolicy
  ) async throws -> RecordedAttempt? {
    try await database.transaction { connection in
      let row = try connection.query(
        "SELECT target, refusals FROM deliveries WHERE id = ?", [.integer(delivery)]
      ).first
      guard let name = row?.text(0), let refusals = row?.integer(1) else { return nil }
      var (next, givenUp) = (Int64?.none, 0)
      var target = try DeliveryTarget.load(connection, name)
      switch outcome {
      case .delivered:
        target.took(now: now)
        try AlertStore.end(connection, delivery, .delivered, words, now: now)
      case .dropped:
        guard try AlertStore.end(connection, delivery, .dropped, words, now: now) else { break }
        try AlertStore.promoteMerged(connection, after: delivery, now: now)
      case .givenUp: try AlertStore.end(connection, delivery, .givenUp, words, now: now)
      case .refused(let ofMessage, let retryAt):
        next = retryAt
        target.refused(words, isFirst: refusals == 0, now: now, longest: policy.longest, pause: policy.pause)
        try connection.execute(
          """
          UPDATE deliveries SET words = ?2, next_attempt = ?3, last_attempt = ?4, attempts = attempts + 1,
            refusals = refusals + 1, message_refusals = message_refusals + ?5,
            failing_since = CASE WHEN failing_since <= ?4 THEN failing_since ELSE ?4 END
          WHERE id = ?1 AND state = 'waiting'
          """,
          [.integer(delivery), .text(words), .integer(retryAt), .integer(now), .integer(ofMessage ? 1 : 0)])
      case .unavailable(let asked):
        target.stop(words, now: now, longest: policy.longest) { max(policy.pause($0), min(asked, policy.longest)) }
        try connection.execute(
          """
          UPDATE deliveries SET words = ?, last_attempt = ?, attempts = attempts + 1 WHERE id = ? AND state = 'waiting'
          """, [.text(words), .integer(now), .integer(delivery)])
        givenUp = try AlertStore.giveUp(connection, on: target, words, now: now, policy)
        next = target.stoppedUntil
      }
      try target.save(connection)
      return RecordedAttempt(
        takesMore: !target.isStopped(now: now, longest: policy.longest), nextAttempt: next, givenUpCount: givenUp)
    }
  }

  /// - Returns: whether it had not ended before.
  @discardableResult
  private static func end(
    _ connection: any SQLConnection, _ delivery: Int64, _ state: StoredDelivery.State, _ words: String, now: Int64
  ) throws -> Bool {
    // What a person dropped meanwhile stays dropped, unless it got through after all.
    try !connection.query(
      """
      UPDATE deliveries SET state = ?1, words = ?2, last_attempt = ?3, attempts = attempts + 1
      WHERE id = ?4 AND (state = 'waiting' OR ?1 = 'delivered') RETURNING id
      """, [.text(state.rawValue), .text(words), .integer(now), .integer(delivery)]
    ).isEmpty
  }

  /// Gives up what has waited for too long for a target that takes nothing.
  ///
  /// - Returns: how many deliveries.
  private static func giveUp(
    _ connection: any SQLConnection, on target: DeliveryTarget, _ words: String, now: Int64, _ policy: RetryPolicy
  ) throws -> Int {
    let limit = now - policy.giveUpAfter
    guard let since = target.failingSince, since <= limit else { return 0 }
    // What was created by a clock that was ahead has waited since the target failed, at the latest.
    return try connection.query(
      """
      UPDATE deliveries SET state = 'given-up', words = ?, last_attempt = ?
      WHERE target = ? AND state = 'waiting' AND alert_id IN
        (SELECT id FROM alerts WHERE created_at <= ? OR created_at > ?)
      RETURNING id
      """, [.text(words), .integer(now), .text(target.target), .integer(limit), .integer(now)]
    ).count
  }

  /// Lets every target be tried again at once, whatever it refused: its address, or a password, may be another one now.
  package func restartTargets() async throws {
    try await database.transaction { try $0.execute("UPDATE targets SET stopped_until = NULL") }
  }

  /// Closes a digest, so that it says the same however often it is sent. It is of the time when it was first closed, and
  /// not of when its first alert came.
  ///
  /// - Returns: the digest as it is now.
  package func close(digest: Int64, now: Int64) async throws -> StoredAlert? {
    try await database.transaction { connection in
      try connection.execute(
        "UPDATE alerts SET closed = 1, created_at = ? WHERE id = ? AND closed = 0", [.integer(now), .integer(digest)])
      return try connection.query(AlertStore.selectAlert + " WHERE id = ?", [.integer(digest)]).first
        .map { try StoredAlert($0) }
    }
  }

  /// What a digest tells one target, as far as it has come.
  package func alerts(inDigest digest: Int64, for target: AlertTarget) async throws -> [StoredAlert] {
    try await database.read { connection in
      try connection.query(
        AlertStore.selectAlert
          + """
           WHERE id IN (SELECT alert_id FROM deliveries
            WHERE digest = ? AND recipient = ? AND target = ? AND state = 'digested') ORDER BY id
          """,
        [.integer(digest), .text(target.recipient), .text(target.target)]
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
      let record = try FollowingStore.issuance(connection, issuance, item: item)
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

  /// When a watched item was last hit, up to now: what a clock that was ahead noted does not count.
  package func lastSighting(ofItem item: String, now: Int64) async throws -> Int64? {
    try await database.transaction { connection in
      try connection.query(
        """
        SELECT max(s.seen_at) FROM matches m JOIN sightings s ON s.issuance_id = m.issuance_id
        WHERE m.item = ? AND s.seen_at <= ?
        """, [.text(item), .integer(now)]
      ).first?.integer(0)
    }
  }
}
