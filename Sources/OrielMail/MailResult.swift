/// What became of one message for one recipient.
package struct MailResult: Equatable, Sendable {
  package enum Outcome: Equatable, Sendable {
    /// The next hop has taken responsibility for it.
    case delivered(String)
    /// It may work later.
    case temporary(String)
    /// It will not work, however often it is tried.
    case permanent(String)
  }

  package let recipient: MailAddress
  /// The words are those of the server or program, fit for display.
  package let outcome: Outcome

  package init(recipient: MailAddress, outcome: Outcome) {
    self.recipient = recipient
    self.outcome = outcome
  }
}
