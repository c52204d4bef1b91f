import CertificateTransparency
import MerkleTree
import TestWorld
import Testing

@testable import OrielLog

@Suite("Checking a log")
struct LogCheckTests {
  private static func log(of size: Int) async throws -> Bench {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    for number in 0..<size { await Answers().submit(try Entries.entry(number), to: sequencer) }
    try await sequencer.tick()
    return bench
  }

  /// The content of a file with one bit flipped, gzipped again where it was.
  private static func flipped(_ bytes: [UInt8], at offset: Int, isGzipped: Bool) throws -> [UInt8] {
    var content = isGzipped ? try Gunzip().inflate(bytes) : bytes
    content[offset % content.count] ^= 4
    return isGzipped ? try Gzip().deflate(content) : content
  }

  @Test("A flipped bit in any hash tile is named to the byte", arguments: [180, 512, 700])
  func hashTiles(size: Int) async throws {
    let bench = try await Self.log(of: size)
    let right = bench.storage.content
    #expect(try await bench.findings() == [])
    for level in 0...1 {
      for tile in TileCoordinate.tiles(.hashes(level: level), treeSize: UInt64(size)) {
        let bytes = try #require(right[tile.path])
        for offset in Set([0, 31, bytes.count / 2, bytes.count - 1]) {
          bench.storage.content[tile.path] = try Self.flipped(bytes, at: offset, isGzipped: false)
          let findings = try await bench.findings()
          #expect(findings.map(\.path) == [tile.path], "\(offset)")
          #expect(findings.map(\.offset) == [offset])
        }
        bench.storage.content[tile.path] = nil
        #expect(try await bench.findings() == [Finding(tile.path, "missing")])
        bench.storage.content = right
      }
    }
  }

  @Test("A flipped bit in any entry is named by entry")
  func dataTiles() async throws {
    let bench = try await Self.log(of: 300)
    let right = bench.storage.content
    for tile in TileCoordinate.tiles(.data, treeSize: 300) {
      let bytes = try #require(right[tile.path])
      let content = try Gunzip().inflate(bytes)
      for (place, entry) in try DataTile.entries(in: content.span).enumerated() where place % 7 == 0 {
        // The timestamp, the certificate, what follows it.
        for offset in [entry.entry.start + 7, entry.entry.certificate.lowerBound + 2, entry.entry.end + 12] {
          bench.storage.content[tile.path] = try Self.flipped(bytes, at: offset, isGzipped: true)
          let findings = try await bench.findings()
          let index = tile.index << 8 + UInt64(place)
          #expect(findings.contains { $0.entry == index }, "entry \(index) at \(offset): \(findings)")
        }
      }
      bench.storage.content = right
    }
  }

  @Test("A flipped bit in a names tile is named by entry")
  func namesTiles() async throws {
    let bench = try await Self.log(of: 300)
    let bytes = try #require(bench.storage.content["tile/names/000"])
    let lines = try Gunzip().inflate(bytes).split(separator: 0x0a, omittingEmptySubsequences: false)
    let offset = lines[..<42].reduce(0) { $0 + $1.count + 1 } + 20
    bench.storage.content["tile/names/000"] = try Self.flipped(bytes, at: offset, isGzipped: true)
    let findings = try await bench.findings()
    #expect(findings.map(\.path) == ["tile/names/000"])
    #expect(findings.map(\.entry) == [42])
    #expect(findings.map(\.offset) == [offset])
  }

  @Test("Issuers that are missing or changed are named, and so is another checkpoint than the lock's")
  func others() async throws {
    let bench = try await Self.log(of: 20)
    let right = bench.storage.content
    for path in right.keys where path.hasPrefix("issuer/") {
      bench.storage.content[path] = nil
      #expect(try await bench.findings().contains { $0.path == path })
      bench.storage.content[path] = try Self.flipped(right[path] ?? [], at: 2, isGzipped: false)
      #expect(try await bench.findings().contains { $0.path == path })
      bench.storage.content = right
    }
    let checkpoint = try #require(right["checkpoint"])
    for offset in checkpoint.indices where offset % 11 == 0 {
      bench.storage.content["checkpoint"] = try Self.flipped(checkpoint, at: offset, isGzipped: false)
      #expect(try await bench.findings().map(\.path).contains("checkpoint"), "\(offset)")
    }
  }
}
