public import MerkleTree

/// Where the parts of a `TileLeaf` (static-ct-api, "Log entries") stand in a data tile: an entry read without a copy.
///
/// Its methods expect the tile that it was read from.
public struct DataTileEntry: Hashable, Sendable {
  public let entry: EntryRanges
  /// The precertificate as submitted; nil unless the entry is one.
  public let precertificate: Range<Int>?
  /// SHA-256 of each certificate of the chain, nearest first: 32 bytes each.
  public let chainFingerprints: Range<Int>
  /// Where the next entry starts, or the tile ends.
  public let end: Int

  /// Reads the entry that starts at `offset`; more may follow it.
  public init(in tile: Span<UInt8>, at offset: Int) throws(FormatError) {
    var cursor = ByteCursor("TileLeaf", in: tile, at: offset)
    entry = try EntryRanges(reading: &cursor, tile)
    precertificate =
      entry.kind == .precertificate ? try cursor.vector24(tile, "precertificate", atLeast: 1) : nil
    chainFingerprints = try cursor.vector16(tile, "certificate chain")
    guard chainFingerprints.count % SHA256Hash.byteCount == 0 else {
      throw cursor.error("\(chainFingerprints.count) bytes of fingerprints, a multiple of 32 expected")
    }
    end = cursor.offset
  }

  /// The number of certificates in the chain.
  public var chainCount: Int { chainFingerprints.count / SHA256Hash.byteCount }

  /// The fingerprint of a certificate of the chain; `position` counts from 0, the issuer.
  public func chainFingerprint(_ position: Int, in tile: Span<UInt8>) -> SHA256Hash {
    SHA256Hash(copying: tile, at: chainFingerprints.lowerBound + position * SHA256Hash.byteCount)
  }

  /// Checks what a static CT log owes its readers: that the entry tells its own index.
  ///
  /// - Throws: a `FormatError` if it tells none, or not `index`.
  public func checkLeafIndex(_ index: UInt64, in tile: Span<UInt8>) throws(FormatError) {
    let found = entry.leafIndex(in: tile)
    guard found == index else {
      let told = found.map { "says that its index is \($0)" } ?? "does not tell its index"
      throw FormatError("TileLeaf", at: entry.extensions.lowerBound - entry.start, "entry \(index) \(told)")
    }
  }
}

/// A data tile (static-ct-api, "Log entries"): up to 256 entries, one after the other.
public enum DataTile {
  /// The number of entries of a full tile.
  public static let maximumCount = 256

  /// Calls `body` with each entry and its place in the tile, which is read to its end.
  ///
  /// - Throws: a `FormatError` whose structure names the entry that can't be read, or what `body` throws.
  public static func forEach(
    in tile: Span<UInt8>, _ body: (Int, DataTileEntry) throws(FormatError) -> Void
  ) throws(FormatError) {
    var offset = 0
    var position = 0
    while offset < tile.count {
      guard position < maximumCount else {
        throw FormatError("data tile", at: offset, "more than \(maximumCount) entries")
      }
      let entry = try DataTileEntry(in: tile, at: offset)
      try body(position, entry)
      offset = entry.end
      position += 1
    }
  }

  /// The entries of a tile, read in place.
  ///
  /// - Parameter count: how many there must be; nil for as many as there are.
  public static func entries(in tile: Span<UInt8>, count: Int? = nil) throws(FormatError) -> [DataTileEntry] {
    var entries: [DataTileEntry] = []
    entries.reserveCapacity(min(count ?? maximumCount, maximumCount))
    try forEach(in: tile) { _, entry throws(FormatError) in entries.append(entry) }
    if let count, entries.count != count {
      throw FormatError("data tile", at: tile.count, "\(entries.count) entries, \(count) expected")
    }
    return entries
  }
}
