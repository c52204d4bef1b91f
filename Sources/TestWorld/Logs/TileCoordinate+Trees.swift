import MerkleTree

extension TileCoordinate {
  /// Whether a tree of exactly this size has this very tile; one whose width changes as the tree grows comes and goes.
  func belongs(toTreeOf size: Int) -> Bool {
    guard kind != .names else { return false }
    let (first, count) = (256 * index, UInt64(size) >> UInt64(8 * level))
    return isFull ? first + 256 <= count : first + UInt64(width) == count
  }

  /// All tiles of a tree of `size` leaves, the last of each level partial.
  static func all(_ size: Int) -> [TileCoordinate] {
    let kinds: [Kind] = [.data] + (0...7).map { .hashes(level: $0) }
    return kinds.flatMap { kind in
      let level = if case .hashes(let level) = kind { level } else { 0 }
      let count = size >> (8 * level)
      return stride(from: 0, to: count, by: 256).compactMap {
        TileCoordinate(kind, index: UInt64($0 / 256), width: min(256, count - $0))
      }
    }
  }
}
