import CTLogClient
import CertificateTransparency
package import Foundation
import OrielAlerting
import OrielLogging
package import OrielMonitor
import OrielServer
package import OrielStore
import OrielWatchlist
import Synchronization
import TestWorld

/// A whole little world on loopback, and a watcher that follows it: a throw-away CA, a log of each kind that grows while
/// one looks, certificates for a few invented names.
package struct Demonstration: Sendable {
  /// Whether to end after one round, as automatic runs want.
  package let endsByItself: Bool
  /// The time between two certificates.
  package let pause: Duration
  /// Where mail is kept.
  package let mailFolder: URL
  /// Shows a line of what is going on.
  package let say: @Sendable (String) throws -> Void
  /// Shows a match.
  package let show: @Sendable (IssuanceRecord) throws -> Void
  /// How the followers fare.
  package let board: StatusBoard

  package init(
    endsByItself: Bool, pause: Duration, mailFolder: URL, board: StatusBoard,
    say: @escaping @Sendable (String) throws -> Void,
    show: @escaping @Sendable (IssuanceRecord) throws -> Void
  ) {
    self.endsByItself = endsByItself
    self.pause = pause
    self.mailFolder = mailFolder
    self.board = board
    self.say = say
    self.show = show
  }

  /// The world came to an end without what was to be seen.
  struct Incomplete: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs until cancelled, or until one round is over.
  package func run() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "oriel-demo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let directory = try DataDirectory(folder.path)
    let database = try SQLiteDatabase(path: directory.databasePath)
    try await DemoWorld.run(in: folder) { world in
      try introduce(world)
      try await world.makeNoise(300)
      let received = Received()
      try await TestServer.run { [say] request in
        received.add()
        try? say("webhook received: \(request.body.count) bytes of JSON, signed, \(Demonstration.kind(request))")
        return TestResponse(status: 204, "")
      } _: { hook in
        try await HTTPTransport.withTransport { transport in
          try await DemoDashboard.run(database, board: board, transport: transport, say: say) { dashboard in
            try say("pages at \(dashboard.url)/: to sign in as \(DemoDashboard.owner), open\n  \(dashboard.link)\n")
            let recipients = try DemoRecipients(
              mailFolder: mailFolder, hookURL: hook.url + "alerts", publicURL: dashboard.url, say: say)
            try await follow(world, database, transport, recipients, received, dashboard)
          }
        }
      }
    }
    withExtendedLifetime(directory.path) {}
  }

  /// What a webhook's payload is about.
  private static func kind(_ request: TestRequest) -> String {
    let fields = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
    return "kind \(fields?["kind"] as? String ?? "?")"
  }

  private func introduce(_ world: DemoWorld) throws {
    try say("A little world on loopback: a throw-away CA and two logs, which grow while you look.")
    for log in world.logs {
      try say("  \(log.kindName.padding(toLength: 10, withPad: " ", startingAt: 0)) \(log.monitoringURL)")
    }
    for item in DemoStory.watched { try say("watching \(item)") }
    try say("mail goes to files in \(mailFolder.path), webhooks to a receiver on loopback")
    try say("")
  }

  private func follow(
    _ world: DemoWorld, _ database: SQLiteDatabase, _ transport: HTTPTransport, _ recipients: DemoRecipients,
    _ received: Received, _ dashboard: DemoDashboard
  ) async throws {
    let store = FollowingStore(database, writesAlerts: true)
    let routes = AlertRoutesHolder(recipients.routes)
    let router = VerdictRouter(
      dashboard.store, database, routes: routes, settings: VerdictRouter.Settings(), now: Timekeeper.system.now)
    let alerts = AlertService(
      store: AlertStore(database), routes: routes, router: router, logger: .silent, now: Timekeeper.system.now)
    var settings = MonitorSettings()
    settings.start = .start
    settings.staticPollInterval = .milliseconds(500)
    settings.rfc6962PollInterval = .milliseconds(500)
    let seen = Seen()
    let announcer = Announcer(store: store) { record in
      seen.add(record.id)
      try show(record)
      alerts.wake()
    }
    let items = try DemoStory.watched.map { try WatchedItem(parsing: $0) }
    let monitor = LogMonitor(
      store: store, transport: transport, settings: settings, board: board, watch: WatchIndexHolder(WatchIndex(items)),
      announcer: announcer)
    let logs = world.logs
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { _ = try await monitor.run { logs } }
      group.addTask { try await alerts.run() }
      group.addTask {
        repeat { try await round(world, dashboard) } while !endsByItself
        try await finish(world, expected: DemoStory.steps.count { $0.isMatch }, seen, received)
      }
      try await group.next()
    }
  }

  /// One certificate after the other, among others that concern nobody here.
  private func round(_ world: DemoWorld, _ dashboard: DemoDashboard) async throws {
    for step in DemoStory.steps {
      try await Task.sleep(for: pause)
      try await world.makeNoise(7)
      try say("> " + step.told)
      try await world.issue(step.request, to: step.goesTo) { precertificate in
        if step.isTold { try await dashboard.tell(precertificate) }
      }
    }
  }

  /// Waits until everything was seen and both trees are verified, and says so.
  private func finish(_ world: DemoWorld, expected: Int, _ seen: Seen, _ received: Received) async throws {
    for _ in 0..<300 {
      let sizes = world.sizes
      let verified = board.all.compactMap(\.verified)
      if seen.count >= expected, received.count >= expected, verified.sorted() == sizes.sorted() {
        try say("Every tree verified, up to entries \(sizes[0]) and \(sizes[1]); \(seen.count) issuances matched.")
        try say("Next: `oriel watch example.com` with a name of yours, `oriel watch --help`, and docs/.")
        return
      }
      try await Task.sleep(for: .milliseconds(200))
    }
    throw Incomplete(description: "\(seen.count) of \(expected) issuances were seen, the trees verified: \(board.all)")
  }
}

/// How often the webhook was called.
private final class Received: Sendable {
  private let calls = Mutex(0)

  func add() { calls.withLock { $0 += 1 } }

  var count: Int { calls.withLock { $0 } }
}

/// The issuances that were shown.
private final class Seen: Sendable {
  private let issuances = Mutex<Set<IssuanceID>>([])

  func add(_ issuance: IssuanceID) { _ = issuances.withLock { $0.insert(issuance) } }

  var count: Int { issuances.withLock { $0.count } }
}
