import CertificateTransparency
import OrielStore
import Testing

@testable import OrielAlerting

@Suite("Watching over the watcher", .serialized)
struct HealthWatchTests {
  private func watch(_ outbox: Outbox, _ change: (inout HealthWatch.Settings) -> Void = { _ in }) -> HealthWatch {
    var settings = HealthWatch.Settings()
    change(&settings)
    return HealthWatch(
      store: outbox.alerts, following: outbox.following, settings: settings, routes: outbox.standardRoutes,
      logger: outbox.records.logger, now: { outbox.now })
  }

  private func set(_ state: LogState, _ outbox: Outbox) async throws {
    try await outbox.following.setState(
      state, of: outbox.log.logID, reason: "a reason", now: outbox.now, answered: true)
  }

  @Test(
    "A log in trouble for longer than the setting is told of once, and its recovery too",
    arguments: [
      LogState.frozen, .behind, .unreachable,
    ])
  func trouble(state: LogState) async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox)
    try await set(state, outbox)
    #expect(try await !watch.look(watchedCount: 1))
    outbox.pass(3_599_000)
    #expect(try await !watch.look(watchedCount: 1))
    outbox.pass(2000)
    #expect(try await watch.look(watchedCount: 1))
    #expect(try await !watch.look(watchedCount: 1))
    try await set(.current, outbox)
    #expect(try await watch.look(watchedCount: 1))
    #expect(try await !watch.look(watchedCount: 1))
    try await outbox.run(outbox.service()) { outbox.receiver.deliveries.count >= 2 }
    let states = outbox.receiver.deliveries.compactMap { delivery -> String? in
      if case .logHealth(let alert) = delivery.alert.content { alert.state } else { nil }
    }
    #expect(states == [state.rawValue, "current"])
  }

  @Test("A log in trouble for a moment is not told of")
  func moment() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox)
    for _ in 0..<10 {
      for state in [LogState.unreachable, .current] {
        try await set(state, outbox)
        outbox.pass(600_000)
        #expect(try await !watch.look(watchedCount: 1))
      }
    }
  }

  @Test(
    "An inventory folder that can't be listed is told of once with the remedy, and that it can be again",
    arguments: [
      ("/etc/letsencrypt/live", "chmod 0755 /etc/letsencrypt/live"),
      ("/srv/certbot/live/x", "chmod 0755 /srv/certbot/live"),
      ("/root/.acme.sh", "ProtectHome"),
      ("/var/lib/caddy/certificates", "SupplementaryGroups"),
    ])
  func folder(path: String, remedy: String) async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox) { $0.heartbeat = .seconds(3600) }
    try await set(.current, outbox)
    #expect(try await watch.look(watchedCount: 1, folders: [path: nil]))  // The first heartbeat.
    outbox.pass(3_700_000)
    let folders = [path: "\(path): Permission denied"]
    #expect(try await watch.look(watchedCount: 1, folders: folders))
    #expect(try await !watch.look(watchedCount: 1, folders: folders))
    #expect(try await watch.look(watchedCount: 1, folders: [path: nil]))
    try await outbox.run(outbox.service()) { outbox.receiver.deliveries.count >= 4 }
    let alerts = outbox.receiver.deliveries.map(\.alert)
    let told = alerts.filter { $0.kind == "inventory-health" }.map { AlertRenderer(publicURL: nil).render($0).text }
    #expect(told.count == 2 && told[0].contains(remedy) && told[0].contains("Permission denied"))
    #expect(told.last?.contains("can be listed again") == true)
    let lives = alerts.compactMap { if case .heartbeat(let life) = $0.content { life.withheldReasons } else { nil } }
    #expect(lives.count == 2 && lives[1].contains { $0.contains(path) && $0.contains("Permission denied") })
  }

  @Test("Of a folder that does not answer it is not said whose it is")
  func silentFolder() async throws {
    let outbox = try await Outbox()
    let folder = "/etc/letsencrypt/live"
    let reason = InventoryHealthAlert.silence(of: folder, for: .seconds(60))
    #expect(try await watch(outbox).look(watchedCount: 1, folders: [folder: reason]))
    try await outbox.run(outbox.service(), untilQuietAfter: 1)
    let delivery = try #require(outbox.receiver.deliveries.first)
    let text = AlertRenderer().text(delivery.alert)
    #expect(text.contains("no answer in 60 s") && text.contains("can be reached") && !text.contains("chmod"), "\(text)")
  }

  @Test("A clock that makes most logs look wrong is told of once, in place of the logs; and that it is right again")
  func clock() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox)
    try await set(.frozen, outbox)
    let clock: (reason: String?, logs: Set<LogID>) = ("most are ahead", [outbox.log.logID])
    #expect(try await !watch.look(watchedCount: 1, clock: clock))
    outbox.pass(3_599_000)
    #expect(try await !watch.look(watchedCount: 1, clock: clock))
    outbox.pass(2000)
    #expect(try await watch.look(watchedCount: 1, clock: clock))
    outbox.pass(36_000_000)
    #expect(try await !watch.look(watchedCount: 1, clock: clock))
    // Set right: the log stays excused until it is polled again.
    #expect(try await watch.look(watchedCount: 1, clock: (nil, clock.logs)))
    #expect(try await !watch.look(watchedCount: 1, clock: (nil, clock.logs)))
    try await set(.current, outbox)
    #expect(try await !watch.look(watchedCount: 1))
    try await outbox.run(outbox.service()) { outbox.receiver.deliveries.count >= 2 }
    let alerts = outbox.receiver.deliveries.compactMap { delivery -> LogHealthAlert? in
      if case .logHealth(let alert) = delivery.alert.content { alert } else { nil }
    }
    #expect(alerts.map(\.state) == ["clock-behind", "current"])
    #expect(alerts.first?.reason == "most are ahead")
    #expect(
      alerts.map(\.letter.subject) == [
        "This machine's clock is behind", "This machine's clock agrees with the logs again",
      ])
  }

  @Test("A clock that is right again within the time is not told of")
  func clockForAMoment() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox)
    for _ in 0..<5 {
      #expect(try await !watch.look(watchedCount: 1, clock: (reason: "ahead", logs: [])))
      outbox.pass(1_800_000)
      #expect(try await !watch.look(watchedCount: 1))
      outbox.pass(3_600_000)
    }
  }

  @Test("A lie is told at once")
  func lie() async throws {
    let outbox = try await Outbox()
    try await set(.lying, outbox)
    #expect(try await watch(outbox).look(watchedCount: 1))
  }

  @Test("A canary that does not come in time is told of once, and again if it stays away after it came")
  func canary() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox) { $0.canaries = [.init(item: "=canary.example", every: .seconds(3600))] }
    #expect(try await !watch.look(watchedCount: 1))
    outbox.pass(3_599_000)
    #expect(try await !watch.look(watchedCount: 1))
    outbox.pass(2000)
    #expect(try await watch.look(watchedCount: 1))
    outbox.pass(36_000_000)
    #expect(try await !watch.look(watchedCount: 1))
    try await outbox.sight("canary.example", items: ["=canary.example"])
    #expect(try await !watch.look(watchedCount: 1))
    outbox.pass(3_601_000)
    #expect(try await watch.look(watchedCount: 1))
  }

  @Test("A clock that was ahead keeps back no news of logs, canaries and life", arguments: [2, 3650])
  func clockAhead(days: Int64) async throws {
    let outbox = try await Outbox()
    let (ahead, hour) = (days * 86_400_000, Int64(3_600_000))
    let canaries = watch(outbox) { $0.canaries = [.init(item: "=canary.example", every: .seconds(3600))] }
    let heartbeats = watch(outbox) { $0.heartbeat = .seconds(86_400) }
    outbox.pass(ahead)
    try await set(.current, outbox)
    #expect(try await heartbeats.look(watchedCount: 1))
    try await set(.unreachable, outbox)
    #expect(try await !canaries.look(watchedCount: 1))
    try await outbox.sight("canary.example", items: ["=canary.example"])
    outbox.pass(-ahead)
    try await set(.unreachable, outbox)
    #expect(try await !canaries.look(watchedCount: 1))
    outbox.pass(hour)
    // One for the log, one for the canary.
    #expect(try await canaries.look(watchedCount: 1))
    #expect(
      try await outbox.alerts.unrouted().alerts.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [
        .canary, .certificate, .heartbeat, .logHealth,
      ])
    try await set(.current, outbox)
    #expect(try await heartbeats.look(watchedCount: 1))
  }

  @Test("What was given up by a clock that was ahead withholds no heartbeat once it is set right")
  func givenUpAhead() async throws {
    let outbox = try await Outbox()
    let (year, day) = (Int64(365 * 86_400_000), Int64(86_400_000))
    let watch = watch(outbox) { $0.heartbeat = .seconds(86_400) }
    try await set(.current, outbox)
    #expect(try await watch.look(watchedCount: 1))
    outbox.receiver.answer { delivery in delivery.alert.kind == "certificate" ? .gone("410 gone") : .delivered("ok") }
    outbox.pass(year)
    try await outbox.sight("a.owner.example")
    try await outbox.run(outbox.service()) { try await outbox.alerts.counts()[.givenUp] == 1 }
    outbox.pass(day - year)
    #expect(try await watch.look(watchedCount: 1))
  }

  @Test("The heartbeat comes when all is well, and only then")
  func heartbeat() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox) { $0.heartbeat = .seconds(86_400) }
    try await set(.current, outbox)
    #expect(try await watch.look(watchedCount: 7))
    #expect(try await !watch.look(watchedCount: 7))
    outbox.pass(86_400_000)
    try await set(.unreachable, outbox)
    #expect(try await !watch.look(watchedCount: 7))
    try await set(.current, outbox)
    #expect(try await watch.look(watchedCount: 7))
    // What passed within the hour is not worth a word.
    try await outbox.run(outbox.service()) { outbox.receiver.heartbeats.count == 2 }
    #expect(outbox.receiver.heartbeats.map(\.withheldReasons) == [[], []])
  }

  @Test("It is withheld for a log in trouble, and the next one says why")
  func heartbeatAndLogs() async throws {
    let outbox = try await Outbox()
    let watch = watch(outbox) { $0.heartbeat = .seconds(86_400) }
    try await set(.current, outbox)
    try await watch.look(watchedCount: 7)
    outbox.pass(86_400_000 - 3_600_000)
    try await set(.unreachable, outbox)
    outbox.pass(3_600_000)
    for _ in 0..<3 { try await watch.look(watchedCount: 7) }
    try await set(.current, outbox)
    try await watch.look(watchedCount: 7)
    try await outbox.run(outbox.service()) { outbox.receiver.heartbeats.count == 2 }
    // Once, however often it is looked.
    #expect(outbox.records.all.count == 1)
    #expect(outbox.records.all.first?.hasPrefix("warning: a heartbeat is withheld reason=the log ") == true)
    let reasons = try #require(outbox.receiver.heartbeats.last?.withheldReasons)
    #expect(reasons.count == 1 && reasons[0].contains("is unreachable since"))
    outbox.pass(86_400_000)
    try await watch.look(watchedCount: 7)
    try await outbox.run(outbox.service()) { outbox.receiver.heartbeats.count == 3 }
    #expect(outbox.receiver.heartbeats.last?.withheldReasons == [])
  }

  /// Who gets the heartbeat, whose alert is given up, and whether that withholds it.
  @Test(
    "It is withheld once for an alert that was given up: from its recipient, and from those who watch over all",
    arguments: [
      ("other", "owner", true), ("owner", "owner", true), ("third", "owner", false), ("third", "third", true),
    ])
  func heartbeatAndAlerts(_ recipient: String, _ loser: String, _ isWithheld: Bool) async throws {
    let outbox = try await Outbox()
    var routes = outbox.standardRoutes
    let target = { (name: String) in AlertTarget(recipient: name, target: "test:\(name)") }
    routes.channels["test:third"] = outbox.receiver
    (routes.heartbeat, routes.standard) = ([target(recipient)], [target(loser)])
    var settings = HealthWatch.Settings()
    settings.heartbeat = .seconds(86_400)
    let watch = HealthWatch(
      store: outbox.alerts, following: outbox.following, settings: settings, routes: routes,
      logger: outbox.records.logger, now: { outbox.now })
    let service = outbox.service(routes: routes)
    try await set(.current, outbox)
    try await watch.look(watchedCount: 7)
    outbox.receiver.answer { delivery in delivery.alert.kind == "certificate" ? .gone("410 gone") : .delivered("ok") }
    outbox.pass(86_400_000 - 1000)
    try await outbox.sight("a.owner.example")
    try await outbox.run(service) { try await outbox.alerts.counts()[.givenUp] == 1 }
    outbox.pass(1000)
    #expect(try await watch.look(watchedCount: 7) == !isWithheld)
    outbox.pass(86_400_000)
    #expect(try await watch.look(watchedCount: 7))
    let expected = isWithheld ? 2 : 3
    try await outbox.run(service) { outbox.receiver.heartbeats.count == expected }
    let reasons = outbox.receiver.heartbeats.map(\.withheldReasons)
    #expect(
      reasons.last
        == (isWithheld ? ["1 alert to \(DeliveryPlace("test:\(loser)").words) could not be delivered: 410 gone"] : []))
  }
}
