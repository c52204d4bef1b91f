package import CertificateTransparency
import Foundation
import MerkleTree

/// A name in a certificate that imitates a watched domain.
package struct StoredLookalike: Hashable, Codable, Sendable {
  /// How likely it is meant to deceive.
  package enum Level: String, Hashable, Sendable, CaseIterable {
    case high, medium, low
  }

  /// What makes it the same look-alike as another.
  package struct Key: Hashable, Sendable {
    let owner: Int64
    let item: String
    let registrable: String
  }

  /// The account whose domain is imitated; ``configuration`` for what the configuration file watches.
  package let owner: Int64
  /// The domain that is imitated, as it is watched.
  package let item: String
  /// The part of the name that somebody has registered.
  package let registrable: String
  package let name: String
  /// The name as it looks, where that is not ASCII; safe to show.
  package let unicode: String?
  /// In what way it imitates: a word that never changes.
  package let reason: String
  /// The same in a sentence.
  package let sentence: String
  /// From 0 to 100.
  package let rating: Int

  package static let configuration: Int64 = 0

  package init(
    owner: Int64, item: String, registrable: String, name: String, unicode: String?, reason: String, sentence: String,
    rating: Int
  ) {
    self.owner = owner
    self.item = item
    self.registrable = registrable
    self.name = name
    self.unicode = unicode
    self.reason = reason
    self.sentence = sentence
    self.rating = rating
  }

  package var key: Key { Key(owner: owner, item: item, registrable: registrable) }

  package var level: Level { rating >= 80 ? .high : rating >= 60 ? .medium : .low }
}

/// A look-alike with what was seen of it.
package struct LookalikeRecord: Hashable, Sendable {
  package let id: Int64
  package let lookalike: StoredLookalike
  /// Milliseconds since 1970.
  package let firstSeen: Int64
  package let lastSeen: Int64
  /// The newest issuance for it.
  package let issuance: IssuanceSummary
  /// How many there are.
  package let count: Int
}

