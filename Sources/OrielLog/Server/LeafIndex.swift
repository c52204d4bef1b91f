package import CertificateTransparency
package import MerkleTree
package import OrielStore

/// Which entry has a leaf hash, for get-proof-by-hash.
///
/// The table has 62 bits of each hash and its index: the hash itself is in the tiles, which every answer is checked
/// against. It is made from the tiles, in large lots, and may be lost.
package actor LeafIndex {
  private let database: any SQLDatabase
  private let tiles: TileReader
  private let log: LogID
  private let table: String
  private let lot: Int
  /// What is not in the table yet.
  private var recent: [SHA256Hash: UInt64] = [:]
  /// The number of entries, from the first, that are in the table or in `recent`.
  private var knownSize: UInt64
  private var isWriting = false

  /// A key that is taken is passed on to the next: so many at most.
  private static let probes: Int64 = 8

  package init(_ database: any SQLDatabase, log: LogID, storage: any BlobStore, lot: Int = 65_536) async throws {
    let table = "log_leaves_" + String(log.hash.hex.prefix(32))
    (self.database, self.log, self.table, self.lot) = (database, log, table, lot)
    tiles = TileReader(storage: storage)
    knownSize = try await database.transaction { connection in
      try connection.execute("CREATE TABLE IF NOT EXISTS \(table) (key INTEGER PRIMARY KEY, place INTEGER NOT NULL)")
      try connection.execute(
        "CREATE TABLE IF NOT EXISTS log_leaf_coverage (log_id BLOB PRIMARY KEY, size INTEGER NOT NULL)")
      let rows = try connection.query("SELECT size FROM log_leaf_coverage WHERE log_id = ?", [.blob(log.bytes)])
      return rows.first?.count(0) ?? 0
    }
  }

  private static func key(_ hash: SHA256Hash) -> Int64 {
    Int64(hash.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 2)
  }

  /// The entry with this leaf hash among the first `size`; nil if there is none.
  package func find(_ hash: SHA256Hash, in size: UInt64) async throws -> UInt64? {
    try await catchUp(to: size)
    if let index = recent[hash] { return index }
    let key = LeafIndex.key(hash)
    let candidates = try await database.transaction { [table] connection in
      try connection.query(
        "SELECT place FROM \(table) WHERE key BETWEEN ? AND ?", [.integer(key), .integer(key + LeafIndex.probes)])
    }
    for index in candidates.compactMap({ $0.count(0) }) {
      guard let tile = TileCoordinate(level: 0, index: index >> 8, treeSize: size),
        Int(index & 255) < tile.width
      else { continue }
      if try await tiles.hashes(tile)[Int(index & 255)] == hash { return index }
    }
    return nil
  }

  /// Reads the hashes of entries up to `size` that it does not have; twice at once does no harm.
  ///
  /// - Parameter resting: whether to leave time to others who use the same file; nobody waits for this then.
  package func catchUp(to size: UInt64, resting: Bool = false) async throws {
    while knownSize < size {
      guard let tile = TileCoordinate(level: 0, index: knownSize >> 8, treeSize: size) else { return }
      for (place, hash) in try await tiles.hashes(tile).enumerated() {
        recent[hash] = tile.index << 8 + UInt64(place)
      }
      knownSize = max(knownSize, min(size, (tile.index + 1) << 8))
      if recent.count >= lot { try await write(resting: resting) }
    }
  }

  private func write(resting: Bool) async throws {
    guard !isWriting else { return }
    isWriting = true
    defer { isWriting = false }
    let (written, size) = (recent, knownSize)
    let rows = written.map { (LeafIndex.key($0.key), $0.value) }.sorted { $0 < $1 }
    // Meanwhile the sequencer looks for duplicates in the same file.
    try await database.writeInLots(rows, resting: resting) { [table] row, connection in
      try LeafIndex.insert(row.1, row.0, table, connection)
    }
    // Last: where this is not reached, the same rows are added again.
    try await database.transaction { [log] connection in
      try connection.execute(
        "INSERT INTO log_leaf_coverage (log_id, size) VALUES (?, ?) ON CONFLICT (log_id) DO UPDATE SET size = ?",
        [.blob(log.bytes), .count(size), .count(size)])
    }
    for hash in written.keys { recent[hash] = nil }
  }

  private static func insert(
    _ index: UInt64, _ key: Int64, _ table: String, _ connection: any SQLConnection
  ) throws {
    for probe in 0...probes {
      let row: [SQLValue] = [.integer(key + probe), .count(index)]
      let made = try connection.query(
        "INSERT INTO \(table) (key, place) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING key", row)
      if !made.isEmpty { return }
      let taken = try connection.query("SELECT 1 FROM \(table) WHERE key = ? AND place = ?", row)
      if !taken.isEmpty { return }
    }
  }
}
