import TestWorld
import Testing

@testable import CTLogClient

@Suite("The pacer")
struct PacerTests {
  private static func pacer(_ clock: HeldClock, maximumInFlight: Int = 8) -> Pacer {
    Pacer(
      maximumInFlight: maximumInFlight,
      surroundings: Pacer.Surroundings(
        now: { clock.now.offset }, sleep: { try await clock.sleep(for: $0) }, random: { 1 }))
  }

  private static func refusal(_ code: Int = 429, retryAfter: Duration? = nil) -> FetchError {
    FetchError(url: "http://log.example/", reason: .status(code: code, retryAfter: retryAfter, body: ""))
  }

  private static func refuse(_ pacer: Pacer, _ error: FetchError = refusal()) async {
    await #expect(throws: FetchError.self) { try await pacer.run { throw error } }
  }

  @Test("lets so many requests in, and the others in order of arrival")
  func inFlight() async throws {
    let pacer = PacerTests.pacer(HeldClock(), maximumInFlight: 2)
    let (gate, opener) = AsyncStream<Void>.makeStream()
    let order = Notes<Int>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<6 {
        group.addTask {
          try await pacer.run {
            order.add(number)
            if number < 2 { for await _ in gate { break } }
          }
        }
        while pacer.status.inFlight + pacer.status.waiting < number + 1 { await Task.yield() }
      }
      #expect(pacer.status == Pacer.Status(rate: nil, blockedFor: nil, inFlight: 2, waiting: 4))
      opener.finish()
      try await group.waitForAll()
    }
    #expect(order.all.dropFirst(2) == [2, 3, 4, 5])
    #expect(pacer.status == Pacer.Status(rate: nil, blockedFor: nil, inFlight: 0, waiting: 0))
  }

  @Test("waits as long as the server asks, but no longer than an hour", arguments: [(90, 90), (86_400, 3600)])
  func retryAfter(asked: Int, granted: Int) async throws {
    let clock = HeldClock()
    let pacer = PacerTests.pacer(clock)
    await PacerTests.refuse(pacer, PacerTests.refusal(503, retryAfter: .seconds(asked)))
    #expect(pacer.status.blockedFor == .seconds(granted))
    let task = Task { try await pacer.run { clock.now.offset } }
    try await clock.waitForSleepers()
    clock.advance(by: .seconds(granted) - .milliseconds(1))
    #expect(clock.sleeperCount == 1)
    clock.advance(by: .milliseconds(1))
    #expect(try await task.value == .seconds(granted))
    #expect(pacer.status.blockedFor == nil)
  }

  @Test("of one operator does not hold that of another")
  func separate() async throws {
    let clock = HeldClock()
    let (slow, other) = (PacerTests.pacer(clock), PacerTests.pacer(clock))
    await PacerTests.refuse(slow, PacerTests.refusal(retryAfter: .seconds(1000)))
    #expect(try await other.run { 5 } == 5)
  }

  @Test("has a request that waited for its turn wait on when another was refused meanwhile")
  func refusedMeanwhile() async throws {
    let clock = HeldClock()
    let pacer = PacerTests.pacer(clock)
    // Enough requests to tell a rate.
    for _ in 0..<8 { try await pacer.run {} }
    await PacerTests.refuse(pacer, PacerTests.refusal(retryAfter: .seconds(10)))
    #expect(pacer.status.rate != nil)
    let (gate, opener) = AsyncStream<Void>.makeStream()
    let refused = Task {
      try await pacer.run {
        for await _ in gate { break }
        throw PacerTests.refusal(retryAfter: .seconds(100))
      }
    }
    try await clock.waitForSleepers()
    let waiting = Task { try await pacer.run { clock.now.offset } }
    try await clock.waitForSleepers(2)
    // At this rate the second one's turn comes later than the first one's.
    clock.advance(by: .seconds(10))
    while clock.sleeperCount > 1 || pacer.status.blockedFor != nil { await Task.yield() }
    opener.finish()
    await #expect(throws: FetchError.self) { try await refused.value }
    clock.advance(by: .seconds(20))
    try await clock.waitForSleepers()
    #expect(pacer.status.blockedFor == .seconds(80))
    clock.advance(by: .seconds(1000))
    #expect(try await waiting.value >= .seconds(110))
  }

  @Test("gives up waiting when cancelled, in the queue or for its turn")
  func cancellation() async throws {
    let clock = HeldClock()
    let pacer = PacerTests.pacer(clock, maximumInFlight: 1)
    await PacerTests.refuse(pacer, PacerTests.refusal(retryAfter: .seconds(10)))
    let first = Task { try await pacer.run {} }
    try await clock.waitForSleepers()
    let second = Task { try await pacer.run {} }
    while pacer.status.waiting == 0 { await Task.yield() }
    second.cancel()
    await #expect(throws: CancellationError.self) { try await second.value }
    #expect(pacer.status.waiting == 0)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(pacer.status.inFlight == 0)
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await pacer.run {}
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(pacer.status.inFlight == 0)
  }

  @Test("counts an answer of 404 as a success, and minds no other failure")
  func otherFailures() async throws {
    let pacer = PacerTests.pacer(HeldClock())
    for code in [400, 404, 500, 502] { await PacerTests.refuse(pacer, PacerTests.refusal(code)) }
    await PacerTests.refuse(pacer, FetchError(url: "", reason: .timedOut(after: .seconds(1))))
    #expect(pacer.status == Pacer.Status(rate: nil, blockedFor: nil, inFlight: 0, waiting: 0))
  }
}