/// Look-alikes in the state.
package enum Lookalikes {
  /// A look-alike is told of again only after so many days without a certificate for it: renewals are no news.
  package static let quietDays: Int64 = 90

  /// Those whose domain's switch is still on: it may have been turned off since the batch was begun.
  static func wanted(_ connection: any SQLConnection, _ lookalikes: [StoredLookalike]) throws -> [StoredLookalike] {
    try lookalikes.filter { lookalike in
      guard lookalike.owner != StoredLookalike.configuration else { return true }
      return try !connection.query(
        """
        SELECT 1 FROM domains
        WHERE account_id = ? AND item = ? AND is_on = 1 AND lookalikes = 1 AND source = 'dashboard'
        """, [.integer(lookalike.owner), .text(lookalike.item)]
      ).isEmpty
    }
  }

  /// Notes that an issuance has names that imitate.
  ///
  /// - Returns: those that are news.
  static func insert(
    _ connection: any SQLConnection, _ lookalikes: [StoredLookalike], of issuance: IssuanceID, now: Int64
  ) throws -> [StoredLookalike] {
    guard !lookalikes.isEmpty, let number = try IssuanceSearch.number(connection, of: issuance)?.number else {
      return []
    }
    return try lookalikes.filter { lookalike in
      let key: [SQLValue] = [.integer(lookalike.owner), .text(lookalike.item), .text(lookalike.registrable)]
      let before = try connection.query(
        "SELECT id, last_seen, rating FROM lookalikes WHERE owner = ? AND item = ? AND registrable = ?", key
      ).first
      // What a clock that was ahead saw counts as seen just now.
      let last = min(before?.integer(1) ?? 0, now)
      let isStronger = Int64(lookalike.rating) > before?.integer(2) ?? -1
      let id: Int64?
      if let known = before?.integer(0) {
        id = known
        try connection.execute(
          "UPDATE lookalikes SET last_seen = ? WHERE id = ?", [.integer(now), .integer(known)])
        if isStronger {
          try connection.execute(
            "UPDATE lookalikes SET name = ?, unicode = ?, reason = ?, sentence = ?, rating = ? WHERE id = ?",
            lookalike.what + [.integer(known)])
        }
      } else {
        id = try connection.query(
          """
          INSERT INTO lookalikes
            (owner, item, registrable, name, unicode, reason, sentence, rating, first_seen, last_seen)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
          """, key + lookalike.what + [.integer(now), .integer(now)]
        ).first?.integer(0)
      }
      guard let id else { throw CorruptRow(table: "lookalikes") }
      try connection.execute(
        "INSERT INTO lookalike_issuances (lookalike, issuance) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [.integer(id), .integer(number)])
      return before == nil || now - last >= quietDays * 86_400_000
    }
  }

  /// Forgets an issuance, and the look-alikes that had no other.
  static func forget(_ connection: any SQLConnection, issuance number: SQLValue) throws {
    let rows = try connection.query(
      "DELETE FROM lookalike_issuances WHERE issuance = ? RETURNING lookalike", [number])
    for row in rows {
      guard let id = row.integer(0) else { continue }
      try connection.execute(
        """
        DELETE FROM lookalikes
        WHERE id = ? AND NOT EXISTS (SELECT 1 FROM lookalike_issuances i WHERE i.lookalike = lookalikes.id)
        """, [.integer(id)])
    }
  }

  // MARK: Reading

  private static let columns = """
    l.id, l.owner, l.item, l.registrable, l.name, l.unicode, l.reason, l.sentence, l.rating, l.first_seen, l.last_seen
    """

  /// What imitates a domain, the newest first.
  ///
  /// - Parameter cursor: the number of the last one that was given before.
  package static func page(
    _ connection: any SQLConnection, owner: Int64, item: String, after cursor: Int64? = nil, limit: Int
  ) throws -> [LookalikeRecord] {
    try connection.query(
      "SELECT \(columns) FROM lookalikes l WHERE owner = ? AND item = ? AND id < ? ORDER BY id DESC LIMIT ?",
      [.integer(owner), .text(item), .integer(cursor ?? .max), .integer(Int64(max(1, min(limit, 1000))))]
    ).map { try record(connection, $0) }
  }

  /// How many names imitate a domain, counted up to a ceiling.
  package static func count(
    _ connection: any SQLConnection, owner: Int64, item: String, ceiling: Int
  ) throws -> SearchCount {
    let rows = try connection.query(
      "SELECT count(*) FROM (SELECT 1 FROM lookalikes WHERE owner = ? AND item = ? LIMIT ?)",
      [.integer(owner), .text(item), .integer(Int64(ceiling) + 1)])
    return SearchCount(counted: rows.first?.integer(0) ?? 0, ceiling: ceiling)
  }

  /// Which domains of an account an issuance imitates.
  package static func records(
    _ connection: any SQLConnection, of issuance: IssuanceID, account: Int64
  ) throws -> [LookalikeRecord] {
    guard let number = try IssuanceSearch.number(connection, of: issuance)?.number else { return [] }
    return try connection.query(
      """
      SELECT \(columns) FROM lookalike_issuances i JOIN lookalikes l ON l.id = i.lookalike
      WHERE i.issuance = ? AND (l.owner = ? OR l.owner = 0 AND EXISTS
        (SELECT 1 FROM domains d WHERE d.account_id = ? AND d.item = l.item AND d.source = 'config'))
      ORDER BY l.id LIMIT 1000
      """, [.integer(number), .integer(account), .integer(account)]
    ).map { try record(connection, $0) }
  }

  private static func record(_ connection: any SQLConnection, _ row: SQLRow) throws -> LookalikeRecord {
    guard let id = row.integer(0), let owner = row.integer(1), let item = row.text(2), let registrable = row.text(3),
      let name = row.text(4), let reason = row.text(6), let sentence = row.text(7), let rating = row.integer(8),
      let first = row.integer(9), let last = row.integer(10)
    else { throw CorruptRow(table: "lookalikes") }
    let issuances = try connection.query(
      "SELECT max(issuance), count(*) FROM lookalike_issuances WHERE lookalike = ?", [.integer(id)]
    ).first
    guard let newest = issuances?.integer(0) else { throw CorruptRow(table: "lookalike_issuances") }
    return LookalikeRecord(
      id: id,
      lookalike: StoredLookalike(
        owner: owner, item: item, registrable: registrable, name: name, unicode: row.text(5), reason: reason,
        sentence: sentence, rating: Int(clamping: rating)),
      firstSeen: first, lastSeen: last, issuance: try IssuanceSearch.summary(connection, number: newest),
      count: Int(clamping: issuances?.integer(1) ?? 1))
  }
}

extension StoredLookalike {
  fileprivate var what: [SQLValue] {
    [.text(name), .optional(unicode), .text(reason), .text(sentence), .integer(Int64(rating))]
  }
}

extension AlertStore {
  /// One alert for a look-alike that is news.
  static func add(
    _ connection: any SQLConnection, _ lookalike: StoredLookalike, of issuance: IssuanceID, now: Int64
  ) throws {
    let content = [UInt8](try JSONEncoder().encode(lookalike))
    try connection.execute(
      """
      INSERT INTO alerts (key, kind, issuance_id, item, content, created_at) VALUES (?, 'look-alike', ?, ?, ?, ?)
      ON CONFLICT (key) DO NOTHING
      """,
      [
        .text(key("look-alike", "\(lookalike.owner)", lookalike.item, lookalike.registrable, issuance.hash.hex)),
        .blob(issuance.hash.bytes), .text(lookalike.item), .blob(content), .integer(now),
      ])
  }
}

extension StoredAlert {
  /// What an alert about a look-alike is about.
  package var lookalike: StoredLookalike? {
    guard kind == .lookalike, let content else { return nil }
    return try? JSONDecoder().decode(StoredLookalike.self, from: Data(content))
  }
}
