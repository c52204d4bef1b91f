import OrielMail

/// Who gets mail about a domain.
package enum Plan: String, Hashable, Sendable, CaseIterable {
  case free, pro, business, enterprise

  /// Whether mail goes to the addresses of the domain; to all members of the account otherwise.
  package var hasRecipients: Bool { self == .business || self == .enterprise }
}

/// People who watch domains together.
package struct Account: Hashable, Sendable {
  package let id: AccountID
  package let name: String
  package let plan: Plan
  package let createdAt: Int64
}

/// Whether an address gets mail.
package enum AddressState: Hashable, Sendable {
  /// It has not said yes.
  case unconfirmed
  case active
  /// Mail to it came back, with these words; it gets mail again once it has confirmed.
  case suspended(since: Int64, reason: String)
  /// It said no more; it can say yes again.
  case unsubscribed(since: Int64)
}

/// An address that belongs to an account.
package struct Member: Hashable, Sendable {
  package let id: MemberID
  package let address: String
  package let role: Role
  package let mail: AddressState
  /// Since when it can't sign in or do anything; nil if it can.
  package let lockedAt: Int64?
  package let createdAt: Int64
}

/// An address that is told about a domain.
package struct Recipient: Hashable, Sendable {
  package let id: RecipientID
  package let address: String
  package let mail: AddressState
  package let createdAt: Int64
}

/// A link that has to be mailed to an address.
package struct LinkLetter: Hashable, Sendable {
  package enum Purpose: String, Hashable, Sendable, CaseIterable {
    case signIn = "sign-in"
    /// An address says that it wants to be told, as a member.
    case confirmMember = "confirm-member"
    /// An address says that it wants to be told, about a domain.
    case confirmRecipient = "confirm-recipient"
    /// Whoever sees the terminal makes the first account.
    case firstStart = "first-start"
  }

  package let purpose: Purpose
  package let address: String
  package let secret: Secret
  package let expiresAt: Int64
  /// Whose account it is about; nil for signing in.
  package let account: String?
  /// Which domain it is about.
  package let item: String?
}

/// Addresses as they are kept and compared: in lower case.
enum Address {
  static func normalised(_ text: String) throws -> String {
    do {
      let address = try MailAddress(text)
      return address.address.lowercased()
    } catch {
      throw AccountError.refused(field: .address, reason: "\(error)")
    }
  }
}
