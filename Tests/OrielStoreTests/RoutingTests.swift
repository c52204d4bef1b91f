import OrielStore
import Testing

@Suite("Whose alerts are routed next")
struct RoutingTests {
  private func shelf(_ alerts: [(item: String?, count: Int)]) async throws -> Shelf {
    let shelf = try await Shelf()
    try await shelf.database.transaction { connection in
      for (item, count) in alerts {
        for number in 0..<count {
          try connection.execute(
            "INSERT INTO alerts (key, kind, item, created_at) VALUES (?, 'certificate', ?, ?)",
            [.text("\(item ?? "-") \(number)"), .optional(item), .integer(Shelf.now)])
        }
      }
    }
    return shelf
  }

  private func finish(_ alerts: [StoredAlert], _ shelf: Shelf) async throws {
    let routed = alerts.map { RoutedAlert($0, to: []) }
    try await shelf.alerts.route(routed, burst: BurstLimit(first: 20, window: 1000), now: Shelf.now)
  }

  @Test("One item's burst leaves room for all others' alerts, and fills what they don't need")
  func share() async throws {
    let shelf = try await shelf([("burst.example", 5000), ("other.example", 1), (nil, 1)])
    let (alerts, next) = try await shelf.alerts.unrouted(limit: 256)
    #expect(alerts.contains { $0.item == "other.example" } && alerts.contains { $0.item == nil })
    #expect(alerts.count > 128 && alerts.map(\.id) == alerts.map(\.id).sorted())
    try await finish(alerts, shelf)
    #expect(try await shelf.alerts.unrouted(after: next, limit: 256).alerts.count == 256)
  }

  @Test("With more items than there is room for, each has its turn before any has another")
  func turns() async throws {
    let items = (0..<25).map { "n\($0).example" }
    let shelf = try await shelf(items.map { ($0, 3) })
    var (next, seen) = (RoutingTurn(), [String?: Int]())
    for round in 1...3 {
      for _ in 0..<3 {
        let found = try await shelf.alerts.unrouted(after: next, limit: 10)
        for alert in found.alerts { seen[alert.item, default: 0] += 1 }
        try await finish(found.alerts, shelf)
        next = found.next
      }
      #expect(seen.count == 25 && seen.values.allSatisfy { $0 >= round - 1 }, "\(round): \(seen)")
    }
    while case let found = try await shelf.alerts.unrouted(after: next, limit: 10), !found.alerts.isEmpty {
      for alert in found.alerts { seen[alert.item, default: 0] += 1 }
      try await finish(found.alerts, shelf)
      next = found.next
    }
    #expect(seen.values.allSatisfy { $0 == 3 })
  }

  @Test("What is held is released to one audience after the other, some at a time")
  func held() async throws {
    let shelf = try await shelf([("a.example", 300), ("b.example", 1)])
    let alerts = try await shelf.alerts.unrouted(limit: 1000).alerts
    let held = alerts.map { HeldAlert(alert: $0, audience: $0.item ?? "", kind: .review, until: Shelf.now) }
    try await shelf.alerts.route([], holding: held, burst: BurstLimit(first: 1, window: 1), now: Shelf.now)
    let first = try await shelf.alerts.dueHeld(now: Shelf.now, review: 1000)
    #expect(first.count == 256 && first.allSatisfy { $0.audience == "a.example" })
    let second = try await shelf.alerts.dueHeld(after: "a.example", now: Shelf.now, review: 1000)
    #expect(second.map(\.audience) == ["b.example"])
    #expect(try await shelf.alerts.dueHeld(after: "b.example", now: Shelf.now, review: 1000).first == first.first)
    #expect(try await shelf.alerts.dueHeld(now: Shelf.now - 1, review: 1000).isEmpty)
  }

  @Test(
    "What a clock that was ahead held is held no longer than its kind may be",
    arguments: [
      (HeldAlert.Kind.review, 120_000), (.daily, Shelf.day), (.weekly, 7 * Shelf.day),
    ] as [(HeldAlert.Kind, Int64)])
  func clockAhead(_ kind: HeldAlert.Kind, _ longest: Int64) async throws {
    let shelf = try await shelf([("a.example", 1)])
    let alert = try #require(try await shelf.alerts.unrouted().alerts.first)
    for (wait, isDue) in [(longest, false), (longest + 1, true), (3650 * Shelf.day, true)] {
      let held = HeldAlert(alert: alert, audience: "a", kind: kind, until: Shelf.now + wait)
      try await shelf.alerts.route([], holding: [held], burst: BurstLimit(first: 1, window: 1), now: Shelf.now)
      let due = try await shelf.alerts.dueHeld(now: Shelf.now, review: 120_000)
      #expect(due.isEmpty != isDue, "\(wait)")
    }
  }
}
