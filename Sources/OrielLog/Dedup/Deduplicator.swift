import CertificateTransparency
import MerkleTree

/// Which submissions are in the log: the latest in memory, the others in a table.
///
/// The table is written in large lots, so that each of its pages is written rarely. What a crash keeps from it is read
/// from the log's own tiles again.
struct Deduplicator: Sendable {
  private let table: any DeduplicationTable
  private let storage: any BlobStore
  /// What is not in the table yet.
  private var recent: [SHA256Hash: LogPlace] = [:]
  /// The number of entries, from the first, that are in the table or in `recent`.
  private(set) var knownSize: UInt64 = 0

  init(_ table: any DeduplicationTable, storage: any BlobStore) {
    self.table = table
    self.storage = storage
  }

  /// Reads the keys of entries up to `size` that it does not have.
  mutating func catchUp(to size: UInt64, lot: Int) async throws {
    if knownSize == 0 { knownSize = min(try await table.coveredSize(), size) }
    while knownSize < size {
      guard let coordinate = TileCoordinate(data: knownSize >> 8, treeSize: size) else { return }
      let content = try await TileReader(storage: storage).content(coordinate)
      let span = content.span
      for (place, entry) in try DataTile.entries(in: span, count: coordinate.width).enumerated() {
        let index = coordinate.index << 8 + UInt64(place)
        guard index >= knownSize else { continue }
        let key = PendingEntry.key(of: entry.entry, in: span)
        recent[key] = recent[key] ?? LogPlace(index: index, timestamp: entry.entry.timestamp)
      }
      knownSize = min(size, (coordinate.index + 1) << 8)
      if recent.count >= lot { forget(try await write(resting: false)) }
    }
  }

  mutating func remember(_ entries: [PendingEntry], _ batch: Batch) {
    guard batch.firstIndex == knownSize else { return }
    for (position, entry) in entries.enumerated() { recent[entry.key] = batch.place(position) }
    knownSize = batch.edge.size
  }

  /// The places of those of `entries` that are in the log, as its tiles confirm.
  ///
  /// A wrong answer would be an SCT for something that is not in the log: keys alone are not believed.
  func find(_ entries: [PendingEntry]) async throws -> [SHA256Hash: LogPlace] {
    var found: [SHA256Hash: LogPlace] = [:]
    var unknown: [SHA256Hash] = []
    for entry in entries {
      if let place = recent[entry.key] { found[entry.key] = place } else { unknown.append(entry.key) }
    }
    if !unknown.isEmpty { found.merge(try await table.find(unknown)) { first, _ in first } }
    guard !found.isEmpty else { return [:] }
    return try await confirm(found)
  }

  private func confirm(_ found: [SHA256Hash: LogPlace]) async throws -> [SHA256Hash: LogPlace] {
    var confirmed: [SHA256Hash: LogPlace] = [:]
    let byTile = Dictionary(grouping: found.filter { $0.value.index < knownSize }) { $0.value.index >> 8 }
    for (index, places) in byTile {
      guard let coordinate = TileCoordinate(data: index, treeSize: knownSize) else { continue }
      let content = try await TileReader(storage: storage).content(coordinate)
      let span = content.span
      let stored = try DataTile.entries(in: span, count: coordinate.width)
      for (key, place) in places {
        let entry = stored[Int(place.index & 255)]
        guard PendingEntry.key(of: entry.entry, in: span) == key, entry.entry.timestamp == place.timestamp,
          entry.entry.leafIndex(in: span) == place.index
        else { continue }
        confirmed[key] = place
      }
    }
    return confirmed
  }

  /// Whether so much is held in memory that it should be written.
  func isDue(lot: Int) -> Bool { recent.count >= lot }

  /// Writes what is in memory to the table, and gives what was written, to be forgotten.
  ///
  /// - Parameter resting: whether submissions go on meanwhile.
  func write(resting: Bool) async throws -> [SHA256Hash: LogPlace] {
    try await table.insert(recent, covering: knownSize, resting: resting)
    return recent
  }

  mutating func forget(_ written: [SHA256Hash: LogPlace]) {
    if written.count == recent.count { return recent = [:] }
    for key in written.keys { recent[key] = nil }
  }
}
