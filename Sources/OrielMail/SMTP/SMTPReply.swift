import NIOCore

/// A server's reply: one code, one or more lines (RFC 5321, section 4.2).
package struct SMTPReply: Equatable, Sendable, CustomStringConvertible {
  package let code: Int
  /// The lines without code, fit for display.
  package let lines: [String]

  package var description: String {
    var text = "\(code)"
    for line in lines where !line.isEmpty && text.utf8.count < 1000 { text += " " + line }
    return text
  }

  var isPositive: Bool { code / 100 == 2 }
  var isPermanent: Bool { code / 100 == 5 }

  /// What the reply means for a recipient or a message.
  var outcome: MailResult.Outcome {
    if isPositive { return .delivered(description) }
    return isPermanent ? .permanent(description) : .temporary(description)
  }
}

/// Cuts a server's bytes into replies, within bounds.
struct SMTPReplyParser {
  static let lineLimit = 2048
  static let lineCountLimit = 100

  enum Malformation: Error, Equatable {
    case lineTooLong, tooManyLines, codesDiffer
    case notAReply(String)
  }

  private var code: Int?
  private var lines: [String] = []

  /// Takes the next whole reply off the front of the buffer; nil where more bytes are needed.
  mutating func next(from buffer: inout ByteBuffer) throws(Malformation) -> SMTPReply? {
    while true {
      let view = buffer.readableBytesView
      guard let end = view.prefix(Self.lineLimit).firstIndex(of: 0x0A) else {
        if view.count >= Self.lineLimit { throw .lineTooLong }
        return nil
      }
      var line = view[..<end]
      if line.last == 0x0D { line = line.dropLast() }
      buffer.moveReaderIndex(forwardBy: end + 1 - view.startIndex)
      if let reply = try take(Array(line)) { return reply }
    }
  }

  private mutating func take(_ line: [UInt8]) throws(Malformation) -> SMTPReply? {
    let digits = line.prefix(3)
    let separator = line.dropFirst(3).first
    guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }), (50...53).contains(line[0]),
      separator == nil || separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-")
    else { throw .notAReply(String(String(decoding: line, as: UTF8.self).withoutControls.prefix(100))) }
    let number = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    if let code, code != number { throw .codesDiffer }
    guard lines.count < Self.lineCountLimit else { throw .tooManyLines }
    code = number
    lines.append(String(decoding: line.dropFirst(4), as: UTF8.self).withoutControls)
    if separator == UInt8(ascii: "-") { return nil }
    defer {
      code = nil
      lines = []
    }
    return SMTPReply(code: number, lines: lines)
  }
}
