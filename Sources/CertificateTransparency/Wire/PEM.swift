/// Labelled blocks of base64 between other text (RFC 7468), read leniently: with lines of any length, blanks, headers,
/// line ends of any kind, and the single quotes that CCADB has around a block.
package enum PEM {
  package struct Block: Sendable {
    package let label: String
    /// The line where it begins, counted from 1.
    package let line: Int
    fileprivate let content: Result<[UInt8], FormatError>

    /// The bytes of the block.
    ///
    /// - Throws: a `FormatError` that names the line, if the block has no end, is empty, or is not base64.
    package func bytes() throws(FormatError) -> [UInt8] { try content.get() }
  }

  /// The blocks of a text in their order, the damaged among them.
  package static func blocks(in text: [UInt8]) -> [Block] {
    var reader = Reader()
    var line: [UInt8] = []
    var last: UInt8 = 0
    for byte in text {
      switch byte {
      case 0x0a where last == 0x0d: break
      case 0x0a, 0x0d:
        reader.take(line)
        line.removeAll(keepingCapacity: true)
      case 0x09, 0x20, UInt8(ascii: "'"):
        // Only labels have blanks, and only within them.
        if !line.isEmpty, line[0] == UInt8(ascii: "-"), byte == 0x20 { line.append(byte) }
      default: line.append(byte)
      }
      last = byte
    }
    reader.take(line)
    reader.close()
    return reader.blocks
  }

  package static func blocks(in text: String) -> [Block] { blocks(in: Array(text.utf8)) }

  /// The bytes of the first block with this label.
  ///
  /// - Throws: a `FormatError` if there is none, or it is damaged.
  package static func first(_ label: String, in text: String) throws(FormatError) -> [UInt8] {
    guard let block = blocks(in: text).first(where: { $0.label == label }) else {
      throw FormatError("PEM", at: 0, "no block labelled \(label)")
    }
    return try block.bytes()
  }

  /// One block, with its line ends.
  package static func encode(_ bytes: [UInt8], label: String = "CERTIFICATE") -> String {
    var text = "-----BEGIN \(label)-----\n"
    var rest = Base64.encode(bytes)[...]
    while !rest.isEmpty {
      text += rest.prefix(64) + "\n"
      rest = rest.dropFirst(64)
    }
    return text + "-----END \(label)-----\n"
  }

  /// Puts lines together to blocks.
  private struct Reader {
    var blocks: [Block] = []
    private var open: (label: String, line: Int)?
    private var body: [UInt8] = []
    private var count = 0

    mutating func take(_ line: [UInt8]) {
      count += 1
      if line.starts(with: "-----BEGIN ".utf8), let label = Reader.label(line.dropFirst(11)) {
        close()
        open = (label, count)
      } else if open == nil {
        return
      } else if line.starts(with: "-----END ".utf8) {
        close(isEnded: true)
      } else if !line.contains(UInt8(ascii: ":")) {
        body += line
      }
    }

    /// Ends the open block, if there is one.
    mutating func close(isEnded: Bool = false) {
      guard let (label, line) = open else { return }
      let bytes = Base64.decode(body.span)
      let reason = !isEnded ? "has no end" : body.isEmpty ? "is empty" : "is not base64"
      let content: Result<[UInt8], FormatError> =
        if isEnded, let bytes, !bytes.isEmpty {
          .success(bytes)
        } else {
          .failure(FormatError("PEM", at: line, "the block \(label) that begins there \(reason)"))
        }
      blocks.append(Block(label: label, line: line, content: content))
      open = nil
      body.removeAll(keepingCapacity: true)
    }

    private static func label(_ rest: ArraySlice<UInt8>) -> String? {
      rest.firstRange(of: "-----".utf8).map { String(decoding: rest[..<$0.lowerBound], as: UTF8.self) }
    }
  }
}
