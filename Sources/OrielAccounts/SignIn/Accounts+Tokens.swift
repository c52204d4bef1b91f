import Crypto
import OrielStore

extension Accounts {
  /// The tokens of the account, revoked ones included, newest first; a member who may not manage sees their own.
  package func tokens(_ actor: Actor) async throws -> [APIToken] {
    try await look(actor, .read) { turn in
      let all = try turn.permissions().contains(.manage)
      guard case .member(let member) = actor.means else {
        return all ? try APIToken.load(turn.connection, "account_id = ?", [turn.account]) : []
      }
      return try all
        ? APIToken.load(turn.connection, "account_id = ?", [turn.account])
        : APIToken.load(turn.connection, "account_id = ? AND member_id = ?", [turn.account, .integer(member.value)])
    }
  }

  /// Makes a token for the member who is signed in, which may at most what they may.
  ///
  /// - Returns: the token itself, which can't be had again.
  package func addToken(
    _ actor: Actor, name: String, scopes: Set<Scope>
  ) async throws -> (token: APIToken, secret: Secret) {
    try await run(actor, .read) { turn in
      // A token that could make others would outlive its own end.
      guard case .member(let member) = actor.means else { throw AccountError.forbidden(.manage) }
      let name = try Words.checked(name, .name)
      guard !scopes.isEmpty else { throw AccountError.refused(field: .scopes, reason: "choose what it is for") }
      if let missing = scopes.permissions.subtracting(try turn.permissions()).min(by: { $0.rawValue < $1.rawValue }) {
        throw AccountError.forbidden(missing)
      }
      let count = try turn.count(
        "SELECT count(*) FROM tokens WHERE account_id = ? AND revoked_at IS NULL", [turn.account])
      guard count < store.limits.tokens else {
        throw AccountError.refused(field: .name, reason: "an account has at most \(store.limits.tokens) tokens")
      }
      let secret = TokenText.make(store.random(32))
      let rows = try turn.connection.query(
        """
        INSERT INTO tokens (account_id, member_id, name, hash, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?)
        RETURNING id
        """,
        [
          turn.account, .integer(member.value), .text(name), .blob(secret.hash), .text(scopes.text),
          .integer(turn.now),
        ])
      guard let id = rows.first?.integer(0) else { throw UnreadableRow(table: "tokens") }
      try turn.audit("made the token \(name) (\(scopes.text))")
      let token = APIToken(
        id: TokenID(id), name: name, scopes: scopes, member: member, createdAt: turn.now, lastUsed: nil, revokedAt: nil)
      return (token, secret)
    }
  }

  /// Ends a token: one's own, or anybody's for those who may manage the account.
  package func revokeToken(_ actor: Actor, _ id: TokenID) async throws {
    try await run(actor, .read) { turn in
      let rows = try turn.connection.query(
        "SELECT member_id, name FROM tokens WHERE id = ? AND account_id = ?", [.integer(id.value), turn.account])
      guard let row = rows.first else { throw AccountError.notFound }
      let isOwn = actor.means == .member(MemberID(row.integer(0) ?? 0)) || actor.means == .token(id)
      if !isOwn { try turn.require(.manage) }
      try turn.connection.execute(
        "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
        [.integer(turn.now), .integer(id.value)])
      try turn.audit("revoked the token \(row.text(1) ?? "")")
    }
  }
}

extension SignIn {
  /// Who a request with an API token is by.
  package func actor(token: Secret) async throws -> Actor {
    // What has a slip of the pen in it is not looked up at all.
    guard TokenText.isWellFormed(token) else { throw AccountError.signedOut }
    let (actor, id, isStale) = try await store.read { [store] connection in
      let rows = try connection.query(
        """
        SELECT t.id, t.account_id, t.name, t.scopes, t.last_used, m.role FROM tokens t
          JOIN members m ON m.id = t.member_id
        WHERE t.hash = ? AND t.revoked_at IS NULL AND m.locked_at IS NULL
        """, [.blob(token.hash)])
      guard let row = rows.first, let id = row.integer(0), let account = row.integer(1),
        let role = row.text(5).flatMap(Role.init(rawValue:))
      else { throw AccountError.signedOut }
      let actor = Actor(
        account: AccountID(account), means: .token(TokenID(id)), name: "token \(row.text(2) ?? "")",
        permissions: Scope.read(row.text(3)).permissions.intersection(role.permissions))
      return (actor, id, StoredTime.hasPassed(60_000, since: row.integer(4) ?? 0, now: store.now()))
    }
    if isStale {
      try await store.noting { [store] connection in
        try connection.execute("UPDATE tokens SET last_used = ? WHERE id = ?", [.integer(store.now()), .integer(id)])
      }
    }
    return actor
  }
}

extension APIToken {
  fileprivate static func load(
    _ connection: any SQLConnection, _ condition: String, _ arguments: [SQLValue]
  ) throws -> [APIToken] {
    try connection.query(
      """
      SELECT id, name, scopes, member_id, created_at, last_used, revoked_at FROM tokens WHERE \(condition)
      ORDER BY id DESC LIMIT 1000
      """, arguments
    ).map { row in
      guard let id = row.integer(0), let member = row.integer(3) else { throw UnreadableRow(table: "tokens") }
      return APIToken(
        id: TokenID(id), name: row.text(1) ?? "", scopes: Scope.read(row.text(2)), member: MemberID(member),
        createdAt: row.integer(4) ?? 0, lastUsed: row.integer(5), revokedAt: row.integer(6))
    }
  }
}

/// Tokens as text: found by those who look for lost secrets, and told from a slip of the pen by their checksum.
enum TokenText {
  static let prefix = "oriel_"
  private static let secretLength = 52

  static func make(_ random: [UInt8]) -> Secret {
    let secret = Base32.encode(random)
    return Secret(prefix + secret + checksum(secret))
  }

  static func isWellFormed(_ token: Secret) -> Bool {
    let text = token.text
    guard text.hasPrefix(prefix), text.utf8.count == prefix.utf8.count + secretLength + 7 else { return false }
    let secret = text.dropFirst(prefix.count).prefix(secretLength)
    return isSame(String(text.dropFirst(prefix.count + secretLength)), checksum(String(secret)))
  }

  private static func checksum(_ secret: String) -> String {
    Base32.encode(Array(SHA256.hash(data: Array(secret.utf8)).prefix(4)))
  }
}
