/// The rate that an operator bears, as learned from its refusals. Pure: time and chance are handed in.
struct Pace: Sendable {
  /// Requests a second; nil for no limit.
  private(set) var rate: Double?
  private(set) var blockedUntil: Duration = .zero
  /// The earliest start of the next request at this rate.
  private var free: Duration = .zero
  /// Gained by each second of success.
  private var gain = 0.0
  private var refusals = 0
  private var lastCut: Duration?
  /// When the latest requests started, for telling what rate was too much.
  private var starts: [Duration] = []

  /// One request in a minute is the least.
  static let lowest = 1.0 / 60
  /// A limit so high is none.
  static let highest = 1000.0
  private static let remembered = 32
  /// So many requests tell a rate.
  private static let telling = 8

  /// Takes the next place in the line.
  mutating func nextStart(now: Duration) -> Duration {
    guard let rate else { return max(now, blockedUntil) }
    let start = max(now, free, blockedUntil)
    free = start + .seconds(1 / rate)
    return start
  }

  mutating func started(at time: Duration) {
    if starts.count == Pace.remembered { starts.removeFirst() }
    starts.append(time)
  }

  mutating func succeeded() {
    refusals = 0
    guard let rate else { return }
    // As many successes come in a second as the rate allows, so this adds `gain` each second.
    let faster = rate + gain / rate
    self.rate = faster < Pace.highest ? faster : nil
  }

  mutating func refused(
    _ error: FetchError, started: Duration, now: Duration, policy: RetryPolicy, random: Double
  ) {
    // Requests that were under way at a cut know nothing of it: they are refused for what led to it.
    if lastCut.map({ started > $0 }) ?? true {
      refusals += 1
      lastCut = now
      // A refusal after a handful of requests says that the log is busy, and nothing of a rate.
      if rate != nil || starts.count >= Pace.telling || refusals > 3 {
        let excess = rate ?? observed(now)
        rate = max(excess / 2, Pace.lowest)
        // In a minute it is where it was.
        gain = max(excess, Pace.lowest) / 120
        free = now + .seconds(1 / (rate ?? Pace.lowest))
      }
    }
    let pause = policy.delay(afterFailures: max(refusals, 1), error: error, random: random)
    blockedUntil = max(blockedUntil, now + pause)
  }

  private func observed(_ now: Duration) -> Double {
    guard let first = starts.first else { return 1 }
    return Double(starts.count) / max((now - first) / .seconds(1), 1)
  }
}
