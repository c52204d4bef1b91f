import CertificateTransparency
import OrielAlerting
import OrielStore
import Synchronization
import TestWorld
import Testing

@Suite("Alerts that don't get through", .serialized)
struct DeliveryHealthTests {
  private static let hour: Int64 = 3_600_000
  private static let chat = AlertTarget(recipient: "other", target: "webhook:other")

  /// Everything is unexplained.
  private let router = VerdictStub { _, _ in .unexplained }

  /// Certificates go to one target; the operator is reached there as well, and by a webhook.
  private func routes(_ outbox: Outbox, hasOtherChannel: Bool = true) -> AlertRoutes {
    var routes = outbox.standardRoutes
    routes.logHealth = hasOtherChannel ? [Outbox.target, DeliveryHealthTests.chat] : [Outbox.target]
    routes.channels[DeliveryHealthTests.chat.target] = outbox.receiver
    return routes
  }

  private func watch(_ outbox: Outbox) -> HealthWatch {
    HealthWatch(
      store: outbox.alerts, following: outbox.following, settings: HealthWatch.Settings(), routes: routes(outbox),
      logger: outbox.records.logger, now: { outbox.now })
  }

  private func reports(_ outbox: Outbox) -> [DeliveryHealthAlert] {
    outbox.receiver.deliveries.compactMap { delivery in
      if case .deliveryHealth(let health) = delivery.alert.content { health } else { nil }
    }
  }

  private func targets(_ kind: StoredAlert.Kind, _ outbox: Outbox) async throws -> [String] {
    try await outbox.alerts.deliveries(limit: 100).filter { $0.alert.kind == kind }.map(\.target)
  }

  @Test(
    "A target that has taken nothing for an hour is reported once, by another channel, and its recovery too",
    arguments: [DeliveryResult.unavailable("535 wrong password"), .refused("404 what is this?", isPermanent: true)])
  func failing(of result: DeliveryResult) async throws {
    let outbox = try await Outbox()
    let service = outbox.service(routes: routes(outbox), router: router.with(outbox))
    outbox.receiver.answer { delivery in delivery.alert.kind == "certificate" ? result : .delivered("ok") }
    for label in ["a", "b"] { try await outbox.sight(label + ".owner.example") }
    try await outbox.run(service, untilQuietAfter: 1)
    outbox.pass(Self.hour - 1)
    #expect(try await !watch(outbox).look(watchedCount: 1))
    outbox.pass(1)
    #expect(try await watch(outbox).look(watchedCount: 1))
    #expect(try await !watch(outbox).look(watchedCount: 1))
    try await outbox.run(service) { reports(outbox).count == 1 }
    #expect(try await targets(.deliveryHealth, outbox) == [Self.chat.target])
    let report = try #require(reports(outbox).first)
    #expect(report.failing.map(\.reason) == [result.words] && report.failing.map(\.waiting) == [2])
    // What was refused is reported by itself, too; what did not get there is not.
    let isReachable = if case .refused = result { true } else { false }
    #expect(report.undelivered.count == (isReachable ? 2 : 0) && report.recovered.isEmpty)
    outbox.receiver.answer { _ in .delivered("ok") }
    outbox.pass(Self.hour)
    try await outbox.run(service) { try await outbox.alerts.counts()[.waiting] == nil }
    if !isReachable { #expect(outbox.receiver.names.suffix(2) == ["a.owner.example", "b.owner.example"]) }
    #expect(try await watch(outbox).look(watchedCount: 1))
    #expect(try await !watch(outbox).look(watchedCount: 1))
    try await outbox.run(service) { reports(outbox).count >= 2 }
    #expect(reports(outbox).last?.recovered.count == 1 && reports(outbox).last?.failing.isEmpty == true)
  }

  @Test("Where there is no other channel, the report waits for the one that fails")
  func onlyChannel() async throws {
    let outbox = try await Outbox()
    let routes = routes(outbox, hasOtherChannel: false)
    let service = outbox.service(routes: routes, router: router.with(outbox))
    outbox.receiver.answer { _ in .unavailable("no route") }
    try await outbox.sight("a.owner.example")
    try await outbox.run(service, untilQuietAfter: 1)
    outbox.pass(Self.hour)
    #expect(try await watch(outbox).look(watchedCount: 1))
    outbox.receiver.answer { _ in .delivered("ok") }
    try await outbox.run(service) { reports(outbox).count == 1 }
    #expect(try await targets(.deliveryHealth, outbox) == [Outbox.target.target])
  }

  @Test(
    "An unexplained certificate that was refused for an hour is reported to the operator, once",
    arguments: [true, false])
  func setAside(isGivenUp: Bool) async throws {
    let outbox = try await Outbox()
    let service = outbox.service(routes: routes(outbox), router: router.with(outbox))
    outbox.receiver.answer { delivery in
      guard ["certificate", "short"].contains(delivery.alert.kind) else { return .delivered("ok") }
      return isGivenUp ? .gone("410 gone") : .refused("500 stumbled", isPermanent: true)
    }
    try await outbox.sight("evil.www.owner.example")
    try await outbox.run(service, untilQuietAfter: 1)
    if !isGivenUp {
      outbox.pass(Self.hour - 1)
      #expect(try await !watch(outbox).look(watchedCount: 1))
      outbox.pass(1)
    }
    #expect(try await watch(outbox).look(watchedCount: 1))
    #expect(try await !watch(outbox).look(watchedCount: 1))
    try await outbox.run(service) { reports(outbox).count == 1 }
    #expect(try await targets(.deliveryHealth, outbox) == [Self.chat.target])
    let undelivered = try #require(reports(outbox).first?.undelivered)
    #expect(undelivered.map(\.isGivenUp) == [isGivenUp])
    #expect(undelivered.map(\.short.domain) == ["owner[.]example"])
    #expect(undelivered.map(\.place) == [DeliveryPlace(Outbox.target.target)])
  }

  @Test("What is expected, and what was refused for a moment, is not reported", arguments: [true, false])
  func unimportant(isExpected: Bool) async throws {
    let outbox = try await Outbox()
    let stub = VerdictStub { _, _ in isExpected ? .expected : .unexplained }
    let service = outbox.service(routes: routes(outbox), router: stub.with(outbox))
    outbox.receiver.answer { _ in .refused("451 greylisted", of: .recipient) }
    try await outbox.sight("a.owner.example")
    try await outbox.run(service, untilQuietAfter: 1)
    if !isExpected {
      outbox.receiver.answer { _ in .delivered("ok") }
      outbox.pass(72_000)
      try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 1 }
    }
    outbox.pass(2 * Self.hour)
    #expect(try await !watch(outbox).look(watchedCount: 1))
  }

