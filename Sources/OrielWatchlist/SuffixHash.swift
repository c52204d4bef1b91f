/// The hash of a suffix of a name, made label by label from the right and blind to case.
///
/// Its low bits are zero, free for ``SuffixTrie/Flag``.
struct SuffixHash: Equatable {
  /// That of the empty suffix is the first of these constants, which are digits of π.
  private(set) var value: UInt64 = 0x243F_6A88_85A3_08D3 & ~SuffixTrie.Flag.mask

  /// Takes in the label that ends before `end` and returns where it starts.
  ///
  /// For regular bytes, setting one bit folds the case and keeps all others apart.
  @inline(__always)
  mutating func absorbLabel(of name: Span<UInt8>, endingAt end: Int) -> (start: Int, hasWildcard: Bool) {
    var hash = value
    var start = end
    var word: UInt64 = 0
    var hasWildcard = false
    while start > 0 {
      let byte = name[start &- 1]
      if byte == 0x2E { break }
      start &-= 1
      hasWildcard = hasWildcard || byte == 0x2A
      word = word << 8 | UInt64(byte | 0x20)
      if word >> 56 != 0 {
        hash = SuffixHash.mixed(hash ^ word, 0x1319_8A2E_0370_7345)
        word = 0
      }
    }
    value = SuffixHash.mixed(hash ^ word, 0xA409_3822_299F_31D1) & ~SuffixTrie.Flag.mask
    return (start, hasWildcard)
  }

  /// Takes in a label that stands alone.
  @inline(__always)
  mutating func absorb(_ label: Span<UInt8>) {
    _ = absorbLabel(of: label, endingAt: label.count)
  }

  @inline(__always)
  private static func mixed(_ value: UInt64, _ factor: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }
}
