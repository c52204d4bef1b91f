/// Letters as they are taken at a glance: a digit for the letter that it passes for, `rn` for `m`.
enum Glance {
  /// The letter for one byte; of what it gives, it makes the same again.
  @inline(__always) static func letter(_ byte: UInt8) -> UInt8 {
    let digit = byte &- 0x30
    // "ol2eas6t" for 0 to 7, from the lowest byte up; "bg" for 8 and 9.
    if digit < 8 { return UInt8(truncatingIfNeeded: 0x7436_7361_6532_6C6F as UInt64 >> UInt64(digit &* 8)) }
    if digit < 10 { return digit == 8 ? 0x62 : 0x67 }
    return lowercased(byte)
  }

  /// The letter for which two pass (`rn`, `vv`, `cl`); 0 if for none.
  @inline(__always) static func letter(_ first: UInt8, _ second: UInt8) -> UInt8 {
    switch (first, second) {
    case (0x72, 0x6E): 0x6D
    case (0x76, 0x76): 0x77
    case (0x63, 0x6C): 0x64
    default: 0
    }
  }

  /// A label letter by letter, as long as it was.
  static func letters(_ label: [UInt8]) -> [UInt8] { label.map { letter($0) } }

  /// A label with pairs drawn together: what two labels that look the same have in common.
  static func shape(_ label: [UInt8]) -> [UInt8] {
    var shape: [UInt8] = []
    visitShape(label.span) { shape.append($0) }
    return shape
  }

  @inline(__always) fileprivate static func visitShape(_ label: Span<UInt8>, _ visit: (UInt8) -> Void) {
    var index = 0
    while index < label.count {
      let first = letter(label[index])
      let pair = index &+ 1 < label.count ? letter(first, letter(label[index &+ 1])) : 0
      visit(pair == 0 ? first : pair)
      index &+= pair == 0 ? 1 : 2
    }
  }
}

/// Hashes of a label: polynomials of its bytes, so that leaving one out costs a subtraction.
///
/// They only choose what to look at; that labels are alike is found by comparing them.
struct LabelHash {
  /// Of the bytes in lower case.
  let bytes: UInt64
  /// Of ``Glance/letters(_:)``.
  let letters: UInt64
  /// Of ``Glance/shape(_:)``.
  let shape: UInt64

  private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15
  /// `base * inverse` is 1 modulo 2^64.
  private static let inverse: UInt64 = 0xF1DE_83E1_9937_733D

  @inline(__always)
  init(_ label: Span<UInt8>) {
    var (bytes, letters, power) = (0 as UInt64, 0 as UInt64, 1 as UInt64)
    var (last, hasPair) = (0 as UInt8, false)
    for index in 0..<label.count {
      let letter = Glance.letter(label[index])
      bytes &+= UInt64(lowercased(label[index])) &* power
      letters &+= UInt64(letter) &* power
      hasPair = hasPair || Glance.letter(last, letter) != 0
      last = letter
      power &*= LabelHash.base
    }
    self.bytes = bytes
    self.letters = letters
    shape = hasPair ? LabelHash.shapeHash(label) : letters
  }

  init(_ label: [UInt8]) { self.init(label.span) }

  @inline(never)
  private static func shapeHash(_ label: Span<UInt8>) -> UInt64 {
    var (hash, power) = (0 as UInt64, 1 as UInt64)
    Glance.visitShape(label) { letter in
      hash &+= UInt64(letter) &* power
      power &*= base
    }
    return hash
  }

  /// The hashes of the letters with each one left out, until `visit` says that it has seen enough.
  @inline(__always)
  func visitDeletions(of label: Span<UInt8>, _ visit: (UInt64) -> Bool) -> Bool {
    var (before, power, last) = (0 as UInt64, 1 as UInt64, 0 as UInt8)
    for index in 0..<label.count {
      let letter = Glance.letter(label[index])
      let through = before &+ UInt64(letter) &* power
      // Of two equal letters in a row, leaving out either is the same.
      if letter != last, visit(before &+ (letters &- through) &* LabelHash.inverse) { return true }
      (before, last) = (through, letter)
      power &*= LabelHash.base
    }
    return false
  }
}
