import NIOCore
import TestSupport
import Testing

@testable import OrielMail

@Suite("What mail costs", .serialized)
struct CostTests {
  @Test("A message is written in linear time", arguments: costlyPieces)
  func messages(_ piece: String) throws {
    let address = try MailAddress("a@a.example")
    let written = growth(of: piece) { text in
      var message = MailMessage(
        from: (try? MailAddress(name: text, address: "a@a.example")) ?? address, to: [address], subject: text, date: 0,
        messageID: text, text: text)
      message.html = text
      message.headers = [MailHeader(name: "X-Note", value: text)].compactMap { $0 }
      message.attachments = [MailAttachment(fileName: text, contentType: text, bytes: Array(text.utf8))]
      _ = message.encoded()
    }
    let addresses = growth(of: piece) { text in
      for text in [text, "a@" + text, text + "@a.example", "\(text) <a@a.example>"] { _ = try? MailAddress(text) }
    }
    #expect(written < 3 && addresses < 3)
  }

  @Test("A server's replies are read in linear time, whatever the server says", arguments: costlyPieces)
  func replies(_ piece: String) {
    for piece in [
      piece, "250-" + piece + "\r\n", "250 " + piece + "\r\n", "250-" + String(repeating: piece, bytes: 1900),
    ] {
      let ratio = growth(of: piece) { text in
        var (parser, buffer) = (SMTPReplyParser(), ByteBuffer(string: text))
        while let reply = try? parser.next(from: &buffer) { _ = reply.description }
      }
      #expect(ratio < 3, "\(piece)")
    }
  }
}
