/// Why something was not done; each is for the one who asked.
package enum AccountError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no such thing, or it is another account's: the two look the same.
  case notFound
  /// The role or the token does not allow it.
  case forbidden(Permission)
  /// The session, link or token is not, or no longer, good for anything.
  case signedOut
  /// A value can't be taken: which field, and why.
  case refused(field: Field, reason: String)
  /// Too often; when to try again, in milliseconds from now.
  case limited(retryAfter: Int64)

  /// What a form names its input.
  package enum Field: String, Sendable, CaseIterable {
    case address, role, name, item, link, scopes, recipients, domain, owners, caa, until, rule, note, account, hash
    case file, hosts, listed
  }

  package var description: String {
    switch self {
    case .notFound: "there is no such thing here"
    case .forbidden(let permission): "this needs the permission to \(permission.words)"
    case .signedOut: "sign in again"
    case .refused(_, let reason): reason
    case .limited(let wait): "too many attempts; try again in \(max(1, (wait + 59_999) / 60_000)) min"
    }
  }
}
