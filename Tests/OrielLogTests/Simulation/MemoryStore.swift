import CertificateTransparency
import MerkleTree
import Synchronization

@testable import OrielLog

/// What becomes of a write.
enum WriteFault: CaseIterable, Sendable {
  /// It fails, and nothing of it is kept.
  case lost
  /// It fails, and some of it is kept.
  case halfKept
  /// It fails, but all of it is kept.
  case keptButReportedLost
  /// It fails, but happens later.
  case delayed
}

struct InjectedFault: Error {}

/// Decides what becomes of the operations on stores and locks, and lets writers take turns.
final class FaultPlan: Sendable {
  struct State {
    /// The fault of the write that comes next; nil for none.
    var next: @Sendable (String) -> WriteFault? = { _ in nil }
    /// Whether the read that comes next fails.
    var readFails: @Sendable () -> Bool = { false }
    var delayed: [@Sendable () -> Void] = []
    /// Where several writers are at work.
    var turns: Turns?
  }

  let state = Mutex(State())

  /// Waits for its turn, and tells the fault of a write.
  func fault(_ what: String) async -> WriteFault? {
    await pass()
    return state.withLock { $0.next(what) }
  }

  func pass() async { await state.withLock { $0.turns }?.pass() }

  /// Waits for its turn to read.
  func read() async throws {
    await pass()
    if state.withLock({ $0.readFails() }) { throw InjectedFault() }
  }

  func delay(_ work: @escaping @Sendable () -> Void) { state.withLock { $0.delayed.append(work) } }

  /// Lets all delayed writes happen.
  func settle() {
    let due = state.withLock { state in
      defer { state.delayed = [] }
      return state.delayed
    }
    for work in due { work() }
  }
}

/// A store that keeps blobs in memory, whole or not at all, and fails as it is told.
final class MemoryStore: BlobStore {
  typealias Blobs = [String: [UInt8]]

  let plan: FaultPlan
  private let blobs: Mutex<Blobs>
  private let publishedCheckpoints = Mutex<[[UInt8]]>([])

  init(_ blobs: Blobs = [:], plan: FaultPlan = FaultPlan()) {
    self.blobs = Mutex(blobs)
    self.plan = plan
  }

  /// All that it holds; what is set takes the place of everything, as restoring a backup does.
  var content: Blobs {
    get { blobs.withLock { $0 } }
    set { blobs.withLock { $0 = newValue } }
  }

  /// All checkpoints that anybody could ever read.
  var checkpoints: [[UInt8]] { publishedCheckpoints.withLock { $0 } }

  private func keep(_ blob: Blob) {
    if blob.path == "checkpoint" { publishedCheckpoints.withLock { $0.append(blob.bytes) } }
    blobs.withLock { $0[blob.path] = blob.bytes }
  }

  private func write(_ what: String, _ parts: [@Sendable () throws -> Void]) async throws {
    switch await plan.fault(what) {
    case nil: for part in parts { try part() }
    case .lost: throw InjectedFault()
    case .halfKept:
      for part in parts.prefix(parts.count / 2) { try part() }
      throw InjectedFault()
    case .keptButReportedLost:
      for part in parts { try part() }
      throw InjectedFault()
    case .delayed:
      plan.delay { for part in parts { try? part() } }
      throw InjectedFault()
    }
  }

  func get(_ path: String) async throws -> [UInt8]? {
    try await plan.read()
    return blobs.withLock { $0[path] }
  }

  func put(_ blob: Blob) async throws {
    try await write(
      "put \(blob.path)",
      [
        {
          try blob.check(replacing: self.blobs.withLock { $0[blob.path] })
          self.keep(blob)
        }
      ])
  }

  func add(_ added: [Blob]) async throws {
    try await write(
      "add \(added.first?.path ?? "")",
      added.map { blob in
        {
          guard self.blobs.withLock({ $0[blob.path] }) ?? blob.bytes == blob.bytes else {
            throw BlobError.differs(path: blob.path)
          }
          self.keep(blob)
        }
      })
  }

  func delete(_ paths: [String]) async throws {
    try await write("delete", paths.map { path in { self.blobs.withLock { $0[path] = nil } } })
  }

