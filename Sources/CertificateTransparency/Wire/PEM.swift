/// Labelled blocks of base64 between other text (RFC 7468), read leniently: with lines of any length and with ends of
/// any kind, blanks, headers, single quotes around a block (CCADB), a byte order mark, UTF-16, and blocks that follow
/// each other without a line feed.
///
/// No block is lost silently: one with a damaged BEGIN line, or with none, is listed as damaged. A line that begins with
/// `#` or `;` outside of a block is a comment.
package enum PEM {
  package struct Block: Sendable {
    package let label: String
    /// The line where it begins, counted from 1.
    package let line: Int
    fileprivate let content: Result<[UInt8], FormatError>

    /// The bytes of the block.
    ///
    /// - Throws: a `FormatError` that names the line, if the block is damaged or empty, or is a private key.
    package func bytes() throws(FormatError) -> [UInt8] { try content.get() }
  }

  /// The blocks of a text in their order, the damaged among them.
  package static func blocks(in text: [UInt8]) -> [Block] { blocks(in: text, readingPrivateKeys: false) }

  package static func blocks(in text: String) -> [Block] { blocks(in: Array(text.utf8)) }

  /// The bytes of the first block with this label, which may be that of a private key.
  ///
  /// - Throws: a `FormatError` if there is none, or it is damaged.
  package static func first(_ label: String, in text: String) throws(FormatError) -> [UInt8] {
    let blocks = blocks(in: Array(text.utf8), readingPrivateKeys: isPrivateKey(label))
    guard let block = blocks.first(where: { $0.label == label }) else {
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

  /// A text in UTF-16, by its byte order mark, as the ASCII in it; any other as it is.
  package static func ascii(_ text: [UInt8]) -> [UInt8] {
    text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff]) ? text.dropFirst(2).filter { $0 != 0 } : text
  }

  private static func isPrivateKey(_ label: String) -> Bool { label.hasSuffix("PRIVATE KEY") }

  private static func blocks(in text: [UInt8], readingPrivateKeys: Bool) -> [Block] {
    var reader = Reader(readsPrivateKeys: readingPrivateKeys)
    let text = ascii(text)
    var start = text.startIndex
    while start < text.endIndex {
      let end = text[start...].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? text.endIndex
      reader.take(text[start..<end])
      let isPair = end + 1 < text.endIndex && text[end] == 0x0d && text[end + 1] == 0x0a
      start = end + (isPair ? 2 : 1)
    }
    reader.close()
    return reader.blocks
  }

  /// Puts lines together to blocks.
  private struct Reader {
    private(set) var blocks: [Block] = []
    private let readsPrivateKeys: Bool
    private var open: (label: String, line: Int, damage: String?)?
    private var body: [UInt8] = []
    private var count = 0
    /// Whether there was text since the last boundary: what an END without a BEGIN may be the end of.
    private var isAfterText = false

    init(readsPrivateKeys: Bool) { self.readsPrivateKeys = readsPrivateKeys }

    mutating func take(_ line: ArraySlice<UInt8>) {
      count += 1
      if open == nil, PEM.isComment(line) { return }
      var rest = line
      var isNote = false
      while let boundary = Boundary(in: rest) {
        text(rest[..<boundary.range.lowerBound])
        if boundary.isBegin { begin(boundary.label) } else { end(boundary.label) }
        rest = rest[boundary.range.upperBound...]
        // What stands behind a boundary belongs to the block only where nothing is between.
        isNote = !boundary.isBegin || rest.first.map(PEM.isBlank) ?? true
      }
      if let label = Boundary.damagedBegin(rest) {
        begin(label, damage: "begins with a damaged line; expected -----BEGIN \(label)-----")
      } else if !isNote {
        text(rest)
      }
    }

    private mutating func begin(_ label: String, damage: String? = nil) {
      close()
      open = (label, count, damage)
      isAfterText = false
    }

    private mutating func end(_ label: String) {
      if open == nil, isAfterText { open = (label, count, "ends there and has no BEGIN line") }
      close(isEnded: true)
      isAfterText = false
    }

    private mutating func text(_ text: ArraySlice<UInt8>) {
      guard let open else {
        isAfterText = isAfterText || text.contains { !PEM.isBlank($0) }
        return
      }
      // A colon makes a header of a line (RFC 1421).
      guard !PEM.isPrivateKey(open.label) || readsPrivateKeys, !text.contains(UInt8(ascii: ":")) else { return }
      body += text.lazy.filter { !PEM.isBlank($0) }
    }

    /// Ends the open block, if there is one.
    mutating func close(isEnded: Bool = false) {
      guard let (label, line, damage) = open else { return }
      open = nil
      defer { body.removeAll(keepingCapacity: true) }
      let reason: String
      if let damage {
        reason = damage
      } else if !isEnded {
        reason = "has no end"
      } else if PEM.isPrivateKey(label), !readsPrivateKeys {
        reason = "is a private key and is not read"
      } else if body.isEmpty {
        reason = "is empty"
      } else if let bytes = Base64.decode(body.span), !bytes.isEmpty {
        blocks.append(Block(label: label, line: line, content: .success(bytes)))
        return
      } else {
        reason = "is not base64"
      }
      let position = damage == nil ? "that begins there " : ""
      let error = FormatError("PEM", at: line, "the block \(label) \(position)\(reason)")
      blocks.append(Block(label: label, line: line, content: .failure(error)))
    }
  }

  /// `-----BEGIN LABEL-----` or `-----END LABEL-----`, anywhere in a line.
  private struct Boundary {
    let isBegin: Bool
    let label: String
    let range: Range<Int>

    private static let dashes = Array("-----".utf8)
    private static let longestLabel = 64

    /// The first one in a line.
    init?(in line: ArraySlice<UInt8>) {
      var start = line.startIndex
      while let dash = line[start...].firstIndex(of: Boundary.dashes[0]) {
        let word = line[dash...].firstIndex { $0 != Boundary.dashes[0] } ?? line.endIndex
        start = word
        guard word - dash >= Boundary.dashes.count else { continue }
        for (keyword, isBegin) in [("BEGIN ", true), ("END ", false)] where line[word...].starts(with: keyword.utf8) {
          let rest = line[word...].dropFirst(keyword.utf8.count)
          let close = rest.prefix(Boundary.longestLabel + Boundary.dashes.count).firstRange(of: Boundary.dashes)
          guard let close else { continue }
          self.isBegin = isBegin
          label = Boundary.text(rest[..<close.lowerBound])
          // A dash too many belongs to it; five of them begin the next boundary.
          let more = line[close.upperBound...].prefix { $0 == Boundary.dashes[0] }.count
          range = dash..<(close.upperBound + (more < Boundary.dashes.count ? more : 0))
          return
        }
      }
      return nil
    }

    /// The label of a line that is all but a BEGIN line: with other dashes, or other letters' case, than there must be.
    static func damagedBegin(_ line: ArraySlice<UInt8>) -> String? {
      let isDash = { (byte: UInt8) in byte == UInt8(ascii: "-") || byte >= 0x80 }
      let rest = line.drop { isDash($0) || PEM.isBlank($0) || $0 == UInt8(ascii: "\"") }
      guard rest.prefix(5).map({ $0 & 0xdf }) == Array("BEGIN".utf8), let separator = rest.dropFirst(5).first,
        PEM.isBlank(separator)
      else { return nil }
      let raw = rest.dropFirst(6).prefix { !isDash($0) }
      let label = text(raw.prefix(longestLabel)).uppercased()
      // Dashes of prose stand between blanks.
      let isBehindDash = rest.startIndex > line.startIndex && isDash(line[rest.startIndex - 1])
      let next = line[raw.endIndex...].prefix(2)
      let isBeforeDashes = raw.last.map { !PEM.isBlank($0) } ?? false && next.count == 2 && next.allSatisfy(isDash)
      let isAlone = label == "CERTIFICATE" && next.isEmpty
      return isBehindDash || isBeforeDashes || isAlone ? label : nil
    }

    /// As people may see it.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
      let printable = bytes.filter { (0x20...0x7e).contains($0) }
      return String(decoding: printable, as: UTF8.self).split(separator: " ").joined(separator: " ")
    }
  }

  private static func isComment(_ line: ArraySlice<UInt8>) -> Bool {
    let first = line.first { !isBlank($0) }
    return first == UInt8(ascii: "#") || first == UInt8(ascii: ";")
  }

  /// Blanks, and the single quotes that CCADB has around a block.
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "'") }
}
