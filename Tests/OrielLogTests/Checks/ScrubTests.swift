import CertificateTransparency
import Foundation
import MerkleTree
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Rechecking what is published, all the time")
struct ScrubTests {
  /// Notes which tiles of entries are read, and fails to read what a disk has lost.
  private final class WatchedStore: BlobStore {
    let base: MemoryStore
    private let state = Mutex((read: [String](), lost: Set<String>()))

    init(_ base: MemoryStore) { self.base = base }

    var read: [String] { state.withLock { $0.read } }

    func lose(_ path: String) { state.withLock { _ = $0.lost.insert(path) } }

    func get(_ path: String) async throws -> [UInt8]? {
      let isLost = state.withLock { state in
        if path.hasPrefix("tile/data/") { state.read.append(path) }
        return state.lost.contains(path)
      }
      if isLost { throw BlobError.system(operation: "read", path: path, code: 5, reason: "Input/output error") }
      return try await base.get(path)
    }

    func put(_ blob: Blob) async throws { try await base.put(blob) }
    func add(_ blobs: [Blob]) async throws { try await base.add(blobs) }
    func delete(_ paths: [String]) async throws { try await base.delete(paths) }
    func list(_ folder: String) async throws -> [String] { try await base.list(folder) }
  }

  private let bench = Bench()
  private let store: WatchedStore
  private let head: LogHead
  private let folder: TemporaryFolder
  private static let size: UInt64 = 700

  init() async throws {
    try await bench.create()
    let sequencer = try await bench.sequencer()
    for number in 0..<Int(Self.size) { await Answers().submit(try Entries.entry(number), to: sequencer) }
    try await sequencer.tick()
    head = try #require(await sequencer.head)
    store = WatchedStore(bench.storage)
    folder = try TemporaryFolder()
  }

  private func scrub(_ settings: LogScrub.Settings) -> LogScrub {
    LogScrub(
      Bench.identity, storage: store, file: folder.path + "/scrub.json", settings: settings, clock: bench.clock.clock)
  }

  private static var brisk: LogScrub.Settings {
    var settings = LogScrub.Settings()
    settings.longestPause = .milliseconds(1)
    return settings
  }

  /// Runs it until something is so.
  private func run(_ scrub: LogScrub, until isSo: () -> Bool) async throws {
    let running = Task { [head] in await scrub.run { head } }
    while !isSo() { try await Task.sleep(for: .milliseconds(1)) }
    running.cancel()
    await running.value
  }

  /// Whether it has reached the end of the tree.
  private static func hasPassed(_ scrub: LogScrub) -> Bool {
    scrub.measurements.contains { $0.name == "oriel_log_scrub_last_pass_timestamp_seconds" && $0.value > 0 }
  }

  @Test(
    "A flipped bit is found, named and told once, and is no more when it is mended",
    arguments: [
      "tile/data/000", "tile/data/002.p/188", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2", "tile/names/001",
      "issuer/",
    ])
  func flippedBit(path: String) async throws {
    let path = try #require(bench.storage.content.keys.sorted().first { $0.hasPrefix(path) })
    let right = try #require(bench.storage.content[path])
    bench.storage.content[path]?[right.count / 2] ^= 4
    var settings = Self.brisk
    let told = Mutex<[String]>([])
    settings.onDamage = { finding in told.withLock { $0.append(finding.path) } }
    let scrub = scrub(settings)
    try await run(scrub) { Self.hasPassed(scrub) }
    // Without its issuer, an entry can't be checked either.
    let others = path.hasPrefix("issuer/") ? ["tile/data/000"] : []
    #expect(scrub.findings.map(\.path) == [path] + others)
    #expect(told.withLock { $0 } == [path] + others)
    #expect(
      scrub.measurements.first { $0.name == "oriel_log_scrub_damaged_files" }?.value == Double(1 + others.count))
    bench.storage.content[path] = right
    try await run(scrub) { scrub.findings.isEmpty && Self.hasPassed(scrub) }
  }

  @Test("What the disk can't read is named; what is well is not")
  func unreadable() async throws {
    let scrub = scrub(Self.brisk)
    try await run(scrub) { Self.hasPassed(scrub) }
    #expect(scrub.findings == [])
    store.lose("tile/0/001")
    try await run(scrub) { !scrub.findings.isEmpty }
    #expect(scrub.findings.map(\.path) == ["tile/0/001"])
  }

  @Test("After a restart it looks first at what was damaged, and goes on where it was")
  func restart() async throws {
    struct Memory: Decodable { let next: Int }
    let names = ["tile/data/000", "tile/data/001", "tile/data/002.p/188"]
    var next = 0
    while next == 0 {
      let before = store.read.count
      try await run(scrub(Self.brisk)) { store.read.count > before }
      next = try JSONDecoder().decode(
        Memory.self, from: Data(contentsOf: folder.url.appending(path: "scrub.json"))
      ).next
    }
    var before = store.read.count
    try await run(scrub(Self.brisk)) { store.read.count > before }
    #expect(store.read[before] == names[next])

    let right = try #require(bench.storage.content[names[0]])
    bench.storage.content[names[0]]?[right.count / 2] ^= 4
    let first = scrub(Self.brisk)
    // Until a step after it, which remembers it.
    try await run(first) { !first.findings.isEmpty && store.read.last != names[0] }
    before = store.read.count
    // A minute passes before the first regular step of this one.
    let second = scrub(LogScrub.Settings())
    try await run(second) { !second.findings.isEmpty }
    #expect(store.read[before] == names[0])
    #expect(second.findings.map(\.path) == [names[0]])
  }

  @Test("Health and metrics tell of damage, until it is mended")
  func health() async throws {
    try await ServedLog.run({ options, _ in options.service.scrub.longestPause = .milliseconds(5) }) { log in
      _ = try await log.fill(3)
      let file = URL(filePath: log.folder.publicPath + "/tile/data/000.p/3")
      let right = try Data(contentsOf: file)
      var wrong = right
      wrong[wrong.count / 2] ^= 1
      try FileManager.default.removeItem(at: file)
      try wrong.write(to: file)
      var health = try await log.http.request("GET", "/health")
      while health.status == 200 {
        try await Task.sleep(for: .milliseconds(5))
        health = try await log.http.request("GET", "/health")
      }
      #expect(health.status == 503 && health.text.contains("damaged: tile/data/000.p/3"), "\(health.text)")
      let metrics = try await log.http.request("GET", "/metrics").text
      #expect(metrics.contains(#"oriel_log_scrub_damaged_files{log="log.example/logs/2026"} 1.0"#))
      try right.write(to: file)
      while health.status != 200 {
        try await Task.sleep(for: .milliseconds(5))
        health = try await log.http.request("GET", "/health")
      }
    }
  }

  @Test(
    "The interval is hours or days, or off",
    arguments: [("12h", 43_200), ("7d", 604_800), ("off", nil)] as [(String, Int?)])
  func interval(text: String, seconds: Int?) throws {
    #expect(try #require(LogScrub.Settings(text)).interval == seconds.map { .seconds($0) })
  }

  @Test("Other intervals are refused", arguments: ["", "d", "0d", "-1d", "7", "7w", "1.5d", "99999999999999999999d"])
  func badInterval(text: String) { #expect(LogScrub.Settings(text) == nil) }
}
