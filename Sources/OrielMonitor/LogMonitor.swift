package import CTLogClient
package import CertificateTransparency
package import OrielStore
package import OrielWatchlist
import Synchronization

/// Follows every log of the lists at once, each by itself: a log in trouble holds up no other.
package struct LogMonitor: Sendable {
  /// How reading of one log ended.
  package struct Outcome: Sendable {
    package let log: LogDescription
    /// Nil where the log was verified to the head seen at start.
    package let trouble: String?
    package let isLying: Bool
  }

  private let store: FollowingStore
  private let transport: HTTPTransport
  private let settings: MonitorSettings
  private let time: Timekeeper
  private let board: StatusBoard
  private let watch: WatchIndexHolder
  private let announcer: Announcer
  private let pacers = PacerDirectory()
  private let current = CurrentLogs()

  package init(
    store: FollowingStore, transport: HTTPTransport, settings: MonitorSettings, time: Timekeeper = .system,
    board: StatusBoard, watch: WatchIndexHolder, announcer: Announcer
  ) {
    self.store = store
    self.transport = transport
    self.settings = settings
    self.time = time
    self.board = board
    self.watch = watch
    self.announcer = announcer
  }

  private enum Event: Sendable {
    case ended(LogDescription, LogFollower.Ending)
    case listed([LogDescription])
  }

  /// Follows until cancelled; or, when told to read once, until every log's ending is known.
  ///
  /// - Parameter logs: gives the logs to follow; asked again every so often.
  /// - Throws: what the store or `logs` at the very start throws. Trouble with a log is an outcome, never an error.
  package func run(_ logs: @escaping @Sendable () async throws -> [LogDescription]) async throws -> [Outcome] {
    try await announcer.flush()
    let first = try await logs()
    let context = makeContext()
    var outcomes: [Outcome] = []
    try await withThrowingTaskGroup(of: Event.self) { group in
      func follow(_ logs: [LogDescription]) async throws {
        guard !logs.isEmpty else { return }
        let records = try await store.register(logs, start: settings.start.description, now: time.now())
        for (log, record) in zip(logs, records) {
          let follower = LogFollower(source: source(log), record: record, context: context)
          group.addTask { .ended(log, try await follower.run()) }
        }
      }
      func refreshLater() {
        group.addTask {
          while true {
            try await time.sleep(settings.listInterval)
            // A list that can't be had changes nothing: the one in force stays.
            if let fresh = try? await logs() { return .listed(fresh) }
          }
        }
      }
      try await follow(current.replace(with: first))
      if !settings.once { refreshLater() }
      while let event = try await group.next() {
        switch event {
        case .ended(let log, .caughtUp): outcomes.append(Outcome(log: log, trouble: nil, isLying: false))
        case .ended(let log, .unreachable(let reason)):
          outcomes.append(Outcome(log: log, trouble: reason, isLying: false))
        case .ended(let log, .lying(let reason)):
          outcomes.append(Outcome(log: log, trouble: reason, isLying: true))
        case .ended(let log, .replaced):
          if let changed = current[log.logID] { try await follow([changed]) }
        case .ended(let log, .drained): current.forget(log.logID)
        case .listed(let fresh):
          try await follow(current.replace(with: fresh))
          refreshLater()
        }
      }
    }
    try await announcer.flush()
    return outcomes
  }

  private func makeContext() -> LogFollower.Context {
    LogFollower.Context(
      store: store, issuers: IssuerDirectory(store: store), pool: Digester.Pool(),
      permits: Permits(settings.extraBatches), board: board, time: time, settings: settings,
      sought: { [watch] in watch.sought }, committed: { [announcer] in try await announcer.flush() },
      listing: { [current] in current[$0] },
      pollInterval: { [settings, pacers] log in
        settings.pollInterval(log, rate: pacers.pacer(for: log.operatorName).status.rate)
      })
  }

  private func source(_ log: LogDescription) -> any LogSource {
    let pacer = pacers.pacer(for: log.operatorName)
    switch log.kind {
    case .staticCT(let submission, let monitoring):
      let client = StaticCTClient(
        monitoringURL: monitoring, submissionURL: submission, transport: transport, pacer: pacer)
      return StaticCTSource(log: log, client: client, time: time)
    case .rfc6962(let url):
      return RFC6962Source(
        log: log, client: RFC6962Client(url: url, transport: transport, pacer: pacer), time: time)
    }
  }
}

/// What is looked for in the names of certificates.
package struct Sought: Sendable {
  /// What is watched.
  package let index: WatchIndex
  /// What is not to be imitated.
  package let lookalikes: LookalikeIndex

  package init(_ index: WatchIndex, lookalikes: LookalikeIndex = .empty) {
    self.index = index
    self.lookalikes = lookalikes
  }
}

/// What is looked for now; it can be changed while logs are followed.
package final class WatchIndexHolder: Sendable {
  private let held: Mutex<Sought>

  package init(_ index: WatchIndex, lookalikes: LookalikeIndex = .empty) {
    held = Mutex(Sought(index, lookalikes: lookalikes))
  }

  package var sought: Sought { held.withLock { $0 } }

  /// Puts other indices in force, from the next batch on.
  package func replace(with index: WatchIndex, lookalikes: LookalikeIndex = .empty) {
    held.withLock { $0 = Sought(index, lookalikes: lookalikes) }
  }
}

/// The logs as the lists have them now.
final class CurrentLogs: Sendable {
  private struct Contents {
    var listed: [LogID: LogDescription] = [:]
    var followed: Set<LogID> = []
  }

  private let contents = Mutex(Contents())

  subscript(logID: LogID) -> LogDescription? { contents.withLock { $0.listed[logID] } }

  /// Puts new lists in force.
  ///
  /// - Returns: the logs that nobody follows yet.
  func replace(with logs: [LogDescription]) -> [LogDescription] {
    contents.withLock { contents in
      contents.listed = Dictionary(logs.map { ($0.logID, $0) }) { first, _ in first }
      return logs.filter { contents.followed.insert($0.logID).inserted }
    }
  }

  func forget(_ logID: LogID) { _ = contents.withLock { $0.followed.remove(logID) } }
}

/// One pacer for each operator.
final class PacerDirectory: Sendable {
  private let pacers = Mutex<[String: Pacer]>([:])

  func pacer(for operatorName: String) -> Pacer {
    pacers.withLock { pacers in
      if let known = pacers[operatorName] { return known }
      let fresh = Pacer()
      pacers[operatorName] = fresh
      return fresh
    }
  }
}
