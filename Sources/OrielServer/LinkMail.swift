import CertificateTransparency
import Foundation
import MerkleTree
package import OrielAccounts
package import OrielAlerting
package import OrielMail

/// The mails with links in them: to sign in, and to confirm an address.
package struct LinkMail: Sendable {
  private let sender: MailAddress
  private let transport: @Sendable (_ message: [UInt8], _ recipient: MailAddress) async -> DeliveryResult

  package init(_ post: MailPost) {
    self.init(from: post.sender) { await post.transport.send($0, from: post.sender, to: $1) }
  }

  package init(
    from sender: MailAddress,
    transport: @escaping @Sendable (_ message: [UInt8], _ recipient: MailAddress) async -> DeliveryResult
  ) {
    self.sender = sender
    self.transport = transport
  }

  /// Makes one attempt.
  package func send(_ letter: LinkLetter, url: String, now: Int64) async -> DeliveryResult {
    let recipient: MailAddress
    do { recipient = try MailAddress(letter.address) } catch { return .gone("\(error)") }
    return await transport(message(letter, to: recipient, url: url, now: now).encoded(), recipient)
  }

  package func message(_ letter: LinkLetter, to recipient: MailAddress, url: String, now: Int64) -> MailMessage {
    let words = LinkMail.words(letter)
    let domain = sender.address.split(separator: "@").last.map(String.init) ?? "localhost"
    let text = """
      \(words.lead)

      \(url)

      The link works once, for \(LinkMail.validity(letter.expiresAt - now)). If you did not expect this mail, do nothing:
      without the link, nothing happens.
      """
    // The same at every attempt, so that what arrives twice after all is one mail; it does not tell the link.
    let id = SHA256Hash.hash(Array("Message-ID \(letter.secret.text)".utf8)).hex.prefix(40)
    return MailMessage(
      from: sender, to: [recipient], subject: words.subject, date: now, messageID: "oriel.\(id)@\(domain)",
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
        "Somebody\(account) wants this address to be told of certificates for "
          + (letter.item?.oneLine() ?? "a domain").withFullStop + "\nTo agree, confirm it on this page:"
      )
    }
  }

  /// How long that is, rounded to what people say.
  static func validity(_ milliseconds: Int64) -> String {
    let minutes = max(1, (milliseconds + 30_000) / 60_000)
    return switch minutes {
    case ..<120: counted(minutes, "minute", "minutes")
    case ..<2880: "\((minutes + 30) / 60) hours"
    default: "\((minutes + 720) / 1440) days"
    }
  }
}
