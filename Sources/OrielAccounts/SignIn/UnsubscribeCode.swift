import OrielStore

/// What a mail carries so that its reader can end such mails, however old it is, without signing in.
package enum UnsubscribeCode {
  /// Whose mail about what ends.
  package struct Subject: Hashable, Sendable {
    package let account: AccountID
    package let accountName: String
    package let address: String
    /// Nil where it is all mail of the account.
    package let item: String?
    package let isUnsubscribed: Bool
    let table: String
    let row: Int64
  }

  /// The kind and number of the row, and a code over both and the address: of use for as long as the row is there.
  static func make(_ key: Secret, isMember: Bool, row: Int64, address: String) -> String {
    let start = "\(isMember ? "m" : "r")\(row)"
    return start + "-" + key.code(for: "unsubscribe \(start) \(address)")
  }

  /// The key of all these codes, which is made when it is first needed.
  static func key(_ connection: any SQLConnection, _ store: AccountStore) throws -> Secret {
    try connection.execute(
      "INSERT INTO secrets (name, value) VALUES ('unsubscribe', ?) ON CONFLICT DO NOTHING",
      [.blob(Array(store.secret().text.utf8))])
    guard let key = try key(connection) else { throw UnreadableRow(table: "secrets") }
    return key
  }

  /// Nil if it was not needed yet.
  static func key(_ connection: any SQLConnection) throws -> Secret? {
    try connection.query("SELECT value FROM secrets WHERE name = 'unsubscribe'").first?.blob(0)
      .map { Secret(String(decoding: $0, as: UTF8.self)) }
  }

  static func find(_ connection: any SQLConnection, _ code: String) throws -> Subject {
    guard let dash = code.firstIndex(of: "-"), let row = Int64(code[..<dash].dropFirst()),
      let kind = code.first, kind == "m" || kind == "r"
    else { throw AccountError.signedOut }
    let isMember = kind == "m"
    let rows = try connection.query(
      isMember
        ? """
        SELECT a.id, a.name, m.address, NULL, m.unsubscribed_at FROM members m JOIN accounts a ON a.id = m.account_id
        WHERE m.id = ?
        """
        : """
        SELECT a.id, a.name, r.address, d.item, r.unsubscribed_at FROM recipients r
          JOIN domains d ON d.id = r.domain_id JOIN accounts a ON a.id = d.account_id WHERE r.id = ?
        """, [.integer(row)])
    guard let found = rows.first, let account = found.integer(0), let address = found.text(2),
      let key = try key(connection), isSame(code, make(key, isMember: isMember, row: row, address: address))
    else { throw AccountError.signedOut }
    return Subject(
      account: AccountID(account), accountName: found.text(1) ?? "", address: address, item: found.text(3),
      isUnsubscribed: found.integer(4) != nil, table: isMember ? "members" : "recipients", row: row)
  }
}
