import CertificateTransparency
import OrielAccounts
import OrielStore
import OrielVerdicts
import Synchronization

/// Looks at hosts that were asked for, in the background of the pages; what came of it is kept for a while.
final class ProbeRuns: Sendable {
  /// One request to look.
  struct Run: Sendable {
    struct Result: Sendable {
      let place: HostProbe.Place
      /// Why nothing was seen; nil if something was.
      let failure: String?
      /// How many certificates were new to the list.
      var listed = 0
    }

    let number: Int
    let account: AccountID
    let startedAt: Int64
    let places: [HostProbe.Place]
    var results: [Result] = []
    var isOver = false
  }

  private struct State {
    var runs: [DomainID: Run] = [:]
    var number = 0
  }

  /// So many at once, over all accounts; one for each of them. They wait for the network, mostly.
  private static let mostAtOnce = 2
  /// So many run or wait.
  private static let mostOpen = 8
  /// Between two of the same account, in milliseconds.
  static let pause: Int64 = 5_000
  private static let mostKept = 1000
  private static let keptFor: Int64 = 3_600_000

  /// What was seen is read in its turn.
  private let heavyWork: HeavyWork
  private let state = Mutex(State())
  private let jobs = AsyncStream.makeStream(
    of: (@Sendable () async -> Void).self, bufferingPolicy: .bufferingOldest(mostOpen))

  init(_ heavyWork: HeavyWork) { self.heavyWork = heavyWork }

  /// Runs what is asked for until ``end()``.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await job in jobs.stream {
        if running == ProbeRuns.mostAtOnce { await group.next() } else { running += 1 }
        group.addTask { await job() }
      }
      group.cancelAll()
    }
  }

  func end() { jobs.continuation.finish() }

  /// The last one of a domain.
  func run(of domain: DomainID) -> Run? { state.withLock { $0.runs[domain] } }

  /// Begins one.
  ///
  /// - Throws: ``AccountError/limited(retryAfter:)`` if there are enough for now.
  func start(
    _ domain: Domain, _ places: [HostProbe.Place], _ probe: HostProbe, _ baseline: Baseline, now: Int64
  ) throws {
    let number = try state.withLock { state in
      state.runs = state.runs.filter {
        !$0.value.isOver || !StoredTime.hasPassed(ProbeRuns.keptFor, since: $0.value.startedAt, now: now)
      }
      let open = state.runs.values.filter { !$0.isOver }
      let isSoon = state.runs.values.contains {
        $0.account == domain.account
          && (!$0.isOver || !StoredTime.hasPassed(ProbeRuns.pause, since: $0.startedAt, now: now))
      }
      guard !isSoon, open.count < ProbeRuns.mostOpen else {
        throw AccountError.limited(retryAfter: ProbeRuns.pause)
      }
      if state.runs.count >= ProbeRuns.mostKept {
        let oldest = state.runs.filter { $0.value.isOver }.min { $0.value.startedAt < $1.value.startedAt }
        if let oldest { state.runs[oldest.key] = nil }
      }
      state.number += 1
      state.runs[domain.id] = Run(
        number: state.number, account: domain.account, startedAt: now, places: places)
      return state.number
    }
    jobs.continuation.yield { [self] in
      await probe.look(at: places) { place, sight in
        await self.take(place, sight, domain, baseline, number)
      }
      change(domain.id, number) { $0.isOver = true }
    }
  }

  private func take(
    _ place: HostProbe.Place, _ sight: HostProbe.Sight, _ domain: Domain, _ baseline: Baseline, _ number: Int
  ) async {
    var result: Run.Result
    switch sight {
    case .nothing(let reason): result = Run.Result(place: place, failure: String(reason.prefix(300)))
    case .chains(let chains):
      result = Run.Result(place: place, failure: nil)
      let files = chains.map { chain in
        (file: CertificateFile(Array(chain.map { PEM.encode($0) }.joined().utf8)), source: "seen at \(place)")
      }
      do {
        let found = try await heavyWork.run(for: domain.account) { FoundCredentials(files).certificates }
        // The domain may be gone by now; then there is nothing to add to.
        result.listed = (try? await baseline.add(found, to: domain).listed) ?? 0
      } catch {
        result = Run.Result(place: place, failure: "there is too much to do at the moment; look again in a minute")
      }
    }
    change(domain.id, number) { [result] in $0.results.append(result) }
  }

  private func change(_ domain: DomainID, _ number: Int, _ change: (inout Run) -> Void) {
    state.withLock { state in
      guard var run = state.runs[domain], run.number == number else { return }
      change(&run)
      state.runs[domain] = run
    }
  }

  /// Waits until the last one of a domain is over, but no longer than `limit`.
  func wait(for domain: DomainID, _ limit: Duration) async {
    let end = ContinuousClock.now + limit
    while run(of: domain)?.isOver == false, ContinuousClock.now < end, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
    }
  }
}
