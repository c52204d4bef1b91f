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

  /// What a refusal is about.
  package enum Part: Equatable, Sendable {
    /// The server or program itself, or the sender: no message to anybody gets through.
    case server
    case recipient
    case message
  }

  package let recipient: MailAddress
  /// The words are those of the server or program, fit for display.
  package let outcome: Outcome
  package let part: Part

  package init(recipient: MailAddress, outcome: Outcome, part: Part = .message) {
    self.recipient = recipient
    self.outcome = outcome
    self.part = part
  }
}
