import CertificateTransparency
import MerkleTree
import OrielAlerting
import OrielStore
import Synchronization
import TestWorld
import Testing

@Suite("The outbox", .serialized)
struct AlertServiceTests {
  @Test("One alert per issuance and recipient, however often it is sighted and however many items it matches")
  func oneAlert() async throws {
    let outbox = try await Outbox()
    let pair = try await outbox.sight("www.owner.example", items: ["owner.example", "=www.owner.example"])
    try await outbox.sight("www.owner.example", items: ["owner.example", "=www.owner.example"], pair: pair)
    let service = outbox.service()
    try await outbox.run(service) { !outbox.receiver.deliveries.isEmpty }
    try await outbox.sight("www.owner.example", pair: pair)
    try await outbox.run(service) { try await outbox.alerts.unrouted().alerts.isEmpty }
    #expect(outbox.receiver.deliveries.count == 1)
    #expect(try await outbox.alerts.counts() == [.delivered: 1])
  }

  @Test("Each item has its own recipients, others the default ones, and some nobody")
  func routing() async throws {
    let outbox = try await Outbox()
    let routes = AlertRoutes(
      items: ["special.example": [Outbox.other, Outbox.target], "quiet.example": []], standard: [Outbox.target],
      channels: [Outbox.target.target: outbox.receiver, Outbox.other.target: outbox.receiver])
    for name in ["special.example", "quiet.example", "usual.example"] { try await outbox.sight(name, items: [name]) }
    try await outbox.run(outbox.service(routes: routes)) { outbox.receiver.deliveries.count >= 3 }
    let told = try await outbox.alerts.deliveries(limit: 10).map { "\($0.alert.item ?? "") \($0.recipient)" }
    #expect(Set(told) == ["special.example other", "special.example owner", "usual.example owner"])
  }

