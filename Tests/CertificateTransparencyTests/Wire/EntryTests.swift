import CertificateTransparency
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite struct EntryTests {
  private static let vectors: [(TimestampedEntry, String)] = {
    let timestamp = Timestamp(milliseconds: 1_700_000_000_000)
    let keyHash = SHA256Hash(Array(0..<32)) ?? .zero
    let extensions = [UInt8]([0, 0, 5, 0, 0, 0, 0])
    return [
      (
        TimestampedEntry(
          timestamp: timestamp, body: .x509(certificate: Array("abc".utf8)), extensions: extensions + [5]),
        "5a2b9e521c5410a15dedfe0d2f6cbdd6e2a75212909f170e0c583246f0fae916"
      ),
      (
        TimestampedEntry(
          timestamp: timestamp, body: .precertificate(issuerKeyHash: keyHash, tbsCertificate: Array("tbs".utf8)),
          extensions: extensions + [6]),
        "a73a3ed20661467afd5e63812de8486e8cb67b42e81d6b665efa2a09f2bb5a96"
      ),
    ]
  }()

  @Test("leaf hashes of entries worked out by hand", arguments: vectors)
  func leafHash(entry: TimestampedEntry, hash: String) throws {
    let leaf = try MerkleTreeLeaf(entry).encoded()
    #expect(try MerkleTreeLeaf(entry).leafHash().hex == hash)
    #expect(try EntryRanges(merkleTreeLeafIn: leaf.span).leafHash(in: leaf.span).hex == hash)
  }

  @Test("the leaf_index extension is 8 bytes with a 40-bit index")
  func leafIndex() throws {
    let extensions = try CTExtensions(leafIndex: 1_234_567_890)
    #expect(try extensions.encoded() == hexadecimal("00000500499602d2"))
    #expect(Base64.encode(try extensions.encoded()) == "AAAFAEmWAtI=")
    let largest = try CTExtensions(leafIndex: (1 << 40) - 1)
    #expect(try CTExtensions(decoding: try largest.encoded()) == largest)
    #expect(throws: FormatError.self) { try CTExtensions(leafIndex: 1 << 40) }
  }

  @Test(
    "extensions of unknown types stand in any order, each at most once",
    arguments: [
      ("", nil, true), ("070001aa00000500000000ff", 255, true), ("00000500000000ff070000", 255, true),
      ("070000", nil, true), ("07000007000100", nil, false), ("00000500000000ff00000500000000ff", nil, false),
      ("00000400000000", nil, false), ("0000060000000000ff", nil, false), ("00", nil, false), ("0000", nil, false),
      ("000005000000", nil, false),
    ] as [(String, UInt64?, Bool)])
  func extensions(hex: String, index: UInt64?, isWellFormed: Bool) throws {
    let bytes = hexadecimal(hex)
    if isWellFormed {
      let extensions = try CTExtensions(decoding: bytes)
      #expect(extensions.leafIndex == index)
      #expect(try extensions.encoded() == bytes)
    } else {
      #expect(throws: FormatError.self) { try CTExtensions(decoding: bytes) }
    }
    let entry = TimestampedEntry(
      timestamp: Timestamp(milliseconds: 1), body: .x509(certificate: [1]), extensions: bytes)
    let encoded = try entry.encoded()
    #expect(try EntryRanges(timestampedEntryIn: encoded.span).leafIndex(in: encoded.span) == index)
  }

  @Test("random entries come back from their encoding, and from any place in a larger buffer")
  func random() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<60 {
      let entry = try generator.entry()
      try expectExact(entry)
      try expectExact(MerkleTreeLeaf(entry))
      let before = generator.bytes(0..<20)
      let leaf = try MerkleTreeLeaf(entry).encoded()
      let buffer = before + leaf + generator.bytes(0..<20)
      let range = before.count..<(before.count + leaf.count)
      let ranges = try EntryRanges(merkleTreeLeafIn: buffer.span, range)
      #expect(TimestampedEntry(ranges, in: buffer.span) == entry)
      #expect(ranges.leafHash(in: buffer.span) == (try MerkleTreeLeaf(entry).leafHash()))
      #expect(ranges.end == range.upperBound)
    }
  }

  @Test(
    "what a leaf may not be",
    arguments: [
      ("01", "000000000000000000000000000001610000", 1), ("00", "010000000000000000000000000001610000", 2),
      ("00", "000000000000000000000200000001610000", 12), ("00", "00000000000000000000000000000000", 15),
    ])
  func refusals(first: String, rest: String, offset: Int) throws {
    let error = #expect(throws: FormatError.self) { try MerkleTreeLeaf(decoding: hexadecimal(first + rest)) }
    #expect(error?.offset == offset)
    #expect(error?.structure == "MerkleTreeLeaf")
  }

  @Test("ranges outside the buffer are an error, not a trap")
  func outside() {
    let bytes: [UInt8] = [0, 0, 1]
    #expect(throws: FormatError.self) { try EntryRanges(timestampedEntryIn: bytes.span, at: 99) }
    #expect(throws: FormatError.self) { try EntryRanges(timestampedEntryIn: bytes.span, at: -5) }
    #expect(throws: FormatError.self) { try EntryRanges(merkleTreeLeafIn: bytes.span, 2..<200) }
    #expect(throws: FormatError.self) { try DataTileEntry(in: bytes.span, at: 7) }
  }

  @Test("parts too long for their length fields have no encoding")
  func tooLong() {
    let timestamp = Timestamp(milliseconds: 0)
    let huge = [UInt8](repeating: 1, count: 1 << 24)
    let entries = [
      TimestampedEntry(timestamp: timestamp, body: .x509(certificate: huge)),
      TimestampedEntry(timestamp: timestamp, body: .x509(certificate: [])),
      TimestampedEntry(timestamp: timestamp, body: .precertificate(issuerKeyHash: .zero, tbsCertificate: [])),
      TimestampedEntry(
        timestamp: timestamp, body: .x509(certificate: [1]), extensions: [UInt8](repeating: 0, count: 1 << 16)),
    ]
    for entry in entries { #expect(throws: FormatError.self) { try entry.encoded() } }
    #expect(throws: FormatError.self) { try ExtraData.x509(chain: [huge]).encoded() }
  }

  @Test("extra data of both types comes back from its encoding")
  func extraData() throws {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<50 {
      let chain = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in generator.bytes(1..<50) }
      let values: [ExtraData] = [
        .x509(chain: chain), .precertificate(precertificate: generator.bytes(1..<50), chain: chain),
      ]
      for value in values {
        let bytes = try value.encoded()
        #expect(try ExtraData(decoding: bytes, kind: value.kind) == value)
        #expect(throws: FormatError.self) { try ExtraData(decoding: bytes + [0], kind: value.kind) }
        for count in 0..<bytes.count {
          #expect(throws: FormatError.self) { try ExtraData(decoding: Array(bytes[..<count]), kind: value.kind) }
        }
      }
    }
  }
}
