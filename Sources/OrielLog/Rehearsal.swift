package import CertificateTransparency
import Foundation
package import MerkleTree

/// The steps of a log one by one, in memory: what fuzzers call.
package enum Rehearsal {
  /// What publishing an entry, alone in its tree, comes to.
  package struct Publication: Sendable {
    package let signatureInput: [UInt8]
    /// Both inflated.
    package let dataTile: [UInt8]
    package let namesTile: [UInt8]
    package let staged: [UInt8]
  }

  /// Takes an entry through all steps of a batch up to the signature, the second path included.
  package static func publish(_ entry: PendingEntry, at time: Timestamp) throws -> Publication {
    let batch = try BatchBuilder.build([entry], on: TreeEdge(), at: time)
    _ = try BatchVerifier(batch: batch, old: TreeEdge(), entries: [entry]).verify()
    func tile(_ kind: TileCoordinate.Kind) throws -> [UInt8] {
      guard let tile = TileCoordinate(kind, index: 0, width: 1), let bytes = batch.tiles[tile] else { return [] }
      return try Gunzip().inflate(bytes)
    }
    return Publication(
      signatureInput: entry.signatureInput(at: batch.place(0)), dataTile: try tile(.data), namesTile: try tile(.names),
      staged: try StagedBundle(baseSize: 0, baseRoot: TreeHasher.emptyRoot, blobs: batch.blobs).encoded())
  }

  /// The chain of a submission's body.
  package static func chain(of body: [UInt8]) throws(Rejection) -> [[UInt8]] { try SubmissionBody.chain(body) }

  /// A tile as it is stored.
  package static func deflate(_ tile: [UInt8]) throws -> [UInt8] { try Gzip().deflate(tile) }

  package static func inflate(_ tile: [UInt8]) throws -> [UInt8] { try Gunzip().inflate(tile) }

  /// The names of a data tile's entries; each is checked as `fsck` does.
  package static func names(
    inTile tile: [UInt8], issuer: (SHA256Hash) -> [UInt8]?
  ) throws(FormatError) -> (names: [UInt8], count: Int) {
    let entries = try DataTile.entries(in: tile.span)
    for entry in entries { try? EntryCheck.check(entry, in: tile.span, issuer: issuer) }
    return (LogCheck.names(entries, in: tile), entries.count)
  }

  /// Reads what was staged, and writes it again.
  package static func staged(_ bytes: [UInt8]) throws(FormatError) -> [UInt8] {
    try StagedBundle(decoding: bytes).encoded()
  }

  /// Reads a checkpoint of a log.
  package static func head(_ note: [UInt8], of identity: LogIdentity) throws -> LogHead {
    try identity.head(reading: note)
  }

  /// Reads `log.json`, and writes it again.
  package static func settings(_ json: [UInt8]) throws -> [UInt8] {
    [UInt8](try LogFolderSettings(json: Data(json)).json)
  }
}
