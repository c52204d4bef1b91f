extension TileCoordinate {
  /// The hash tiles at the right edge of a tree: together they give its frontier.
  ///
  /// That of level l holds the frontier's hashes of levels 8 l ..< 8 l + 8; where there are none, there is no tile.
  public static func rightEdge(ofSize size: UInt64) -> [TileCoordinate] {
    hashLevels.compactMap { level in
      // Past the last full tile: one of width 0 is none.
      TileCoordinate(level: level, index: size >> UInt64(8 * level + 8), treeSize: size)
    }
  }
}

extension Frontier {
  /// The frontier of a tree from the tiles at its right edge (``TileCoordinate/rightEdge(ofSize:)``).
  ///
  /// - Parameter tile: gives the hashes of a tile, exactly as many as it is wide.
  /// - Throws: ``TreeError/wrongCount(expected:found:)`` if they are not, ``TreeError/tooLarge(_:)`` from 2^48 leaves on
  ///   (static-ct-api has no tiles above level 5), or what `tile` throws.
  public init(size: UInt64, tile: (TileCoordinate) throws -> [SHA256Hash]) throws {
    guard size >> UInt64(8 * TileCoordinate.hashLevels.count) == 0 else { throw TreeError.tooLarge(size) }
    self.init()
    for coordinate in TileCoordinate.rightEdge(ofSize: size).reversed() {
      let hashes = try tile(coordinate)
      guard hashes.count == coordinate.width else {
        throw TreeError.wrongCount(expected: coordinate.width, found: hashes.count)
      }
      for hash in hashes { try append(subtree: hash, level: 8 * coordinate.level) }
    }
  }
}
