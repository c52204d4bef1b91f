import CertificateTransparency
import MerkleTree

/// Forgets issuances that expired long ago, with their names, certificates, sightings, judgements and alerts.
///
/// What somebody is still to be told of stays until they have been told, or it was dropped. What is unexplained stays
/// until somebody has said what they think of it, and what was denied stays for good. A certificate that a log shows
/// again after it was forgotten is new.
package struct IssuanceRetention: Sendable {
  /// So many are looked at in one transaction, that followers do not wait for long.
  package static let batch = 100
  private let database: any SQLDatabase
  private let days: Int64

  /// - Parameter days: how long after its expiry an issuance is kept. One whose expiry can't be read is kept for ever.
  package init(_ database: any SQLDatabase, days: Int) {
    self.database = database
    self.days = Int64(clamping: max(0, days))
  }

  /// Forgets all that is to be forgotten.
  ///
  /// - Parameter now: milliseconds since 1970.
  /// - Returns: how many issuances.
  @discardableResult
  package func sweep(now: Int64, batch: Int = IssuanceRetention.batch) async throws -> Int {
    let (span, isEndless) = days.multipliedReportingOverflow(by: 86_400)
    let (limit, isBeforeTime) = (now / 1000).subtractingReportingOverflow(span)
    guard !isEndless, !isBeforeTime else { return 0 }
    var (count, place) = (0, Place(expiry: .min, number: 0))
    while true {
      try Task.checkCancellation()
      let (forgotten, next) = try await database.transaction { [place] connection in
        try IssuanceRetention.sweep(connection, before: limit, after: place, batch: max(1, batch))
      }
      count += forgotten
      guard let next else { return count }
      place = next
    }
  }

  /// Where a batch begins: what is kept for now is not looked at again and again.
  private struct Place {
    let expiry: Int64
    let number: Int64
  }

  private static func sweep(
    _ connection: any SQLConnection, before limit: Int64, after place: Place, batch: Int
  ) throws -> (forgotten: Int, next: Place?) {
    // The newest stays, so that no number is given twice.
    let rows = try connection.query(
      """
      SELECT id, number, not_after, first_seen FROM issuances
      WHERE not_after < ? AND (not_after, number) > (?, ?) AND number < (SELECT max(number) FROM issuances)
      ORDER BY not_after, number LIMIT ?
      """, [.integer(limit), .integer(place.expiry), .integer(place.number), .integer(Int64(batch))])
    var (forgotten, last) = (0, Place?.none)
    for row in rows {
      guard let id = row.blob(0).flatMap({ SHA256Hash($0) }), let number = row.integer(1),
        let expiry = row.integer(2), let firstSeen = row.integer(3)
      else { throw CorruptRow(table: "issuances") }
      last = Place(expiry: expiry, number: number)
      guard try !isWaitedFor(connection, .blob(id.bytes)), try !isOpen(connection, .integer(number)) else { continue }
      try forgetNames(connection, IssuanceID(id), SearchCursor(firstSeen: firstSeen, number: number))
      try forget(connection, .blob(id.bytes), .integer(number))
      forgotten += 1
    }
    return (forgotten, rows.count < batch ? nil : last)
  }

  private static let alerts = "SELECT id FROM alerts WHERE issuance_id = ?"

  /// Whether somebody is still to be told of an issuance: by itself, in a digest, or at their time; or could yet be, as
  /// what was given up can be tried again.
  private static func isWaitedFor(_ connection: any SQLConnection, _ id: SQLValue) throws -> Bool {
    try !connection.query(
      """
      SELECT 1 FROM alerts a WHERE a.issuance_id = ? AND (
        a.routed = 0
        OR EXISTS (SELECT 1 FROM held h WHERE h.alert_id = a.id)
        OR EXISTS (SELECT 1 FROM deliveries d WHERE d.alert_id = a.id AND (
          d.state IN ('waiting', 'given-up')
          OR (d.state = 'digested' AND EXISTS (
            SELECT 1 FROM deliveries w
            WHERE w.alert_id = d.digest AND w.recipient = d.recipient AND w.target = d.target
              AND w.state IN ('waiting', 'given-up'))))))
      LIMIT 1
      """, [id]
    ).isEmpty
  }

  /// Whether somebody has yet to say what they think of an issuance, or has said that it is not theirs: nothing else
  /// keeps the denied key from passing for theirs.
  private static func isOpen(_ connection: any SQLConnection, _ number: SQLValue) throws -> Bool {
    try !connection.query(
      """
      SELECT 1 FROM judgements WHERE issuance = ? AND (state = 'denied' OR verdict = 'unexplained' AND state = 'new')
      LIMIT 1
      """, [number]
    ).isEmpty
  }

  /// The keys are made again to be taken out.
  private static func forgetNames(_ connection: any SQLConnection, _ id: IssuanceID, _ place: SearchCursor) throws {
    let record = try FollowingStore.issuance(connection, id)
    let names = record.certificates.flatMap(\.facts.names)
    let keys = NameKeys.keys(names, matches: record.matches, most: .max) + record.matches.map { "=" + $0.name }
    try NameKeys.remove(connection, keys, place)
  }

  private static func forget(_ connection: any SQLConnection, _ id: SQLValue, _ number: SQLValue) throws {
    try connection.execute("DELETE FROM deliveries WHERE alert_id IN (\(alerts))", [id])
    try connection.execute("DELETE FROM alerts WHERE issuance_id = ?", [id])
    try connection.execute("DELETE FROM judgement_events WHERE issuance = ?", [number])
    try connection.execute("DELETE FROM judgements WHERE issuance = ?", [number])
    try Lookalikes.forget(connection, issuance: number)
    try connection.execute("DELETE FROM matches WHERE issuance_id = ?", [id])
    try connection.execute("DELETE FROM omitted_matches WHERE issuance_id = ?", [id])
    try connection.execute("DELETE FROM sightings WHERE issuance_id = ?", [id])
    // The same bytes may have been logged under another issuer's key as well, as another issuance.
    try connection.execute(
      """
      UPDATE certificates SET issuance_id =
        (SELECT s.issuance_id FROM sightings s WHERE s.certificate = certificates.sha256 LIMIT 1)
      WHERE issuance_id = ? AND EXISTS (SELECT 1 FROM sightings s WHERE s.certificate = certificates.sha256)
      """, [id])
    try connection.execute("DELETE FROM certificates WHERE issuance_id = ?", [id])
    try connection.execute("DELETE FROM issuances WHERE id = ?", [id])
  }
}
