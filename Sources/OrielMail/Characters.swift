extension UInt8 {
  var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }

  /// `atext` of RFC 5322, section 3.2.3.
  var isAtomText: Bool { isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(self) }

  /// A character of a MIME token (RFC 2045, section 5.1).
  var isTokenText: Bool { self > 0x20 && self < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains(self) }
}

extension Unicode.Scalar {
  /// Controls, line and paragraph separators, and the marks that turn the direction of the text after them.
  var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

extension StringProtocol {
  /// The text with a space for each control character: fit for a header, a log line or a page.
  var withoutControls: String {
    guard unicodeScalars.contains(where: \.isControl) else { return String(self) }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: unicodeScalars.lazy.map { $0.isControl ? " " : $0 })
    return String(result)
  }

  var trimmingSpaces: SubSequence {
    let start = drop { $0 == " " }
    return start.lastIndex { $0 != " " }.map { start[...$0] } ?? start.prefix(0)
  }
}
