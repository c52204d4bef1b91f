import CertificateTransparency
import MerkleTree

/// Copies the published tree of a log, and nothing else: no older partial tiles, nothing staged.
package enum LogExport {
  /// - Returns: the head that was copied, and the number of files.
  package static func copy(
    _ identity: LogIdentity, from source: any BlobStore, to target: any BlobStore
  ) async throws -> (head: LogHead, files: Int) {
    guard let note = try await source.get(Blob.checkpoint) else {
      throw LogError.damaged(path: Blob.checkpoint, reason: "missing")
    }
    let head = try identity.head(reading: note)
    var files = 1
    var batch: [Blob] = []
    func copy(_ path: String) async throws {
      guard let bytes = try await source.get(path) else { throw LogError.damaged(path: path, reason: "missing") }
      batch.append(Blob(path, bytes))
      files += 1
      guard batch.count >= 64 else { return }
      try await target.add(batch)
      batch = []
    }
    for path in try await source.list("issuer/").sorted() { try await copy(path) }
    for kind in TileCoordinate.hashLevels.map({ TileCoordinate.Kind.hashes(level: $0) }) + [.data, .names] {
      for tile in TileCoordinate.tiles(kind, treeSize: head.size) { try await copy(tile.path) }
    }
    try await copy(LogListEntry.path)
    try await target.add(batch)
    // Last: who finds it finds all of the tree.
    try await target.put(Blob(Blob.checkpoint, note))
    return (head, files)
  }
}
