import CertificateTransparency
import MerkleTree
import TestWorld

@testable import OrielLog

/// The whole tree as a stranger reads it from the published tiles, hashed anew with the plainest of trees.
struct PublishedTree {
  struct Broken: Error, CustomStringConvertible { let description: String }

  let head: SignedTreeHead
  private(set) var tree = TestTree()
  private(set) var leaves: [[UInt8]] = []

  init(_ blobs: MemoryStore.Blobs, head note: [UInt8]? = nil) throws {
    let identity = Bench.identity
    head = try SignedTreeHead(
      checkpoint: note ?? blobs["checkpoint"] ?? [], origin: identity.origin, key: identity.key.publicKey)
    for coordinate in TileCoordinate.tiles(.data, treeSize: head.treeSize) {
      guard let bytes = blobs[coordinate.path] else { throw Broken(description: "\(coordinate.path) is missing") }
      let content = try Gunzip().inflate(bytes)
      for (place, entry) in try DataTile.entries(in: content.span, count: coordinate.width).enumerated() {
        try entry.checkLeafIndex(coordinate.index << 8 + UInt64(place), in: content.span)
        leaves.append([0, 0] + content[entry.entry.start..<entry.entry.end])
        tree.append(entry.entry.leafHash(in: content.span))
        for position in 0..<entry.chainCount {
          let fingerprint = entry.chainFingerprint(position, in: content.span)
          guard blobs[StaticCTEntry.issuerPath(fingerprint)].map({ SHA256Hash.hash($0) == fingerprint }) == true else {
            throw Broken(description: "issuer \(fingerprint) is missing")
          }
        }
      }
    }
    guard tree.root(tree.size) == head.rootHash else { throw Broken(description: "the entries have another root") }
    for level in TileCoordinate.hashLevels {
      for coordinate in TileCoordinate.tiles(.hashes(level: level), treeSize: head.treeSize) {
        let width = 1 << (8 * level)
        let expected = (0..<coordinate.width).flatMap { place in
          let start = (Int(coordinate.index) * 256 + place) * width
          return tree.hash(start..<(start + width)).bytes
        }
        guard blobs[coordinate.path] == expected else {
          throw Broken(description: "\(coordinate.path) is \(blobs[coordinate.path] == nil ? "missing" : "wrong")")
        }
      }
    }
  }

  /// Checks that what a submitter was promised is there.
  func check(_ promise: Answers.Promise) throws {
    let place = promise.place
    guard place.index < head.treeSize, leaves[Int(place.index)] == promise.entry.signatureInput(at: place) else {
      throw Broken(description: "entry \(place.index) is not what was promised")
    }
  }

  /// Checks that a checkpoint is of this tree, or of its beginning.
  func check(checkpoint note: [UInt8]) throws {
    let identity = Bench.identity
    let past = try SignedTreeHead(checkpoint: note, origin: identity.origin, key: identity.key.publicKey)
    guard past.treeSize <= head.treeSize, tree.root(Int(past.treeSize)) == past.rootHash else {
      throw Broken(description: "a checkpoint of \(past.treeSize) entries is not of this tree")
    }
  }
}
