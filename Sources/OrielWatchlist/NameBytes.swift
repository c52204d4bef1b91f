// What the bytes of a host name are. Names in certificates and in watch lists are judged by the same few rules.

/// A letter, a digit, `-` or `_`.
@inline(__always) func isLabelByte(_ byte: UInt8) -> Bool {
  (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
}

/// A byte that needs no interpretation: of a label, a full stop, or the `*` of a wildcard.
@inline(__always) func isRegularByte(_ byte: UInt8) -> Bool {
  isLabelByte(byte) || byte == 0x2E || byte == 0x2A
}

/// The same for eight bytes at once. In each byte of the terms below, the highest bit tells.
@inline(__always) private func areRegularBytes(_ word: UInt64) -> Bool {
  @inline(__always) func all(_ byte: UInt64) -> UInt64 { byte &* 0x0101_0101_0101_0101 }
  let folded = word | all(0x20)
  let isLetter = (folded &+ all(0x80 - 0x61)) & ~(folded &+ all(0x80 - 0x7B))
  let isFromHyphenToNine = (word &+ all(0x80 - 0x2D)) & ~(word &+ all(0x80 - 0x3A))
  let isNoSlash = (word ^ all(0x2F)) &+ all(0x7F)
  let isNoUnderscore = (word ^ all(0x5F)) &+ all(0x7F)
  let isNoStar = (word ^ all(0x2A)) &+ all(0x7F)
  let isRegular = isLetter | isFromHyphenToNine & isNoSlash | ~isNoUnderscore | ~isNoStar
  // With a byte beyond ASCII, carries would make the sums of its neighbours wrong.
  return (isRegular & ~word) & all(0x80) == all(0x80)
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

@inline(__always) func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

@inline(__always) func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

extension Span<UInt8> {
  /// Whether every byte is of the regular kind, eight at a time.
  @inline(__always) var isRegular: Bool {
    let count = count
    guard count >= 8 else {
      for index in 0..<count where !isRegularByte(self[index]) { return false }
      return true
    }
    var offset = 0
    while offset &+ 8 <= count {
      guard areRegularBytes(word(at: offset)) else { return false }
      offset &+= 8
    }
    return offset == count || areRegularBytes(word(at: count &- 8))
  }

  @inline(__always) private func word(at offset: Int) -> UInt64 {
    bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// A copy.
  var array: [UInt8] { withUnsafeBufferPointer { Array($0) } }
}
