import CertificateTransparency
import MerkleTree

/// What is kept of a certificate that matches more items of one owner than anybody could read (`*.com`).
///
/// Each owner of an item, an account or a target that the configuration names, has a share of its own, so that all of
/// them are notified. Of what is left out, the numbers are kept.
struct WideMatches {
  /// The accounts that watch each item, once they are needed.
  private var accounts: [String: [Int64]]?

  /// So many items of one owner are kept of an issuance.
  static let share = 5000

  /// The owner that stands for everybody: what is counted for it are matches, for the others items.
  private static let everybody = ""

  /// Those of a new sighting's matches that are kept; the others are counted.
  ///
  /// - Parameter targets: those whom the configuration names, for an item.
  mutating func take(
    _ connection: any SQLConnection, _ matches: [StoredMatch], of issuance: IssuanceID,
    targets: (_ item: String) -> [AlertTarget]
  ) throws -> [StoredMatch] {
    guard matches.count > WideMatches.share else { return matches }
    let accounts = try accounts ?? WideMatches.accounts(connection)
    self.accounts = accounts
    var counts: [String: Int] = [:]
    var omitted: [String: Int] = [:]
    var kept: [StoredMatch] = []
    var last: (item: String, isKept: Bool)?
    // By name, so that every sighting of the issuance keeps the same ones.
    for match in matches.sorted(by: { $0.item < $1.item }) {
      if last?.item != match.item {
        let owners = WideMatches.owners(of: match.item, accounts, targets(match.item))
        let isKept = owners.contains { counts[$0, default: 0] < WideMatches.share }
        last = (match.item, isKept)
        for owner in owners {
          if isKept { counts[owner, default: 0] += 1 } else { omitted[owner, default: 0] += 1 }
        }
      }
      if last?.isKept == true { kept.append(match) }
    }
    guard kept.count < matches.count else { return matches }
    omitted[WideMatches.everybody] = matches.count - kept.count
    for (owner, count) in omitted {
      try connection.execute(
        """
        INSERT INTO omitted_matches (issuance_id, owner, count) VALUES (?, ?, ?)
        ON CONFLICT (issuance_id, owner) DO UPDATE SET count = excluded.count
        """, [.blob(issuance.hash.bytes), .text(owner), .integer(Int64(count))])
    }
    return kept
  }

  private static func accounts(_ connection: any SQLConnection) throws -> [String: [Int64]] {
    try connection.query("SELECT item, account_id FROM domains WHERE is_on = 1").reduce(into: [:]) { accounts, row in
      guard let item = row.text(0), let account = row.integer(1) else { throw CorruptRow(table: "domains") }
      accounts[item, default: []].append(account)
    }
  }

  private static func owners(of item: String, _ accounts: [String: [Int64]], _ targets: [AlertTarget]) -> [String] {
    let owners = (accounts[item] ?? []).map(owner(account:)) + targets.map(owner)
    return owners.isEmpty ? ["nobody"] : owners
  }

  private static func owner(account: Int64) -> String { "account \(account)" }

  private static func owner(_ target: AlertTarget) -> String { "target \(target.recipient)\n\(target.target)" }

  /// How many matches of an issuance are not kept.
  static func omitted(_ connection: any SQLConnection, _ issuance: IssuanceID) throws -> Int {
    try omitted(connection, issuance, everybody)
  }

  /// How many items of a recipient an issuance matches beside those that are kept.
  static func omitted(_ connection: any SQLConnection, _ issuance: IssuanceID, for target: AlertTarget) throws -> Int {
    guard target.recipient.hasPrefix("domain:") else { return try omitted(connection, issuance, owner(target)) }
    let domain = SQLValue.optional(Int64(target.recipient.dropFirst("domain:".count)))
    let account = try connection.query("SELECT account_id FROM domains WHERE id = ?", [domain]).first?.integer(0)
    return try account.map { try omitted(connection, issuance, owner(account: $0)) } ?? 0
  }

  private static func omitted(_ connection: any SQLConnection, _ issuance: IssuanceID, _ owner: String) throws -> Int {
    let row = try connection.query(
      "SELECT count FROM omitted_matches WHERE issuance_id = ? AND owner = ?",
      [.blob(issuance.hash.bytes), .text(owner)]
    ).first
    return Int(row?.integer(0) ?? 0)
  }
}
