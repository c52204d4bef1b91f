import CertificateTransparency
import MerkleTree

/// Which submissions are in the log: the latest in memory, the others in a table.
///
/// The table is written in large lots. What a crash keeps from it is read from the log's own tiles again.
struct Deduplicator: Sendable {
  private let table: any EntryTable
  private let storage: any BlobStore
  /// What is not in the table yet.
  private var recent: [SHA256Hash: UInt64] = [:]
  /// The number of entries, from the first, that are in the table or in `recent`.
  private(set) var knownSize: UInt64 = 0

  init(_ table: any EntryTable, storage: any BlobStore) {
    self.table = table
    self.storage = storage
  }

  /// Reads the keys of entries up to `size` that it does not have.
  mutating func catchUp(to size: UInt64, lot: Int) async throws {
    if knownSize == 0 {
      try await table.forget(after: size)
      knownSize = try await table.coveredSize()
    }
    while knownSize < size {
      guard let coordinate = TileCoordinate(data: knownSize >> 8, treeSize: size) else { return }
      let content = try await TileReader(storage: storage).content(coordinate)
      let span = content.span
      for (place, entry) in try DataTile.entries(in: span, count: coordinate.width).enumerated() {
        let index = coordinate.index << 8 + UInt64(place)
        guard index >= knownSize else { continue }
        let key = PendingEntry.key(of: entry.entry, in: span)
        recent[key] = recent[key] ?? index
      }
      knownSize = min(size, (coordinate.index + 1) << 8)
      if recent.count >= lot { forget(try await write(resting: false)) }
    }
  }

  mutating func remember(_ entries: [PendingEntry], _ batch: Batch) {
    guard batch.firstIndex == knownSize else { return }
    for (position, entry) in entries.enumerated() { recent[entry.key] = batch.place(position).index }
    knownSize = batch.edge.size
  }

  /// The places of those of `entries` that are in the log, as its tiles confirm.
  ///
  /// A wrong answer would be an SCT for something that is not in the log: keys alone are not believed.
  func find(_ entries: [PendingEntry]) async throws -> [SHA256Hash: LogPlace] {
    var found: [SHA256Hash: [UInt64]] = [:]
    var unknown: [SHA256Hash] = []
    for entry in entries {
      if let index = recent[entry.key] { found[entry.key] = [index] } else { unknown.append(entry.key) }
    }
    if !unknown.isEmpty { found.merge(try await table.find(unknown)) { first, _ in first } }
    return try await confirm(found)
  }

  private func confirm(_ found: [SHA256Hash: [UInt64]]) async throws -> [SHA256Hash: LogPlace] {
    var confirmed: [SHA256Hash: LogPlace] = [:]
    let candidates = found.flatMap { key, indexes in indexes.map { (key: key, index: $0) } }
    for (number, held) in Dictionary(grouping: candidates.filter { $0.index < knownSize }, by: { $0.index >> 8 }) {
      guard let coordinate = TileCoordinate(data: number, treeSize: knownSize) else { continue }
      let content = try await TileReader(storage: storage).content(coordinate)
      let span = content.span
      let stored = try DataTile.entries(in: span, count: coordinate.width)
      for (key, index) in held {
        let entry = stored[Int(index & 255)]
        guard PendingEntry.key(of: entry.entry, in: span) == key, entry.entry.leafIndex(in: span) == index,
          confirmed[key].map({ index < $0.index }) ?? true
        else { continue }
        confirmed[key] = LogPlace(index: index, timestamp: entry.entry.timestamp)
      }
    }
    return confirmed
  }

  /// Whether so much is held in memory that it should be written.
  func isDue(lot: Int) -> Bool { recent.count >= lot }

  /// Writes what is in memory to the table, and gives what was written, to be forgotten.
  ///
  /// - Parameter resting: whether submissions go on meanwhile.
  func write(resting: Bool) async throws -> [SHA256Hash: UInt64] {
    try await table.insert(recent, covering: knownSize, resting: resting)
    return recent
  }

  mutating func forget(_ written: [SHA256Hash: UInt64]) {
    if written.count == recent.count { return recent = [:] }
    for key in written.keys { recent[key] = nil }
  }
}
