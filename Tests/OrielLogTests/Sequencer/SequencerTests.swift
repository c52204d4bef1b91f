import CertificateTransparency
import MerkleTree
import Synchronization
import TestWorld
import Testing

@testable import OrielLog

@Suite("Sequencer")
struct SequencerTests {
  @Test("Tiles of all levels read back, and have the root of a naive tree", arguments: [1, 2, 255, 256, 257, 700])
  func layout(size: Int) async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let answers = Answers()
    // In batches of uneven size.
    for (position, number) in (0..<size).enumerated() {
      await answers.submit(try Entries.entry(number), to: sequencer)
      if position % 97 == 96 {
        bench.clock.advance()
        try await sequencer.tick()
      }
    }
    bench.clock.advance()
    try await sequencer.tick()
    let tree = try PublishedTree(bench.storage.content)
    #expect(tree.leaves.count == size)
    #expect(answers.promises.count == size)
    for promise in answers.promises { try tree.check(promise) }
    #expect(answers.promises.map(\.place.index) == (0..<UInt64(size)).map { $0 })
    #expect(try await bench.findings() == [])
    #expect(!bench.storage.content.keys.contains { $0.hasPrefix("staging/") })
  }

  @Test("Levels above the first are laid out too")
  func highLevels() async throws {
    var edge = TreeEdge()
    var tiles: [TileCoordinate: [UInt8]] = [:]
    var naive = TestTree()
    let issuer = ChainCertificate(Array("issuer".utf8))
    var number = 0
    for count in [65_500, 36, 1, 256] {
      let entries = try (0..<count).map { _ in
        number += 1
        return try PendingEntry(.x509(certificate: Array("\(number)".utf8)), precertificate: nil, issuers: [issuer])
      }
      let old = edge
      var batch = try BatchBuilder.build(entries, on: old, at: Timestamp(milliseconds: 5))
      batch.edge.frontier = try BatchVerifier(batch: batch, old: old, entries: entries).verify()
      edge = batch.edge
      tiles.merge(batch.tiles) { $1 }
      for (position, entry) in entries.enumerated() {
        naive.append(TreeHasher.leafHash(of: entry.signatureInput(at: batch.place(position))))
      }
      #expect(batch.root == naive.root(naive.size))
    }
    let top = try #require(TileCoordinate(level: 2, index: 0, treeSize: edge.size))
    #expect(tiles[top] == naive.hash(0..<65_536).bytes)
    #expect(TileCoordinate.tiles(.hashes(level: 1), treeSize: edge.size).allSatisfy { tiles[$0] != nil })
  }

  @Test("The same submission gets the same place, in one batch, in later ones and after a restart")
  func duplicates() async throws {
    let bench = Bench()
    try await bench.create()
    let answers = Answers()
    let entry = try Entries.entry(7)
    for _ in 0..<2 {
      let sequencer = try await bench.sequencer()
      for _ in 0..<2 {
        await answers.submit(try Entries.entry(1), to: sequencer)
        await answers.submit(entry, to: sequencer)
        await answers.submit(entry, to: sequencer)
        bench.clock.advance()
        try await sequencer.tick()
      }
    }
    let places = Set(answers.promises.filter { $0.entry.key == entry.key }.map(\.place))
    #expect(answers.promises.count == 12)
    #expect(places.count == 1)
    #expect(try PublishedTree(bench.storage.content).leaves.count == 2)
  }

  @Test("A key that leads to another entry is not believed")
  func wrongKeys() async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let answers = Answers()
    for number in 1...3 { await answers.submit(try Entries.entry(number), to: sequencer) }
    try await sequencer.tick()
    let wrong = try Entries.entry(5)
    bench.table.indexes = [wrong.key: [try #require(answers.promises.first).place.index]]
    await answers.submit(wrong, to: sequencer)
    bench.clock.advance()
    try await sequencer.tick()
    let tree = try PublishedTree(bench.storage.content)
    #expect(answers.promises.last?.place.index == 3)
    for promise in answers.promises { try tree.check(promise) }
  }

  @Test("Where there is no room, entries of low priority give way, then all are told to come back")
  func overload() async throws {
    let bench = Bench()
    try await bench.create()
    var settings = SequencerSettings()
    settings.poolLimit = 3
    let sequencer = try await bench.sequencer(settings)
    let answers = Answers()
    for number in [11, 22, 1, 2, 3, 4, 33] { await answers.submit(try Entries.entry(number), to: sequencer) }
    try await sequencer.tick()
    let kept = Set(answers.promises.map(\.entry.key))
    #expect(kept == Set(try [1, 2, 3].map { try Entries.entry($0).key }))
    #expect(answers.failures.count == 4)
    #expect(answers.failures.allSatisfy { ($0 as? Rejection)?.status == 503 && ($0 as? Rejection)?.retryAfter != nil })
  }

  @Test("An idle log signs a new head now and then, and not more often")
  func idle() async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let first = try bench.publishedHead()
    bench.clock.advance(1000)
    try await sequencer.tick()
    #expect(try bench.publishedHead() == first)
    bench.clock.advance(5000)
    try await sequencer.tick()
    #expect(try bench.publishedHead().timestamp > first.timestamp)
    #expect(try await bench.sequencer().head?.size == 0)
  }

  @Test("A clock that was set fails batches until it is right again", arguments: [-60_000, 60_000])
  func clockSteps(by milliseconds: Int) async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let answers = Answers()
    bench.clock.step(Int64(milliseconds))
    await answers.submit(try Entries.entry(1), to: sequencer)
    await #expect(throws: LogError.self) { try await sequencer.tick() }
    #expect(answers.failures.count == 1)
    bench.clock.step(Int64(-milliseconds))
    await answers.submit(try Entries.entry(1), to: sequencer)
    try await sequencer.tick()
    #expect(answers.promises.count == 1)
  }

  @Test("A bit that flips between computing and signing fails the batch", arguments: 0..<40)
  func flippedBits(seed: Int) async throws {
    let entries = try (0..<300).map { try Entries.entry($0) }
    var old = try BatchBuilder.build(Array(entries[..<20]), on: TreeEdge(), at: Timestamp(milliseconds: 5)).edge
    try old.frontier.append(leaves: old.hashes[0])
    let batch = try BatchBuilder.build(Array(entries[20...]), on: old, at: Timestamp(milliseconds: 6))
    _ = try BatchVerifier(batch: batch, old: old, entries: Array(entries[20...])).verify()
    var generator = SeededGenerator(seed: UInt64(seed))
    let paths = batch.tiles.keys.filter { $0.kind != .names }.sorted { $0.path < $1.path }
    let coordinate = paths[seed % paths.count]
    var tiles = batch.tiles
    var bytes = try #require(tiles[coordinate])
    // Not the gzip header, which says nothing about the content.
    let skipped = coordinate.kind == .data ? 10 : 0
    bytes[skipped + Int(generator.next() % UInt64(bytes.count - skipped))] ^= 1 << (generator.next() % 8)
    tiles[coordinate] = bytes
    let flipped = Batch(
      firstIndex: batch.firstIndex, timestamp: batch.timestamp, root: batch.root, tiles: tiles, edge: batch.edge)
    #expect(throws: (any Error).self) {
      try BatchVerifier(batch: flipped, old: old, entries: Array(entries[20...])).verify()
    }
  }

  @Test("An entry that is not what follows from its precertificate is not logged, and the log goes on")
  func wrongReconstruction() async throws {
    let pair = try TestAuthority(seed: 4).issue(CertificateRequest(["a.example"]))
    let issuers = pair.chain.map { ChainCertificate($0) }
    let good = LogEntryBody.precertificate(issuerKeyHash: pair.issuerKeyHash, tbsCertificate: pair.tbsWithoutPoison)
    let flipped = AdmissionTests.flipped(pair.tbsWithoutPoison, 300)
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let answers = Answers()
    for body in [
      LogEntryBody.precertificate(issuerKeyHash: pair.issuerKeyHash, tbsCertificate: flipped),
      LogEntryBody.precertificate(issuerKeyHash: .zero, tbsCertificate: pair.tbsWithoutPoison),
    ] {
      let wrong = try PendingEntry(body, precertificate: pair.precertificate, issuers: issuers)
      await answers.submit(wrong, to: sequencer)
      bench.clock.advance()
      await #expect(throws: BatchMismatch.self) { try await sequencer.tick() }
    }
    #expect(answers.failures.count == 2 && answers.promises.isEmpty)
    #expect(try bench.publishedHead().treeSize == 0)
    await answers.submit(try PendingEntry(good, precertificate: pair.precertificate, issuers: issuers), to: sequencer)
    try await sequencer.tick()
    #expect(answers.promises.count == 1)
  }

  @Test("Staged tiles read back, and a bundle that is not whole is told")
  func staging() throws {
    let blobs = [Blob("tile/0/000.p/8", [1, 2]), Blob("checkpoint", [])]
    let bundle = StagedBundle(baseSize: 7, baseRoot: .zero, blobs: blobs)
    let bytes = try bundle.encoded()
    #expect(try StagedBundle(decoding: bytes) == bundle)
    for count in 0..<bytes.count {
      #expect(throws: FormatError.self) { try StagedBundle(decoding: Array(bytes.prefix(count))) }
    }
    #expect(StagedBundle.size(ofPath: StagedBundle.path(size: 12, root: .zero)) == 12)
  }
}
