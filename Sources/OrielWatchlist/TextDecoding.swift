/// The characters that the bytes of a name may mean.
struct TextDecoding {
  let scalars: [Unicode.Scalar]
  /// Whether a better decoding is there too.
  let isDoubtful: Bool

  /// All decodings that are worth trying, by the DER tag of the string type.
  ///
  /// Tags are not to be trusted, other than for the two types with wide characters: the rest are taken for ASCII, and
  /// failing that for UTF-8 and for Latin-1.
  static func all(of bytes: [UInt8], stringTag: UInt8) -> [TextDecoding] {
    if StringTag.isWide(stringTag) {
      let wide = TextDecoding(
        scalars: stringTag == StringTag.bmp ? utf16(bytes) : utf32(bytes), isDoubtful: false)
      return bytes.span.isPrintable ? [wide, latin1(bytes, isDoubtful: false)] : [wide]
    }
    if bytes.allSatisfy({ $0 < 0x80 }) { return [latin1(bytes, isDoubtful: false)] }
    guard let text = String(validating: bytes, as: UTF8.self) else { return [latin1(bytes, isDoubtful: false)] }
    return [
      TextDecoding(scalars: Array(text.unicodeScalars), isDoubtful: false), latin1(bytes, isDoubtful: true),
    ]
  }

  private static func latin1(_ bytes: [UInt8], isDoubtful: Bool) -> TextDecoding {
    TextDecoding(scalars: bytes.map { Unicode.Scalar($0) }, isDoubtful: isDoubtful)
  }

  /// UTF-16, the higher byte first; an odd byte at the end is dropped.
  private static func utf16(_ bytes: [UInt8]) -> [Unicode.Scalar] {
    let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    return Array(String(decoding: units, as: UTF16.self).unicodeScalars)
  }

  /// UTF-32, the highest byte first; odd bytes at the end are dropped.
  private static func utf32(_ bytes: [UInt8]) -> [Unicode.Scalar] {
    stride(from: 0, to: bytes.count - 3, by: 4).map { start in
      Unicode.Scalar(bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) ?? "\u{FFFD}"
    }
  }
}
