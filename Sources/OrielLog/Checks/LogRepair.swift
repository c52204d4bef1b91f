import CertificateTransparency
import MerkleTree
import Synchronization

/// Replaces damaged files of a log by those of a mirror, once they were found to be right.
package struct LogRepair {
  package struct Outcome: Sendable {
    package var repaired: [String] = []
    /// What is wrong still.
    package var remaining: [Finding] = []
  }

  private let identity: LogIdentity
  private let storage: any BlobStore
  private let fetch: (String) async throws -> [UInt8]?

  /// Findings may hide others, a tile those of the tiles below it: so often it is looked again.
  private static let rounds = 8

  /// - Parameter fetch: gives the mirror's file at a path of the log; nil if it has none.
  package init(
    _ identity: LogIdentity, storage: any BlobStore, fetch: @escaping (String) async throws -> [UInt8]?
  ) {
    self.identity = identity
    self.storage = storage
    self.fetch = fetch
  }

  /// - Parameter locked: the checkpoint in the lock, where it is at hand; it stands in for a damaged one.
  package func run(locked: [UInt8]?) async throws -> Outcome {
    let draft = DraftStore(over: storage)
    var outcome = Outcome(remaining: try await check(draft, locked, nil))
    var tried: Set<String> = []
    for _ in 0..<LogRepair.rounds {
      var damaged = Set(outcome.remaining.map(\.path)).subtracting(tried)
      guard !damaged.isEmpty else { break }
      // Without its issuer, an entry may look damaged that is not.
      let issuers = damaged.filter { $0.hasPrefix("issuer/") }
      if !issuers.isEmpty { damaged = issuers }
      tried.formUnion(damaged)
      // Tiles of entries before those of their names, which follow from them.
      for path in damaged.sorted() {
        if let bytes = try await replacement(path, draft, locked) { try await draft.put(Blob(path, bytes)) }
      }
      let tiles = Set(outcome.remaining.compactMap(LogRepair.dataTile))
      outcome.remaining = try await check(draft, locked, tiles)
    }
    let wrong = Set(outcome.remaining.map(\.path))
    for blob in draft.changes where !wrong.contains(blob.path) {
      // Damaged, it may name a larger tree than there is.
      if blob.path == Blob.checkpoint { try await storage.delete([blob.path]) }
      try await storage.put(blob)
      outcome.repaired.append(blob.path)
    }
    return outcome
  }

  private func check(_ storage: any BlobStore, _ locked: [UInt8]?, _ tiles: Set<UInt64>?) async throws -> [Finding] {
    let findings = Mutex<[Finding]>([])
    var check = LogCheck(identity, storage: storage) { finding in findings.withLock { $0.append(finding) } }
    try await check.run(locked: locked, entriesOf: tiles)
    return findings.withLock { $0 }
  }

  /// The data tile that has to be looked at again.
  private static func dataTile(_ finding: Finding) -> UInt64? {
    if let entry = finding.entry { return entry >> 8 }
    return TileCoordinate(path: finding.path).flatMap { $0.level == 0 ? $0.index : nil }
  }

  private func replacement(_ path: String, _ draft: DraftStore, _ locked: [UInt8]?) async throws -> [UInt8]? {
    if path == Blob.checkpoint { return try await checkpoint(locked) }
    let tile = TileCoordinate(path: path)
    // All of it follows from the entries, and mirrors need not have it.
    if let tile, tile.kind == .names { return try await names(tile, draft) }
    guard let bytes = try await fetch(path) else { return nil }
    if let tile { return tile.kind == .data && !bytes.starts(with: [0x1f, 0x8b]) ? try Gzip().deflate(bytes) : bytes }
    return StaticCTEntry.issuerPath(SHA256Hash.hash(bytes)) == path ? bytes : nil
  }

  /// The checkpoint in the lock; nil where the log has signed one of a larger tree, which no repair takes back.
  private func checkpoint(_ locked: [UInt8]?) async throws -> [UInt8]? {
    guard let locked, let present = try await storage.get(Blob.checkpoint) else { return locked }
    guard let head = try? identity.head(reading: present) else { return locked }
    return try head.size <= identity.head(reading: locked).size ? locked : nil
  }

  private func names(_ tile: TileCoordinate, _ draft: DraftStore) async throws -> [UInt8]? {
    guard let data = TileCoordinate(.data, index: tile.index, width: tile.width),
      let content = try? await TileReader(storage: draft).content(data),
      let entries = try? DataTile.entries(in: content.span, count: data.width)
    else { return nil }
    return try Gzip().deflate(LogCheck.names(entries, in: content))
  }
}

/// A store with changes that were not made yet.
private final class DraftStore: BlobStore {
  private let base: any BlobStore
  private let drafts = Mutex<[String: [UInt8]]>([:])

  init(over base: any BlobStore) { self.base = base }

  var changes: [Blob] { drafts.withLock { $0.map { Blob($0.key, $0.value) } }.sorted { $0.path < $1.path } }

  func get(_ path: String) async throws -> [UInt8]? {
    if let draft = drafts.withLock({ $0[path] }) { return draft }
    return try await base.get(path)
  }

  func put(_ blob: Blob) async throws { drafts.withLock { $0[blob.path] = blob.bytes } }

  func add(_ blobs: [Blob]) async throws { for blob in blobs { try await put(blob) } }

  func delete(_ paths: [String]) async throws { drafts.withLock { drafts in for path in paths { drafts[path] = nil } } }

  func list(_ folder: String) async throws -> [String] { try await base.list(folder) }
}
