import CertificateTransparency
import Foundation
import MerkleTree
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("What others have seen of a log")
struct AnchorTests {
  private func run(_ bench: Bench, _ sequencer: Sequencer, _ numbers: Range<Int>) async throws {
    for number in numbers { await Answers().submit(try Entries.entry(number), to: sequencer) }
    bench.clock.advance()
    try await sequencer.tick()
  }

  /// A log with an anchor, of two batches, and what directory, lock and anchor had after the first.
  private func history() async throws -> (Bench, blobs: MemoryStore.Blobs, lock: [LogID: [UInt8]], anchor: [UInt8]) {
    let bench = Bench(isAnchored: true)
    try await bench.create()
    let sequencer = try await bench.sequencer()
    try await run(bench, sequencer, 0..<100)
    let past = (bench.storage.content, bench.lock.content, try #require(bench.anchor?.content))
    try await run(bench, sequencer, 100..<200)
    return (bench, past.0, past.1, past.2)
  }

  @Test("Directory and lock from one snapshot are refused, and nothing is signed or published")
  func snapshot() async throws {
    let (bench, blobs, lock, _) = try await history()
    (bench.storage.content, bench.lock.content) = (blobs, lock)
    let anchored = bench.anchor?.content
    let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
    guard case .anchor(let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("holds 200 entries") && reason.contains("only 100"))
    #expect(bench.storage.content == blobs && bench.lock.content == lock && bench.anchor?.content == anchored)
  }

  @Test("An anchor of another tree, of another key, or with something else in it is refused")
  func strangers() async throws {
    let (bench, _, _, _) = try await history()
    let now = bench.clock.now
    let stranger = LogIdentity(origin: Bench.identity.origin, key: LogSigner())
    let notes = [
      try await Bench.identity.head(size: 200, root: .zero, at: now).note,
      try await Bench.identity.head(size: 150, root: .zero, at: Timestamp(milliseconds: 5)).note,
      try await Bench.identity.head(size: 200, root: .zero, at: Timestamp(milliseconds: now.milliseconds + 1)).note,
      try await stranger.head(size: 1, root: .zero, at: now).note,
      Array("nothing".utf8),
    ]
    let published = bench.storage.content
    for note in notes {
      bench.anchor?.content = note
      let error = await #expect(throws: LogError.self) { try await bench.sequencer() }
      guard case .anchor = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(bench.anchor?.content == note && bench.storage.content == published)
    }
  }

  @Test("An anchor that was left behind, or is new and empty, gets what the lock holds", arguments: [true, false])
  func behind(isEmpty: Bool) async throws {
    let (bench, _, _, past) = try await history()
    bench.anchor?.content = isEmpty ? nil : past
    bench.storage.content["tile/0/000.p/100"] = nil
    #expect(try await bench.sequencer().head?.size == 200)
    #expect(bench.anchor?.content == bench.lock.content[Bench.identity.logID])
  }

  @Test("The anchor is written after the lock and before the checkpoint, and staged before both")
  func order() async throws {
    let plan = FaultPlan()
    let bench = Bench(plan: plan, isAnchored: true)
    try await bench.create()
    let sequencer = try await bench.sequencer()
    let steps = Mutex<[String]>([])
    plan.state.withLock { state in
      state.next = { step in
        steps.withLock { $0.append(step) }
        return nil
      }
    }
    try await run(bench, sequencer, 0..<3)
    let sought = ["stage anchor", "lock", "commit anchor", "put checkpoint"]
    #expect(steps.withLock { $0.filter(sought.contains) } == sought)
  }

  @Test("While the anchor can't be written nothing is signed into the lock; then the log goes on")
  func unwritable() async throws {
    let plan = FaultPlan()
    let bench = Bench(plan: plan, isAnchored: true)
    try await bench.create()
    let sequencer = try await bench.sequencer()
    try await run(bench, sequencer, 0..<3)
    let locked = bench.lock.content
    plan.state.withLock { $0.next = { $0 == "stage anchor" ? .lost : nil } }
    let answers = Answers()
    await answers.submit(try Entries.entry(3), to: sequencer)
    for _ in 0..<3 {
      // With nothing to publish, too: it is tried until it works again.
      bench.clock.advance()
      await #expect(throws: InjectedFault.self) { try await sequencer.tick() }
    }
    #expect(answers.failures.count == 1 && bench.lock.content == locked)
    plan.state.withLock { $0.next = { _ in nil } }
    bench.clock.advance()
    try await sequencer.tick()
    #expect(bench.lock.content != locked && bench.anchor?.content == bench.storage.content["checkpoint"])
    try await run(bench, sequencer, 3..<5)
    #expect(try bench.publishedHead().treeSize == 5)
  }

  @Test("An anchor that fails after the lock was swapped stops the log until it is loaded again")
  func uncommitted() async throws {
    let plan = FaultPlan()
    let bench = Bench(plan: plan, isAnchored: true)
    try await bench.create()
    let sequencer = try await bench.sequencer()
    plan.state.withLock { $0.next = { $0 == "commit anchor" ? .lost : nil } }
    await #expect(throws: InjectedFault.self) { try await run(bench, sequencer, 0..<3) }
    #expect(await sequencer.reasonForStop != nil)
    #expect(try bench.publishedHead().treeSize == 0)
    bench.clock.advance()
    await #expect(throws: InjectedFault.self) { try await sequencer.tick() }
    #expect(try bench.publishedHead().treeSize == 0, "published before it is anchored")
    plan.state.withLock { $0.next = { _ in nil } }
    bench.clock.advance()
    try await sequencer.tick()
    #expect(try bench.publishedHead().treeSize == 3)
    #expect(bench.anchor?.content == bench.storage.content["checkpoint"])
  }

  @Test("A copy that writes to the same anchor is found out by the original")
  func takenAnchor() async throws {
    let bench = Bench(isAnchored: true)
    try await bench.create()
    let sequencer = try await bench.sequencer()
    bench.anchor?.content = try await Bench.identity.head(size: 0, root: TreeHasher.emptyRoot, at: bench.clock.now).note
    let locked = bench.lock.content
    await #expect(throws: AnchorError.self) { try await run(bench, sequencer, 0..<3) }
    #expect(bench.lock.content == locked)
  }

  // MARK: - The public checkpoint

  @Test(
    "Once the public is seen to have a later or another tree, nothing is signed any more", arguments: [true, false])
  func publicFork(isLater: Bool) async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    try await run(bench, sequencer, 0..<10)
    // A copy of the log.
    let copy = Bench()
    (copy.storage.content, copy.lock.content) = (bench.storage.content, bench.lock.content)
    copy.clock.advance(bench.clock.now.milliseconds - copy.clock.now.milliseconds)
    let second = try await copy.sequencer()
    try await run(copy, second, 20..<25)
    if !isLater { try await run(bench, sequencer, 30..<40) }
    let before = bench.lock.content
    let known = try #require(copy.storage.content["checkpoint"])
    let error = await #expect(throws: LogError.self) { try await sequencer.compare(with: known) }
    #expect(error?.isFork == true)
    let answers = Answers()
    await answers.submit(try Entries.entry(50), to: sequencer)
    for _ in 0..<2 {
      bench.clock.advance(60_000)
      await #expect(throws: LogError.self) { try await sequencer.tick() }
    }
    #expect(answers.failures.count == 1 && bench.lock.content == before)
    #expect(await sequencer.reasonForStop as? LogError == error)
  }

