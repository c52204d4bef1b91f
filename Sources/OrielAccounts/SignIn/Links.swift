import Crypto
import MerkleTree
import OrielStore

/// Links that work once. Only the hash of what makes one is kept.
struct Links {
  let connection: any SQLConnection
  let store: AccountStore
  let now: Int64
  /// A link from further in the future was made by a clock that was ahead, and would work for longer than it may.
  private static let skew: Int64 = 5 * 60_000

  struct Row {
    let purpose: LinkLetter.Purpose
    let subject: Int64?
    let address: String
    let expiresAt: Int64
  }

  func make(
    _ purpose: LinkLetter.Purpose, subject: Int64?, address: String, lasting: Int64, account: String? = nil,
    item: String? = nil
  ) throws -> LinkLetter {
    let secret = store.secret()
    try connection.execute(
      "INSERT INTO links (hash, purpose, subject, address, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      [
        .blob(secret.hash), .text(purpose.rawValue), .optional(subject), .text(address), .integer(now),
        .integer(now + lasting),
      ])
    return LinkLetter(
      purpose: purpose, address: address, secret: secret, expiresAt: now + lasting, account: account, item: item)
  }

  /// What a link is, if it still works.
  func look(_ secret: Secret) throws -> Row {
    let rows = try connection.query(
      """
      SELECT purpose, subject, address, expires_at FROM links
      WHERE hash = ? AND used_at IS NULL AND expires_at > ? AND created_at <= ?
      """, [.blob(secret.hash), .integer(now), .integer(now + Links.skew)])
    guard let row = rows.first, let purpose = row.text(0).flatMap(LinkLetter.Purpose.init(rawValue:)) else {
      throw AccountError.signedOut
    }
    return Row(
      purpose: purpose, subject: row.integer(1), address: row.text(2) ?? "", expiresAt: row.integer(3) ?? 0)
  }

  /// Uses a link up.
  func use(_ secret: Secret, for purposes: Set<LinkLetter.Purpose>) throws -> Row {
    let row = try look(secret)
    guard purposes.contains(row.purpose) else { throw AccountError.signedOut }
    try connection.execute(
      "UPDATE links SET used_at = ? WHERE hash = ?", [.integer(now), .blob(secret.hash)])
    return row
  }
}

extension Secret {
  var hash: [UInt8] { SHA256Hash.hash(Array(text.utf8)).bytes }

  /// A code that only who has the secret can make.
  func code(for purpose: String) -> String {
    let key = SymmetricKey(data: Array(text.utf8))
    return Base32.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8), using: key)))
  }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
func isSame(_ left: String, _ right: String) -> Bool {
  let (left, right) = (Array(left.utf8), Array(right.utf8))
  guard left.count == right.count else { return false }
  return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
