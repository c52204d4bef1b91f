import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielMail

@Suite("A mail message")
struct MailMessageTests {
  struct Parsed: Decodable {
    struct Attachment: Decodable { let name, type: String; let bytes: Data }
    let headers, to: [[String]]
    let types: [String]
    let date: String
    let bodies: [String: String]
    let attachments: [Attachment]
    let defects: [String]

    func header(_ name: String) -> [String] { headers.filter { $0[0] == name }.map { $0[1] } }
  }

  private func parse(_ message: MailMessage) throws -> Parsed {
    let script = MailServer.script("parse_mail.py")
    let json = try MailServer.output(of: MailServer.python, [script], input: message.encoded())
    return try JSONDecoder().decode(Parsed.self, from: json)
  }

  private func plain(subject: String = "s", text: String = "t") throws -> MailMessage {
    MailMessage(
      from: try MailAddress("a@a.example"), to: [try MailAddress("b@b.example")], subject: subject, date: 0,
      messageID: "<1@a.example>", text: text)
  }

  static let subjects = [
    "plain", "", "Neues Zertifikat für münchen.example 🎉", String(repeating: "wort ", count: 80) + "end",
    String(repeating: "ü", count: 300), String(repeating: "👩‍👩‍👧‍👦", count: 40), "=?UTF-8?Q?not_encoded?=", "two  spaces",
    String(repeating: "x", count: 2000), "a: b; <c> \"d\" (e)", "日本語の件名はこのように長くなることがあります、本当に長いのです",
  ]

  @Test("reads back as written", .needsMailServer, arguments: subjects)
  func subjectsReadBack(_ subject: String) throws {
    let parsed = try parse(plain(subject: subject))
    #expect(parsed.header("Subject") == [subject])
    #expect(parsed.defects.isEmpty)
  }

  @Test("keeps its headers whatever the values hold", .needsMailServer)
  func hostileValues() throws {
    let hostile = "x\r\nBcc: evil@e.example\r\n\r\nbody\u{0}\u{85}\u{2028}\u{202E}\nX: y"
    var message = try plain(subject: hostile)
    message.messageID = "1\r\nBcc: x@y"
    message.headers = [
      try #require(MailHeader(name: "X-Note", value: hostile)),
      try #require(
        MailHeader(name: "List-Unsubscribe", value: "<https://a.example/\(String(repeating: "u", count: 200))>")),
    ]
    message.attachments = [MailAttachment(fileName: hostile + "\"", contentType: hostile, bytes: [1])]
    let parsed = try parse(message)
    #expect(
      parsed.headers.map { $0[0] } == [
        "From", "To", "Subject", "Date", "Message-ID", "X-Note", "List-Unsubscribe", "MIME-Version", "Content-Type",
      ])
    #expect(parsed.header("Subject") == ["x  Bcc: evil@e.example    body     X: y"])
    #expect(parsed.header("List-Unsubscribe").first?.hasPrefix("<https://a.example/u") == true)
    #expect(parsed.attachments.first?.type == "application/octet-stream")
    #expect(parsed.attachments.first?.name == "x  Bcc: evil@e.example    body     X: y\"")
    for name in ["", "a b", "A:", "Subject", "content-type", "X\r\nY", "Ü"] {
      #expect(MailHeader(name: name, value: "") == nil)
    }
  }

  @Test("carries text, HTML and attachments", .needsMailServer)
  func parts() throws {
    var message = try plain()
    message.from = try MailAddress(name: "Wächter, der", address: "a@a.example")
    message.to =
      try ["Doe, J. <j@b.example>", "\"Quoted \\\"Q\\\"\" <q@b.example>", "Jürgen <ü@b.example>"].prefix(2)
      .map { try MailAddress($0) } + [MailAddress(name: "=?x?= 日本", address: "n@b.example")]
    message.date = 1_795_249_926_000
    message.text =
      ".\n..dots\nFrom here\n" + String(repeating: "ä=", count: 5000) + " \n\t\ntrailing \r\nbare\rcr\n--=_mixed_\n"
    message.html = "<p>" + String(repeating: "x", count: 10_000) + "</p>"
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let names = ["a.txt", "Zertifikate für münchen.example, 2026 – alle Einträge.csv", "日本語🎉.json", "q\"b\\s.pem"]
    message.attachments = names.map {
      MailAttachment(fileName: $0, contentType: "text/csv; charset=utf-8", bytes: bytes)
    }
    let parsed = try parse(message)
    #expect(parsed.types.prefix(4) == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"])
    let lines = message.text.replacing("\r\n", with: "\n").replacing("\r", with: "\n").replacing("\n", with: "\r\n")
    #expect(parsed.bodies["text/plain"] == lines)
    #expect(parsed.bodies["text/html"] == (message.html ?? "") + "\r\n")
    #expect(parsed.attachments.map(\.name) == ["a.txt", names[1], names[2], "q\"b_s.pem"])
    #expect(parsed.attachments.allSatisfy { [UInt8]($0.bytes) == bytes && $0.type == "text/csv" })
    #expect(
      parsed.to == [["Doe, J.", "j@b.example"], ["Quoted \"Q\"", "q@b.example"], ["=?x?= 日本", "n@b.example"]])
    #expect(parsed.date == "2026-11-21T08:32:06+00:00")
    #expect(parsed.defects.isEmpty)
  }

  @Test("has short lines of ASCII that end with CRLF, the same each time")
  func form() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let scalars = (0..<Int.random(in: 0..<400, using: &generator)).compactMap { _ in
        Unicode.Scalar(UInt32.random(in: 0..<(Bool.random(using: &generator) ? 0x80 : 0x11_0000), using: &generator))
      }
      var text = ""
      text.unicodeScalars.append(contentsOf: scalars)
      var message = try plain(subject: text, text: text)
      message.html = text
      message.headers = [try #require(MailHeader(name: "X-" + String(repeating: "n", count: 60), value: text))]
      message.attachments = [MailAttachment(fileName: text, contentType: text, bytes: Array(text.utf8))]
      let bytes = message.encoded()
      #expect(bytes == message.encoded())
      for line in String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n") {
        #expect(
          line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 9 } && (line.utf8.count <= 78 || !line.contains(" ")))
      }
    }
  }

  @Test(
    "writes the date of RFC 5322",
    arguments: [
      (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
      (1_709_251_199_999, "Thu, 29 Feb 2024 23:59:59 +0000"), (4_107_542_400_000, "Mon, 1 Mar 2100 00:00:00 +0000"),
      (Int64.max, "Fri, 31 Dec 9999 23:59:59 +0000"), (Int64.min, "Thu, 1 Jan 1970 00:00:00 +0000"),
    ] as [(Int64, String)])
  func dates(_ milliseconds: Int64, _ expected: String) {
    #expect(mailDate(millisecondsSince1970: milliseconds) == expected)
  }
}
