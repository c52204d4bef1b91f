/// What a key of a ``KeyTable`` is made of, so that hashes of one kind are not taken for those of another.
enum KeyKind: UInt64 {
  /// The shape of any brand.
  case brand = 0x2FFD_72DB_D01A_DFB7
  /// The shape of a brand, sought in the registrable label.
  case whole = 0x452821E6_38D01377
  /// The shape of a brand that is distinct enough to be sought in every label and its parts.
  case anywhere = 0xBE5466CF_34E90C6C
  /// The shape of a brand and its first suffix label.
  case pair = 0xC0AC29B7_C97C50DD
  /// The letters of a brand, whole or with one left out.
  case typo = 0x3F84D5B5_B5470917
  /// The bytes of a name that is its owner's.
  case own = 0x9216D5D9_8979FB1B

  @inline(__always)
  func key(_ hash: UInt64, _ second: UInt64 = 0) -> UInt64 {
    let first = (hash ^ rawValue).multipliedFullWidth(by: 0xD131_0BA6_98DF_B5AC)
    let both = (first.high ^ first.low ^ second).multipliedFullWidth(by: 0x2FFD_72DB_D01A_DFB7)
    return both.high ^ both.low
  }

  /// The key of a hash that is one of many to be asked about.
  @inline(__always)
  func quickKey(_ hash: UInt64) -> UInt64 {
    let product = (hash ^ rawValue).multipliedFullWidth(by: 0xD131_0BA6_98DF_B5AC)
    return product.high ^ product.low
  }
}

/// Numbers by hashed key. Most keys that are asked for are not in it, and that takes one read of memory to see.
struct KeyTable: Sendable {
  /// A Bloom filter whose bits for one key, three, are in one word: about one word per key.
  private let words: [UInt64]
  private let shift: UInt64
  /// Upper half of the key, then the number; sorted.
  private let entries: [UInt64]

  private static let upperHalf: UInt64 = 0xFFFF_FFFF_0000_0000

  init(_ pairs: [(key: UInt64, number: UInt32)]) {
    let bits = max(1, Int.bitWidth - (pairs.count * 3 / 4).leadingZeroBitCount)
    var words = [UInt64](repeating: 0, count: 1 << bits)
    let shift = UInt64(64 - bits)
    for (key, _) in pairs { words[Int(truncatingIfNeeded: key >> shift)] |= KeyTable.mask(key) }
    self.words = words
    self.shift = shift
    entries = pairs.map { $0.key & KeyTable.upperHalf | UInt64($0.number) }.sorted()
  }

  @inline(__always)
  private static func mask(_ key: UInt64) -> UInt64 {
    1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63)
  }

  /// Whether there may be numbers for the key; false only if there are none.
  @inline(__always)
  private func mayContain(_ key: UInt64) -> Bool {
    let mask = KeyTable.mask(key)
    return words[Int(truncatingIfNeeded: key >> shift)] & mask == mask
  }

  /// The same as 0 or 1, without a branch: so many reads of memory are under way at once.
  @inline(__always)
  func mayContainBit(_ key: UInt64) -> UInt64 {
    let missing = ~words[Int(truncatingIfNeeded: key >> shift)] & KeyTable.mask(key)
    return missing == 0 ? 1 : 0
  }

  /// Whether there are numbers for the key, which is rarely wrong, and then says yes.
  @inline(__always)
  func contains(_ key: UInt64) -> Bool { mayContain(key) && isFound(key) }

  @inline(never)
  private func isFound(_ key: UInt64) -> Bool { !numbers(for: key).isEmpty }

  /// The numbers for the key, and rarely others.
  func numbers(for key: UInt64) -> some Collection<Int> {
    let start = mayContain(key) ? firstEntry(notBelow: key & KeyTable.upperHalf) : entries.count
    var end = start
    while end < entries.count, entries[end] & KeyTable.upperHalf == key & KeyTable.upperHalf { end += 1 }
    return entries[start..<end].lazy.map { Int($0 & ~KeyTable.upperHalf) }
  }

  private func firstEntry(notBelow value: UInt64) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
