import Foundation
import MerkleTree
import TestSupport
import Testing

/// A log that was laid out as files.
private struct TileFolder {
  let folder: String

  /// The hashes of a tile, from the full one where the partial one is not there.
  func hashes(_ tile: TileCoordinate) throws -> [SHA256Hash] {
    for candidate in [tile, tile.full] {
      guard let bytes = try? TestData.bytes("\(folder)/\(candidate.path)") else { continue }
      return Array(try HashTile(bytes.span, width: candidate.width).hashes.prefix(tile.width))
    }
    throw SubtreeStore.Missing()
  }

  func leaves(_ size: UInt64) throws -> [SHA256Hash] {
    try TileCoordinate.tiles(.hashes(level: 0), treeSize: size).flatMap(hashes)
  }

  /// The paths of all tiles.
  var tiles: [TileCoordinate] {
    get throws {
      try TestData.files(in: "\(folder)/tile").filter { !$0.contains("/entries/") }.map { file in
        try #require(TileCoordinate(path: String(file.dropFirst(folder.utf8.count + 1))))
      }
    }
  }

  /// Size and root of a checkpoint: its second and third line.
  static func head(_ file: String) throws -> (size: UInt64, root: SHA256Hash) {
    let lines = try TestData.text(file).split(separator: "\n", omittingEmptySubsequences: false)
    try #require(lines.count > 3)
    return (try #require(UInt64(lines[1])), try SHA256Hash(base64: String(lines[2])))
  }
}

@Suite(.needsTestData) struct PublishedTileTests {
  @Test func `the tiles of a tlog-tiles log hash to the roots of its checkpoints`() throws {
    let log = TileFolder(folder: "static/tlog_tiles/tessera_log")
    for expected in 0...15 as ClosedRange<UInt64> {
      let (size, root) = try TileFolder.head("\(log.folder)/checkpoint.\(expected)")
      #expect(size == expected)
      let frontier = try Frontier(size: size, tile: log.hashes)
      #expect(try frontier.root() == root)
      guard size > 0 else { continue }
      let bytes = try TestData.bytes("\(log.folder)/tile/0/000.p/\(size)")
      #expect(try HashTile(bytes.span, width: Int(size)).root == root)
    }
  }

  @Test(arguments: [1, 2, 255, 256, 257, 512, 1000, 1537, 2342] as [UInt64])
  func `the tiles of a static log hash to the root of each checkpoint`(expected: UInt64) throws {
    let log = TileFolder(folder: "logs/real-entries/log")
    let (size, root) = try TileFolder.head("logs/real-entries/checkpoints/\(expected)")
    #expect(size == expected)
    var fromLeaves = Frontier()
    try fromLeaves.append(leaves: log.leaves(size))
    #expect(try fromLeaves.root() == root)
    #expect(try Frontier(size: size, tile: log.hashes) == fromLeaves)
    for tile in TileCoordinate.tiles(.hashes(level: 1), treeSize: size) {
      let roots = try (0..<UInt64(tile.width)).map { index in
        let below = try #require(TileCoordinate(.hashes(level: 0), index: 256 * tile.index + index))
        let bytes = try log.hashes(below).flatMap(\.bytes)
        return try HashTile(bytes.span, width: 256).root
      }
      #expect(try log.hashes(tile) == roots)
    }
  }

  @Test func `proofs made from the tiles of a static log link its checkpoints`() throws {
    let log = TileFolder(folder: "logs/real-entries/log")
    let heads = try TestData.files(in: "logs/real-entries/checkpoints").map(TileFolder.head).sorted {
      $0.size < $1.size
    }
    try #require(heads.count == 9)
    let leaves = try log.leaves(2342)
    let hashes = SubtreeStore(leaves).hash
    for (index, new) in heads.enumerated() {
      for old in heads[...index] {
        let proof = try ConsistencyProof.make(oldSize: old.size, newSize: new.size, hashes: hashes)
        try proof.verify(oldRoot: old.root, newRoot: new.root)
      }
      let proof = try InclusionProof.make(leafIndex: new.size - 1, treeSize: new.size, hashes: hashes)
      #expect(try proof.frontier(leafHash: leaves[Int(new.size) - 1]).root() == new.root)
    }
  }

  @Test func `every published tile has the path that its place in the tree gives it`() throws {
    for folder in ["logs/real-entries/log", "static/tlog_tiles/tessera_log", "static/tiles/navigli2025h2"] {
      let tiles = try TileFolder(folder: folder).tiles
      try #require(tiles.count >= 9)
      for tile in tiles where tile.kind == .hashes(level: tile.level) {
        let bytes = try TestData.bytes("\(folder)/\(tile.path)")
        #expect(try HashTile(bytes.span, width: tile.width).bytes == bytes)
      }
    }
  }

  struct Entry: Decodable {
    let leaf_index: UInt64
    let leaf_hash: String
  }

  @Test func `the tiles of a real log hold the leaf hashes of its entries and merge into one range`() throws {
    let log = TileFolder(folder: "static/tiles/navigli2025h2")
    var whole = Frontier()
    for index in 0..<3 as Range<UInt64> {
      let hashes = try log.hashes(try #require(TileCoordinate(.hashes(level: 0), index: index)))
      let truth = try JSONDecoder().decode(
        [Entry].self, from: try TestData.data("\(log.folder)/ground_truth_00\(index).json"))
      #expect(truth.map(\.leaf_index) == Array((256 * index)..<(256 * index + 256)))
      #expect(truth.map { Data(base64Encoded: $0.leaf_hash) } == hashes.map { Data($0.bytes) })
      var part = Frontier(start: 256 * index)
      try part.append(leaves: hashes)
      #expect(part.hashes == [ReferenceTree(hashes).root(256)])
      try whole.merge(part)
    }
    #expect(whole.levels == [9, 8])
  }
}
