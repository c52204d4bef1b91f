import CertificateTransparency

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Walks over a JSON text (RFC 8259) without building anything from it.
///
/// It holds a position only; every method is given the text that it was made for. Errors tell the byte offset.
struct JSONScanner {
  let structure: String
  private(set) var offset = 0

  /// Values deeper than this are refused.
  private static let deepest = 64

  init(_ structure: String) { self.structure = structure }

  func error(_ reason: String, at place: Int? = nil) -> FormatError {
    FormatError(structure, at: place ?? offset, reason)
  }

  mutating func skipSpace(_ text: Span<UInt8>) {
    while offset < text.count {
      switch text[offset] {
      case 0x20, 0x0a, 0x0d, 0x09: offset += 1
      default: return
      }
    }
  }

  /// Skips white space and, if it comes next, `character`.
  mutating func skip(_ character: Unicode.Scalar, _ text: Span<UInt8>) -> Bool {
    skipSpace(text)
    guard offset < text.count, text[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// Skips white space and `character`, which must come next.
  mutating func expect(_ character: Unicode.Scalar, _ text: Span<UInt8>) throws(FormatError) {
    guard skip(character, text) else {
      throw error("`\(character)` expected, found \(offset < text.count ? "byte \(text[offset])" : "the end")")
    }
  }

  /// After a value in an object or array: whether another follows a comma; else the end, `close`, is skipped.
  mutating func more(before close: Unicode.Scalar, _ text: Span<UInt8>) throws(FormatError) -> Bool {
    if skip(",", text) { return true }
    try expect(close, text)
    return false
  }

  /// The place of what stands between the quotes of the string that comes next, escapes as they are.
  mutating func string(_ text: Span<UInt8>) throws(FormatError) -> Range<Int> {
    try expect("\"", text)
    let start = offset
    while let quote = JSONScanner.quote(in: text, from: offset) {
      offset = quote + 1
      // A quote after an odd number of backslashes is part of the string.
      var before = quote
      while before > start, text[before - 1] == UInt8(ascii: "\\") { before -= 1 }
      if (quote - before) % 2 == 0 { return start..<quote }
    }
    throw error("the string that starts here does not end", at: start)
  }

  private static func quote(in text: Span<UInt8>, from start: Int) -> Int? {
    text.extracting(droppingFirst: start).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = memchr(base, 0x22, bytes.count) else { return nil }
      return start + (UnsafeRawPointer(found) - base)
    }
  }

  /// The name of an object's member, and the colon.
  mutating func key(_ text: Span<UInt8>) throws(FormatError) -> Range<Int> {
    let key = try string(text)
    try expect(":", text)
    return key
  }

  /// Whether a string's content is `name`, with or without escapes.
  func matches(_ content: Range<Int>, _ name: StaticString, _ text: Span<UInt8>) -> Bool {
    let same = name.withUTF8Buffer { name in
      guard content.count == name.count else { return false }
      for index in 0..<name.count where text[content.lowerBound + index] != name[index] { return false }
      return true
    }
    if same { return true }
    for index in content where text[index] == UInt8(ascii: "\\") {
      return JSONScanner.unescape(content, text).map { $0.elementsEqual(name.withUTF8Buffer { Array($0) }) } ?? false
    }
    return false
  }

  /// Skips a value of any kind.
  mutating func skipValue(_ text: Span<UInt8>) throws(FormatError) {
    // Which of the values that are open are objects: one bit each.
    var (open, objects) = (0, UInt64(0))
    repeat {
      skipSpace(text)
      guard offset < text.count else { throw error("a value expected, found the end") }
      let first = text[offset]
      switch first {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard open < JSONScanner.deepest else { throw error("more than \(JSONScanner.deepest) values in one another") }
        offset += 1
        let isObject = first == UInt8(ascii: "{")
        if skip(isObject ? "}" : "]", text) { break }
        open += 1
        objects = objects << 1 | (isObject ? 1 : 0)
        if isObject { _ = try key(text) }
        continue
      case UInt8(ascii: "\""): _ = try string(text)
      default: try skipScalar(text)
      }
      while open > 0 {
        let isObject = objects & 1 == 1
        if try more(before: isObject ? "}" : "]", text) {
          if isObject { _ = try key(text) }
          break
        }
        open -= 1
        objects >>= 1
      }
    } while open > 0
  }

  /// Skips a number or one of the three words.
  private mutating func skipScalar(_ text: Span<UInt8>) throws(FormatError) {
    for word in ["true", "false", "null"] as [StaticString] {
      let isHere = word.withUTF8Buffer { word in
        guard offset + word.count <= text.count else { return false }
        for index in 0..<word.count where text[offset + index] != word[index] { return false }
        return true
      }
      if isHere {
        offset += word.utf8CodeUnitCount
        return
      }
    }
    let start = offset
    if offset < text.count, text[offset] == UInt8(ascii: "-") { offset += 1 }
    let leading = offset
    guard skipDigits(text) > 0, offset - leading == 1 || text[leading] != UInt8(ascii: "0") else {
      throw error("a value expected", at: start)
    }
    if offset < text.count, text[offset] == UInt8(ascii: ".") {
      offset += 1
      guard skipDigits(text) > 0 else { throw error("a digit expected") }
    }
    if offset < text.count, text[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if offset < text.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[offset]) { offset += 1 }
      guard skipDigits(text) > 0 else { throw error("a digit expected") }
    }
  }

  private mutating func skipDigits(_ text: Span<UInt8>) -> Int {
    let start = offset
    while offset < text.count, (0x30...0x39).contains(text[offset]) { offset += 1 }
    return offset - start
  }

  /// What a string's content stands for, in UTF-8; nil if an escape is wrong.
  static func unescape(_ content: Range<Int>, _ text: Span<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(content.count)
    var units: [UInt16] = []
    var offset = content.lowerBound
    while offset < content.upperBound {
      let byte = text[offset]
      offset += 1
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      guard offset < content.upperBound else { return nil }
      let escape = text[offset]
      offset += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
      case UInt8(ascii: "b"): bytes.append(0x08)
      case UInt8(ascii: "f"): bytes.append(0x0c)
      case UInt8(ascii: "n"): bytes.append(0x0a)
      case UInt8(ascii: "r"): bytes.append(0x0d)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "u"):
        guard content.upperBound - offset >= 4 else { return nil }
        var unit: UInt16 = 0
        for index in offset..<(offset + 4) {
          guard let digit = Character(Unicode.Scalar(text[index])).hexDigitValue, text[index] < 0x80 else { return nil }
          unit = unit << 4 | UInt16(digit)
        }
        offset += 4
        units.append(unit)
        // The second half of a pair follows at once.
        let isPaired =
          UTF16.isLeadSurrogate(unit) && content.upperBound - offset >= 2 && text[offset] == UInt8(ascii: "\\")
          && text[offset + 1] == UInt8(ascii: "u")
        if isPaired { continue }
        bytes.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
        units.removeAll()
      default: return nil
      }
    }
    return bytes
  }
}
