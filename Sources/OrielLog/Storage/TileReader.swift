import CertificateTransparency
import MerkleTree

/// Reads tiles of a log.
///
/// Where a tile is missing or damaged it throws ``LogError/damaged(path:reason:)``.
struct TileReader: Sendable {
  let storage: any BlobStore

  /// The hashes of a tile, of which there may be more by now.
  func hashes(_ coordinate: TileCoordinate) async throws -> [SHA256Hash] {
    for candidate in [coordinate, coordinate.full] {
      guard let bytes = try await storage.get(candidate.path) else { continue }
      guard let tile = try? HashTile(bytes.span, width: candidate.width) else {
        throw LogError.damaged(path: candidate.path, reason: "\(bytes.count) bytes for \(candidate.width) hashes")
      }
      return Array(tile.hashes.prefix(coordinate.width))
    }
    throw LogError.damaged(path: coordinate.path, reason: "missing")
  }

  /// The root of the first entries.
  ///
  /// - Parameter present: the size of a tree, no smaller, whose tiles are there; those that only smaller ones had may
  ///   have been deleted.
  func root(size: UInt64, inTreeOf present: UInt64? = nil) async throws -> SHA256Hash {
    var tiles: [TileCoordinate: [SHA256Hash]] = [:]
    for coordinate in TileCoordinate.rightEdge(ofSize: size) {
      let tile = TileCoordinate(level: coordinate.level, index: coordinate.index, treeSize: present ?? size)
      tiles[coordinate] = Array(try await hashes(tile ?? coordinate).prefix(coordinate.width))
    }
    return try Frontier(size: size) { tiles[$0] ?? [] }.root()
  }

  /// The entries of a tile, inflated.
  func content(_ coordinate: TileCoordinate) async throws -> [UInt8] {
    guard let bytes = try await storage.get(coordinate.path) else {
      throw LogError.damaged(path: coordinate.path, reason: "missing")
    }
    do {
      return try Gunzip().inflate(bytes)
    } catch {
      throw LogError.damaged(path: coordinate.path, reason: error.description)
    }
  }
}
