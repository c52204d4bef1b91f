import CertificateTransparency
import MerkleTree

/// What holds of every proof, tile and path: sizes and indices are hostile, too.
enum TreeProperties {
  static func check(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    if let path = String(validating: bytes, as: UTF8.self), let tile = TileCoordinate(path: path) {
      try FuzzTarget.require(tile.path == path, "a tile at \(path) has the path \(tile.path)")
    }
    if let frontier = try? Frontier(encoded: bytes) {
      try FuzzTarget.require(frontier.encoded == bytes, "a frontier does not encode to what it was")
      _ = try? frontier.root()
    }
    guard bytes.count >= 17 else { return }
    let (first, second) = (number(bytes, at: 0), number(bytes, at: 8))
    let hashes = stride(from: 17, to: bytes.count - 31, by: 32).compactMap { SHA256Hash(bytes[$0..<($0 + 32)]) }
    let (one, other) = (hashes.first ?? .zero, hashes.last ?? .zero)
    switch bytes[16] % 4 {
    case 0:
      let proof = InclusionProof(leafIndex: first, treeSize: second, hashes: hashes)
      if let root = try? proof.root(leafHash: one) {
        guard let frontier = try? proof.frontier(leafHash: one) else { return }
        try FuzzTarget.require((try? frontier.root()) == root, "a proof's frontier has another root")
      }
    case 1:
      try? ConsistencyProof(oldSize: first, newSize: second, hashes: hashes).verify(oldRoot: one, newRoot: other)
    case 2:
      guard let subtree = try? Subtree(start: first, end: second) else { return }
      try? SubtreeProof(subtree: subtree, treeSize: second, hashes: hashes).verify(subtreeHash: one, root: other)
    default:
      if var frontier = try? Frontier(size: first, hashes: hashes) { try? frontier.merge(Frontier(start: second)) }
      _ = try? HashTile(bytes.span.extracting(17...), width: Int(second % 300)).root(of: 0..<Int(first % 300))
    }
  }

  private static func number(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    bytes[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
