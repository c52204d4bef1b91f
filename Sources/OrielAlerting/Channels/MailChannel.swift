import CertificateTransparency
package import OrielMail

/// Sends alerts to one mailbox.
package struct MailChannel: Channel {
  package enum Transport: Sendable {
    case smtp(SMTPClient)
    case sendmail(SendmailProgram)

    /// Sends one message to one mailbox.
    package func send(_ message: [UInt8], from sender: MailAddress, to recipient: MailAddress) async -> DeliveryResult {
      do {
        let results =
          switch self {
          case .smtp(let client): try await client.send(from: sender, to: [recipient], message: message)
          case .sendmail(let program): try await program.send(from: sender, to: [recipient], message: message)
          }
        guard let result = results.first else { return .unavailable("the mail server said nothing of the recipient") }
        return DeliveryResult(result)
      } catch let error as SMTPError where error.mayHaveBeenDelivered {
        // What broke the connection may be this message.
        return .refused("\(error)")
      } catch {
        return .unavailable("\(error)")
      }
    }
  }

  private let transport: Transport
  private let sender: MailAddress
  private let recipient: MailAddress
  private let renderer: AlertRenderer
  private let unsubscribeURL: String?

  /// - Parameter unsubscribeURL: an address that takes one-click unsubscriptions (RFC 8058).
  package init(
    _ transport: Transport, from sender: MailAddress, to recipient: MailAddress, renderer: AlertRenderer,
    unsubscribeURL: String? = nil
  ) {
    self.transport = transport
    self.sender = sender
    self.recipient = recipient
    self.renderer = renderer
    self.unsubscribeURL = unsubscribeURL
  }

  package func deliver(_ delivery: Delivery) async -> DeliveryResult { await prepare(delivery)() }

  package func prepare(_ delivery: Delivery) async -> @Sendable () async -> DeliveryResult {
    let message = message(delivery).encoded()
    return { await transport.send(message, from: sender, to: recipient) }
  }

  /// The mail, the same at every attempt but for its date.
  package func message(_ delivery: Delivery) -> MailMessage {
    let rendered = renderer.render(delivery.alert, leave: unsubscribeURL)
    let domain = sender.address.split(separator: "@").last.map(String.init) ?? "localhost"
    let messageID = { (id: String) in "oriel.\(id)@\(domain)" }
    var headers = [
      MailHeader(name: "Auto-Submitted", value: "auto-generated"),
      MailHeader(name: "X-Oriel-Alert", value: "\(delivery.alert.kind) \(delivery.alert.id)"),
    ]
    if let origin = delivery.inReplyTo {
      for name in ["In-Reply-To", "References"] {
        headers.append(MailHeader(name: name, value: "<\(messageID(origin))>"))
      }
    }
    if let unsubscribeURL {
      headers += [
        MailHeader(name: "List-Unsubscribe", value: "<\(unsubscribeURL)>"),
        MailHeader(name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click"),
      ]
    }
    return MailMessage(
      from: sender, to: [recipient], subject: rendered.subject,
      date: Int64(clamping: delivery.attemptedAt.milliseconds), messageID: messageID(delivery.id),
      headers: headers.compactMap { $0 }, text: rendered.text, html: rendered.html,
      attachments: rendered.attachments.map {
        MailAttachment(fileName: $0.filename, contentType: $0.contentType, bytes: $0.bytes)
      })
  }
}

extension DeliveryResult {
  fileprivate init(_ result: MailResult) {
    let part: Part = result.part == .recipient ? .recipient : .message
    switch result.outcome {
    case .delivered(let words): self = .delivered(words)
    case .temporary(let words), .permanent(let words):
      guard result.part != .server else {
        self = .unavailable(words)
        return
      }
      self = .refused(words, of: part, isPermanent: result.outcome == .permanent(words))
    }
  }
}
