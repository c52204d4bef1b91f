import MerkleTree
import TestWorld
import Testing

@Suite struct TileCoordinateTests {
  @Test(
    arguments: [
      ("tile/0/000", .hashes(level: 0), 0, 256),
      ("tile/0/000.p/1", .hashes(level: 0), 0, 1),
      ("tile/5/999.p/255", .hashes(level: 5), 999, 255),
      ("tile/1/x001/000", .hashes(level: 1), 1000, 256),
      ("tile/0/x001/x234/067", .hashes(level: 0), 1_234_067, 256),
      ("tile/0/x001/x234/067.p/8", .hashes(level: 0), 1_234_067, 8),
      ("tile/data/x001/x234/067.p/8", .data, 1_234_067, 8),
      ("tile/names/x001/002", .names, 1002, 256),
      ("tile/0/x036/x028/x797/x018/x963/967", .hashes(level: 0), 36_028_797_018_963_967, 256),
    ] as [(String, TileCoordinate.Kind, UInt64, Int)])
  func `a tile and its path are the same thing`(path: String, kind: TileCoordinate.Kind, index: UInt64, width: Int) {
    let tile = TileCoordinate(path: path)
    #expect(tile == TileCoordinate(kind, index: index, width: width))
    #expect(tile?.path == path)
    #expect(tile?.full.width == 256)
  }

  @Test(arguments: [
    "", "/", "tile", "tile/", "tile/0", "tile/0/", "tile/0//000", "/tile/0/000", "tile/0/000/", "tiles/0/000",
    "tile/00/000", "tile/01/000", "tile/+0/000", "tile/-0/000", "tile/6/000", "tile/63/000", "tile/-1/000",
    "tile/x/000",
    "tile//000", "tile/Data/000", "tile/entries/000", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/1000",
    "tile/0/+00",
    "tile/0/-01", "tile/0/ 00", "tile/0/00a", "tile/0/x000", "tile/0/x00", "tile/0/x000/000", "tile/0/x000/001",
    "tile/0/001/002", "tile/0/x001/x002", "tile/0/xx001/002", "tile/0/x001/xx02", "tile/0/X001/002", "tile/0/x001/",
    "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/00", "tile/0/000.p/01", "tile/0/000.p/+1",
    "tile/0/000.p/-1", "tile/0/000.p/256", "tile/0/000.p/257", "tile/0/000.p/1/2", "tile/0/000.p/99999999999999999999",
    "tile/0/000.P/1", "tile/0/.p/1", "tile/0/000.p.p/1", "tile/0/x001.p/000", "tile/0/x001.p/1", "tile/0/00\u{663}",
    "tile/0/000\u{301}", "tile/0/000\n", "tile/0/x036/x028/x797/x018/x963/968", "tile/0/x999/x999/x999/x999/x999/999",
    "tile/0/x001/x000/x000/x000/x000/x000/000", "tile/0/99999999999999999999999999",
    "tile/0/" + String(repeating: "x001/", count: 1000) + "000",
  ])
  func `what is not exactly a path is refused`(path: String) {
    #expect(TileCoordinate(path: path) == nil)
  }

  @Test func `every tile reads back from its path`() throws {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<2000 {
      let kinds: [TileCoordinate.Kind] = [.data, .names] + (0...5).map { .hashes(level: $0) }
      let kind = try #require(kinds.randomElement(using: &generator))
      let index = (generator.next() >> 9) >> UInt64.random(in: 0..<55, using: &generator)
      let tile = try #require(TileCoordinate(kind, index: index, width: .random(in: 1...256, using: &generator)))
      #expect(TileCoordinate(path: tile.path) == tile)
    }
  }

  @Test func `levels, indexes and widths beyond what a tree has are refused`() {
    for level in [-1, 6, Int.max, Int.min] {
      #expect(TileCoordinate(.hashes(level: level), index: 0) == nil)
      #expect(TileCoordinate(level: level, index: 0, treeSize: .max) == nil)
    }
    for width in [Int.min, -1, 0, 257, Int.max] { #expect(TileCoordinate(.data, index: 0, width: width) == nil) }
    for index in [1 << 55, UInt64.max] {
      #expect(TileCoordinate(.data, index: index) == nil)
      #expect(TileCoordinate(.names, index: index, treeSize: .max) == nil)
    }
  }

  @Test(
    arguments: [
      (0, [], []), (1, [1], []), (255, [255], []), (256, [256], [1]), (257, [256, 1], [1]), (512, [256, 256], [2]),
      (1000, [256, 256, 256, 232], [3]),
    ] as [(UInt64, [Int], [Int])])
  func `a tree has full tiles and a partial one, never an empty one`(size: UInt64, data: [Int], hashes: [Int]) {
    let tiles = Array(TileCoordinate.tiles(.data, treeSize: size))
    #expect(tiles.map(\.width) == data)
    #expect(tiles.map(\.index) == Array(0..<UInt64(data.count)))
    #expect(TileCoordinate.tiles(.hashes(level: 0), treeSize: size).map(\.width) == data)
    #expect(TileCoordinate.tiles(.hashes(level: 1), treeSize: size).map(\.width) == hashes)
    for index in 0..<6 {
      let place = UInt64(index)
      #expect(TileCoordinate(data: place, treeSize: size)?.width == (index < data.count ? data[index] : nil))
      let above = TileCoordinate(level: 1, index: place, treeSize: size)
      #expect(above?.width == (index < hashes.count ? hashes[index] : nil))
      #expect(TileCoordinate(level: 6, index: place, treeSize: size) == nil)
    }
    #expect(Array(TileCoordinate.tiles(.hashes(level: 6), treeSize: .max)).isEmpty)
  }

  @Test func `the right edge has one partial tile for each level that needs one`() {
    #expect(TileCoordinate.rightEdge(ofSize: 0).isEmpty)
    #expect(TileCoordinate.rightEdge(ofSize: 256).map(\.path) == ["tile/1/000.p/1"])
    #expect(TileCoordinate.rightEdge(ofSize: 65537).map(\.path) == ["tile/0/256.p/1", "tile/2/000.p/1"])
    #expect(
      TileCoordinate.rightEdge(ofSize: 70000).map(\.path) == [
        "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1",
      ])
    #expect(TileCoordinate.rightEdge(ofSize: .max).allSatisfy { !$0.isFull })
  }
}