@Suite("The pace")
struct PaceTests {
  private let policy = RetryPolicy()
  private let error = FetchError(url: "", reason: .status(code: 429, retryAfter: nil, body: ""))

  private func busyPace() -> Pace {
    var pace = Pace()
    // Ten requests a second.
    for number in 0..<30 { pace.started(at: .milliseconds(100 * number)) }
    return pace
  }

  @Test("is half of what was too much, and grows back in a minute")
  func halving() throws {
    var pace = busyPace()
    pace.refused(error, started: .milliseconds(2900), now: .seconds(3), policy: policy, random: 1)
    #expect(pace.rate == 5)
    #expect(pace.blockedUntil == .milliseconds(3500))
    var (now, count) = (Duration.milliseconds(3500), 0)
    while now < .seconds(63.5) {
      now = pace.nextStart(now: now)
      pace.succeeded()
      count += 1
    }
    let rate = try #require(pace.rate)
    #expect((9.8...10.2).contains(rate))
    #expect((430...470).contains(count))
  }

  @Test("is cut once for all that were under way")
  func oneCut() {
    var pace = busyPace()
    for _ in 0..<8 { pace.refused(error, started: .seconds(2), now: .seconds(3), policy: policy, random: 1) }
    #expect(pace.rate == 5)
    pace.refused(error, started: .seconds(4), now: .seconds(5), policy: policy, random: 1)
    #expect(pace.rate == 2.5)
  }

  @Test("spaces requests, and never falls below one in a minute")
  func lowest() {
    var pace = busyPace()
    for second in 3..<40 {
      pace.refused(
        error, started: .seconds(second), now: .seconds(second) + .milliseconds(1), policy: policy, random: 1)
    }
    #expect(pace.rate == 1.0 / 60)
    let first = pace.nextStart(now: .seconds(1000))
    #expect(pace.nextStart(now: .seconds(1000)) - first == .seconds(60))
  }

  @Test("becomes unlimited again")
  func unlimited() {
    var pace = busyPace()
    pace.refused(error, started: .seconds(2), now: .seconds(3), policy: policy, random: 1)
    for _ in 0..<10_000_000 where pace.rate != nil { pace.succeeded() }
    #expect(pace.rate == nil)
  }

  @Test(
    "waits between attempts double up to a minute, scattered over their upper half",
    arguments: [(1, 0.5), (2, 1), (3, 2), (7, 32), (8, 60), (9, 60), (1_000_000, 60), (0, 0.5), (-1, 0.5)])
  func delays(failures: Int, seconds: Double) {
    #expect(policy.delay(afterFailures: failures, random: 1) == .seconds(seconds))
    #expect(policy.delay(afterFailures: failures, random: 0) == .seconds(seconds / 2))
    #expect(RetryPolicy.delay(afterFailures: failures) <= .seconds(seconds))
  }

  @Test("a wait is never shorter than the server asked for, within reason")
  func askedDelay() {
    for (asked, expected) in [(Duration.seconds(7), Duration.seconds(7)), (.seconds(90_000), .seconds(3600))] {
      let error = FetchError(url: "", reason: .status(code: 503, retryAfter: asked, body: ""))
      #expect(policy.delay(afterFailures: 1, error: error, random: 0) == expected)
    }
  }

  @Test(
    "what may pass is tried again, what won't is not",
    arguments: [
      (.status(code: 429, retryAfter: nil, body: ""), true), (.status(code: 500, retryAfter: nil, body: ""), true),
      (.status(code: 503, retryAfter: nil, body: ""), true), (.status(code: 404, retryAfter: nil, body: ""), false),
      (.status(code: 400, retryAfter: nil, body: ""), false), (.timedOut(after: .seconds(1)), true),
      (.connection("reset"), true), (.truncated(expected: 5, got: 4), true), (.tooLarge(limit: 1), false),
      (.redirect(to: "/"), false), (.badURL(""), false),
    ] as [(FetchError.Reason, Bool)])
  func transient(reason: FetchError.Reason, expected: Bool) {
    #expect(RetryPolicy.isTransient(FetchError(url: "", reason: reason)) == expected)
  }
}