  @Test(
    "After two refusals of what it says, an alert has no word of a stranger in it: of temporary ones those count that come after an hour, and those of a mailbox never",
    arguments: [
      (.refused("554 no", isPermanent: true), 2), (.refused("451 later"), 3), (.refused("450 no", of: .recipient), 4),
    ] as [(DeliveryResult, Int)])
  func short(refusal: DeliveryResult, inFull: Int) async throws {
    let outbox = try await Outbox()
    let service = outbox.service(router: router.with(outbox))
    outbox.receiver.answer { _ in refusal }
    try await outbox.sight("evil.owner.example")
    for attempt in 1...4 {
      try await outbox.run(service, untilQuietAfter: attempt)
      outbox.pass(6 * Self.hour)
    }
    let kinds = outbox.receiver.deliveries.map(\.alert.kind)
    #expect(kinds.prefix(4) == (0..<4).map { $0 < inFull ? "certificate" : "short" }[...])
    #expect(Set(outbox.receiver.deliveries.map(\.id)).count == 1)
  }

  @Test(
    "Each delivery that fails is logged with its target, the reason and the next attempt",
    arguments: [
      (.unavailable("no route"), "warning: a target accepts no alerts and will be tried again"),
      (.refused("500 no"), "warning: a delivery was refused and will be tried again"),
      (.gone("410 gone"), "error: a delivery was given up"),
    ] as [(DeliveryResult, String)])
  func logged(_ result: DeliveryResult, _ message: String) async throws {
    let outbox = try await Outbox()
    outbox.receiver.answer { _ in result }
    try await outbox.sight("a.owner.example")
    try await outbox.run(outbox.service(), untilQuietAfter: 1)
    let delivery = try #require(try await outbox.alerts.deliveries(limit: 1).first)
    let record = try #require(outbox.records.all.first)
    #expect(outbox.records.all.count == 1 && record.hasPrefix(message + " delivery=\(delivery.id) kind=certificate"))
    let next = Timestamp(milliseconds: UInt64(delivery.nextAttempt))
    #expect(record.contains(" next_attempt=\(next) ") == (delivery.state == .waiting))
    #expect(record.hasSuffix(" reason=\(delivery.words ?? "-") target=\(DeliveryPlace(delivery.target))"))
  }

  @Test("What nobody wants any more is logged as cancelled")
  func cancelled() async throws {
    let outbox = try await Outbox()
    var stub = router
    stub.unwanted = "it is muted"
    try await outbox.sight("a.owner.example")
    try await outbox.run(outbox.service(router: stub.with(outbox))) { try await outbox.alerts.counts()[.dropped] == 1 }
    let record = try #require(outbox.records.all.first)
    #expect(record.hasPrefix("notice: a delivery was cancelled ") && record.contains(" reason=it is muted "))
  }

  @Test("The reports of many at once are one alert, which counts what it does not list")
  func many() async throws {
    let outbox = try await Outbox()
    var routes = outbox.standardRoutes
    routes.standard = (0..<60).map { AlertTarget(recipient: "r\($0)", target: "test:r\($0)") }
    for target in routes.standard { routes.channels[target.target] = outbox.receiver }
    let service = outbox.service(routes: routes, router: router.with(outbox))
    outbox.receiver.answer { delivery in
      delivery.alert.kind == "certificate" ? .unavailable("no route") : .delivered("ok")
    }
    try await outbox.sight("a.owner.example")
    try await outbox.run(service, untilQuietAfter: 60)
    outbox.pass(Self.hour)
    #expect(try await watch(outbox).look(watchedCount: 1))
    try await outbox.run(service) { reports(outbox).count == 1 }
    #expect(reports(outbox).count == 1)
    #expect(reports(outbox).first?.failing.count == 50 && reports(outbox).first?.omitted == 10)
  }
}
