import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Directory and database")
struct DirectoryTests {
  @Test("Blobs are kept, replaced, listed and deleted; immutable ones do not change")
  func store() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryStore(folder.path)
    #expect(try await store.get("checkpoint") == nil)
    try await store.put(Blob("checkpoint", [1]))
    try await store.put(Blob("checkpoint", []))
    #expect(try await store.get("checkpoint") == [])
    let tiles = (0..<20).map { Blob("tile/0/x001/\(100 + $0)", [UInt8($0)]) }
    try await store.add(tiles)
    try await store.add(tiles + [Blob("tile/1/000.p/3", [9])])
    await #expect(throws: BlobError.differs(path: "tile/0/x001/107")) {
      try await store.add([Blob("tile/0/x001/107", [0, 0])])
    }
    #expect(try await store.get("tile/0/x001/107") == [7])
    #expect(try await store.list("tile/0/").count == 20)
    #expect(try await store.list("staging/") == [])
    try await store.delete(["tile/0/x001/107", "nothing"])
    #expect(try await store.get("tile/0/x001/107") == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming") == [])
    for path in ["../x", "/x", "a//b", "", "a/./b", "a/.."] {
      await #expect(throws: BlobError.badPath(path)) { try await store.put(Blob(path, [])) }
    }
    // What is in the way is told, and nothing is left lying about.
    await #expect(throws: BlobError.self) { try await store.put(Blob("checkpoint/x", [])) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming") == [])
  }

  @Test("A checkpoint takes the place of none of a larger tree; what is no checkpoint is no obstacle")
  func checkpoints() async throws {
    let folder = try TemporaryFolder()
    let store = try DirectoryStore(folder.path)
    func put(_ size: UInt64) async throws {
      let head = try await Bench.identity.head(size: size, root: .zero, at: Timestamp(milliseconds: 5))
      try await store.put(Blob("checkpoint", head.note))
    }
    for size: UInt64 in [0, 1, 9, 9, 10, 11] { try await put(size) }
    let present = try await store.get("checkpoint")
    for size: UInt64 in [10, 9, 2, 0] {
      await #expect(throws: BlobError.smallerCheckpoint(size: size, present: 11)) { try await put(size) }
    }
    #expect(try await store.get("checkpoint") == present)
    try await store.put(Blob("checkpoint", Array("11\n".utf8)))
    try await put(3)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/incoming") == [])
  }

  @Test("The lock swaps only what it holds, each log for itself")
  func lock() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock.db"
    let lock = try SQLCheckpointLock(sqliteFile: path)
    let (one, two) = (LogID(.hash([1])), LogID(.hash([2])))
    #expect(try await lock.load(one) == nil)
    await #expect(throws: LockError.taken) { try await lock.replace(one, [], by: [1]) }
    try await lock.create(one, [1])
    await #expect(throws: LockError.alreadyThere) { try await lock.create(one, [2]) }
    try await lock.create(two, [5])
    try await lock.replace(one, [1], by: [2])
    await #expect(throws: LockError.taken) { try await lock.replace(one, [1], by: [3]) }
    #expect(try await lock.location(one) == nil)
    let location = LockLocation(machine: "m", device: 1 << 63, inode: .max, path: "/x")
    try await lock.record(LockLocation(machine: "", device: 0, inode: 0, path: ""), of: one)
    try await lock.record(location, of: one)
    let again = try SQLCheckpointLock(sqliteFile: path)
    #expect(try await again.load(one) == [2])
    #expect(try await again.load(two) == [5])
    #expect(try await again.location(one) == location)
    #expect(try await again.location(two) == nil)
  }

  @Test("A log on disk: SCTs verify, the log goes on after a restart, and every flipped bit is named")
  func log() async throws {
    let folder = try TemporaryFolder()
    let root = folder.path + "/log"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let clock = HandClock()
    let office = try Office()
    let lock = try SQLCheckpointLock(sqliteFile: folder.path + "/lock.db")
    let table = try SortedRuns(folder.path + "/keys", .whole)
    func open() async throws -> Log {
      try await Log(
        Bench.identity, admission: Admission(office.rules(), roots: office.roots), storage: try DirectoryStore(root),
        lock: lock, table: table, clock: clock.clock)
    }
    try await Log.create(Bench.identity, storage: try DirectoryStore(root), lock: lock, clock: clock.clock)
    let pairs = try (0..<90).map { number in
      var request = CertificateRequest(["host\(number).example"])
      request.usesSigningCertificate = number % 3 == 0
      return try office.authority.issue(request)
    }
    var scts: [SignedCertificateTimestamp] = []
    for _ in 0..<2 {
      let log = try await open()
      scts += try await submit(pairs, to: log, clock)
      try await log.tidy()
    }
    #expect(Set(scts.map(\.leafIndex)) == Set((0..<180).map { $0 }))
    #expect(scts.count == 360)
    try checkSCTs(scts, pairs)
    let store = try DirectoryStore(root)
    #expect(try await findings(store, lock) == [])
    try await flipBits(root, lock)
  }

  private func submit(
    _ pairs: [IssuedPair], to log: Log, _ clock: HandClock
  ) async throws -> [SignedCertificateTimestamp] {
    try await withThrowingTaskGroup(of: [SignedCertificateTimestamp].self) { group in
      for pair in pairs {
        group.addTask {
          let precertificate = AddChainRequest(chain: [pair.precertificate] + pair.pending.precertificateChain)
          let certificate = AddChainRequest(chain: [pair.certificate] + pair.chain)
          return [
            try await log.submit(try precertificate.json(), as: .precertificate),
            try await log.submit(try certificate.json(), as: .x509),
          ]
        }
      }
      let ticker = Task {
        while !Task.isCancelled {
          clock.advance(10)
          try await log.tick()
          try await Task.sleep(for: .milliseconds(2))
        }
      }
      defer { ticker.cancel() }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func checkSCTs(_ scts: [SignedCertificateTimestamp], _ pairs: [IssuedPair]) throws {
    let bodies = pairs.flatMap { [$0.precertificateEntry.body, $0.certificateEntry.body] }
    for sct in scts {
      // Each is of one of the two entries of one of the pairs.
      #expect(bodies.contains { Bench.identity.key.publicKey.verify(sct, for: $0) })
    }
  }

  private func findings(_ store: DirectoryStore, _ lock: SQLCheckpointLock) async throws -> [Finding] {
    var findings: [Finding] = []
    var check = LogCheck(Bench.identity, storage: store) { findings.append($0) }
    try await check.run(locked: try await lock.load(Bench.identity.logID))
    return findings
  }

  private func flipBits(_ root: String, _ lock: SQLCheckpointLock) async throws {
    let store = try DirectoryStore(root)
    var generator = SeededGenerator(seed: 1)
    let head = try Bench.identity.head(reading: try #require(try await store.get("checkpoint")))
    // What the published tree is made of; older partial tiles are of no account.
    var paths = try await store.list("issuer/") + ["checkpoint"]
    for kind in [.data, .names, .hashes(level: 0), .hashes(level: 1)] as [TileCoordinate.Kind] {
      paths += TileCoordinate.tiles(kind, treeSize: head.size).map(\.path)
    }
    for path in paths {
      let right = try #require(try await store.get(path))
      for _ in 0..<6 {
        var wrong = right
        let isGzipped = path.hasPrefix("tile/data/") || path.hasPrefix("tile/names/")
        let offset = (isGzipped ? 10 : 0) + Int(generator.next() % UInt64(right.count - (isGzipped ? 10 : 0)))
        wrong[offset] ^= 1 << (generator.next() % 8)
        // A checkpoint that claims more entries could not be replaced.
        try await store.delete([path])
        try await store.put(Blob(path, wrong))
        let found = try await findings(store, lock)
        #expect(found.contains { $0.path == path }, "\(path) at \(offset): \(found.prefix(3))")
      }
      try await store.delete([path])
      #expect(try await findings(store, lock).contains { $0.path == path })
      try await store.put(Blob(path, right))
    }
    #expect(try await findings(store, lock) == [])
  }
}
