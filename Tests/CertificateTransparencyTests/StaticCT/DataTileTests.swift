import CertificateTransparency
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite struct DataTileTests {
  @Test("random entries come back from a tile, each with its place")
  func random() throws {
    var generator = SeededGenerator(seed: 8)
    for _ in 0..<20 {
      var entries: [StaticCTEntry] = []
      var tile: [UInt8] = []
      for _ in 0..<Int.random(in: 0..<6, using: &generator) {
        let timestamped = try generator.entry()
        let entry = StaticCTEntry(
          timestampedEntry: timestamped,
          precertificate: timestamped.body.kind == .precertificate ? generator.bytes(1..<90) : nil,
          chainFingerprints: (0..<Int.random(in: 0..<4, using: &generator)).map { _ in generator.hash() })
        try expectExact(entry)
        try entry.encode(into: &tile)
        entries.append(entry)
      }
      let read = try DataTile.entries(in: tile.span, count: entries.count)
      #expect(read.map { StaticCTEntry($0, in: tile.span) } == entries)
      #expect(throws: FormatError.self) { try DataTile.entries(in: tile.span, count: entries.count + 1) }
    }
  }

  @Test("a tile holds no more than 256 entries")
  func bound() throws {
    let timestamped = TimestampedEntry(timestamp: Timestamp(milliseconds: 1), body: .x509(certificate: [1]))
    let entry = try StaticCTEntry(timestampedEntry: timestamped, precertificate: nil, chainFingerprints: []).encoded()
    let full = Array(repeatElement(entry, count: 256).joined())
    #expect(try DataTile.entries(in: full.span).count == 256)
    #expect(throws: FormatError.self) { try DataTile.entries(in: (full + entry).span) }
  }

  @Test("entries that have no encoding leave the tile as it was")
  func unencodable() throws {
    let timestamp = Timestamp(milliseconds: 1)
    let x509 = TimestampedEntry(timestamp: timestamp, body: .x509(certificate: [1]))
    let body = LogEntryBody.precertificate(issuerKeyHash: .zero, tbsCertificate: [1])
    let precertificate = TimestampedEntry(timestamp: timestamp, body: body)
    var tile: [UInt8] = [9]
    for entry in [
      StaticCTEntry(timestampedEntry: x509, precertificate: [1], chainFingerprints: []),
      StaticCTEntry(timestampedEntry: precertificate, precertificate: nil, chainFingerprints: []),
      StaticCTEntry(timestampedEntry: precertificate, precertificate: [], chainFingerprints: []),
      StaticCTEntry(
        timestampedEntry: x509, precertificate: nil, chainFingerprints: Array(repeating: .zero, count: 2048)),
    ] {
      #expect(throws: FormatError.self) { try entry.encode(into: &tile) }
      #expect(tile == [9])
    }
  }

  @Test("fingerprints are whole")
  func fingerprints() {
    let bytes = hexadecimal("000000000000000100000000010100000003aabbcc")
    #expect(throws: FormatError("TileLeaf", at: 21, "3 bytes of fingerprints, a multiple of 32 expected")) {
      try DataTileEntry(in: bytes.span, at: 0)
    }
  }

  @Test("an issuer's path")
  func issuerPath() {
    #expect(StaticCTEntry.issuerPath(.zero) == "issuer/" + String(repeating: "0", count: 64))
  }

  struct TileTruth: Decodable {
    let leafIndex: UInt64
    let timestamp: UInt64
    let type: String
    let leafHash: String
    let chain: [String]
    let precertSha256: String?
  }

  @Test("tiles of a real log", .needsTestData, arguments: ["000", "001", "002"])
  func navigli(number: String) throws {
    let folder = "static/tiles/navigli2025h2/"
    let tile = try TestData.bytes(folder + "tile/data/" + number)
    let truths = try json(folder + "ground_truth_\(number).json", as: [TileTruth].self)
    let hashes = try TestData.bytes(folder + "tile/0/" + number)
    let entries = try DataTile.entries(in: tile.span, count: 256)
    #expect(truths.count == 256)
    #expect(hashes.count == 256 * 32)
    for (position, (entry, truth)) in zip(entries, truths).enumerated() {
      try entry.checkLeafIndex(truth.leafIndex, in: tile.span)
      #expect(throws: FormatError.self) { try entry.checkLeafIndex(truth.leafIndex + 1, in: tile.span) }
      let hash = entry.entry.leafHash(in: tile.span)
      #expect(hash == SHA256Hash(copying: hashes.span, at: 32 * position))
      #expect(Base64.encode(hash.bytes) == truth.leafHash)
      let value = StaticCTEntry(entry, in: tile.span)
      #expect(value.timestampedEntry.timestamp.milliseconds == truth.timestamp)
      #expect(value.chainFingerprints.map(\.hex) == truth.chain)
      #expect(value.precertificate.map { SHA256Hash.hash($0).hex } == truth.precertSha256)
      #expect(truth.type == (entry.entry.kind == .x509 ? "x509_entry" : "precert_entry"))
    }
    #expect(try reencoded(tile) == tile)
  }

  private func reencoded(_ tile: [UInt8]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in try DataTile.entries(in: tile.span) { try StaticCTEntry(entry, in: tile.span).encode(into: &bytes) }
    return bytes
  }
}
