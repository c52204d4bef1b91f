/// One header field, folded as it is written (RFC 5322, section 2.2.3; encoded words as of RFC 2047).
///
/// Every character that goes in is printable ASCII or becomes part of an encoded word, so no value can start a line.
struct HeaderField {
  private(set) var bytes: [UInt8]
  /// Characters on the line so far.
  private var column: Int
  /// Whether the line holds more than the field's name or the fold's space.
  private var lineHasWords = false

  private static let lineLimit = 76

  init(_ name: String) {
    bytes = Array("\(name):".utf8)
    column = bytes.count
  }

  var line: [UInt8] { bytes + [0x0D, 0x0A] }

  /// Adds a word after a space, or on a new line where this one is full.
  mutating func add(word: String) {
    if column + 1 + word.utf8.count > Self.lineLimit, lineHasWords { fold() }
    bytes.append(UInt8(ascii: " "))
    bytes.append(contentsOf: word.utf8)
    column += 1 + word.utf8.count
    lineHasWords = true
  }

  /// Adds free text: as it is where that reads back the same, in encoded words otherwise.
  mutating func add(text: String) {
    let text = text.withoutControls
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let isPlain = words.allSatisfy { word in
      (1...900).contains(word.utf8.count) && word.utf8.allSatisfy { $0 < 0x80 } && !word.contains("=?")
    }
    if isPlain {
      for word in words { add(word: String(word)) }
    } else if !text.isEmpty {
      addEncodedWords(text)
    }
  }

  mutating func add(address: MailAddress, last: Bool) {
    let comma = last ? "" : ","
    guard let name = address.name else {
      add(word: address.address + comma)
      return
    }
    let isASCII = name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    if isASCII, Self.quoted(name).utf8.count <= 64, !name.contains("=?") {
      let isPhrase = name.utf8.allSatisfy { $0.isAtomText || $0 == UInt8(ascii: " ") } && !name.contains("  ")
      add(word: isPhrase ? name : Self.quoted(name))
    } else {
      addEncodedWords(name.withoutControls)
    }
    add(word: "<\(address.address)>\(comma)")
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      if character == "\"" || character == "\\" { result.unicodeScalars.append("\\") }
      result.unicodeScalars.append(character)
    }
    return result + "\""
  }

  private mutating func fold() {
    bytes.append(contentsOf: [0x0D, 0x0A])
    column = 0
    lineHasWords = false
  }

  /// Words of at most 75 characters, each ending with a whole scalar; the space between two is not part of the text.
  private mutating func addEncodedWords(_ text: String) {
    if room < 12 { fold() }
    var chunk: [UInt8] = []
    for scalar in text.unicodeScalars {
      let encoded = Array(String(scalar).utf8)
      if !chunk.isEmpty, chunk.count + encoded.count > room {
        addEncodedWord(chunk)
        fold()
        chunk.removeAll()
      }
      chunk.append(contentsOf: encoded)
    }
    addEncodedWord(chunk)
  }

  /// How many bytes of text fit in an encoded word on this line: 12 characters frame it, four stand for three bytes.
  private var room: Int { max(0, (min(75, Self.lineLimit - 1 - column) - 12) / 4 * 3) }

  private mutating func addEncodedWord(_ chunk: [UInt8]) {
    add(word: "=?UTF-8?B?\(base64(chunk))?=")
  }
}
