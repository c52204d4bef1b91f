import CertificateTransparency
import MerkleTree

/// The right edge of a log's tree: all that it takes to append to it.
struct TreeEdge: Sendable {
  var size: UInt64 = 0
  /// For each level of tiles, the hashes of the tile that is not full yet.
  var hashes: [[SHA256Hash]] = TileCoordinate.hashLevels.map { _ in [] }
  /// The content of the data tile and of the names tile that are not full yet.
  var data: [UInt8] = []
  var names: [UInt8] = []
  /// The same tree kept a second way, from leaf hashes that were read back. It never comes from the fields above.
  var frontier = Frontier()

  /// The root that the tiles lead to.
  func rootOfTiles() throws -> SHA256Hash {
    try Frontier(size: size) { coordinate in hashes[coordinate.level] }.root()
  }
}

/// Entries in tiles, ready to be published.
struct Batch: Sendable {
  let firstIndex: UInt64
  let timestamp: Timestamp
  let root: SHA256Hash
  /// The tiles that are new, with their final bytes.
  let tiles: [TileCoordinate: [UInt8]]
  /// The edge of the tree with the batch; its frontier still is that of the tree before.
  var edge: TreeEdge

  /// In an order that is always the same.
  var blobs: [Blob] {
    tiles.map { Blob($0.key.path, $0.value) }.sorted { $0.path < $1.path }
  }

  func place(_ position: Int) -> LogPlace {
    LogPlace(index: firstIndex + UInt64(position), timestamp: timestamp)
  }
}

/// Lays entries out in tiles.
struct BatchBuilder: ~Copyable {
  /// No index beyond fits into an SCT.
  static let maximumSize: UInt64 = 1 << 40

  private var edge: TreeEdge
  private var tiles: [TileCoordinate: [UInt8]] = [:]
  private var changedLevels: Set<Int> = []
  private let gzip: Gzip

  private init(_ edge: TreeEdge) throws {
    self.edge = edge
    gzip = try Gzip()
  }

  static func build(_ entries: [PendingEntry], on edge: TreeEdge, at timestamp: Timestamp) throws -> Batch {
    guard edge.size <= maximumSize - UInt64(entries.count) else { throw TreeError.tooLarge(edge.size) }
    var builder = try BatchBuilder(edge)
    for entry in entries { try builder.append(entry, at: timestamp) }
    try builder.addPartialTiles()
    return Batch(
      firstIndex: edge.size, timestamp: timestamp, root: try builder.edge.rootOfTiles(), tiles: builder.tiles,
      edge: builder.edge)
  }

  private mutating func append(_ entry: PendingEntry, at timestamp: Timestamp) throws {
    let start = edge.data.count
    entry.appendTimestampedEntry(at: LogPlace(index: edge.size, timestamp: timestamp), to: &edge.data)
    edge.hashes[0].append(TreeHasher.timestampedEntryLeafHash(edge.data.span.extracting(start..<edge.data.count)))
    edge.data += entry.tail
    NamesLine.append(entry.names, at: timestamp, to: &edge.names)
    edge.size += 1
    changedLevels.insert(0)
    guard edge.hashes[0].count == TileCoordinate.fullWidth else { return }
    try addEntryTiles(index: (edge.size - 1) >> 8, width: TileCoordinate.fullWidth)
    edge.data.removeAll(keepingCapacity: true)
    edge.names.removeAll(keepingCapacity: true)
    closeHashTile(level: 0)
  }

  private mutating func closeHashTile(level: Int) {
    let tile = edge.hashes[level]
    addHashTile(level: level, index: (edge.size - 1) >> UInt64(8 * level + 8), tile)
    edge.hashes[level] = []
    guard TileCoordinate.hashLevels.contains(level + 1) else { return }
    var hashes = tile
    edge.hashes[level + 1].append(TreeHasher.root(ofComplete: &hashes))
    changedLevels.insert(level + 1)
    if edge.hashes[level + 1].count == TileCoordinate.fullWidth { closeHashTile(level: level + 1) }
  }

  private mutating func addPartialTiles() throws {
    for level in changedLevels where !edge.hashes[level].isEmpty {
      addHashTile(level: level, index: edge.size >> UInt64(8 * level + 8), edge.hashes[level])
    }
    guard !edge.hashes[0].isEmpty, changedLevels.contains(0) else { return }
    try addEntryTiles(index: edge.size >> 8, width: edge.hashes[0].count)
  }

  private mutating func addHashTile(level: Int, index: UInt64, _ hashes: [SHA256Hash]) {
    guard let tile = TileCoordinate(.hashes(level: level), index: index, width: hashes.count) else { return }
    tiles[tile] = hashes.flatMap(\.bytes)
  }

  private mutating func addEntryTiles(index: UInt64, width: Int) throws {
    guard let data = TileCoordinate(.data, index: index, width: width),
      let names = TileCoordinate(.names, index: index, width: width)
    else { return }
    tiles[data] = try gzip.deflate(edge.data)
    tiles[names] = try gzip.deflate(edge.names)
  }
}