@Suite struct TileHashTests {
  static let leaves = (0..<66_000).map { SHA256Hash.hash(Array(String($0).utf8)) }
  static let store = SubtreeStore(leaves)

  @Test(arguments: [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792, 66_000])
  func `the right edge gives the frontier of the tree`(size: Int) throws {
    var expected = Frontier()
    try expected.append(leaves: Array(TileHashTests.leaves[..<size]))
    var asked: [TileCoordinate] = []
    let frontier = try Frontier(size: UInt64(size)) { coordinate in
      asked.append(coordinate)
      return try TileHashTests.store.tile(coordinate)
    }
    #expect(frontier == expected)
    #expect(Set(asked) == Set(TileCoordinate.rightEdge(ofSize: UInt64(size))))
    for coordinate in asked {
      let given = frontier.levels.filter { (8 * coordinate.level..<8 * coordinate.level + 8).contains($0) }
      #expect(given.count == coordinate.width.nonzeroBitCount)
    }
  }

  @Test func `a tile of the wrong width, none at all, and too large a tree are refused`() throws {
    #expect(throws: TreeError.wrongCount(expected: 1, found: 256)) {
      try Frontier(size: 300) { try TileHashTests.store.tile($0.full) }
    }
    #expect(throws: TreeError.wrongCount(expected: 44, found: 0)) {
      try Frontier(size: 300) { $0.level == 0 ? [] : [.zero] }
    }
    #expect(throws: SubtreeStore.Missing.self) { try Frontier(size: 1 << 30, tile: TileHashTests.store.tile) }
    for size in [1 << 48, 1 << 63, UInt64.max] {
      #expect(throws: TreeError.tooLarge(size)) {
        try Frontier(size: size) { Array(repeating: .zero, count: $0.width) }
      }
    }
    let largest = try Frontier(size: (1 << 48) - 1) { Array(repeating: .zero, count: $0.width) }
    #expect(largest.end == (1 << 48) - 1)
  }

  @Test func `a full tile hashes to its entry in the tile above`() throws {
    let above = try TileHashTests.tile(level: 1, index: 0, width: 256)
    for index in [0, 1, 17, 255] {
      let tile = try TileHashTests.tile(level: 0, index: UInt64(index), width: 256)
      #expect(above[index] == tile.root)
    }
    #expect(try TileHashTests.tile(level: 2, index: 0, width: 1)[0] == above.root)
  }

  @Test func `a tile gives its hashes, and the root over any run of them`() throws {
    let tile = try TileHashTests.tile(level: 0, index: 3, width: 200)
    let tree = ReferenceTree(Array(TileHashTests.leaves[768..<968]))
    #expect(tile.hashes == tree.leaves)
    #expect(tile.bytes == tree.leaves.flatMap(\.bytes))
    #expect(tile.root == tree.root(200))
    for range in [0..<0, 0..<1, 0..<200, 64..<128, 128..<200, 7..<9] {
      #expect(try tile.root(of: range) == tree.root(range))
    }
    #expect(tile[199] == tree.leaves[199])
    for place in [-1, 200, Int.max, Int.min] { #expect(tile[place] == nil) }
    for range in [0..<201, -1..<3, 300..<400, 0..<Int.max] {
      #expect(throws: TreeError.wrongCount(expected: range.upperBound, found: 200)) { try tile.root(of: range) }
    }
  }

  @Test func `a tile has exactly as many bytes as its width says`() throws {
    let bytes = [UInt8](repeating: 7, count: 8192)
    for (count, width) in [
      (0, 0), (0, 1), (31, 1), (33, 1), (64, 1), (32, 2), (8192, 255), (8191, 256), (32, 0), (32, -1), (0, Int.max),
      (0, Int.min),
    ] {
      let body = Array(bytes[..<count])
      #expect(throws: TreeError.self) { try HashTile(body.span, width: width) }
    }
    #expect(try HashTile(bytes.span, width: 256).width == 256)
  }

  private static func tile(level: Int, index: UInt64, width: Int) throws -> HashTile {
    let coordinate = try #require(TileCoordinate(.hashes(level: level), index: index, width: width))
    let bytes = try store.tile(coordinate).flatMap(\.bytes)
    return try HashTile(bytes.span, width: width)
  }
}
