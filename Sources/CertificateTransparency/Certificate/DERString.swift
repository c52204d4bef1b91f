/// Reads the string types of certificates as text, for people: whatever the bytes are, there is an answer.
package enum DERString {
  /// The text of a string of the given universal tag. Bytes that can't be what the tag says are read as Latin-1.
  package static func text(_ bytes: [UInt8], tag: UInt8) -> String {
    switch tag {
    case DERTag.bmpString where bytes.count % 2 == 0:
      let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
      return String(decoding: units, as: UTF16.self)
    case DERTag.universalString where bytes.count % 4 == 0:
      let units = stride(from: 0, to: bytes.count, by: 4).map { start in
        bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      }
      return String(decoding: units, as: UTF32.self)
    default:
      return String(validating: bytes, as: UTF8.self) ?? latin1(bytes)
    }
  }

  /// Each byte as the character of that number.
  package static func latin1(_ bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }
}

extension Unicode.Scalar {
  /// Whether showing the character as it is could fool a reader or a terminal: controls, line separators, and what turns
  /// the direction of writing.
  package var isDeceptive: Bool {
    switch value {
    case 0...0x1f, 0x7f...0x9f, 0xad, 0x61c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff,
      0xfff9...0xfffb, 0xe0000...0xe0fff:
      true
    default: false
    }
  }
}
