import CertificateTransparency
import Crypto
import MerkleTree
import TestWorld
import Testing

@testable import OrielLog

@Suite("Starting a log")
struct StartTests {
  /// A log that has published so many batches, with a copy of its directory after each.
  private func history(_ batches: Int) async throws -> (Bench, [MemoryStore.Blobs], [[LogID: [UInt8]]]) {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    var copies = [bench.storage.content]
    var locks = [bench.lock.content]
    for batch in 0..<batches {
      for number in 0..<100 { await Answers().submit(try Entries.entry(batch * 100 + number), to: sequencer) }
      bench.clock.advance()
      try await sequencer.tick()
      copies.append(bench.storage.content)
      locks.append(bench.lock.content)
    }
    return (bench, copies, locks)
  }

  @Test("A log is created once")
  func creation() async throws {
    let bench = Bench()
    await #expect(throws: LogError.notCreated(origin: Bench.identity.origin)) { try await bench.sequencer() }
    try await bench.create()
    await #expect(throws: LogError.alreadyCreated(origin: Bench.identity.origin)) { try await bench.create() }
    #expect(try bench.publishedHead().treeSize == 0)
  }

  @Test("A log whose creation was cut off before its first checkpoint was published starts")
  func interruptedCreation() async throws {
    let bench = Bench()
    try await bench.create()
    bench.storage.content = [:]
    #expect(try await bench.sequencer().head?.size == 0)
    #expect(try bench.publishedHead().treeSize == 0)
  }

  @Test("A directory from a backup is refused, however old it is", arguments: 0..<3)
  func restoredDirectory(age: Int) async throws {
    let (bench, copies, _) = try await history(3)
    bench.storage.content = copies[age]
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .directoryBehind(300, UInt64(age) * 100, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("backup") == true)
    bench.storage.content = copies[3]
    #expect(try await bench.sequencer().head?.size == 300)
  }

  @Test("A lock from a backup is refused")
  func restoredLock() async throws {
    let (bench, _, locks) = try await history(2)
    bench.lock.content = locks[1]
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .directoryAhead(100, _, 200, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("Lock and directory from one backup are refused where the public log is known")
  func restoredBoth() async throws {
    let (bench, copies, locks) = try await history(2)
    let known = copies[2]["checkpoint"]
    bench.lock.content = locks[1]
    bench.storage.content = copies[1]
    func open(_ known: [UInt8]?) async throws {
      _ = try await Log(
        Bench.identity, admission: Admission(AdmissionRules(), roots: RootStore()), storage: bench.storage,
        lock: bench.lock, table: bench.table, clock: bench.clock.clock, known: known)
    }
    let error = await #expect(throws: LogError.self) { try await open(known) }
    guard case .behindPublic(100, 200, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try await open(copies[1]["checkpoint"])
    try await open(copies[0]["checkpoint"])
    // What is no checkpoint of the log tells nothing about it.
    let stranger = LogIdentity(origin: Bench.identity.origin, key: LogSigner())
    try await open(Array("<html>We are back at 12:00</html>".utf8))
    try await open([])
    try await open(try await stranger.head(size: 300, root: .zero, at: bench.clock.now).note)
  }

  @Test("Two trees of one size are refused")
  func fork() async throws {
    let (bench, _, _) = try await history(1)
    let other = try await Bench.identity.head(size: 100, root: .zero, at: bench.clock.now)
    bench.lock.content = [Bench.identity.logID: other.note]
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .forked(100, .zero, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("A checkpoint of another key is refused")
  func otherKey() async throws {
    let (bench, _, _) = try await history(1)
    let stranger = LogIdentity(origin: Bench.identity.origin, key: LogSigner())
    let head = try await stranger.head(size: 100, root: .zero, at: bench.clock.now)
    bench.storage.content["checkpoint"] = head.note
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .badCheckpoint("directory", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("A tile at the edge that is missing or changed is named")
  func damagedEdge() async throws {
    let (bench, copies, _) = try await history(3)
    for path in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/data/001.p/44"] {
      bench.storage.content = copies[3]
      bench.storage.content[path] = nil
      var error = await #expect(throws: LogError.self) { try await bench.sequencer() }
      #expect(error == .damaged(path: path, reason: "missing"))
      bench.storage.content[path] = copies[3][path].map { [$0[0] ^ 1] + $0.dropFirst() }
      error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    }
  }

  @Test("A second writer with a directory of its own is stopped, and the first goes on")
  func strayWriter() async throws {
    let (bench, copies, _) = try await history(1)
    let first = try await bench.sequencer()
    let stray = MemoryStore(copies[1])
    let second = try await Sequencer(
      Bench.identity, storage: stray, lock: bench.lock, table: MemoryTable(), clock: bench.clock.clock)
    let (ours, theirs) = (Answers(), Answers())
    await ours.submit(try Entries.entry(500), to: first)
    bench.clock.advance()
    try await first.tick()
    await theirs.submit(try Entries.entry(501), to: second)
    bench.clock.advance()
    await #expect(throws: LockError.taken) { try await second.tick() }
    await #expect(throws: LogError.self) { try await second.tick() }
    #expect(await second.reasonForStop is LogError)
    await theirs.submit(try Entries.entry(502), to: second)
    #expect(theirs.promises.isEmpty && theirs.failures.count == 2)
    await ours.submit(try Entries.entry(503), to: first)
    bench.clock.advance()
    try await first.tick()
    #expect(ours.promises.map(\.place.index) == [100, 101])
    #expect(stray.checkpoints.isEmpty)
  }

  @Test("A last data tile whose entries are not those of the tree is refused")
  func otherEntries() async throws {
    let (bench, copies, _) = try await history(1)
    let path = "tile/data/000.p/100"
    var content = try Gunzip().inflate(try #require(copies[1][path]))
    let entry = try DataTile.entries(in: content.span)[41]
    content[entry.entry.certificate.lowerBound + 3] ^= 1
    bench.storage.content[path] = try Gzip().deflate(content)
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    #expect(error == .damaged(path: path, reason: "entry 41 has not the hash in tile/0/000.p/100"))
  }

  @Test("A directory whose own past is not in the tree is refused")
  func otherPast() async throws {
    let (bench, _, _) = try await history(2)
    let past = try await Bench.identity.head(size: 100, root: .zero, at: Timestamp(milliseconds: 5))
    bench.storage.content["checkpoint"] = past.note
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .forked(100, _, .zero, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("What was staged for another tree is not published")
  func otherBase() async throws {
    let (bench, _, _) = try await history(1)
    let next = try await Bench.identity.head(size: 200, root: .zero, at: bench.clock.now)
    bench.lock.content = [Bench.identity.logID: next.note]
    let staged = StagedBundle(baseSize: 100, baseRoot: .zero, blobs: [Blob("tile/0/000.p/200", [1])])
    bench.storage.content[StagedBundle.path(size: 200, root: .zero)] = try staged.encoded()
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .forked(100, .zero, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(bench.storage.content["tile/0/000.p/200"] == nil)
  }
}
