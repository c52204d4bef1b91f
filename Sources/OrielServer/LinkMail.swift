import Foundation
package import OrielAccounts
import OrielAlerting
package import OrielMail

/// The mails with links in them: to sign in, and to confirm an address.
///
/// They are sent once, at once: whoever waits for one asks for another.
package struct LinkMail: Sendable {
  private let post: MailPost

  package init(_ post: MailPost) { self.post = post }

  /// - Throws: why the mail did not leave.
  package func send(_ letter: LinkLetter, url: String, now: Int64) async throws {
    let recipient = try MailAddress(letter.address)
    let bytes = try message(letter, to: recipient, url: url, now: now).encoded()
    switch await post.transport.send(bytes, from: post.sender, to: recipient) {
    case .delivered: return
    case .failed(let words, _), .refused(let words): throw NotSent(description: words)
    }
  }

  package struct NotSent: Error, CustomStringConvertible {
    package let description: String
  }

  package func message(_ letter: LinkLetter, to recipient: MailAddress, url: String, now: Int64) throws -> MailMessage {
    let words = LinkMail.words(letter)
    let domain = post.sender.address.split(separator: "@").last.map(String.init) ?? "localhost"
    let text = """
      \(words.lead)

      \(url)

      The link works once, \(LinkMail.validity(letter, now)). If you did not expect this mail, do nothing: without the
      link, nothing happens.
      """
    return MailMessage(
      from: post.sender, to: [recipient], subject: words.subject, date: now,
      messageID: "oriel.\(UUID().uuidString.lowercased())@\(domain)",
      headers: [MailHeader(name: "Auto-Submitted", value: "auto-generated")].compactMap { $0 }, text: text)
  }

  private static func words(_ letter: LinkLetter) -> (subject: String, lead: String) {
    let account = letter.account.map { " of \($0.oneLine())" } ?? ""
    return switch letter.purpose {
    case .signIn: ("Sign in to Oriel", "To sign in to Oriel, open this page:")
    case .firstStart: ("Set up Oriel", "To make the first account of this Oriel, open this page:")
    case .confirmMember:
      (
        "Confirm your address",
        "You were added to the account\(account). To get its alerts at this address, confirm it on this page:"
      )
    case .confirmRecipient:
      (
        "Confirm alerts for \(letter.item?.oneLine() ?? "a domain")",
        """
        Somebody\(account) wants this address to be told of certificates for \(letter.item?.oneLine() ?? "a domain").
        To agree, confirm it on this page:
        """
      )
    }
  }

  private static func validity(_ letter: LinkLetter, _ now: Int64) -> String {
    let minutes = max(1, (letter.expiresAt - now) / 60_000)
    return switch minutes {
    case ..<120: "for \(minutes) minutes"
    case ..<2880: "for \(minutes / 60) hours"
    default: "for \(minutes / 1440) days"
    }
  }
}