  @Test("What the log has signed itself, however old, and what is no checkpoint of it, stops nothing")
  func publicPast() async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    var notes: [[UInt8]] = []
    for batch in 0..<3 {
      try await run(bench, sequencer, (batch * 200)..<(batch * 200 + 200))
      notes.append(try #require(bench.storage.content["checkpoint"]))
    }
    // Tiles that only smaller trees had are deleted in time.
    try await sequencer.tidy(keepingPartialTiles: 0)
    for note in notes { try await sequencer.compare(with: note) }
    let stranger = LogIdentity(origin: Bench.identity.origin, key: LogSigner())
    let strange = try await stranger.head(size: 900, root: .zero, at: bench.clock.now).note
    for note in [strange, Array("<html>".utf8), []] {
      await #expect(throws: LogError.self) { try await sequencer.compare(with: note) }
    }
    try await run(bench, sequencer, 600..<601)
    #expect(try bench.publishedHead().treeSize == 601)
  }

  @Test("A checkpoint is never replaced by one of a smaller tree, whoever put it there")
  func smaller() async throws {
    let bench = Bench()
    try await bench.create()
    let sequencer = try await bench.sequencer()
    try await run(bench, sequencer, 0..<5)
    let larger = try await Bench.identity.head(size: 900, root: .zero, at: bench.clock.now).note
    bench.storage.content["checkpoint"] = larger
    await #expect(throws: BlobError.smallerCheckpoint(size: 8, present: 900)) { try await run(bench, sequencer, 5..<8) }
    bench.clock.advance()
    await #expect(throws: LogError.self) { try await sequencer.tick() }
    #expect(bench.storage.content["checkpoint"] == larger)
  }
}

@Suite("The anchor's file")
struct FileAnchorTests {
  @Test("It is made once, empty, and swaps only what it holds")
  func file() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/anchor"
    let anchor = FileAnchor(path)
    await #expect(throws: AnchorError.missing(path)) { try await anchor.load() }
    try anchor.create()
    #expect(try await anchor.load() == nil)
    try await anchor.stage([1], over: nil)
    #expect(try await anchor.load() == nil, "staged is not there yet")
    await #expect(throws: AnchorError.taken(path)) { try await anchor.commit([2]) }
    try await anchor.commit([1])
    #expect(try await anchor.load() == [1])
    await #expect(throws: AnchorError.taken(path)) { try await anchor.stage([3], over: [2]) }
    #expect(throws: BlobError.self) { try anchor.create() }
    #expect(try await anchor.load() == [1])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["anchor"])
  }

  @Test("What is in the way, or no file at all, is an error that names it")
  func obstacles() async throws {
    let folder = try TemporaryFolder()
    let anchor = FileAnchor(folder.path + "/anchor")
    try anchor.create()
    // Nobody, not even root, writes to a directory as to a file.
    try FileManager.default.createDirectory(atPath: anchor.name + ".next", withIntermediateDirectories: false)
    let error = await #expect(throws: BlobError.self) { try await anchor.stage([1], over: nil) }
    #expect(error?.description.contains(anchor.name) == true)
    let directory = FileAnchor(folder.path)
    await #expect(throws: AnchorError.self) { try await directory.load() }
    await #expect(throws: AnchorError.self) { try await FileAnchor(anchor.name + "/x").load() }
  }
}
