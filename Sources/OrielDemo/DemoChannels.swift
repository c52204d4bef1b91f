import Foundation
import OrielAlerting
import OrielMail
import OrielStore
import TestWorld

/// Whom the demonstration tells: a shop's owner, by mail that is kept as files, and by a webhook on loopback.
struct DemoRecipients: Sendable {
  static let mail = AlertTarget(recipient: "owner", target: "mail:owner@shop.example")
  static let hook = AlertTarget(recipient: "owner", target: "webhook:owner")

  let routes: AlertRoutes

  init(mailFolder: URL, hookURL: String, publicURL: String, say: @escaping @Sendable (String) throws -> Void) throws {
    let webhook = WebhookChannel.Settings(
      url: try WebhookURL(hookURL), secret: "a secret of both sides", allowPrivateTargets: true)
    routes = AlertRoutes(
      standard: [DemoRecipients.mail, DemoRecipients.hook],
      channels: [
        DemoRecipients.mail.target: try KeptMail(folder: mailFolder, publicURL: publicURL, say: say),
        DemoRecipients.hook.target: WebhookChannel(webhook),
      ])
  }
}

/// Hands mail to a program that writes it to a file, and shows what it says.
private struct KeptMail: Channel {
  private let folder: URL
  private let sender: MailAddress
  private let recipient: MailAddress
  private let renderer: AlertRenderer
  private let say: @Sendable (String) throws -> Void

  init(folder: URL, publicURL: String, say: @escaping @Sendable (String) throws -> Void) throws {
    self.folder = folder
    renderer = AlertRenderer(publicURL: publicURL)
    self.say = say
    sender = try MailAddress("Oriel <oriel@shop.example>")
    recipient = try MailAddress("owner@shop.example")
  }

  func deliver(_ delivery: Delivery) async -> DeliveryResult {
    let file = folder.appending(path: "\(delivery.id.prefix(8)).eml")
    let program = SendmailProgram(path: "/bin/sh", arguments: ["-c", "cat > \"$0\"", file.path])
    let channel = MailChannel(.sendmail(program), from: sender, to: recipient, renderer: renderer)
    let result = await channel.deliver(delivery)
    let message = channel.message(delivery)
    let text = message.text.split(separator: "\n", omittingEmptySubsequences: false).prefix(12)
    let shown = text.map { "    | \($0)\n" }.joined()
    try? say("mail to \(recipient.address): \(message.subject)\n\(shown)    kept as \(file.path)")
    return result
  }
}
