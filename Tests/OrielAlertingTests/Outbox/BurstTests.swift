import CertificateTransparency
import OrielAlerting
import OrielStore
import Synchronization
import TestWorld
import Testing

@Suite("Bursts of certificates", .serialized)
struct BurstTests {
  private static let items = ["a.example", "b.example"]

  /// Judges certificates by their names: `u1.a.example` is unexplained.
  private let router = VerdictStub { alert, outbox in
    let names = try await outbox.alerts.certificate(
      try #require(alert.issuance), item: alert.item ?? "", alert: alert.id
    )
    .record.matches.map(\.name)
    return names.contains { $0.hasPrefix("u") } ? .unexplained : .expected
  }

  private func digests(_ outbox: Outbox) -> [[String]] {
    outbox.receiver.deliveries.compactMap { delivery in
      if case .digest(let alerts, _) = delivery.alert.content { alerts.flatMap(\.matchedNames) } else { nil }
    }
  }

  @Test("Renewals, and another item's alerts, don't hold back what nobody can explain")
  func counters() async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 2, router: router.with(outbox))
    for number in 0..<4 { try await outbox.sight("e\(number).a.example", items: ["a.example"]) }
    for item in Self.items { try await outbox.sight("u.\(item)", items: [item]) }
    try await outbox.sight("e.b.example", items: ["b.example"])
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 5 }
    #expect(
      outbox.receiver.names == ["e0.a.example", "e1.a.example", "u.a.example", "u.b.example", "e.b.example"])
  }

  @Test("Of many unexplained ones the first go by themselves, the others together within five minutes")
  func unexplained() async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 3, router: router.with(outbox))
    let name = { (number: Int) in "u\(number).a.example" }
    for number in 0..<6 { try await outbox.sight(name(number), items: ["a.example"]) }
    try await outbox.run(service) { try await outbox.isQuiet() }
    #expect(outbox.receiver.names == (0..<3).map(name) && digests(outbox).isEmpty)
    outbox.pass(BurstLimit.urgent - 1)
    try await outbox.sight(name(6), items: ["a.example"])
    try await outbox.run(service) { try await outbox.isQuiet() }
    #expect(digests(outbox).isEmpty)
    outbox.pass(1)
    try await outbox.run(service) { !digests(outbox).isEmpty }
    #expect(digests(outbox) == [(3..<7).map(name)])
    // The next ones have five minutes of their own.
    try await outbox.sight(name(7), items: ["a.example"])
    try await outbox.run(service) { try await outbox.isQuiet() }
    outbox.pass(BurstLimit.urgent)
    try await outbox.run(service) { digests(outbox).count == 2 }
    #expect(digests(outbox).last == [name(7)])
  }

  @Test("A digest is of the time when it is sent for the first time, and stays so")
  func date() async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 0)
    for number in 0..<2 { try await outbox.sight("n\(number).owner.example") }
    // The first begins the count.
    try await outbox.run(service) { outbox.receiver.deliveries.count == 1 }
    outbox.pass(3_600_000)
    let sent = outbox.now
    outbox.receiver.answer { _ in .unavailable("not now") }
    try await outbox.run(service) { outbox.receiver.deliveries.count == 2 }
    outbox.pass(86_400_000)
    outbox.receiver.answer { _ in .delivered("ok") }
    try await outbox.run(service) { outbox.receiver.deliveries.count == 3 }
    let times = outbox.receiver.deliveries.filter { $0.alert.kind == "digest" }.map {
      Int64($0.alert.createdAt.milliseconds)
    }
    #expect(times == [sent, sent])
  }

  @Test("Looking at a digest that is still open leaves it open")
  func look() async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 1)
    for number in 0..<2 { try await outbox.sight("n\(number).owner.example") }
    try await outbox.run(service) { outbox.receiver.deliveries.count == 1 }
    let open = try #require(try await outbox.alerts.deliveries(limit: 10).first { $0.alert.kind == .digest })
    guard case .digest(let alerts, _) = try await AlertReader(outbox.alerts).alert(of: open).content else {
      Issue.record("not a digest")
      return
    }
    #expect(alerts.flatMap(\.matchedNames) == ["n1.owner.example"])
    try await outbox.sight("n2.owner.example")
    try await outbox.run(service) { try await outbox.isQuiet() }
    outbox.pass(3_600_000)
    try await outbox.run(service) { outbox.receiver.deliveries.count == 2 }
    #expect(digests(outbox) == [["n1.owner.example", "n2.owner.example"]])
  }

  @Test("Programs get each alert by itself, begun in order, four at a time")
  func programs() async throws {
    let outbox = try await Outbox()
    let program = Program()
    let routes = AlertRoutes(standard: [Outbox.target], channels: [Outbox.target.target: program])
    for number in 0..<13 { try await outbox.sight("n\(number).owner.example") }
    try await outbox.run(outbox.service(first: 2, routes: routes)) {
      try await outbox.alerts.counts()[.delivered] == 13
    }
    #expect(try await outbox.alerts.counts() == [.delivered: 13])
    #expect(program.names == (0..<13).map { "n\($0).owner.example" })
    #expect(program.mostAtOnce == 4)
  }

  /// Holds each alert until there are four, or until no more can come.
  private final class Program: Channel {
    private struct State {
      var names: [String] = []
      var running = 0
      var mostAtOnce = 0
    }

    private let state = Mutex(State())
    var combinesBursts: Bool { false }
    var names: [String] { state.withLock { $0.names } }
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }

    func deliver(_ delivery: Delivery) async -> DeliveryResult {
      guard case .certificate(let alert) = delivery.alert.content else { return .refused("not a certificate") }
      let place = state.withLock { state in
        state.names += alert.matchedNames
        state.running += 1
        state.mostAtOnce = max(state.mostAtOnce, state.running)
        return state.names.count - 1
      }
      // The last one of thirteen has no company.
      while state.withLock({ $0.names.count < min(place / 4 * 4 + 4, 13) }) {
        do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
      }
      state.withLock { $0.running -= 1 }
      return .delivered("ok")
    }
  }
}

/// Says what each certificate's verdict is; those whom the configuration names get all at once.
struct VerdictStub: AlertRouter {
  typealias Judge = @Sendable (StoredAlert, Outbox) async throws -> CertificateVerdict.Level

  private let judge: Judge
  private var outbox: Outbox?
  /// Why nothing is wanted any more.
  var unwanted: String?

  init(_ judge: @escaping Judge) { self.judge = judge }

  func with(_ outbox: Outbox) -> VerdictStub {
    var router = self
    router.outbox = outbox
    return router
  }

  func routing(of alert: StoredAlert) async throws -> AlertRouting {
    guard let outbox else { return AlertRouting() }
    return AlertRouting(configured: AlertDecision(.atOnce, level: try await judge(alert, outbox)))
  }

  func decision(on held: HeldAlert) async throws -> AlertDecision { AlertDecision(.atOnce) }
  func targets(of audience: String) async throws -> [AlertTarget] { [] }
  func reach(_ target: AlertTarget, with alert: StoredAlert) async throws -> AlertReach? {
    unwanted.map { .unwanted($0) }
  }
  func verdict(on certificate: CertificateAlert, for recipient: String) async throws -> CertificateVerdict? { nil }
  func refused(_ target: AlertTarget, words: String) async throws -> Bool { false }
}
