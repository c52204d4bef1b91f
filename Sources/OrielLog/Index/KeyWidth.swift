import MerkleTree

/// How much of a key the records of a ``SortedRuns`` have; after it comes an index, in five bytes.
package enum KeyWidth: Int, Sendable {
  /// The first eight bytes: other keys may have the same.
  case prefix = 8
  case whole = 32

  /// No log has more entries: `leaf_index` has as many bits.
  private static let indexByteCount = 5

  var recordByteCount: Int { rawValue + KeyWidth.indexByteCount }

  /// What a record has of a key, followed by zeros.
  func kept(_ key: SHA256Hash) -> SHA256Hash {
    guard self == .prefix else { return key }
    var kept = SHA256Hash.zero
    kept.words.0 = key.words.0
    return kept
  }

  /// Reads the record at `offset`.
  func record(_ bytes: Span<UInt8>, at offset: Int) -> RunRecord {
    var key = SHA256Hash.zero
    switch self {
    case .whole: key = SHA256Hash(copying: bytes, at: offset)
    case .prefix:
      var word: UInt64 = 0
      for place in 0..<8 { word = word << 8 | UInt64(bytes[offset + place]) }
      key.words.0 = word.bigEndian
    }
    var index: UInt64 = 0
    for place in rawValue..<recordByteCount { index = index << 8 | UInt64(bytes[offset + place]) }
    return RunRecord(key: key, index: index)
  }

  func append(_ record: RunRecord, to bytes: inout [UInt8]) {
    record.key.withUnsafeBytes { bytes.append(contentsOf: $0.prefix(rawValue)) }
    for shift in (0..<KeyWidth.indexByteCount).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: record.index >> (8 * UInt64(shift))))
    }
  }
}

/// A key, or the beginning of one, and an entry that has it.
struct RunRecord: Comparable {
  let key: SHA256Hash
  let index: UInt64

  static func < (one: RunRecord, other: RunRecord) -> Bool {
    one.key == other.key ? one.index < other.index : one.key < other.key
  }
}

extension SHA256Hash {
  /// The first eight bytes, as a number in the order of the hashes.
  var leadingWord: UInt64 { UInt64(bigEndian: words.0) }
}
