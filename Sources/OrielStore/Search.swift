package import CertificateTransparency
package import MerkleTree

/// A name to search for, in lower-case A-labels.
package struct SearchName: Hashable, Sendable, CustomStringConvertible {
  /// `example.com` for the name and all below it, `=www.example.com` for that name alone.
  package let description: String

  package static func atOrBelow(_ name: String) -> SearchName { SearchName(description: name) }
  /// - Parameter name: may begin with `*.`, or be an address.
  package static func exactly(_ name: String) -> SearchName { SearchName(description: "=" + name) }
}

/// What to look for among the stored issuances: all that is given must hold.
package struct IssuanceQuery: Hashable, Sendable {
  package var name: SearchName?
  package var publicKey: SHA256Hash?
  package var issuerKey: SHA256Hash?
  /// In lower-case hexadecimal without leading zeros.
  package var serial: String?
  /// SHA-256 of a certificate or precertificate.
  package var certificate: SHA256Hash?
  package var issuance: IssuanceID?
  /// First seen from this millisecond on.
  package var from: Int64?
  /// First seen before this millisecond.
  package var before: Int64?
  /// Only what was judged for a domain of this account; nil for everything there is.
  package var account: Int64?

  package init() {}

  /// A serial number as people and programs write it (`04:A1:…`, `-7fff`) in the form that is stored; nil if it is none.
  package static func serial(parsing text: some StringProtocol) -> String? {
    guard text.utf8.count <= longestSerial else { return nil }
    let digits = text.lowercased().filter { $0 != ":" && $0 != " " }
    let magnitude = digits.drop { $0 == "-" }
    guard digits.count - magnitude.count <= 1, !magnitude.isEmpty, magnitude.allSatisfy({ $0.isHexDigit && $0.isASCII })
    else { return nil }
    let number = magnitude.drop { $0 == "0" }
    return number.isEmpty ? "0" : (digits.hasPrefix("-") ? "-" : "") + number
  }

  /// With colons between the digits, of the longest that certificates were seen to have.
  package static let longestSerial = 1000
}

/// Where a page of results ends: the next one begins behind it, whatever was added meanwhile.
package struct SearchCursor: Hashable, Sendable, CustomStringConvertible {
  package let firstSeen: Int64
  package let number: Int64

  package init(firstSeen: Int64, number: Int64) {
    self.firstSeen = firstSeen
    self.number = number
  }

  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let time = Int64(parts[0]), let number = Int64(parts[1]) else { return nil }
    self.init(firstSeen: time, number: number)
  }

  package var description: String { "\(firstSeen)-\(number)" }
}

/// An issuance in a list.
package struct IssuanceSummary: Hashable, Sendable {
  package let id: IssuanceID
  /// Its number in this state.
  package let number: Int64
  package let firstSeen: Int64
  package let notBefore: Int64?
  package let notAfter: Int64?
  package let serial: String?
  package let issuer: String?
  package let issuerKeyHash: SHA256Hash
  package let publicKeyHash: SHA256Hash?
  /// What it was issued for, as far as it can be read: first what hit what is watched, common names last; at most
  /// ``mostNames``, unless more were asked for.
  package let names: [String]
  /// Those among them that are nothing but the subject's common name: anything may stand there.
  package let commonNames: Set<String>
  /// How many names there are in all.
  package let nameCount: Int

  package static let mostNames = 100
}

/// Results of a search, newest first.
package struct SearchPage<Result: Sendable>: Sendable {
  package let results: [Result]
  /// Nil on the last page.
  package let next: SearchCursor?

  package init(results: [Result], next: SearchCursor?) {
    self.results = results
    self.next = next
  }
}

