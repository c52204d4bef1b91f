public import MerkleTree

/// An entry of a static CT log: `TileLeaf` of static-ct-api, "Log entries".
public struct StaticCTEntry: WireFormat {
  public let timestampedEntry: TimestampedEntry
  /// The precertificate as submitted; nil unless the entry is one.
  public let precertificate: [UInt8]?
  /// SHA-256 of each certificate of the chain, nearest first.
  public let chainFingerprints: [SHA256Hash]

  public init(timestampedEntry: TimestampedEntry, precertificate: [UInt8]?, chainFingerprints: [SHA256Hash]) {
    self.timestampedEntry = timestampedEntry
    self.precertificate = precertificate
    self.chainFingerprints = chainFingerprints
  }

  /// Copies the parts of an entry that was read in place.
  public init(_ entry: DataTileEntry, in tile: Span<UInt8>) {
    timestampedEntry = TimestampedEntry(entry.entry, in: tile)
    precertificate = entry.precertificate.map { range in tile.copy(range) }
    var fingerprints: [SHA256Hash] = []
    for position in 0..<entry.chainCount { fingerprints.append(entry.chainFingerprint(position, in: tile)) }
    chainFingerprints = fingerprints
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    let entry = try DataTileEntry(in: bytes, at: 0)
    guard entry.end == bytes.count else {
      throw FormatError("TileLeaf", at: entry.end, "\(bytes.count - entry.end) bytes follow the end")
    }
    self.init(entry, in: bytes)
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var bytes: [UInt8] = []
    try encode(into: &bytes)
    return bytes
  }

  /// Appends the binary form to `bytes`, as data tiles are made.
  ///
  /// - Throws: a `FormatError`, with `bytes` as before, if a part is too long, or there is a precertificate and should
  ///   be none, or the other way round.
  public func encode(into bytes: inout [UInt8]) throws(FormatError) {
    try ByteWriter.append("TileLeaf", to: &bytes) { writer throws(FormatError) in
      guard (timestampedEntry.body.kind == .precertificate) == (precertificate != nil) else {
        throw writer.error("a precertificate goes with entries of its type, and only with them")
      }
      try timestampedEntry.write(to: &writer)
      if let precertificate {
        guard !precertificate.isEmpty else { throw writer.error("the precertificate is empty") }
        try writer.vector24(precertificate, "precertificate")
      }
      try writer.vector16(chainFingerprints.flatMap(\.bytes), "certificate chain")
    }
  }

  /// Where a log serves the certificate with this fingerprint, below its monitoring prefix.
  public static func issuerPath(_ fingerprint: SHA256Hash) -> String { "issuer/\(fingerprint.hex)" }
}
