import CertificateTransparency
import Foundation
import MerkleTree
import OrielFiles
import Synchronization

/// Goes through a published tree again and again, at an even pace, so that damage is noticed while a mirror can mend it.
///
/// One step is a tile of entries with their issuers and names, and all tiles of hashes that lead from it to the root.
package final class LogScrub: Sendable {
  package struct Settings: Sendable {
    /// The time for the whole tree; nil for never.
    package var interval: Duration? = .seconds(7 * 86_400)
    /// A small tree is gone through sooner: the longest time between two steps.
    package var longestPause: Duration = .seconds(60)
    /// The most bytes that are read in a second, on average.
    package var bytesPerSecond = 8 << 20
    /// Is told of damage when it is found.
    package var onDamage: @Sendable (Finding) -> Void = { _ in }

    package init() {}

    /// Reads `off`, or hours or days such as `12h` and `7d`; nil if it is none of those.
    package init?(_ text: String) {
      let units: [Character: Int] = ["h": 3600, "d": 86_400]
      if text == "off" {
        interval = nil
      } else if let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()),
        (1...10_000).contains(count)
      {
        interval = .seconds(count * unit)
      } else {
        return nil
      }
    }
  }

  /// What outlasts a restart.
  private struct Memory: Codable {
    /// The tile of entries that is next.
    var next: UInt64 = 0
    /// When the end of the tree was reached last.
    var lastPass: UInt64?
    /// The tiles of entries where damage was found, to be looked at first.
    var damaged: [UInt64] = []
  }

  private struct State {
    var memory = Memory()
    /// By path.
    var damage: [String: (tile: UInt64, finding: Finding)] = [:]
    var tileCount: UInt64 = 0
  }

  private let identity: LogIdentity
  private let storage: any BlobStore
  private let settings: Settings
  private let clock: LogClock
  private let file: URL
  private let state: Mutex<State>

  /// More damaged files are counted no more; there is enough to do.
  private static let damageLimit = 1000

  /// - Parameter file: where the place is kept, to go on from after a restart.
  init(_ identity: LogIdentity, storage: any BlobStore, file: String, settings: Settings, clock: LogClock) {
    (self.identity, self.storage, self.settings, self.clock) = (identity, storage, settings, clock)
    self.file = URL(filePath: file)
    var state = State()
    // Where it can't be read, it begins anew.
    if let json = try? Data(contentsOf: self.file), let memory = try? JSONDecoder().decode(Memory.self, from: json) {
      state.memory = memory
    }
    self.state = Mutex(state)
  }

  /// Runs until the task is cancelled.
  ///
  /// - Parameter head: gives what is published.
  func run(_ head: @Sendable () async -> LogHead) async {
    guard let interval = settings.interval else { return }
    for tile in state.withLock({ $0.memory.damaged }) { _ = await step(tile, head) }
    var byteCount = 0
    while !Task.isCancelled {
      let start = ContinuousClock.now
      let count = LogScrub.tileCount(await head())
      let share = count > 0 ? min(settings.longestPause, interval / Int(count)) : settings.longestPause
      let pause = max(share, .seconds(1) * byteCount / settings.bytesPerSecond)
      guard (try? await Task.sleep(until: start + pause)) != nil else { return }
      let next = state.withLock { $0.memory.next }
      byteCount = next < count ? await step(next, head) : 0
      advance(from: next, of: count)
    }
  }

  private static func tileCount(_ head: LogHead) -> UInt64 { (head.size + 255) >> 8 }

  private func advance(from next: UInt64, of count: UInt64) {
    let memory = state.withLock { state in
      state.tileCount = count
      state.memory.next = next + 1 < count ? next + 1 : 0
      if count > 0, state.memory.next == 0 { state.memory.lastPass = clock.now().milliseconds }
      state.memory.damaged = Set(state.damage.values.map(\.tile)).sorted()
      return state.memory
    }
    // Where this fails, some of it is looked at twice.
    try? AtomicFile.write([UInt8](JSONEncoder().encode(memory)), to: file.path)
  }

  /// - Returns: the number of bytes that were read.
  private func step(_ tile: UInt64, _ head: @Sendable () async -> LogHead) async -> Int {
    let store = CountingStore(storage)
    var findings = await check(tile, await head(), store)
    // The last tiles may have been replaced meanwhile: what is wrong twice is wrong.
    if !findings.isEmpty { findings = await check(tile, await head(), store) }
    let new = state.withLock { state in
      let known = Set(state.damage.keys)
      state.damage = state.damage.filter { $0.value.tile != tile }
      for finding in findings where state.damage[finding.path] == nil {
        guard state.damage.count < LogScrub.damageLimit else { break }
        state.damage[finding.path] = (tile, finding)
      }
      return state.damage.values.map(\.finding).filter { !known.contains($0.path) }
    }
    for finding in new.sorted(by: { $0.path < $1.path }) { settings.onDamage(finding) }
    return store.byteCount
  }

  private func check(_ tile: UInt64, _ head: LogHead, _ store: CountingStore) async -> [Finding] {
    var findings: [Finding] = []
    var check = LogCheck(identity, storage: store) { findings.append($0) }
    do {
      try await check.run(tile: tile, of: head)
    } catch let error as BlobError {
      // The disk itself may say that it has lost something.
      findings.append(Finding(error.path, "\(error)"))
    } catch {
      findings.append(Finding("tile/", "\(error)"))
    }
    return findings
  }

  // MARK: - How it fares

  /// What was found and not seen mended since.
  var findings: [Finding] { state.withLock { $0.damage.values.map(\.finding) }.sorted { $0.path < $1.path } }

  var measurements: [(name: String, value: Double)] {
    let (memory, damaged, count) = state.withLock { ($0.memory, $0.damage.count, $0.tileCount) }
    return [
      ("oriel_log_scrub_damaged_files", Double(damaged)),
      ("oriel_log_scrub_position_ratio", count > 0 ? Double(memory.next) / Double(count) : 0),
      ("oriel_log_scrub_last_pass_timestamp_seconds", memory.lastPass.map { Double($0) / 1000 } ?? .nan),
    ]
  }
}

/// Counts what is read from a store.
private final class CountingStore: BlobStore {
  private let base: any BlobStore
  private let count = Mutex(0)

  init(_ base: any BlobStore) { self.base = base }

  var byteCount: Int { count.withLock { $0 } }

  func get(_ path: String) async throws -> [UInt8]? {
    let bytes = try await base.get(path)
    count.withLock { $0 += bytes?.count ?? 0 }
    return bytes
  }

  func put(_ blob: Blob) async throws { try await base.put(blob) }
  func add(_ blobs: [Blob]) async throws { try await base.add(blobs) }
  func delete(_ paths: [String]) async throws { try await base.delete(paths) }
  func list(_ folder: String) async throws -> [String] { try await base.list(folder) }
}

extension BlobError {
  fileprivate var path: String {
    switch self {
    case .differs(let path), .badPath(let path), .tooLarge(let path, _), .system(_, let path, _, _): path
    case .smallerCheckpoint: Blob.checkpoint
    }
  }
}