/// Search over the stored issuances.
package struct IssuanceSearch: Sendable {
  /// More than any page shows.
  package static let longestPage = 1000
  private let database: any SQLDatabase

  package init(_ database: any SQLDatabase) { self.database = database }

  package func page(
    _ query: IssuanceQuery, after cursor: SearchCursor? = nil, limit: Int = 50
  ) async throws -> SearchPage<IssuanceSummary> {
    try await database.read { try IssuanceSearch.page($0, query, after: cursor, limit: limit) }
  }

  /// A page, and how many there are in all, of one moment.
  ///
  /// - Parameter ceiling: how far to count; nil to count all there are.
  package static func pageAndCount(
    _ connection: any SQLConnection, _ query: IssuanceQuery, after cursor: SearchCursor?, limit: Int, ceiling: Int?
  ) throws -> (page: SearchPage<IssuanceSummary>, count: SearchCount) {
    let statement = try SearchStatement(connection, query)
    let page = try page(connection, statement, after: cursor, limit: limit)
    let isWhole = cursor == nil && page.next == nil
    let count = isWhole ? nil : try statement.count(connection, ceiling: ceiling)
    return (page, SearchCount(count, shown: page.results.count))
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  package func count(_ query: IssuanceQuery, ceiling: Int? = nil) async throws -> SearchCount {
    try await database.read { try IssuanceSearch.count($0, query, ceiling: ceiling) }
  }

  package static func page(
    _ connection: any SQLConnection, _ query: IssuanceQuery, after cursor: SearchCursor?, limit: Int
  ) throws -> SearchPage<IssuanceSummary> {
    try page(connection, SearchStatement(connection, query), after: cursor, limit: limit)
  }

  private static func page(
    _ connection: any SQLConnection, _ statement: SearchStatement, after cursor: SearchCursor?, limit: Int
  ) throws -> SearchPage<IssuanceSummary> {
    let limit = max(1, min(limit, longestPage))
    let rows = try statement.page(connection, after: cursor, limit: limit + 1)
    let results = try rows.prefix(limit).map { try summary(connection, number: $0.number) }
    return SearchPage(results: results, next: rows.count > limit ? rows[limit - 1] : nil)
  }

  package static func count(
    _ connection: any SQLConnection, _ query: IssuanceQuery, ceiling: Int?
  ) throws -> SearchCount {
    try SearchStatement(connection, query).count(connection, ceiling: ceiling)
  }

  /// Everything there is about one issuance; nil if it is not stored.
  package func record(_ id: IssuanceID) async throws -> IssuanceRecord? {
    try await database.read { try IssuanceSearch.record($0, id) }
  }

  package static func record(_ connection: any SQLConnection, _ id: IssuanceID) throws -> IssuanceRecord? {
    try number(connection, of: id) == nil ? nil : FollowingStore.issuance(connection, id)
  }

  /// The number and the time of an issuance; nil if it is not stored.
  package static func number(_ connection: any SQLConnection, of id: IssuanceID) throws -> SearchCursor? {
    try connection.query("SELECT first_seen, number FROM issuances WHERE id = ?", [.blob(id.hash.bytes)]).first
      .flatMap(SearchCursor.init(row:))
  }

  /// - Parameters:
  ///   - items: whose hits come first; nil for whatever is watched.
  ///   - mostNames: how many names are given.
  package static func summary(
    _ connection: any SQLConnection, number: Int64, items: [String]? = nil, mostNames: Int = IssuanceSummary.mostNames
  ) throws -> IssuanceSummary {
    let rows = try connection.query(
      """
      SELECT i.id, i.first_seen, i.not_before, i.not_after, i.serial, i.issuer, i.issuer_key_hash, i.spki_sha256,
        c.entry_type, c.sha256, c.der
      FROM issuances i LEFT JOIN certificates c ON c.issuance_id = i.id WHERE i.number = ?
      ORDER BY \(StoredCertificate.order) LIMIT 1
      """, [.integer(number)])
    guard let row = rows.first, let id = row.blob(0).flatMap({ SHA256Hash($0) }), let firstSeen = row.integer(1),
      let issuerKey = row.blob(6).flatMap({ SHA256Hash($0) })
    else { throw CorruptRow(table: "issuances") }
    var names = NameKeys.Listed()
    if let type = row.text(8), let hash = row.blob(9).flatMap({ SHA256Hash($0) }), let der = row.blob(10) {
      let certificate = StoredCertificate(entryType: type, sha256: hash, der: der)
      names = NameKeys.list(
        certificate.facts.names, first: try hits(connection, id, items), most: max(0, mostNames))
    }
    return IssuanceSummary(
      id: IssuanceID(id), number: number, firstSeen: firstSeen, notBefore: row.integer(2), notAfter: row.integer(3),
      serial: row.text(4), issuer: row.text(5), issuerKeyHash: issuerKey,
      publicKeyHash: row.blob(7).flatMap { SHA256Hash($0) }, names: names.names, commonNames: names.commonNames,
      nameCount: names.count)
  }

  /// The names of an issuance that hit these items, up to a thousand of each.
  private static func hits(
    _ connection: any SQLConnection, _ issuance: SHA256Hash, _ items: [String]?
  ) throws -> Set<String> {
    let id = SQLValue.blob(issuance.bytes)
    guard let items else {
      return Set(
        try connection.query("SELECT name FROM matches WHERE issuance_id = ? LIMIT 1000", [id]).compactMap {
          $0.text(0)
        })
    }
    var names: Set<String> = []
    for item in items {
      let rows = try connection.query(
        "SELECT name FROM matches WHERE issuance_id = ? AND item = ? LIMIT 1000", [id, .text(item)])
      names.formUnion(rows.compactMap { $0.text(0) })
    }
    return names
  }

  /// Whether there are issuances that ``indexOlder(limit:)`` has yet to make findable by name.
  package static func hasOlder(_ connection: any SQLConnection) throws -> Bool {
    try !connection.query("SELECT 1 FROM issuances WHERE is_indexed = 0 LIMIT 1").isEmpty
  }

  /// Makes issuances findable by name that were stored before there was a search.
  ///
  /// - Returns: how many were left to do before this call, at most `limit`: call again until it is 0.
  package func indexOlder(limit: Int = 500) async throws -> Int {
    try await database.transaction { connection in
      let rows = try connection.query(
        "SELECT number, id, first_seen FROM issuances WHERE is_indexed = 0 ORDER BY number LIMIT ?",
        [.integer(Int64(limit))])
      for row in rows {
        guard let number = row.integer(0), let id = row.blob(1).flatMap({ SHA256Hash($0) }), let time = row.integer(2)
        else { throw CorruptRow(table: "issuances") }
        let record = try FollowingStore.issuance(connection, IssuanceID(id))
        let names = record.certificates.flatMap { $0.facts.names }
        try NameKeys.insert(
          connection, NameKeys.keys(names, matches: record.matches), SearchCursor(firstSeen: time, number: number))
        try connection.execute("UPDATE issuances SET is_indexed = 1 WHERE number = ?", [.integer(number)])
      }
      return rows.count
    }
  }
}

extension SearchCursor {
  fileprivate init?(row: SQLRow) {
    guard let time = row.integer(0), let number = row.integer(1) else { return nil }
    self.init(firstSeen: time, number: number)
  }
}

// MARK: - Statements

/// A query as SQL: the list with the fewest entries is read in order, and each entry is held against all others.
private struct SearchStatement {
  /// A list of issuances in the order of results, straight from an index.
  private struct Postings {
    var table: String
    var number: String
    var condition: String
    var argument: SQLValue?

    /// The index that has all of it; else the number is looked up first, and the entry read.
    var index: String?

    /// - Parameters: what the entry that is tried has its time and its number as.
    func filter(_ time: String, _ place: String) -> String {
      """
      EXISTS (SELECT 1 FROM \(table) f\(index.map { " INDEXED BY " + $0 } ?? "") WHERE f.\(condition)
        AND f.first_seen = \(time) AND f.\(number) = \(place))
      """
    }
  }

  /// Lists are compared no further than this.
  private static let probe: Int64 = 10_001

  private let body: String
  private let number: String
  private let arguments: [SQLValue]
  /// What else must hold of each entry.
  private let filters: [Postings]
  private let filterArguments: [SQLValue]

  init(_ connection: any SQLConnection, _ query: IssuanceQuery) throws {
    var lists: [Postings] = []
    func add(_ table: String, _ number: String, _ condition: String, _ argument: SQLValue, _ index: String? = nil) {
      lists.append(
        Postings(
          table: table, number: number, condition: condition, argument: argument,
          index: index.map { "issuances_by_" + $0 }))
    }
    if let id = query.issuance { add("issuances", "number", "id = ?", .blob(id.hash.bytes)) }
    if let hash = query.certificate {
      let issuance = "id = (SELECT issuance_id FROM certificates WHERE sha256 = ?)"
      add("issuances", "number", issuance, .blob(hash.bytes))
    }
    if let serial = query.serial { add("issuances", "number", "serial = ?", .text(serial), "serial") }
    if let key = query.publicKey { add("issuances", "number", "spki_sha256 = ?", .blob(key.bytes), "public_key") }
    if let account = query.account { add("judgements", "issuance", "account_id = ?", .integer(account)) }
    if let name = query.name { add("issuance_names", "issuance", "key = ?", .text(name.description)) }
    if let key = query.issuerKey { add("issuances", "number", "issuer_key_hash = ?", .blob(key.bytes), "issuer") }
    if lists.isEmpty {
      lists.append(Postings(table: "issuances", number: "number", condition: "first_seen >= 0", argument: nil))
    }

    var conditions = ""
    var times: [SQLValue] = []
    if let from = query.from {
      conditions += " AND p.first_seen >= ?"
      times.append(.integer(from))
    }
    if let before = query.before {
      conditions += " AND p.first_seen < ?"
      times.append(.integer(before))
    }
    lists = try SearchStatement.sorted(connection, lists, conditions, times)
    let list = lists.removeFirst()
    number = list.number
    filters = lists
    body = " FROM \(list.table) p WHERE p.\(list.condition)\(conditions)"
    arguments = (list.argument.map { [$0] } ?? []) + times
    filterArguments = lists.compactMap(\.argument)
  }

  /// The lists, shortest first.
  private static func sorted(
    _ connection: any SQLConnection, _ lists: [Postings], _ conditions: String, _ times: [SQLValue]
  ) throws -> [Postings] {
    guard lists.count > 1 else { return lists }
    var most = probe
    var measured: [(list: Postings, length: Int64, gap: Int64)] = []
    for list in lists {
      let row = try connection.query(
        """
        SELECT count(*), max(time) - min(time) FROM (SELECT p.first_seen AS time FROM \(list.table) p
          WHERE p.\(list.condition)\(conditions) ORDER BY p.first_seen DESC LIMIT ?)
        """, (list.argument.map { [$0] } ?? []) + times + [.integer(most)]
      ).first
      let (length, span) = (row?.integer(0) ?? 0, row?.integer(1) ?? 0)
      // No further than the shortest so far: a longer one is of no interest.
      most = min(probe, length + 1, most)
      measured.append((list, length, span / max(length, 1)))
    }
    // Of those that are too long to compare, the one that has the largest gaps.
    return measured.sorted { ($0.length, -$0.gap) < ($1.length, -$1.gap) }.map(\.list)
  }

  /// An issuance that hits two domains of an account stands in its list twice, one after the other.
  func page(_ connection: any SQLConnection, after cursor: SearchCursor?, limit: Int) throws -> [SearchCursor] {
    let (condition, place): (String, [SQLValue]) =
      cursor.map {
        (" AND (p.first_seen, p.\(number)) < (?, ?)", [.integer($0.firstSeen), .integer($0.number)])
      } ?? ("", [])
    let filters = filters.map { " AND " + $0.filter("p.first_seen", "p." + number) }.joined()
    return try connection.query(
      """
      SELECT p.first_seen, p.\(number)\(body)\(filters)\(condition) GROUP BY p.first_seen, p.\(number)
      ORDER BY p.first_seen DESC, p.\(number) DESC LIMIT ?
      """, arguments + filterArguments + place + [.integer(Int64(limit))]
    ).compactMap(SearchCursor.init(row:))
  }

  /// - Parameter ceiling: how far to count; nil to count all there are.
  func count(_ connection: any SQLConnection, ceiling: Int?) throws -> SearchCount {
    let list = CountedList(
      entries: """
        SELECT p.first_seen AS entry_time, p.\(number) AS entry_number\(body) GROUP BY p.first_seen, p.\(number)
        """, arguments: arguments,
      filter: filters.isEmpty
        ? nil : filters.map { $0.filter("entry_time", "entry_number") }.joined(separator: " AND "),
      filterArguments: filterArguments)
    return try list.count(connection, ceiling: ceiling)
  }
}
