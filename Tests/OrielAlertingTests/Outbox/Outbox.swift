import CertificateTransparency
import Logging
import MerkleTree
import OrielAlerting
import OrielStore
import Synchronization
import TestSupport
import TestWorld
import Testing

/// A state with an outbox, certificates to put into it, and a receiver that does as it is told.
final class Outbox: Sendable {
  let folder: TemporaryFolder
  let database: SQLiteDatabase
  let following: FollowingStore
  let alerts: AlertStore
  let authority: TestAuthority
  let log: LogDescription
  let records = LogRecords()
  let receiver = Receiver()
  /// Milliseconds since 1970, moved by hand.
  let clock = Mutex<Int64>(1_800_000_000_000)
  private let index = Mutex<UInt64>(0)

  init() async throws {
    folder = try TemporaryFolder()
    database = try SQLiteDatabase(path: folder.path + "/oriel.db")
    following = FollowingStore(database, writesAlerts: true)
    alerts = AlertStore(database)
    authority = try TestAuthority()
    log = try TestLog(.staticCT, name: "outbox").description(url: "https://log.example/")
    _ = try await following.register([log], start: "start", now: 0)
    try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
  }

  var now: Int64 { clock.withLock { $0 } }

  func pass(_ milliseconds: Int64) { clock.withLock { $0 += milliseconds } }

  /// Alerts go to one target, and what is about the service to another.
  var standardRoutes: AlertRoutes {
    AlertRoutes(
      standard: [Outbox.target], logHealth: [Outbox.other], heartbeat: [Outbox.other],
      channels: [Outbox.target.target: receiver, Outbox.other.target: receiver])
  }

  static let target = AlertTarget(recipient: "owner", target: "test:owner")
  static let other = AlertTarget(recipient: "other", target: "test:other")

  func service(
    first: Int = 20, routes: AlertRoutes? = nil, router: (any AlertRouter)? = nil,
    change: (inout AlertSettings) -> Void = { _ in }
  ) -> AlertService {
    var settings = AlertSettings()
    settings.burst = BurstLimit(first: first, window: 3_600_000)
    settings.tick = .milliseconds(50)
    change(&settings)
    return AlertService(
      store: alerts, routes: AlertRoutesHolder(routes ?? standardRoutes), router: router, settings: settings,
      logger: records.logger, now: { [self] in now })
  }

  /// Runs the service until a condition holds.
  func run(_ service: AlertService, until condition: @Sendable () async throws -> Bool) async throws {
    let task = Task { try await service.run() }
    try await eventually(condition)
    task.cancel()
    _ = await task.result
  }

  /// Runs the service until so many attempts were made at least, and nothing is left that could go now.
  func run(_ service: AlertService, untilQuietAfter count: Int) async throws {
    try await run(service) { [self] in
      guard receiver.deliveries.count >= count else { return false }
      return try await isQuiet()
    }
  }

  /// Whether everything is routed, and nothing is due.
  func isQuiet() async throws -> Bool {
    try await database.read { [now] connection in
      try connection.query(
        """
        SELECT 1 FROM deliveries d LEFT JOIN targets t ON t.target = d.target
        WHERE d.state = 'waiting' AND max(d.next_attempt, coalesce(t.stopped_until, 0)) <= ? UNION ALL
        SELECT 1 FROM alerts WHERE routed = 0 LIMIT 1
        """, [.integer(now)]
      ).isEmpty
    }
  }

  /// When the first of what failed is sent again.
  func nextRepetition() async throws -> Int64? {
    try await alerts.deliveries(in: [.waiting], limit: 1000).filter { $0.attempts > 0 }.map(\.nextAttempt).min()
  }

  /// Sights a certificate for a name that hits these items, in a log entry of its own.
  @discardableResult
  func sight(_ name: String, items: [String] = ["owner.example"], pair: IssuedPair? = nil) async throws -> IssuedPair {
    let pair = try pair ?? authority.issue(CertificateRequest([name]))
    let place = index.withLock { index in
      index += 1
      return index
    }
    let sighting = NewSighting(
      index: place - 1, timestamp: UInt64(now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate),
      matches: items.map { StoredMatch(item: $0, name: name) }, problems: [])
    var frontier = Frontier()
    for _ in 0..<place { try frontier.append(.zero) }
    try await following.commit(
      [sighting], of: log.logID, downloaded: LogPosition(index: place, frontier: frontier), verified: nil,
      unreadable: 0, now: now)
    return pair
  }
}

/// Remembers what it was sent, and answers as it is told.
final class Receiver: Channel {
  private let got = Mutex<[Delivery]>([])
  private let answer = Mutex<@Sendable (Delivery) -> DeliveryResult>({ _ in .delivered("ok") })

  var deliveries: [Delivery] { got.withLock { $0 } }

  func answer(_ body: @escaping @Sendable (Delivery) -> DeliveryResult) { answer.withLock { $0 = body } }

  func deliver(_ delivery: Delivery) async -> DeliveryResult {
    got.withLock { $0.append(delivery) }
    return answer.withLock { $0 }(delivery)
  }

  var heartbeats: [HeartbeatAlert] {
    deliveries.compactMap { if case .heartbeat(let life) = $0.alert.content { life } else { nil } }
  }

  /// The names that were told, in order.
  var names: [String] {
    var names: [String] = []
    for delivery in deliveries {
      if case .certificate(let alert) = delivery.alert.content { names += alert.matchedNames }
    }
    return names
  }
}

/// Keeps what is logged, each record as its level, message and metadata.
final class LogRecords: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in Handler(records: self) } }

  private struct Handler: LogHandler {
    let records: LogRecords
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
      records.lines.withLock { $0.append("\(event.level): \(event.message)" + pairs.joined()) }
    }
  }
}
