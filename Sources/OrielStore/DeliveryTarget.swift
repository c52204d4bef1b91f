/// A target as the attempts to reach it have shown it: whether its receiver takes alerts.
///
/// What keeps every alert from it (no connection, a wrong password) stops it for a while, and so do ``mostRefusals``
/// different alerts in a row that it refused. An alert that is refused by itself stops nothing.
package struct DeliveryTarget: Hashable, Sendable {
  /// So many different alerts that are refused in a row are no longer a matter of each of them.
  package static let mostRefusals: Int64 = 3

  package let target: String
  /// How often in a row it was stopped.
  package private(set) var failures: Int64 = 0
  /// How many different alerts it has refused since it took one.
  package private(set) var refusals: Int64 = 0
  /// Since when it takes nothing; nil if nothing is known against it. Milliseconds since 1970, as all times here.
  package private(set) var failingSince: Int64?
  package private(set) var stoppedAt: Int64?
  package private(set) var stoppedUntil: Int64?
  /// What its receiver said last, or why it could not be reached.
  package private(set) var words: String?
  /// When it took an alert last: until then, its address may be a mistake.
  package private(set) var deliveredAt: Int64?

  init(_ target: String) { self.target = target }

  /// Whether nothing is to be tried yet.
  ///
  /// - Parameter longest: the longest pause that there is; a stop by a clock that was ahead does not hold.
  func isStopped(now: Int64, longest: Int64) -> Bool {
    guard let stoppedUntil, let stoppedAt, stoppedAt <= now else { return false }
    return !StoredTime.isDue(stoppedUntil, now: now, longest: longest)
  }

  mutating func took(now: Int64) {
    self = DeliveryTarget(target)
    deliveredAt = now
  }

  /// - Parameter pause: how long to try nothing, by how often in a row it has come to that.
  mutating func stop(_ words: String, now: Int64, longest: Int64, pause: (Int) -> Int64) {
    self.words = words
    if failingSince ?? .max > now { failingSince = now }
    // Several attempts at once that fail of the same are one failure.
    guard !isStopped(now: now, longest: longest) else { return }
    failures += 1
    stoppedAt = now
    stoppedUntil = now + pause(Int(clamping: failures))
  }

  /// - Parameter isFirst: whether the alert was never refused before.
  mutating func refused(
    _ words: String, isFirst: Bool, now: Int64, longest: Int64, pause: (Int) -> Int64
  ) {
    // An alert that is refused again and again says nothing new of the others.
    guard isFirst else { return }
    refusals += 1
    self.words = words
    if refusals >= DeliveryTarget.mostRefusals { stop(words, now: now, longest: longest, pause: pause) }
  }
}

extension DeliveryTarget {
  private static let columns = """
    target, failures, refusals, failing_since, stopped_at, stopped_until, words, delivered_at
    """

  static func load(_ connection: any SQLConnection, _ target: String) throws -> DeliveryTarget {
    try connection.query("SELECT \(columns) FROM targets WHERE target = ?", [.text(target)]).first
      .map { try DeliveryTarget(row: $0) } ?? DeliveryTarget(target)
  }

  private init(row: SQLRow) throws {
    guard let target = row.text(0), let failures = row.integer(1), let refusals = row.integer(2) else {
      throw CorruptRow(table: "targets")
    }
    self.init(target)
    (self.failures, self.refusals) = (failures, refusals)
    (failingSince, stoppedAt, stoppedUntil) = (row.integer(3), row.integer(4), row.integer(5))
    (words, deliveredAt) = (row.text(6), row.integer(7))
  }

  func save(_ connection: any SQLConnection) throws {
    try connection.execute(
      """
      INSERT INTO targets (\(DeliveryTarget.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (target) DO UPDATE SET failures = excluded.failures, refusals = excluded.refusals,
        failing_since = excluded.failing_since, stopped_at = excluded.stopped_at,
        stopped_until = excluded.stopped_until, words = excluded.words, delivered_at = excluded.delivered_at
      """,
      [
        .text(target), .integer(failures), .integer(refusals), .optional(failingSince), .optional(stoppedAt),
        .optional(stoppedUntil), .optional(words), .optional(deliveredAt),
      ])
  }
}
