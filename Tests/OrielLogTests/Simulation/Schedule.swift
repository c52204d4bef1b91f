import CertificateTransparency
import MerkleTree
import Synchronization
import TestWorld

@testable import OrielLog

/// A seeded run of a log through faults: writes that fail in all ways, crashes, restored backups, a clock that jumps,
/// two writers on one lock. In the end, everything that was ever promised is checked.
final class Schedule {
  struct Broken: Error, CustomStringConvertible { let description: String }

  /// Random numbers that closures on several threads share.
  final class Dice: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func roll(_ count: Int) -> Int { Int(generator.withLock { $0.next() } % UInt64(max(count, 1))) }
    func happens(percent: Int) -> Bool { roll(100) < percent }
  }

  private let dice: Dice
  private let plan = FaultPlan()
  private let bench: Bench
  private let answers = Answers()
  private var writers: [Sequencer?]
  private var backup: MemoryStore.Blobs?
  /// Of directory and lock together.
  private var snapshot: (blobs: MemoryStore.Blobs, lock: [LogID: [UInt8]])?
  private var clockIsWrong: Int64 = 0
  /// How often what happened, to see that a run is worth its time.
  private(set) var counts: [String: Int] = [:]

  init(seed: UInt64) {
    dice = Dice(seed: seed)
    bench = Bench(plan: plan, isAnchored: dice.happens(percent: 50))
    writers = Array(repeating: nil, count: dice.happens(percent: 30) ? 2 : 1)
  }

  private func count(_ what: String) { counts[what, default: 0] += 1 }

  private var settings: SequencerSettings {
    var settings = SequencerSettings()
    settings.deduplicationLot = 5
    settings.idleRefresh = 500
    settings.poolLimit = 300
    return settings
  }

  func run() async throws {
    try await bench.create()
    // To the tile boundary, or near it.
    let start = [0, 0, 3, 250, 254, 255, 256, 509][dice.roll(8)]
    if start > 0 {
      let first = try await bench.sequencer()
      for number in 0..<min(start, 256) { await answers.submit(try Entries.entry(number), to: first) }
      try await first.tick()
      for number in min(start, 256)..<start { await answers.submit(try Entries.entry(number), to: first) }
      bench.clock.advance()
      try await first.tick()
    }
    for _ in 0..<(8 + dice.roll(10)) { try await step() }
    try await finish()
  }

  private func step() async throws {
    bench.clock.advance(UInt64(dice.roll(400)))
    moveClock()
    planFaults()
    for number in writers.indices {
      if writers[number] != nil, dice.happens(percent: 12) {
        count("crash")
        writers[number] = nil
      }
    }
    if dice.happens(percent: 8) { backup = bench.storage.content }
    if let old = backup, dice.happens(percent: 10) { try await restore(old) }
    if bench.anchor != nil {
      if let old = snapshot, dice.happens(percent: 15) { try await restoreSnapshot(old.blobs, old.lock) }
      if dice.happens(percent: 15) { snapshot = (bench.storage.content, bench.lock.content) }
    }
    for number in writers.indices where writers[number] == nil {
      do { writers[number] = try await bench.sequencer(settings) } catch is InjectedFault { count("failed start") }
    }
    for writer in writers.compactMap(\.self) {
      for _ in 0..<dice.roll(7) { await answers.submit(try Entries.entry(dice.roll(700)), to: writer) }
    }
    await tick()
    if dice.happens(percent: 50) { plan.settle() }
    if dice.happens(percent: 20) {
      for writer in writers.compactMap(\.self) { try? await writer.tidy(keepingPartialTiles: 0) }
    }
  }

  private func moveClock() {
    if clockIsWrong != 0, dice.happens(percent: 40) {
      bench.clock.step(-clockIsWrong)
      clockIsWrong = 0
    } else if clockIsWrong == 0, dice.happens(percent: 6) {
      clockIsWrong = Int64(dice.roll(7_200_000) - 3_600_000)
      bench.clock.step(clockIsWrong)
      count("clock step")
    }
  }

  private func endFaults() {
    plan.state.withLock { state in
      state.next = { _ in nil }
      state.readFails = { false }
    }
  }

  /// Makes one of the next writes fail, or many, and reads with them.
  private func planFaults() {
    let (dice, all) = (dice, dice.happens(percent: 8))
    let chosen = dice.happens(percent: 55) ? dice.roll(8) : -1
    if chosen >= 0 || all { count("faulty step") }
    let done = Mutex(0)
    plan.state.withLock { state in
      state.readFails = { all && dice.happens(percent: 20) }
      state.next = { _ in
        let number = done.withLock { count in
          count += 1
          return count - 1
        }
        guard number == chosen || (all && dice.happens(percent: 40)) else { return nil }
        return WriteFault.allCases[dice.roll(WriteFault.allCases.count)]
      }
    }
  }

  /// All writers at once, in turns that the dice decide.
  private func tick() async {
    let running = writers.enumerated().compactMap { number, writer in writer.map { (number, $0) } }
    let turns = Turns(writers: running.count) { [dice] in dice.roll($0) }
    if running.count > 1 { plan.state.withLock { $0.turns = turns } }
    var failed = 0
    await withTaskGroup(of: Bool.self) { group in
      for (number, writer) in running {
        group.addTask {
          await Turns.$writer.withValue(number) {
            defer { if running.count > 1 { turns.leave() } }
            do {
              try await writer.tick()
              return true
            } catch { return false }
          }
        }
      }
      for await isDone in group where !isDone { failed += 1 }
    }
    plan.state.withLock { $0.turns = nil }
    counts["failed tick", default: 0] += failed
    counts["tick", default: 0] += running.count
  }

  /// Somebody puts an old copy of the directory in place while the lock goes on: the log must see it, or it must be of
  /// no harm. Then the right one comes back.
  private func restore(_ old: MemoryStore.Blobs) async throws {
    count("restore")
    endFaults()
    plan.settle()
    defer { planFaults() }
    for number in writers.indices { writers[number] = nil }
    let right = bench.storage.content
    bench.storage.content = old
    do {
      let sequencer = try await bench.sequencer(settings)
      // It holds all of the tree, or it would have been refused.
      let locked = try Bench.identity.head(reading: bench.lock.content[Bench.identity.logID] ?? [])
      guard await sequencer.head == locked else { throw Broken(description: "a restored directory goes its own way") }
      _ = try PublishedTree(bench.storage.content)
      count("restore of no harm")
    } catch let error as LogError {
      guard case .directoryBehind = error else { throw error }
      count("restore refused")
      bench.storage.content = right
    }
  }

  /// Somebody puts old copies of directory and lock in place, which go together: only the anchor can tell. Then the right
  /// ones come back.
  private func restoreSnapshot(_ blobs: MemoryStore.Blobs, _ lock: [LogID: [UInt8]]) async throws {
    endFaults()
    plan.settle()
    defer { planFaults() }
    for number in writers.indices { writers[number] = nil }
    let right = (blobs: bench.storage.content, lock: bench.lock.content, anchor: bench.anchor?.content)
    (bench.storage.content, bench.lock.content) = (blobs, lock)
    do {
      let head = await (try await bench.sequencer(settings)).head
      guard let anchored = right.anchor.map({ try? Bench.identity.head(reading: $0) }) ?? nil, let head,
        anchored.timestamp <= head.timestamp
      else { throw Broken(description: "a restored snapshot goes its own way") }
      count("snapshot of no harm")
    } catch let error as LogError {
      guard case .anchor = error else { throw error }
      count("snapshot refused")
    }
    guard bench.anchor?.content == right.anchor || right.lock == lock else {
      throw Broken(description: "a restored snapshot changed the anchor")
    }
    (bench.storage.content, bench.lock.content) = (right.blobs, right.lock)
  }

  /// The faults end, and the log is opened once more: it has to work, and to have kept every promise.
  private func finish() async throws {
    endFaults()
    if dice.happens(percent: 50) { plan.settle() }
    if clockIsWrong != 0 { bench.clock.step(-clockIsWrong) }
    bench.clock.advance(8_000_000)
    // Who is alone has to get going again without help.
    if writers.count == 1, let survivor = writers[0] {
      try? await survivor.tick()
      bench.clock.advance()
      do { try await survivor.tick() } catch let error as LogError {
        // It was started while the clock was wrong.
        guard case .clockStepped = error else { throw error }
      }
    }
    bench.clock.advance()
    let last = try await bench.sequencer(settings)
    for number in 900..<903 { await answers.submit(try Entries.entry(number), to: last) }
    let before = answers.promises.count
    try await last.tick()
    guard answers.promises.count >= before + 3 else { throw Broken(description: "the log does not work any more") }
    try await check()
  }

  private func check() async throws {
    let tree = try PublishedTree(bench.storage.content)
    for promise in answers.promises { try tree.check(promise) }
    for note in bench.storage.checkpoints + bench.lock.history { try tree.check(checkpoint: note) }
    let times = try bench.lock.history.map { try Bench.identity.head(reading: $0).timestamp }
    guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw Broken(description: "the time of heads does not increase")
    }
    guard let locked = bench.lock.content[Bench.identity.logID], locked == bench.storage.content["checkpoint"] else {
      throw Broken(description: "lock and directory differ")
    }
    guard bench.anchor.map({ $0.content == locked }) ?? true else {
      throw Broken(description: "lock and anchor differ")
    }
    if writers.count == 1 {
      let certificates = Set(tree.leaves.map { $0[10..<($0.count - 10)] })
      guard certificates.count == tree.leaves.count else { throw Broken(description: "something was logged twice") }
    }
    let findings = try await bench.findings()
    guard findings.isEmpty else { throw Broken(description: "\(findings)") }
    counts["promise", default: 0] += answers.promises.count
    counts["entry", default: 0] += tree.leaves.count
  }
}
