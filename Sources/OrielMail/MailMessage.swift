/// A mail as its writer thinks of it; ``encoded()`` gives what is sent.
package struct MailMessage: Sendable {
  package var from: MailAddress
  package var to: [MailAddress]
  package var subject: String
  /// Milliseconds since 1970.
  package var date: Int64
  /// With or without angle brackets. Two mails with one message ID count as the same mail.
  package var messageID: String
  package var headers: [MailHeader]
  package var text: String
  package var html: String?
  package var attachments: [MailAttachment]

  package init(
    from: MailAddress, to: [MailAddress], subject: String, date: Int64, messageID: String,
    headers: [MailHeader] = [], text: String, html: String? = nil, attachments: [MailAttachment] = []
  ) {
    self.from = from
    self.to = to
    self.subject = subject
    self.date = date
    self.messageID = messageID
    self.headers = headers
    self.text = text
    self.html = html
    self.attachments = attachments
  }
}

/// A header field beside those that ``MailMessage`` writes itself.
package struct MailHeader: Hashable, Sendable {
  package let name: String
  package let value: String

  /// Nil where the name is not one of a header field, or is one that the message writes itself.
  package init?(name: String, value: String) {
    let reserved = ["from", "to", "subject", "date", "message-id", "mime-version"]
    guard (1...70).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }),
      !reserved.contains(name.lowercased()), !name.lowercased().hasPrefix("content-")
    else { return nil }
    self.name = name
    self.value = value
  }
}

package struct MailAttachment: Sendable {
  package var fileName: String
  package var contentType: String
  package var bytes: [UInt8]

  package init(fileName: String, contentType: String, bytes: [UInt8]) {
    self.fileName = fileName
    self.contentType = contentType
    self.bytes = bytes
  }
}
