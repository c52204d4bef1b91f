public import MerkleTree

/// Where the parts of a `TimestampedEntry` stand in a larger buffer: the entry, read without a copy.
///
/// Its methods expect the buffer that it was read from.
public struct EntryRanges: Hashable, Sendable {
  /// The first byte of the `TimestampedEntry`.
  public let start: Int
  public let timestamp: Timestamp
  public let kind: LogEntryKind
  /// 32 bytes; nil unless the entry is a precertificate.
  public let issuerKeyHash: Range<Int>?
  /// The certificate or, of a precertificate, its TBSCertificate.
  public let certificate: Range<Int>
  public let extensions: Range<Int>
  /// Where the `TimestampedEntry` ends.
  public let end: Int

  /// Reads the `TimestampedEntry` that starts at `offset`; more may follow it.
  public init(timestampedEntryIn bytes: Span<UInt8>, at offset: Int = 0) throws(FormatError) {
    var cursor = ByteCursor("TimestampedEntry", in: bytes, at: offset)
    try self.init(reading: &cursor, bytes)
  }

  /// Reads the `MerkleTreeLeaf` that fills `range` of `bytes` (by default, all of it).
  public init(merkleTreeLeafIn bytes: Span<UInt8>, _ range: Range<Int>? = nil) throws(FormatError) {
    var cursor = ByteCursor("MerkleTreeLeaf", in: bytes, at: range?.lowerBound ?? 0, end: range?.upperBound)
    try MerkleTreeLeaf.readHeader(&cursor, bytes)
    try self.init(reading: &cursor, bytes)
    try cursor.finish()
  }

  package init(reading cursor: inout ByteCursor, _ bytes: Span<UInt8>) throws(FormatError) {
    start = cursor.offset
    timestamp = Timestamp(milliseconds: try cursor.uint64(bytes, "timestamp"))
    let type = try cursor.uint16(bytes, "entry type")
    guard let kind = LogEntryKind(rawValue: type) else { throw cursor.error("entry type \(type) is unknown") }
    self.kind = kind
    issuerKeyHash = kind == .precertificate ? try cursor.take(32, "issuer key hash") : nil
    certificate = try cursor.vector24(bytes, "certificate", atLeast: 1)
    extensions = try cursor.vector16(bytes, "extensions")
    end = cursor.offset
  }

  /// The hash of the entry's leaf in its log's tree (RFC 6962, section 2.1).
  public func leafHash(in bytes: Span<UInt8>) -> SHA256Hash {
    TreeHasher.timestampedEntryLeafHash(bytes.extracting(start..<end))
  }

  /// The index that the extensions tell; nil if they tell none or are malformed.
  public func leafIndex(in bytes: Span<UInt8>) -> UInt64? {
    guard !extensions.isEmpty else { return nil }
    // All that a static log writes: read without a copy.
    let start = extensions.lowerBound
    if extensions.count == 8, bytes[start] == 0, bytes[start + 1] == 0, bytes[start + 2] == 5 {
      var index: UInt64 = 0
      for offset in (start + 3)..<(start + 8) { index = index << 8 | UInt64(bytes[offset]) }
      return index
    }
    return try? CTExtensions(decoding: bytes.extracting(extensions)).leafIndex
  }
}
