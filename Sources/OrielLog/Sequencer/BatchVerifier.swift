import CertificateTransparency
import MerkleTree

/// Why a batch must not be signed: what was computed and what was read back are not the same.
struct BatchMismatch: Error, CustomStringConvertible {
  let description: String
}

/// Reads a batch back from the bytes that will be published, and works everything out again on another path.
///
/// A bit that flipped in memory ended logs: in a leaf between hash and disk, in a TBSCertificate beside its
/// precertificate. Here it fails one pool.
struct BatchVerifier {
  let batch: Batch
  let old: TreeEdge
  let entries: [PendingEntry]

  /// - Returns: the frontier of the tree with the batch.
  func verify() throws -> Frontier {
    let leaves = try readEntries()
    guard leaves.count == entries.count else {
      throw BatchMismatch(description: "\(leaves.count) entries are in the tiles, \(entries.count) were submitted")
    }
    var frontier = old.frontier
    try frontier.append(leaves: leaves)
    guard frontier.end == batch.edge.size, try frontier.root() == batch.root else {
      throw BatchMismatch(description: "the leaves read back lead to another root than the tiles")
    }
    try checkHashTiles()
    return frontier
  }

  private func tile(_ kind: TileCoordinate.Kind, _ index: UInt64) -> (TileCoordinate, [UInt8])? {
    guard let coordinate = TileCoordinate(kind, index: index, treeSize: batch.edge.size) else { return nil }
    return batch.tiles[coordinate].map { (coordinate, $0) }
  }

  /// The leaf hashes of the batch's own entries; those of entries before it are compared with the edge.
  private func readEntries() throws -> [SHA256Hash] {
    let gunzip = try Gunzip()
    var leaves: [SHA256Hash] = []
    guard batch.edge.size > old.size else { return [] }
    for index in (old.size >> 8)...((batch.edge.size - 1) >> 8) {
      guard let (coordinate, bytes) = tile(.data, index), let (_, hashes) = tile(.hashes(level: 0), index) else {
        throw BatchMismatch(description: "data tile \(index) or its hashes are missing")
      }
      let content = try gunzip.inflate(bytes)
      let level0 = try HashTile(hashes.span, width: coordinate.width)
      let span = content.span
      let found = try DataTile.entries(in: span, count: coordinate.width)
      for (place, entry) in found.enumerated() {
        let number = index << 8 + UInt64(place)
        try entry.checkLeafIndex(number, in: span)
        let hash = entry.entry.leafHash(in: span)
        guard hash == level0[place] else {
          throw BatchMismatch(description: "entry \(number) in \(coordinate.path) has not the hash in its tile")
        }
        if number < old.size {
          guard old.hashes[0].indices.contains(place), old.hashes[0][place] == hash else {
            throw BatchMismatch(description: "entry \(number), published before, would change")
          }
        } else {
          try check(entry, number, in: span)
          leaves.append(hash)
        }
      }
    }
    return leaves
  }

  private func check(_ entry: DataTileEntry, _ number: UInt64, in tile: Span<UInt8>) throws {
    let position = Int(number - old.size)
    guard entries.indices.contains(position) else {
      throw BatchMismatch(description: "entry \(number) was never submitted")
    }
    let pending = entries[position]
    guard entry.entry.timestamp == batch.timestamp, PendingEntry.key(of: entry.entry, in: tile) == pending.key else {
      throw BatchMismatch(description: "entry \(number) is not what was submitted")
    }
    guard entry.chainCount == pending.issuers.count,
      pending.issuers.indices.allSatisfy({
        entry.chainFingerprint($0, in: tile) == pending.issuers[$0].fingerprint
      })
    else { throw BatchMismatch(description: "entry \(number) has another chain than was submitted") }
    try EntryCheck.check(entry, in: tile) { fingerprint in
      pending.issuers.first { $0.fingerprint == fingerprint }?.der
    }
  }

  private func checkHashTiles() throws {
    for (coordinate, bytes) in batch.tiles {
      guard case .hashes(let level) = coordinate.kind, coordinate.isFull, level < TileCoordinate.hashLevels.upperBound
      else { continue }
      guard let (above, hashes) = tile(.hashes(level: level + 1), coordinate.index >> 8),
        try HashTile(hashes.span, width: above.width)[Int(coordinate.index & 255)]
          == HashTile(bytes.span, width: coordinate.width).root
      else { throw BatchMismatch(description: "\(coordinate.path) is not what the tile above it says") }
    }
    guard try batch.edge.rootOfTiles() == batch.root else {
      throw BatchMismatch(description: "the tiles lead to another root when they are read again")
    }
    for (level, hashes) in batch.edge.hashes.enumerated() where !hashes.isEmpty && hashes != old.hashes[level] {
      guard let (_, bytes) = tile(.hashes(level: level), batch.edge.size >> UInt64(8 * level + 8)),
        bytes == hashes.flatMap(\.bytes)
      else { throw BatchMismatch(description: "the last tile of level \(level) is not the edge of the tree") }
    }
  }
}

/// What must hold of any entry of a log, on its own.
enum EntryCheck {
  /// Checks that a precertificate entry is what follows from the precertificate that is stored beside it.
  ///
  /// - Parameter issuer: gives the certificate with a fingerprint.
  static func check(
    _ entry: DataTileEntry, in tile: Span<UInt8>, issuer: (SHA256Hash) throws -> [UInt8]?
  ) throws {
    guard let range = entry.precertificate, let keyHash = entry.entry.issuerKeyHash else { return }
    let precertificate = tile.copy(range)
    guard entry.chainCount > 0, let first = try issuer(entry.chainFingerprint(0, in: tile)) else {
      throw BatchMismatch(description: "the issuer of the precertificate is missing")
    }
    var (signing, final): ([UInt8]?, [UInt8]) = (nil, first)
    if TBSCertificate.isPrecertificateSigningCertificate(first) {
      guard entry.chainCount > 1, let second = try issuer(entry.chainFingerprint(1, in: tile)) else {
        throw BatchMismatch(description: "the issuer of the precertificate signing certificate is missing")
      }
      (signing, final) = (first, second)
    }
    let tbs = try TBSCertificate.withoutPoison(precertificate: precertificate, signingCertificate: signing)
    guard tile.equals(entry.entry.certificate, tbs) else {
      throw BatchMismatch(description: "the TBSCertificate is not that of the precertificate beside it")
    }
    let certificate = final.span
    guard let fields = CertificateFields(certificate: 0..<certificate.count, in: certificate),
      tile.equals(keyHash, SHA256Hash.hash(certificate.extracting(fields.publicKeyInfo)).bytes)
    else { throw BatchMismatch(description: "the issuer's key hash is not that of the issuer's certificate") }
  }
}