  func list(_ folder: String) async throws -> [String] {
    try await plan.read()
    return blobs.withLock { $0.keys.filter { $0.hasPrefix(folder) } }
  }
}

/// A lock in memory that fails as it is told.
final class MemoryLock: CheckpointLock {
  let plan: FaultPlan
  private let checkpoints: Mutex<[LogID: [UInt8]]>
  private let all = Mutex<[[UInt8]]>([])

  init(_ checkpoints: [LogID: [UInt8]] = [:], plan: FaultPlan = FaultPlan()) {
    self.checkpoints = Mutex(checkpoints)
    self.plan = plan
  }

  var content: [LogID: [UInt8]] {
    get { checkpoints.withLock { $0 } }
    set { checkpoints.withLock { $0 = newValue } }
  }

  /// All checkpoints that it ever held.
  var history: [[UInt8]] { all.withLock { $0 } }

  func load(_ log: LogID) async throws -> [UInt8]? {
    try await plan.read()
    return content[log]
  }

  func create(_ log: LogID, _ checkpoint: [UInt8]) async throws {
    try await change(log, nil, checkpoint, .alreadyThere)
  }

  func replace(_ log: LogID, _ old: [UInt8], by new: [UInt8]) async throws { try await change(log, old, new, .taken) }

  private func change(_ log: LogID, _ old: [UInt8]?, _ new: [UInt8], _ error: LockError) async throws {
    let swap: @Sendable () throws -> Void = {
      try self.checkpoints.withLock { checkpoints in
        guard checkpoints[log] == old else { throw error }
        checkpoints[log] = new
        self.all.withLock { $0.append(new) }
      }
    }
    switch await plan.fault("lock") {
    case nil: try swap()
    case .lost, .halfKept: throw InjectedFault()
    case .keptButReportedLost:
      try swap()
      throw InjectedFault()
    case .delayed:
      plan.delay { try? swap() }
      throw InjectedFault()
    }
  }
}

/// Keys in memory.
final class MemoryTable: EntryTable {
  private let state = Mutex((indexes: [SHA256Hash: [UInt64]](), size: UInt64(0)))

  var indexes: [SHA256Hash: [UInt64]] {
    get { state.withLock { $0.indexes } }
    set { state.withLock { $0.indexes = newValue } }
  }

  func coveredSize() async throws -> UInt64 { state.withLock { $0.size } }

  func find(_ keys: [SHA256Hash]) async throws -> [SHA256Hash: [UInt64]] {
    state.withLock { state in
      Dictionary(keys.compactMap { key in state.indexes[key].map { (key, $0) } }) { first, _ in first }
    }
  }

  func forget(after size: UInt64) async throws {
    state.withLock { $0.size = min($0.size, size) }
  }

  func insert(_ entries: [SHA256Hash: UInt64], covering size: UInt64, resting: Bool) async throws {
    state.withLock { state in
      state.indexes.merge(entries.mapValues { [$0] }) { first, other in first + other }
      state.size = size
    }
  }
}

/// Lets several writers go on one at a time, in an order that a seed decides.
final class Turns: Sendable {
  private struct State {
    var running: Int
    var waiting: [(writer: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var choose: @Sendable (Int) -> Int
  }

  @TaskLocal static var writer = 0

  private let state: Mutex<State>

  /// - Parameter choose: picks one of so many.
  init(writers: Int, choose: @escaping @Sendable (Int) -> Int) {
    state = Mutex(State(running: writers, choose: choose))
  }

  /// Waits until it is this writer's turn.
  func pass() async {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        state.waiting.append((Turns.writer, continuation))
        state.running -= 1
        next(&state)
      }
    }
  }

  /// A writer is done.
  func leave() {
    state.withLock { state in
      state.running -= 1
      next(&state)
    }
  }

  private func next(_ state: inout State) {
    guard state.running == 0, !state.waiting.isEmpty else { return }
    // In which order they came to wait is for the threads to say; who is chosen is not.
    state.waiting.sort { $0.writer < $1.writer }
    let chosen = state.waiting.remove(at: state.choose(state.waiting.count))
    state.running += 1
    chosen.continuation.resume()
  }
}
