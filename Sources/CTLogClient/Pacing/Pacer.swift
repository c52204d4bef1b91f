import Synchronization

/// Holds back the requests to one operator, whose limits all its logs share.
///
/// There is no limit but of requests in flight until the operator says so: each refusal (429, 503) halves the rate, what
/// Retry-After asks for is granted, and success brings the rate back little by little.
public final class Pacer: Sendable {
  /// Time and chance; tests hold both.
  public struct Surroundings: Sendable {
    /// A reading that never goes back.
    public let now: @Sendable () -> Duration
    public let sleep: @Sendable (Duration) async throws -> Void
    /// In 0..<1.
    public let random: @Sendable () -> Double

    public init(
      now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void,
      random: @escaping @Sendable () -> Double
    ) {
      self.now = now
      self.sleep = sleep
      self.random = random
    }

    /// The machine's own.
    public static let system: Surroundings = {
      let start = ContinuousClock.now
      return Surroundings(
        now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) },
        random: { .random(in: 0..<1) })
    }()
  }

  /// How an operator is treated just now.
  public struct Status: Hashable, Sendable {
    /// Requests a second; nil while there is no limit.
    public let rate: Double?
    /// How long no request will be made.
    public let blockedFor: Duration?
    public let inFlight: Int
    public let waiting: Int
  }

  private let maximumInFlight: Int
  private let policy: RetryPolicy
  private let surroundings: Surroundings
  private let state = Mutex(State())

  public init(maximumInFlight: Int = 8, policy: RetryPolicy = RetryPolicy(), surroundings: Surroundings = .system) {
    self.maximumInFlight = max(1, maximumInFlight)
    self.policy = policy
    self.surroundings = surroundings
  }

  public var status: Status {
    let now = surroundings.now()
    return state.withLock { state in
      Status(
        rate: state.pace.rate, blockedFor: state.pace.blockedUntil > now ? state.pace.blockedUntil - now : nil,
        inFlight: state.inFlight, waiting: state.queue.count)
    }
  }

  /// Makes a request when its turn has come, and learns from how it ends. Turns are given in order of arrival.
  ///
  /// - Throws: what `request` throws; `CancellationError` while waiting.
  public func run<Result>(
    isolation: isolated (any Actor)? = #isolation, _ request: () async throws -> Result
  ) async throws -> Result {
    try await enter()
    defer { leave() }
    let started = try await waitForTurn()
    do {
      let result = try await request()
      state.withLock { $0.pace.succeeded() }
      return result
    } catch {
      refused(error, started: started)
      throw error
    }
  }

  private func refused(_ error: any Error, started: Duration) {
    guard let error = error as? FetchError, let code = error.statusCode else { return }
    guard code == 429 || code == 503 else {
      // A 404 is an answer as good as any.
      if code < 500 { state.withLock { $0.pace.succeeded() } }
      return
    }
    let (now, random) = (surroundings.now(), surroundings.random())
    state.withLock { $0.pace.refused(error, started: started, now: now, policy: policy, random: random) }
  }

  /// Sleeps until the rate allows a request, and no block is in force.
  private func waitForTurn() async throws -> Duration {
    let arrival = surroundings.now()
    var start = state.withLock { $0.pace.nextStart(now: arrival) }
    while true {
      let now = surroundings.now()
      if start <= now {
        // While this one slept, another may have been refused: then it takes a new place in the line.
        let later: Duration? = state.withLock { state in
          if state.pace.blockedUntil > now { return state.pace.nextStart(now: now) }
          state.pace.started(at: now)
          return nil
        }
        guard let later else { return now }
        start = later
      }
      try await surroundings.sleep(start - now)
    }
  }

  private struct Waiter {
    let id: UInt64
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var pace = Pace()
    var inFlight = 0
    var lastID: UInt64 = 0
    var queue: [Waiter] = []
  }

  private func enter() async throws {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          // The handler below runs before this when the task was cancelled early, and then finds no one to wake.
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.inFlight < maximumInFlight {
            state.inFlight += 1
            return .success(())
          }
          state.queue.append(Waiter(id: id, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.queue.firstIndex { $0.id == id }.map { state.queue.remove(at: $0) }
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }

  private func leave() {
    let next: Waiter? = state.withLock { state in
      guard state.queue.isEmpty else { return state.queue.removeFirst() }
      state.inFlight -= 1
      return nil
    }
    next?.continuation.resume()
  }
}
