import CertificateTransparency
package import MerkleTree

extension StaticCTClient {
  /// The hash of a leaf in the tree of `treeSize`, and the proof that it is there, as the log's hash tiles have them;
  /// whether they lead to a signed root is for the caller to check.
  package func inclusionProof(
    index: UInt64, treeSize: UInt64
  ) async throws -> (leafHash: SHA256Hash, proof: InclusionProof) {
    // Asked once for what it needs, and a second time with it.
    var needed: [(level: Int, index: UInt64)] = []
    _ = try InclusionProof.make(leafIndex: index, treeSize: treeSize) { level, index in
      needed.append((level, index))
      return .zero
    }
    var tiles: [TileCoordinate: HashTile] = [:]
    for node in needed + [(0, index)] {
      let tile = try StaticCTClient.tile(of: node, treeSize)
      guard tiles[tile] == nil else { continue }
      var bytes: [UInt8] = []
      try await self.tile(tile, into: &bytes)
      tiles[tile] = try HashTile(bytes.span, width: tile.width)
    }
    let proof = try InclusionProof.make(leafIndex: index, treeSize: treeSize) { level, index in
      try StaticCTClient.hash(of: (level, index), treeSize, in: tiles)
    }
    return (try StaticCTClient.hash(of: (0, index), treeSize, in: tiles), proof)
  }

  /// The tile that has a node of the tree, or what it is the root of.
  private static func tile(of node: (level: Int, index: UInt64), _ treeSize: UInt64) throws -> TileCoordinate {
    let first = node.index << (node.level % 8)
    guard let tile = TileCoordinate(level: node.level / 8, index: first / 256, treeSize: treeSize) else {
      throw FormatError("tree", at: 0, "no tile has node \(node.index) of level \(node.level)")
    }
    return tile
  }

  private static func hash(
    of node: (level: Int, index: UInt64), _ treeSize: UInt64, in tiles: [TileCoordinate: HashTile]
  ) throws -> SHA256Hash {
    let tile = try tile(of: node, treeSize)
    let first = Int((node.index << (node.level % 8)) % 256)
    guard let hashes = tiles[tile] else { throw FormatError(tile.path, at: 0, "the tile was not fetched") }
    return try hashes.root(of: first..<(first + (1 << (node.level % 8))))
  }
}
