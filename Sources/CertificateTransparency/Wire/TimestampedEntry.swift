public import MerkleTree

/// `TimestampedEntry` of RFC 6962, section 3.4: what was logged, and when.
public struct TimestampedEntry: WireFormat {
  public let timestamp: Timestamp
  public let body: LogEntryBody
  /// `CtExtensions`, opaque to RFC 6962; see ``CTExtensions``.
  public let extensions: [UInt8]

  public init(timestamp: Timestamp, body: LogEntryBody, extensions: [UInt8] = []) {
    self.timestamp = timestamp
    self.body = body
    self.extensions = extensions
  }

  /// Copies the parts of an entry that was read in place.
  public init(_ ranges: EntryRanges, in bytes: Span<UInt8>) {
    timestamp = ranges.timestamp
    body = LogEntryBody(ranges, in: bytes)
    extensions = bytes.copy(ranges.extensions)
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("TimestampedEntry", in: bytes)
    self.init(try EntryRanges(reading: &cursor, bytes), in: bytes)
    try cursor.finish()
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("TimestampedEntry")
    try write(to: &writer)
    return writer.bytes
  }

  package func write(to writer: inout ByteWriter) throws(FormatError) {
    writer.uint64(timestamp.milliseconds)
    try body.write(to: &writer)
    try writer.vector16(extensions, "extensions")
  }
}

/// `MerkleTreeLeaf` of RFC 6962, section 3.4, version 1: the bytes that a log's tree hashes.
///
/// They equal the bytes that the entry's SCT signs; the second byte then means `certificate_timestamp`.
public struct MerkleTreeLeaf: WireFormat {
  public let timestampedEntry: TimestampedEntry

  public init(_ timestampedEntry: TimestampedEntry) { self.timestampedEntry = timestampedEntry }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    timestampedEntry = TimestampedEntry(try EntryRanges(merkleTreeLeafIn: bytes), in: bytes)
  }

  static func readHeader(_ cursor: inout ByteCursor, _ bytes: Span<UInt8>) throws(FormatError) {
    let version = try cursor.uint8(bytes, "version")
    guard version == 0 else { throw cursor.error("version \(version) is unknown, 0 (v1) expected") }
    let type = try cursor.uint8(bytes, "leaf type")
    guard type == 0 else { throw cursor.error("leaf type \(type) is unknown, 0 (timestamped_entry) expected") }
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("MerkleTreeLeaf")
    writer.uint8(0)
    writer.uint8(0)
    try timestampedEntry.write(to: &writer)
    return writer.bytes
  }

  /// The hash of the leaf in its log's tree (RFC 6962, section 2.1).
  ///
  /// - Throws: a `FormatError` if the leaf has no encoding.
  public func leafHash() throws(FormatError) -> SHA256Hash {
    TreeHasher.leafHash(of: try encoded())
  }
}
