import MerkleTree

/// A log's promise to publish a certificate: `SignedCertificateTimestamp` of RFC 6962, section 3.2, version 1.
public struct SignedCertificateTimestamp: WireFormat {
  public let logID: LogID
  public let timestamp: Timestamp
  /// `CtExtensions`, opaque to RFC 6962, kept as they are since the signature covers them; see ``CTExtensions``.
  public let extensions: [UInt8]
  public let signature: DigitallySigned

  public init(logID: LogID, timestamp: Timestamp, extensions: [UInt8] = [], signature: DigitallySigned) {
    self.logID = logID
    self.timestamp = timestamp
    self.extensions = extensions
    self.signature = signature
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("SignedCertificateTimestamp", in: bytes)
    let version = try cursor.uint8(bytes, "version")
    guard version == 0 else { throw cursor.error("version \(version) is unknown, 0 (v1) expected") }
    logID = LogID(SHA256Hash(copying: bytes, at: try cursor.take(32, "log id").lowerBound))
    timestamp = Timestamp(milliseconds: try cursor.uint64(bytes, "timestamp"))
    extensions = bytes.copy(try cursor.vector16(bytes, "extensions"))
    signature = try DigitallySigned(reading: &cursor, bytes)
    try cursor.finish()
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("SignedCertificateTimestamp")
    writer.uint8(0)
    writer.raw(logID.bytes)
    writer.uint64(timestamp.milliseconds)
    try writer.vector16(extensions, "extensions")
    try signature.write(to: &writer)
    return writer.bytes
  }

  /// The index of the entry in its log, where the extensions tell it (static-ct-api, "SCT Extension").
  public var leafIndex: UInt64? { try? CTExtensions(decoding: extensions).leafIndex }

  /// The leaf that this SCT promises to `entry`.
  public func leaf(for entry: LogEntryBody) -> MerkleTreeLeaf {
    MerkleTreeLeaf(TimestampedEntry(timestamp: timestamp, body: entry, extensions: extensions))
  }

  /// The bytes that the log signed, if this is the SCT of `entry`.
  ///
  /// - Throws: a `FormatError` if `entry` is too long to be logged.
  public func signatureInput(for entry: LogEntryBody) throws(FormatError) -> [UInt8] {
    // With the signature type for the leaf type (both 0), these are the bytes of the leaf.
    try leaf(for: entry).encoded()
  }
}
