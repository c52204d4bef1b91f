/// A browser that is signed in, as an address.
package struct Session: Hashable, Sendable {
  package let id: SessionID
  package let address: String
  /// What it said it is.
  package let client: String
  package let createdAt: Int64
  package let lastUsed: Int64
  package let expiresAt: Int64
}

/// An account that an address belongs to.
package struct Membership: Hashable, Sendable {
  package let account: Account
  package let member: MemberID
  package let role: Role
}

/// A session that was just begun.
package struct NewSession: Hashable, Sendable {
  package let session: Session
  /// For the cookie; nowhere else.
  package let secret: Secret
}

/// A token for the API, without what makes it one.
package struct APIToken: Hashable, Sendable {
  package let id: TokenID
  package let name: String
  package let scopes: Set<Scope>
  package let member: MemberID
  package let createdAt: Int64
  package let lastUsed: Int64?
  package let revokedAt: Int64?
}
