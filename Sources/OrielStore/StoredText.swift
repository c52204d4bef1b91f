/// How a database keeps text: without NUL, at which SQLite's interfaces cut it off and which PostgreSQL refuses.
///
/// A NUL is written as `\u{0}`. To keep that reversible, backslashes directly before a NUL or before a literal `u{0}` are
/// doubled; all other text stays as it is.
package enum StoredText {
  private static let backslash = UInt8(ascii: "\\")
  private static let mark = Array("u{0}".utf8)

  package static func escaped(_ text: String) -> String {
    guard needsEscape(text) else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 16)
    var run = 0
    for (index, byte) in bytes.enumerated() {
      if byte == backslash {
        run += 1
      } else {
        if byte == 0 || bytes[index...].starts(with: mark) { result += repeatElement(backslash, count: run) }
        run = 0
      }
      if byte == 0 { result += [backslash] + mark } else { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The text that ``escaped(_:)`` made another of. What it can't have made is read as if it were one.
  package static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(backslash) else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let end = bytes[index...].firstIndex { $0 != backslash } ?? bytes.count
      let run = end - index
      index = end
      guard run > 0, bytes[index...].starts(with: mark) else {
        result += repeatElement(backslash, count: run)
        if index < bytes.count { result.append(bytes[index]) }
        index += 1
        continue
      }
      result += repeatElement(backslash, count: run / 2)
      result += run % 2 == 1 ? [0] : mark
      index += mark.count
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Nearly no text does, and every text is asked.
  private static func needsEscape(_ text: String) -> Bool {
    var before: UInt8 = 0
    for byte in text.utf8 {
      if byte == 0 || byte == mark[0] && before == backslash { return true }
      before = byte
    }
    return false
  }
}
