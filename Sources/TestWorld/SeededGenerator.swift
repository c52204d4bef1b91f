package import Crypto

/// SplitMix64: the same numbers for the same seed, on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  package mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count {
      var word = next()
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}

extension P256.Signing.PrivateKey {
  /// The key that belongs to a seed and a label, always the same.
  package init(seed: UInt64, label: String) {
    var counter: UInt64 = 0
    while true {
      let digest = SHA256.hash(data: Array("\(seed)/\(counter)/\(label)".utf8))
      // All but one in 2^32 digests are a key.
      if let key = try? P256.Signing.PrivateKey(rawRepresentation: digest) {
        self = key
        return
      }
      counter += 1
    }
  }
}
