import CertificateTransparency
import OrielAlerting
import OrielStore
import Testing

@Suite("Watching over the watcher", .serialized)
struct HealthWatchTests {
  private func watch(_ outbox: Outbox, _ change: (inout HealthWatch.Settings) -> Void = { _ in }) -> HealthWatch {
    var settings = HealthWatch.Settings()
    change(&settings)
    return HealthWatch(
      store: outbox.alerts, following: outbox.following, settings: settings, now: { outbox.now })
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
    // An alert that nobody got is nothing to be calm about.
    outbox.receiver.answer { _ in .refused("no") }
    try await outbox.sight("a.owner.example")
    try await outbox.run(outbox.service()) { try await outbox.alerts.counts()[.givenUp] ?? 0 >= 1 }
    outbox.pass(86_400_000)
    #expect(try await !watch.look(watchedCount: 7))
  }
}
