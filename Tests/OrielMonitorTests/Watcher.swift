import CTLogClient
import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore
import OrielWatchlist
import Synchronization
import TestSupport
import TestWorld
import Testing

/// A monitor with a state of its own, that follows a test world's logs.
final class Watcher: Sendable {
  let world: World
  let folder: URL
  let watched: WatchIndexHolder
  private let opened = Mutex<FollowingStore?>(nil)
  private let told = Mutex<[IssuanceRecord]>([])

  init(_ world: World, watching items: [String] = ["watched.example"]) throws {
    self.world = world
    folder = FileManager.default.temporaryDirectory.appending(path: "oriel-test-\(UUID().uuidString)")
    watched = WatchIndexHolder(WatchIndex(try items.map { try WatchedItem(parsing: $0) }))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// What was told so far, in order.
  var announcements: [IssuanceRecord] { told.withLock { $0 } }

  /// A connection of its own, beside that of the monitor.
  func store() throws -> FollowingStore {
    try opened.withLock { opened in
      let store = try opened ?? openStore()
      opened = store
      return store
    }
  }

  private func openStore() throws -> FollowingStore {
    FollowingStore(try SQLiteDatabase(path: folder.appending(path: "oriel.db").path))
  }

  /// Reads the logs once, from entry 0 unless told otherwise.
  @discardableResult
  func watchOnce(
    _ logs: [LogDescription]? = nil, from start: String = "start", timeout: Int = 20,
    tell: (@Sendable (IssuanceRecord) throws -> Void)? = nil
  ) async throws -> [LogMonitor.Outcome] {
    var settings = MonitorSettings()
    settings.once = true
    settings.start = StartPolicy(start) ?? .start
    settings.timeout = .seconds(timeout)
    return try await run(settings, logs ?? world.logList.logs, tell)
  }

  /// Follows until cancelled.
  func follow(_ logs: [LogDescription]? = nil) async throws {
    var settings = MonitorSettings()
    settings.start = .start
    settings.staticPollInterval = .milliseconds(50)
    settings.rfc6962PollInterval = .milliseconds(50)
    settings.lyingPause = .milliseconds(200)
    _ = try await run(settings, logs ?? world.logList.logs, nil)
  }

  /// Follows until cancelled, with lists that change.
  func follow(changing logs: @escaping @Sendable () -> [LogDescription]) async throws {
    var settings = MonitorSettings()
    settings.start = .start
    settings.staticPollInterval = .milliseconds(20)
    settings.rfc6962PollInterval = .milliseconds(20)
    settings.listInterval = .milliseconds(20)
    _ = try await run(settings, logs, nil)
  }

  private func run(
    _ settings: MonitorSettings, _ logs: [LogDescription], _ tell: (@Sendable (IssuanceRecord) throws -> Void)?
  ) async throws -> [LogMonitor.Outcome] { try await run(settings, { logs }, tell) }

  private func run(
    _ settings: MonitorSettings, _ logs: @escaping @Sendable () -> [LogDescription],
    _ tell: (@Sendable (IssuanceRecord) throws -> Void)?
  ) async throws -> [LogMonitor.Outcome] {
    let store = try openStore()
    let transportSettings = HTTPTransport.Settings(totalTimeout: .seconds(2))
    return try await HTTPTransport.withTransport(transportSettings) { [self] transport in
      let monitor = LogMonitor(
        store: store, transport: transport, settings: settings, time: Watcher.impatient, board: StatusBoard(),
        watch: watched,
        announcer: Announcer(store: store) { [self] record in
          try tell?(record)
          told.withLock { $0.append(record) }
        })
      return try await monitor.run { logs() }
    }
  }

  /// The machine's clock, but nobody waits long.
  private static let impatient = Timekeeper(
    now: Timekeeper.system.now, sleep: { try await Task.sleep(for: min($0, .milliseconds(100))) })

  /// Serial numbers of the stored issuances whose names have this prefix, with how often each was sighted.
  func stored() async throws -> [IssuanceRecord] { try await store().issuances() }

  /// The kinds of the evidence that is kept against a log.
  func evidence(against log: LyingLog) async throws -> [String] {
    try await store().evidence(against: log.log.signer.logID).map(\.kind)
  }

  /// How a log fares, as stored.
  func state(_ log: LyingLog) async throws -> LogState? {
    try await store().logs().first { $0.logID == log.log.signer.logID }?.state
  }

  /// Waits until a condition holds.
  func wait(until condition: () async throws -> Bool) async throws { try await eventually(condition) }

  /// The verified position of a log.
  func verified(_ log: LyingLog) async throws -> UInt64? {
    try await store().logs().first { $0.logID == log.log.signer.logID }?.verified?.index
  }
}

/// The two kinds of log, by which tests are parameterised.
enum LogKind: CaseIterable, CustomTestStringConvertible {
  case staticCT, rfc6962

  var testDescription: String { self == .staticCT ? "static-ct" : "RFC 6962" }

  func log(in world: World) -> LyingLog { self == .staticCT ? world.staticLog : world.rfc6962Log }

  func description(in world: World) -> [LogDescription] {
    world.logList.logs.filter { $0.logID == log(in: world).log.signer.logID }
  }
}

extension World {
  /// Logs unrelated certificates, with a watched one after every `spacing`; gives the number of watched issuances.
  func plant(_ count: Int, watchedEvery spacing: Int = 10, in log: LyingLog) throws -> Int {
    var planted = 0
    for number in 0..<count {
      let isWatched = number % spacing == spacing - 1
      let pending = try authority.begin(
        CertificateRequest([isWatched ? "w\(number).watched.example" : "h\(number).other.example"]))
      try log.log.append(pending.entry)
      if isWatched { planted += 1 }
    }
    try log.log.publish()
    return planted
  }
}
