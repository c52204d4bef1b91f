import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import Testing

/// The collected static log of real certificates: its list, heads, tiles and the same entries as get-entries objects.
@Suite(.needsTestData) struct RealEntriesLogTests {
  private static let folder = "logs/real-entries"

  private func log() throws -> LogDescription {
    let list = try LogList(json: try TestData.bytes("\(Self.folder)/log_list.json"))
    #expect(list.problems == [])
    return try #require(list.logs.first)
  }

  @Test("its description")
  func description() throws {
    let log = try log()
    #expect(log.origin == "log.example/real-entries-1")
    #expect(log.monitoringURL == "https://log.example/real-entries-1/")
    #expect(log.state == .usable)
    #expect(log.maximumMergeDelay == 60)
    let signer = try LogSigner(pemRepresentation: try TestData.text("\(Self.folder)/log_key.pem"))
    #expect(signer.publicKey == log.key)
  }

  @Test(
    "its checkpoints and tree heads verify, and say the same", arguments: [1, 2, 255, 256, 257, 512, 1000, 1537, 2342])
  func heads(size: UInt64) throws {
    let log = try log()
    let bytes = try TestData.bytes("\(Self.folder)/checkpoints/\(size)")
    let head = try SignedTreeHead(checkpoint: bytes, origin: log.origin, key: log.key)
    #expect(head.treeSize == size)
    let sth = try SignedTreeHead(json: try TestData.bytes("\(Self.folder)/sths/\(size).json"))
    #expect(sth.isSigned(by: log.key))
    #expect(sth == head)
    #expect(try sth.checkpoint(origin: log.origin, logID: log.logID).encoded() == bytes)
  }

  @Test("its data tiles hash to its hash tiles, and come back from their encoding")
  func tiles() throws {
    let prefix = "\(Self.folder)/log/tile/data/"
    let files = TestData.files(in: "\(Self.folder)/log/tile/data")
    #expect(files.count == 16)
    for file in files {
      let name = file.dropFirst(prefix.count)
      let first = 256 * (UInt64(name.prefix(3)) ?? .max)
      let width = name.firstRange(of: ".p/").flatMap { Int(name[$0.upperBound...]) } ?? 256
      let tile = try inflatedIfNeeded(try TestData.bytes(file))
      let hashes = try TestData.bytes("\(Self.folder)/log/tile/0/\(name)")
      #expect(hashes.count == 32 * width)
      var again: [UInt8] = []
      for (position, entry) in try DataTile.entries(in: tile.span, count: width).enumerated() {
        try entry.checkLeafIndex(first + UInt64(position), in: tile.span)
        #expect(entry.entry.leafHash(in: tile.span) == SHA256Hash(copying: hashes.span, at: 32 * position))
        try StaticCTEntry(entry, in: tile.span).encode(into: &again)
      }
      #expect(again == tile)
    }
  }

  private func inflatedIfNeeded(_ bytes: [UInt8]) throws -> [UInt8] {
    try #require(!bytes.starts(with: [0x1f, 0x8b]), "the tile is compressed")
    return bytes
  }

  @Test("its get-entries objects are the same entries")
  func entries() throws {
    let lines = try TestData.text("\(Self.folder)/entries.jsonl").split(separator: "\n")
    #expect(lines.count == 2342)
    var tile: [UInt8] = []
    var inTile: [DataTileEntry] = []
    for (index, line) in lines.enumerated() {
      if index % 256 == 0 {
        let name = String(format: "%03d", index / 256) + (lines.count - index < 256 ? ".p/\(lines.count - index)" : "")
        tile = try TestData.bytes("\(Self.folder)/log/tile/data/\(name)")
        inTile = try DataTile.entries(in: tile.span)
      }
      let entry = try GetEntriesResponse.Entry(json: Array(line.utf8))
      let leaf = try MerkleTreeLeaf(decoding: entry.leafInput)
      #expect(try leaf.encoded() == entry.leafInput)
      let extra = try ExtraData(decoding: entry.extraData, kind: leaf.timestampedEntry.body.kind)
      #expect(try extra.encoded() == entry.extraData)
      let other = StaticCTEntry(inTile[index % 256], in: tile.span)
      #expect(other.timestampedEntry == leaf.timestampedEntry)
      #expect(other.chainFingerprints == extra.chain.map { SHA256Hash.hash($0) })
      if case .precertificate(let precertificate, _) = extra { #expect(other.precertificate == precertificate) }
    }
  }
}
