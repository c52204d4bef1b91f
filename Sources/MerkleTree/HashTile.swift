/// A tile of tree hashes (C2SP tlog-tiles; static-ct-api, "Merkle Tree"): 32 bytes each, nothing between them.
public struct HashTile: Hashable, Sendable {
  public let hashes: [SHA256Hash]

  /// - Throws: ``TreeError/malformed(_:)`` unless `width` is 1...256 and there are exactly so many hashes.
  public init(_ bytes: Span<UInt8>, width: Int) throws(TreeError) {
    guard (1...TileCoordinate.fullWidth).contains(width) else { throw .malformed("no tile has \(width) hashes") }
    guard bytes.count == width * SHA256Hash.byteCount else {
      throw .malformed("a tile of \(width) hashes has \(width * SHA256Hash.byteCount) bytes, not \(bytes.count)")
    }
    hashes = (0..<width).map { SHA256Hash(copying: bytes, at: $0 * SHA256Hash.byteCount) }
  }

  public var width: Int { hashes.count }

  /// The hash at a place in the tile; nil beyond its width.
  public subscript(place: Int) -> SHA256Hash? { hashes.indices.contains(place) ? hashes[place] : nil }

  /// The root over all hashes. That of a full tile is its entry in the tile above: entry n mod 256 of tile n / 256.
  public var root: SHA256Hash {
    var hashes = hashes
    return TreeHasher.root(ofComplete: &hashes)
  }

  /// The root of the tree over the hashes in `range`.
  ///
  /// - Throws: ``TreeError/wrongCount(expected:found:)`` where the tile ends before the range does.
  public func root(of range: Range<Int>) throws(TreeError) -> SHA256Hash {
    guard range.lowerBound >= 0, range.upperBound <= width else {
      throw .wrongCount(expected: range.upperBound, found: width)
    }
    var hashes = Array(hashes[range])
    return TreeHasher.root(ofComplete: &hashes)
  }

  public var bytes: [UInt8] { hashes.flatMap(\.bytes) }
}
