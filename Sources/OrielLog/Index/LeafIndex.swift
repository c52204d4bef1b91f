package import MerkleTree

/// Which entry has a leaf hash, for get-proof-by-hash.
///
/// The table has the beginning of each hash and its index: the hash itself is in the tiles, which every answer is
/// checked against. It is made from the tiles, in large lots, and may be lost.
package actor LeafIndex {
  private let table: any EntryTable
  private let tiles: TileReader
  private let lot: Int
  /// What is not in the table yet.
  private var recent: [SHA256Hash: UInt64] = [:]
  /// The number of entries, from the first, that are in the table or in `recent`.
  private var knownSize: UInt64
  private var isWriting = false

  /// - Parameter size: of the log.
  package init(_ table: any EntryTable, storage: any BlobStore, size: UInt64, lot: Int = 65_536) async throws {
    (self.table, self.lot) = (table, lot)
    tiles = TileReader(storage: storage)
    try await table.forget(after: size)
    knownSize = try await table.coveredSize()
  }

  /// The entry with this leaf hash among the first `size`; nil if there is none.
  package func find(_ hash: SHA256Hash, in size: UInt64) async throws -> UInt64? {
    // Writing is left to those for whom nobody waits, unless they are far behind.
    try await catchUp(to: size, lot: 4 * lot, resting: false)
    if let index = recent[hash] { return index }
    for index in try await table.find([hash])[hash] ?? [] {
      guard let tile = TileCoordinate(level: 0, index: index >> 8, treeSize: size),
        Int(index & 255) < tile.width
      else { continue }
      if try await tiles.hashes(tile)[Int(index & 255)] == hash { return index }
    }
    return nil
  }

  /// Reads the hashes of entries up to `size` that it does not have; twice at once does no harm.
  ///
  /// - Parameter resting: whether to leave time to others who use the same disk; nobody waits for this then.
  package func catchUp(to size: UInt64, resting: Bool = false) async throws {
    try await catchUp(to: size, lot: lot, resting: resting)
  }

  private func catchUp(to size: UInt64, lot: Int, resting: Bool) async throws {
    if recent.count >= lot { try await write(resting: resting) }
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
    try await table.insert(written, covering: size, resting: resting)
    for hash in written.keys { recent[hash] = nil }
  }
}
