/// What somebody may do in an account.
package enum Permission: String, Hashable, Sendable, CaseIterable {
  /// See what the account watches and was told.
  case read
  /// Change domains, recipients, inventory, judgements and mutes.
  case write
  /// Change members and the account, and see what was done.
  case manage
  /// Read the service's figures.
  case metrics

  var words: String {
    switch self {
    case .read: "read"
    case .write: "change what is watched"
    case .manage: "manage the account"
    case .metrics: "read the metrics"
    }
  }
}

package enum Role: String, Hashable, Sendable, CaseIterable {
  case owner, member, viewer

  package var permissions: Set<Permission> {
    switch self {
    case .owner: Set(Permission.allCases)
    case .member: [.read, .write]
    case .viewer: [.read]
    }
  }
}

/// What a token is good for.
package enum Scope: String, Hashable, Sendable, CaseIterable {
  case read, write, admin, metrics

  package var permissions: Set<Permission> {
    switch self {
    case .read: [.read]
    case .write: [.read, .write]
    case .admin: [.read, .write, .manage]
    case .metrics: [.metrics]
    }
  }
}

/// Somebody in an account. What they may do is looked up in each transaction anew, so that taking a right away works at
/// once, for requests under way too.
package struct Actor: Hashable, Sendable {
  enum Means: Hashable, Sendable {
    case member(MemberID)
    case token(TokenID)
    /// The one who runs the service.
    case machine
  }

  package let account: AccountID
  let means: Means
  /// For the record of what was done.
  package let name: String
  /// As it was when the request came in: for showing, not for deciding.
  package let permissions: Set<Permission>

  package func may(_ permission: Permission) -> Bool { permissions.contains(permission) }

  /// The operator, on the machine itself.
  package static func machine(_ account: AccountID) -> Actor {
    Actor(account: account, means: .machine, name: "operator", permissions: Set(Permission.allCases))
  }
}
