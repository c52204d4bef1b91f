import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore

/// The hash tiles of a static-ct log, each checked against a signed root before it is believed.
///
/// The tiles at the right edge of a tree give its root; every full tile is then fixed by an entry of the tile above it.
/// So a batch of entries can be verified the moment it arrives, without the entries before it.
actor RightEdge {
  let head: HeadRecord
  private let client: StaticCTClient
  private var proved: [TileCoordinate: [SHA256Hash]] = [:]
  private var edge: Frontier?

  init(head: HeadRecord, client: StaticCTClient) {
    self.head = head
    self.client = client
  }

  /// The frontier of the whole tree; its root equals the head's.
  func frontier() async throws -> Frontier {
    if let edge { return edge }
    var tiles: [TileCoordinate: [SHA256Hash]] = [:]
    for coordinate in TileCoordinate.rightEdge(ofSize: head.treeSize) {
      tiles[coordinate] = try await hashes(coordinate)
    }
    let fetched = tiles
    let frontier = try Frontier(size: head.treeSize) { coordinate in fetched[coordinate] ?? [] }
    guard try frontier.root() == head.root else {
      let material = tiles.map { (name: $0.key.path, bytes: $0.value.flatMap(\.bytes)) }
      throw LogFault(
        .rootMismatch, "the tiles at the right edge of size \(head.treeSize) do not hash to its root",
        [(name: "head", bytes: head.signed)] + material)
    }
    proved.merge(tiles) { $1 }
    edge = frontier
    return frontier
  }

  /// The hash of a full tile one level below `level`, by its index; proved.
  func hash(level: Int, index: UInt64) async throws -> SHA256Hash {
    let tile = try await tile(level: level, index: index / 256)
    let place = Int(index % 256)
    guard place < tile.count else {
      throw FormatError("tile", at: place, "the tree of size \(head.treeSize) has no such hash")
    }
    return tile[place]
  }

  /// The hashes of a tile, proved.
  func tile(level: Int, index: UInt64) async throws -> [SHA256Hash] {
    _ = try await frontier()
    guard let coordinate = TileCoordinate(level: level, index: index, treeSize: head.treeSize) else {
      throw FormatError("tile", at: 0, "the tree of size \(head.treeSize) has no tile \(index) at level \(level)")
    }
    if let known = proved[coordinate] { return known }
    let hashes = try await hashes(coordinate)
    let expected = try await hash(level: level + 1, index: index)
    var fold = hashes
    guard TreeHasher.root(ofComplete: &fold) == expected else {
      throw LogFault(
        .rootMismatch, "the tile \(coordinate.path) does not hash to what the tile above it says",
        [(name: "head", bytes: head.signed), (name: coordinate.path, bytes: hashes.flatMap(\.bytes))])
    }
    // One tile of a level covers 65,536 entries and more: a few are enough, and memory stays small.
    if proved.count > 64 { proved = proved.filter { !$0.key.isFull } }
    proved[coordinate] = hashes
    return hashes
  }

  private func hashes(_ coordinate: TileCoordinate) async throws -> [SHA256Hash] {
    var body: [UInt8] = []
    _ = try await client.tile(coordinate, into: &body)
    return try HashTile(body.span, width: coordinate.width).hashes
  }
}
