import CertificateTransparency

extension StringProtocol {
  /// The text in one line of at most `limit` characters, blanks of any kind run together, and a mark in place of each
  /// character that could fool a reader. For words of strangers.
  func cleaned(limit: Int = 200) -> String {
    var (scalars, count) = (String.UnicodeScalarView(), 0)
    // Whether a blank is due before the next character.
    var isBlank = false
    for scalar in unicodeScalars {
      if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" || scalar == "\u{a0}" {
        isBlank = count > 0
        continue
      }
      let width = isBlank ? 2 : 1
      guard count + width <= limit else { return String(scalars) + "…" }
      if isBlank { scalars.append(" ") }
      scalars.append(scalar.isDeceptive ? "\u{fffd}" : scalar)
      (count, isBlank) = (count + width, false)
    }
    return String(scalars)
  }
}

extension UInt8 {
  var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }

  var isHexDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
    default: false
    }
  }
}

/// The text in the form of a URI's data: all but the unreserved characters (RFC 3986, 2.3) as `%XX`.
func percentEncoded(_ text: some StringProtocol) -> String {
  var result: [UInt8] = []
  let digits = Array("0123456789ABCDEF".utf8)
  for byte in text.utf8 {
    if byte.isLetterOrDigit || "-._~".utf8.contains(byte) {
      result.append(byte)
    } else {
      result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: result, as: UTF8.self)
}

/// Appends what is not there yet, as far as there is room.
func add<Element: Equatable>(_ element: Element, to list: inout [Element], limit: Int) {
  if list.count < limit, !list.contains(element) { list.append(element) }
}