  @Test("What a target does not take at the moment is repeated with the same id, later and later, and in order")
  func repeated() async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    outbox.receiver.answer { _ in .unavailable("421 busy") }
    for number in 1...3 { try await outbox.sight("n\(number).owner.example") }
    var pauses: [Int64] = []
    for attempt in 1...4 {
      try await outbox.run(service) { outbox.receiver.deliveries.count >= attempt }
      let waiting = try #require(try await outbox.nextRepetition())
      pauses.append(waiting - outbox.now)
      outbox.pass(waiting - outbox.now)
    }
    // The first one is repeated, nobody overtakes it.
    #expect(outbox.receiver.names == ["n1", "n1", "n1", "n1"].map { $0 + ".owner.example" })
    #expect(Set(outbox.receiver.deliveries.map(\.id)).count == 1)
    // Each attempt has its own time, the alert that of its cause.
    let times = outbox.receiver.deliveries.map { Int64($0.attemptedAt.milliseconds) }
    #expect(zip(times, times.dropFirst()).map { $1 - $0 } == Array(pauses.dropLast()))
    #expect(Set(outbox.receiver.deliveries.map(\.alert.createdAt)).count == 1)
    for (pause, minutes) in zip(pauses, [1, 2, 4, 8] as [Double]) {
      #expect((0.79...1.21).contains(Double(pause) / 60_000 / minutes))
    }
    outbox.receiver.answer { _ in .delivered("250 ok") }
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 7 }
    #expect(outbox.receiver.names.suffix(3) == ["n1.owner.example", "n2.owner.example", "n3.owner.example"])
    let words = try await outbox.alerts.deliveries(limit: 10).map(\.words)
    #expect(words == ["250 ok", "250 ok", "250 ok"])
  }

  @Test("What is refused, or waits for a dead target, for too long is given up; a person retries or drops it")
  func givingUp() async throws {
    let outbox = try await Outbox()
    let service = outbox.service { $0.giveUpAfter = .seconds(86_400) }
    outbox.receiver.answer { _ in .refused("554 I don't like it", isPermanent: true) }
    try await outbox.sight("a.owner.example")
    try await outbox.run(service) { outbox.receiver.deliveries.count == 1 }
    outbox.pass(2 * 86_400_000)
    try await outbox.run(service) { try await outbox.alerts.counts()[.givenUp] == 1 }
    outbox.receiver.answer { _ in .unavailable("no connection") }
    for name in ["b", "c"] { try await outbox.sight(name + ".owner.example") }
    try await outbox.run(service) { outbox.receiver.deliveries.count == 3 }
    outbox.pass(2 * 86_400_000)
    // One attempt is enough to give up all that have waited for so long.
    try await outbox.run(service) { try await outbox.alerts.counts()[.givenUp] == 3 }
    #expect(outbox.receiver.deliveries.count == 4)
    let given = try await outbox.alerts.deliveries(in: [.givenUp], limit: 10)
    #expect(given.map(\.words) == ["no connection", "no connection", "554 I don't like it"])
    #expect(try await outbox.alerts.drop([given[2].id]) == 1)
    #expect(try await outbox.alerts.retry(nil, now: outbox.now) == 2)
    outbox.receiver.answer { _ in .delivered("ok") }
    try await outbox.run(service) { try await outbox.alerts.counts()[.delivered] == 2 }
    #expect(try await outbox.alerts.counts() == [.delivered: 2, .dropped: 1])
  }

  @Test("A disk that is full loses nothing: what could not be noted is noted, or sent again, when there is room")
  func diskFull() async throws {
    let outbox = try await Outbox()
    try await outbox.sight("before.owner.example")
    let pages = try await outbox.database.transaction { connection in
      try connection.query("PRAGMA page_count", []).first?.integer(0) ?? 0
    }
    let limit = { @Sendable (count: Int64) in
      _ = try await outbox.database.transaction { try $0.query("PRAGMA max_page_count = \(count)", []).count }
    }
    try await limit(pages)
    let pair = try outbox.authority.issue(CertificateRequest(["after.owner.example"]))
    let error = await #expect(throws: StoreError.self) {
      for _ in 0..<200 { try await outbox.sight("after.owner.example", pair: pair) }
    }
    guard case .full = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try await limit(1 << 30)
    try await outbox.sight("after.owner.example", pair: pair)
    try await outbox.run(outbox.service(), untilQuietAfter: 2)
    #expect(outbox.receiver.names.sorted() == ["after.owner.example", "before.owner.example"])
  }

  @Test("A receiver's Retry-After is waited for")
  func retryAfter() async throws {
    let outbox = try await Outbox()
    outbox.receiver.answer { _ in .unavailable("429", retryAfter: .seconds(1800)) }
    try await outbox.sight("a.owner.example")
    try await outbox.run(outbox.service()) { try await outbox.nextRepetition() != nil }
    let next = try #require(try await outbox.nextRepetition())
    #expect(next - outbox.now >= 1_800_000)
  }

  @Test("One target that is down holds up no other")
  func independence() async throws {
    let outbox = try await Outbox()
    let routes = AlertRoutes(
      standard: [Outbox.target, Outbox.other],
      channels: [Outbox.target.target: Hanging(), Outbox.other.target: outbox.receiver])
    for number in 0..<5 { try await outbox.sight("n\(number).owner.example") }
    try await outbox.run(outbox.service(routes: routes)) { outbox.receiver.deliveries.count == 5 }
    #expect(outbox.receiver.deliveries.count == 5)
  }

  /// Never answers.
  private struct Hanging: Channel {
    func deliver(_ delivery: Delivery) async -> DeliveryResult {
      try? await Task.sleep(for: .seconds(86_400))
      return .unavailable("cancelled")
    }
  }

  @Test("Of a burst the first few go at once, the rest as one digest when the window ends; then it begins anew")
  func digest() async throws {
    let outbox = try await Outbox()
    let service = outbox.service(first: 3)
    for number in 0..<10 { try await outbox.sight("n\(number).owner.example") }
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 3 }
    #expect(outbox.receiver.names == ["n0", "n1", "n2"].map { $0 + ".owner.example" })
    outbox.pass(1_800_000)
    try await outbox.sight("n10.owner.example")
    try await outbox.run(service) { try await outbox.alerts.unrouted().alerts.isEmpty }
    #expect(outbox.receiver.deliveries.count == 3)
    outbox.pass(1_800_001)
    // What comes while the digest is on its way is not part of it, whether it gets through or not.
    outbox.receiver.answer { _ in .unavailable("no") }
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 4 }
    try await outbox.sight("n11.owner.example")
    outbox.receiver.answer { _ in .delivered("ok") }
    outbox.pass(600_000)
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 6 }
    let digests = outbox.receiver.deliveries.compactMap { delivery -> [String]? in
      if case .digest(let alerts, _) = delivery.alert.content { alerts.flatMap(\.matchedNames) } else { nil }
    }
    let expected = (3...10).map { "n\($0).owner.example" }
    #expect(digests == [expected, expected])
    #expect(Set(outbox.receiver.deliveries.filter { $0.alert.kind == "digest" }.map(\.id)).count == 1)
    #expect(outbox.receiver.names.last == "n11.owner.example")
  }

  @Test("A log found lying after its sightings were told of sends a follow-up to those who were told, once")
  func followUp() async throws {
    let outbox = try await Outbox()
    let service = outbox.service()
    try await outbox.sight("a.owner.example")
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 1 }
    let evidence = Evidence(kind: .rootMismatch, detail: "roots differ", material: [])
    for _ in 0..<2 {
      try await outbox.following.lied(outbox.log.logID, evidence, now: outbox.now, rewind: true)
    }
    try await outbox.run(service) { outbox.receiver.deliveries.count >= 2 }
    #expect(outbox.receiver.deliveries.count == 2)
    guard case .followUp(let alert, let log, let reason) = outbox.receiver.deliveries[1].alert.content else {
      Issue.record("not a follow-up")
      return
    }
    #expect(alert.matchedNames == ["a.owner.example"])
    #expect(log == outbox.log.description)
    #expect(reason == "root-mismatch: roots differ")
  }

  @Test("Earlier issuances under the same item are told along")
  func history() async throws {
    let outbox = try await Outbox()
    for number in 0..<13 { try await outbox.sight("n\(number).owner.example") }
    try await outbox.run(outbox.service()) { outbox.receiver.deliveries.count >= 13 }
    let counts = outbox.receiver.deliveries.compactMap { delivery -> [Int]? in
      if case .certificate(let alert) = delivery.alert.content {
        [alert.earlierCount, alert.earlier.count]
      } else {
        nil
      }
    }
    #expect(counts.first == [0, 0])
    #expect(counts.last == [12, 10])
  }

  @Test("Killed while sending, it repeats at most what was under way, under the same id")
  func restart() async throws {
    let outbox = try await Outbox()
    for number in 0..<40 { try await outbox.sight("n\(number).owner.example", items: ["i\(number).example"]) }
    for round in 1...5 {
      let service = outbox.service(first: 1000)
      try await outbox.run(service) { outbox.receiver.deliveries.count >= round * 6 }
    }
    try await outbox.run(outbox.service(first: 1000)) { try await outbox.alerts.counts()[.delivered] == 40 }
    let ids = outbox.receiver.deliveries.map(\.id)
    #expect(Set(ids).count == 40)
    #expect(ids.count <= 40 + 5)
  }

  @Test("A recipient that is no longer configured is given up, and says so")
  func unconfigured() async throws {
    let outbox = try await Outbox()
    try await outbox.sight("a.owner.example")
    let routes = AlertRoutes(standard: [Outbox.target], channels: [:])
    try await outbox.run(outbox.service(routes: routes)) { try await outbox.alerts.counts()[.givenUp] == 1 }
    #expect(try await outbox.alerts.deliveries(limit: 1).first?.words?.contains("not configured") == true)
  }
}
