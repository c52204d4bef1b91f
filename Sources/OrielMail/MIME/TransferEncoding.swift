/// Base 64 without line ends (RFC 4648).
func base64(_ bytes: [UInt8]) -> String {
  String(decoding: base64Bytes(bytes[...]), as: UTF8.self)
}

/// Base 64 in lines of 76 characters (RFC 2045, section 6.8).
func base64Lines(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count / 57 * 78 + 80)
  var rest = bytes[...]
  while !rest.isEmpty {
    result.append(contentsOf: base64Bytes(rest.prefix(57)))
    result.append(contentsOf: [0x0D, 0x0A])
    rest = rest.dropFirst(57)
  }
  return result
}

private let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

private func base64Bytes(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  var rest = bytes
  while let first = rest.popFirst() {
    let second = rest.popFirst()
    let third = rest.popFirst()
    let group = UInt32(first) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
    result.append(base64Alphabet[Int(group >> 18)])
    result.append(base64Alphabet[Int(group >> 12 & 63)])
    result.append(second == nil ? UInt8(ascii: "=") : base64Alphabet[Int(group >> 6 & 63)])
    result.append(third == nil ? UInt8(ascii: "=") : base64Alphabet[Int(group & 63)])
  }
  return result
}

private let hexDigits = Array("0123456789ABCDEF".utf8)

func appendHex(_ byte: UInt8, to result: inout [UInt8]) {
  result.append(hexDigits[Int(byte >> 4)])
  result.append(hexDigits[Int(byte & 15)])
}

/// Text as quoted-printable (RFC 2045, section 6.7): line ends of any kind become CRLF, lines have at most 76 characters,
/// and the last line is ended.
func quotedPrintable(_ text: String) -> [UInt8] {
  let bytes = Array(text.utf8)
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count + bytes.count / 8 + 2)
  var column = 0
  var index = 0
  func endsLine(_ index: Int) -> Bool { index >= bytes.count || bytes[index] == 0x0A || bytes[index] == 0x0D }

  while index < bytes.count {
    let byte = bytes[index]
    index += 1
    if byte == 0x0A || byte == 0x0D {
      if byte == 0x0D, index < bytes.count, bytes[index] == 0x0A { index += 1 }
      result.append(contentsOf: [0x0D, 0x0A])
      column = 0
      continue
    }
    let isBlank = byte == 0x20 || byte == 0x09
    let isPlain = isBlank ? !endsLine(index) : byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
    let width = isPlain ? 1 : 3
    // A soft line end takes the 76th place, unless the line ends here anyway.
    if column + width > (endsLine(index) ? 76 : 75) {
      result.append(contentsOf: [UInt8(ascii: "="), 0x0D, 0x0A])
      column = 0
    }
    if isPlain {
      result.append(byte)
    } else {
      result.append(UInt8(ascii: "="))
      appendHex(byte, to: &result)
    }
    column += width
  }
  if column > 0 { result.append(contentsOf: [0x0D, 0x0A]) }
  return result
}
