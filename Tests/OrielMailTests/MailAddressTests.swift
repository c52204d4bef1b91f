import NIOCore
import TestSupport
import Testing

@testable import OrielMail

@Suite("A mail address")
struct MailAddressTests {
  @Test(
    "is read with or without a name",
    arguments: [
      ("a@b.example", nil, "a@b.example"), (" A B <a+c@b-d.example> ", "A B", "a+c@b-d.example"),
      ("<a@b>", nil, "a@b"), ("\"Doe, \\\"J\\\"\" <j@xn--bcher-kva.example>", "Doe, \"J\"", "j@xn--bcher-kva.example"),
      ("Jürgen Müller <j@b.example>", "Jürgen Müller", "j@b.example"),
    ] as [(String, String?, String)])
  func reads(_ text: String, _ name: String?, _ address: String) throws {
    let read = try MailAddress(text)
    #expect(read.name == name && read.address == address)
  }

  @Test(
    "is refused where it can't be used",
    arguments: [
      ("", .noAt), ("a.example", .noAt), ("a@", .domain), ("@b", .localPart), ("a b@c", .localPart), ("a@b c", .domain),
      ("a@b\r\nRCPT TO:<x@y>", .controlCharacter), ("a\u{0}@b", .controlCharacter), ("ü@b", .notASCII),
      ("a@bücher.example", .domainNotASCII), ("a@b..c", .domain), ("a@-b", .domain), ("a@b>", .domain),
      ("a@b> SIZE=1", .domain), ("<a@b", .localPart), ("a@[127.0.0.1]", .domain), ("x\n <a@b>", .controlCharacter),
      (String(repeating: "a", count: 65) + "@b", .localPart),
      ("a@" + String(repeating: "b.", count: 130) + "c", .tooLong),
    ] as [(String, MailAddressError.Problem)])
  func refuses(_ text: String, _ problem: MailAddressError.Problem) {
    let error = #expect(throws: MailAddressError.self) { try MailAddress(text) }
    #expect(error?.problem == problem)
    #expect(error?.description.unicodeScalars.contains(where: \.isControl) == false)
  }
}

@Suite("An SMTP reply")
struct SMTPReplyTests {
  private func replies(_ text: String, chunk: Int) throws -> [SMTPReply] {
    var parser = SMTPReplyParser()
    var buffer = ByteBuffer()
    var result: [SMTPReply] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      buffer.writeBytes(rest.prefix(chunk))
      rest = rest.dropFirst(chunk)
      while let reply = try parser.next(from: &buffer) { result.append(reply) }
    }
    return result
  }

  @Test("is the same however its bytes arrive", arguments: [1, 2, 3, 7, 1000])
  func chunks(_ chunk: Int) throws {
    let text = "220 hi\r\n250-a\r\n250-\r\n250 b\n354\r\n550-5.1.1 no\r\n550 5.1.1 \u{1b}[0m\u{202E}\r\n"
    let read = try replies(text, chunk: chunk)
    #expect(read.map(\.code) == [220, 250, 354, 550])
    #expect(read[1].lines == ["a", "", "b"] && read[2].lines == [""])
    #expect(read[3].description == "550 5.1.1 no 5.1.1  [0m ")
  }

  @Test(
    "is bounded and has one code",
    arguments: [
      ("250-a\r\n251 b\r\n", .codesDiffer), ("hello\r\n", .notAReply("hello")), ("25\r\n", .notAReply("25")),
      ("650 a\r\n", .notAReply("650 a")), ("250x\r\n", .notAReply("250x")), ("\r\n", .notAReply("")),
      (String(repeating: "2", count: 2048), .lineTooLong),
      (String(repeating: "250-a\r\n", count: 101), .tooManyLines),
    ] as [(String, SMTPReplyParser.Malformation)])
  func bounds(_ text: String, _ problem: SMTPReplyParser.Malformation) {
    for chunk in [1, 5000] {
      #expect(throws: problem) { try replies(text, chunk: chunk) }
    }
  }
}
