import CertificateTransparency
import OrielAlerting
import OrielStore
import Testing

@Suite("Targets that don't take alerts", .serialized)
struct TargetTests {
  private static let hour: Int64 = 3_600_000

  /// Answers by the first label of the certificate's name; by “short” to what does not tell it.
  private func answer(_ outbox: Outbox, _ body: @escaping @Sendable (String) -> DeliveryResult) {
    outbox.receiver.answer { delivery in
      guard case .certificate(let alert) = delivery.alert.content else { return body("short") }
      return body(alert.matchedNames.first?.split(separator: ".").first.map(String.init) ?? "")
    }
  }

  private func labels(_ outbox: Outbox) -> [String] {
    outbox.receiver.names.map { String($0.split(separator: ".")[0]) }
  }

  private func sight(_ labels: [String], _ outbox: Outbox) async throws {
    for label in labels { try await outbox.sight(label + ".owner.example") }
  }

  @Test("One alert that is refused keeps no other waiting, and is tried again at its own time")
  func poison() async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    answer(outbox) { $0 == "poison" ? .refused("500 stumbled") : .delivered("ok") }
    try await sight(["a", "poison", "b", "c"], outbox)
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 3 }
    #expect(labels(outbox) == ["a", "poison", "b", "c"])
    let waiting = try #require(try await outbox.alerts.deliveries(in: [.waiting], limit: 10).first)
    #expect((48_000...72_000).contains(waiting.nextAttempt - outbox.now) && waiting.words == "500 stumbled")
    outbox.pass(waiting.nextAttempt - outbox.now)
    try await sight(["d"], outbox)
    answer(outbox) { _ in .delivered("ok") }
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 5 }
    // What was never refused comes first.
    #expect(labels(outbox) == ["a", "poison", "b", "c", "d", "poison"])
  }

  @Test("A full mailbox is tried for as long as the settings say", arguments: ["552 5.2.2 full", "550 5.2.1 disabled"])
  func mailbox(words: String) async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    outbox.receiver.answer { _ in .refused(words, of: .recipient, isPermanent: true) }
    try await sight(["a"], outbox)
    for attempt in 1...6 {
      try await outbox.run(service) { outbox.receiver.deliveries.count >= attempt }
      outbox.pass(6 * Self.hour)
    }
    outbox.receiver.answer { _ in .delivered("ok") }
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 1 }
    #expect(Set(outbox.receiver.deliveries.map(\.id)).count == 1)
  }

  @Test(
    "An address that never took an alert and is not known is given up at once, one that did is not",
    arguments: [true, false])
  func unknown(hasTaken: Bool) async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    if hasTaken {
      try await sight(["a"], outbox)
      try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 1 }
    }
    outbox.receiver.answer { _ in .refused("550 5.1.1 no such user", of: .recipient, isPermanent: true) }
    try await sight(["b"], outbox)
    try await outbox.run(service, untilQuietAfter: hasTaken ? 2 : 1)
    #expect(try await outbox.alerts.counts()[hasTaken ? .waiting : .givenUp] == 1)
  }

  @Test("A receiver that says it is gone for good gets an alert once")
  func gone() async throws {
    let outbox = try await Outbox()
    outbox.receiver.answer { _ in .gone("410") }
    try await sight(["a", "b"], outbox)
    try await outbox.run(outbox.service()) { try await outbox.alerts.counts()[.givenUp] == 2 }
    #expect(labels(outbox) == ["a", "b"])
  }

  @Test("Three different alerts that are refused in a row stop the target, longer each time, until it takes one")
  func threeInARow() async throws {
    let outbox = try await Outbox()
    let service = outbox.service { $0.firstRetry = .seconds(60) }
    outbox.receiver.answer { _ in .refused("450 not now") }
    try await sight((0..<6).map { "n\($0)" }, outbox)
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 3 }
    #expect(labels(outbox) == ["n0", "n1", "n2"])
    // The next probe is one that was never refused.
    outbox.pass(72_000)
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 4 }
    #expect(labels(outbox).last == "n3")
    outbox.pass(72_000)
    try await outbox.run(service) { try await outbox.isQuiet() }
    #expect(outbox.receiver.deliveries.count == 4)
    outbox.receiver.answer { _ in .delivered("ok") }
    outbox.pass(72_000)
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 6 }
    #expect(Array(labels(outbox).dropFirst(4).prefix(2)) == ["n4", "n5"])
  }

  @Test("Two alerts that are refused again and again stop nothing")
  func twoPoisons() async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    answer(outbox) { $0 == "good" ? .delivered("ok") : .refused("no") }
    try await sight(["poison1", "poison2"], outbox)
    for _ in 0..<6 {
      let count = outbox.receiver.deliveries.count
      try await outbox.run(service) { outbox.receiver.deliveries.count >= count + 2 }
      outbox.pass(6 * Self.hour)
    }
    try await sight(["good"], outbox)
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 1 }
    #expect(try await outbox.alerts.counts()[.delivered] == 1)
  }

  @Test("A target that takes nothing is asked with one alert at a time, and the first is the first to get through")
  func stopped() async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    outbox.receiver.answer { _ in .unavailable("535 wrong password") }
    try await sight((0..<20).map { "n\($0)" }, outbox)
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 1 }
    for _ in 0..<3 {
      outbox.pass(6 * Self.hour)
      let count = outbox.receiver.deliveries.count
      try await outbox.run(service) { outbox.receiver.deliveries.count > count }
    }
    #expect(labels(outbox) == ["n0", "n0", "n0", "n0"])
    // Another process, or a reload of the configuration, lets it be tried at once.
    outbox.receiver.answer { _ in .delivered("ok") }
    try await outbox.alerts.restartTargets()
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 20 }
    #expect(Array(labels(outbox).dropFirst(4)) == (0..<20).map { "n\($0)" })
  }

  @Test("Four attempts at once that find nobody are one failure")
  func parallelFailures() async throws {
    let outbox = try await Outbox()
    let crowd = Crowd(outbox.receiver)
    outbox.receiver.answer { _ in .unavailable("no route") }
    let routes = AlertRoutes(standard: [Outbox.target], channels: [Outbox.target.target: crowd])
    try await sight((0..<8).map { "n\($0)" }, outbox)
    try await outbox.run(outbox.service(routes: routes), untilQuietAfter: 1)
    let next = try #require(try await outbox.nextRepetition())
    #expect((48_000...72_000).contains(next - outbox.now))
  }

  /// Takes several at once.
  private struct Crowd: Channel {
    let receiver: Receiver
    init(_ receiver: Receiver) { self.receiver = receiver }
    var combinesBursts: Bool { false }
    func deliver(_ delivery: Delivery) async -> DeliveryResult { await receiver.deliver(delivery) }
  }

  @Test(
    "What failed while the clock was ahead is tried once it is right, and so is all behind it",
    arguments: [2, 3650], [DeliveryResult.unavailable("no"), .refused("no")])
  func clockAhead(days: Int64, failure: DeliveryResult) async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    outbox.receiver.answer { _ in failure }
    outbox.pass(days * 86_400_000)
    try await sight(["a", "b", "c", "d"], outbox)
    try await outbox.run(service, untilQuietAfter: 1)
    outbox.pass(-days * 86_400_000)
    outbox.receiver.answer { _ in .delivered("ok") }
    try await sight(["e"], outbox)
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 5 }
    #expect(try await outbox.alerts.counts() == [.delivered: 5])
  }

  @Test("A digest that was begun while the clock was ahead is sent once it is right", arguments: [2, 3650])
  func digestAhead(days: Int64) async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 1)
    outbox.pass(days * 86_400_000)
    try await sight(["a", "b", "c"], outbox)
    try await outbox.run(service, untilQuietAfter: 1)
    outbox.pass(-days * 86_400_000)
    try await outbox.run(service) { outbox.receiver.deliveries.count == 2 }
    #expect(outbox.receiver.deliveries.last?.alert.kind == "digest")
  }

  @Test("What a clock that was ahead brought is given up in time as well")
  func giveUpAhead() async throws {
    let outbox = try await Outbox()
    let service = outbox.service { $0.giveUpAfter = .seconds(86_400) }
    outbox.receiver.answer { _ in .unavailable("no") }
    outbox.pass(3650 * 86_400_000)
    try await sight(["a"], outbox)
    try await outbox.run(service) { outbox.receiver.deliveries.count == 1 }
    outbox.pass(-3650 * 86_400_000)
    try await outbox.run(service) { outbox.receiver.deliveries.count == 2 }
    outbox.pass(2 * 86_400_000)
    try await outbox.run(service) { try await outbox.alerts.counts()[.givenUp] == 1 }
    #expect(try await outbox.alerts.counts() == [.givenUp: 1])
  }
}
