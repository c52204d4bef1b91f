import CertificateTransparency
import HTTPTypes
package import Logging
import MerkleTree
import NIOCore
import OrielLogging
import Synchronization

/// A log in operation: its pace, what it takes, and how it fares.
package final class LogService: Sendable {
  package struct Settings: Sendable {
    /// How often what was submitted is published.
    package var period: Duration = .milliseconds(250)
    /// With less space left, nothing is taken: a full disk has cost logs their life.
    package var minimumFreeBytes: UInt64 = 1 << 30
    /// Milliseconds after the end of its window for which a log still answers submissions by their merits.
    package var grace: UInt64 = 7 * 86_400_000
    /// Milliseconds after which a checkpoint is stale, unless the log takes no more.
    package var freshness: UInt64 = 30_000
    /// How often that is done that can wait.
    package var choresPeriod: Duration = .seconds(10)
    package var scrub = LogScrub.Settings()
    /// How often what somebody else serves as the log's checkpoint is compared.
    package var comparisonPeriod: Duration = .seconds(60)

    package init() {}
  }

  package let entry: LogListEntry
  package let settings: Settings
  let log: Log
  let metrics = Metrics()
  private let clock: LogClock
  private let leaves: LeafIndex
  private let rfc6962: RFC6962Face
  private let freeBytes: @Sendable () -> UInt64?
  private let chores: @Sendable () async throws -> Void
  private let scrub: LogScrub?
  private let anchor: String?
  private let comparison: PublicComparison
  private let troubles: TroubleLog
  private let state: Mutex<State>

  private struct State {
    /// What is published.
    var head: LogHead
    var failure: String?
    /// By the steady clock.
    var lastTick: Int64
    var inFlight = 0
    var isStopping = false
  }

  /// - Parameters:
  ///   - freeBytes: the space that is left for the log; nil if it can't be told.
  ///   - chores: what else is to be done now and then, such as looking for new roots.
  ///   - scrub: rechecks what is published.
  ///   - anchor: the file of the log's anchor; nil for none.
  ///   - publicCheckpoint: is compared while the log runs.
  ///   - logger: is told of trouble, and that it is over.
  package init(
    _ log: Log, entry: LogListEntry, leaves: LeafIndex, clock: LogClock, settings: Settings = Settings(),
    freeBytes: @escaping @Sendable () -> UInt64? = { nil }, chores: @escaping @Sendable () async throws -> Void = {},
    scrub: LogScrub? = nil, anchor: String? = nil, publicCheckpoint: PublicCheckpoint = .none,
    logger: Logger = .silent
  ) async throws {
    guard let head = await log.head else { throw LogError.notCreated(origin: log.identity.origin) }
    (self.log, self.entry, self.leaves, self.clock) = (log, entry, leaves, clock)
    (self.settings, self.freeBytes, self.chores, self.scrub) = (settings, freeBytes, chores, scrub)
    self.anchor = anchor
    comparison = PublicComparison(log, publicCheckpoint, clock: clock)
    troubles = TroubleLog(log.identity.origin, logger)
    rfc6962 = RFC6962Face(
      identity: log.identity, storage: log.storage, leaves: leaves, roots: log.admission.roots)
    state = Mutex(State(head: head, lastTick: clock.steady()))
    try await publishEntry()
  }

  package var origin: String { log.identity.origin }
  package var head: LogHead { state.withLock { $0.head } }

  /// Whether the window, and the grace after it, are over.
  package var isSunset: Bool {
    guard let end = entry.window?.upperBound else { return false }
    return clock.now().milliseconds >= end.milliseconds.addingReportingOverflow(settings.grace).partialValue
  }

  private func publishEntry() async throws {
    try await log.storage.put(Blob(LogListEntry.path, try entry.json(final: isSunset ? head : nil)))
  }

  // MARK: - Running

  /// Publishes what is submitted, until ``stop()`` and the last submission was answered, or the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.runChores() }
      // It takes what the others leave.
      group.addTask(priority: .background) { await self.scrub?.run { await self.log.head ?? self.head } }
      group.addTask { await self.comparison.run(every: self.settings.comparisonPeriod) }
      await runTicks()
      group.cancelAll()
    }
  }

  /// Takes no more; what was taken is published.
  package func stop() { state.withLock { $0.isStopping = true } }

  private func runTicks() async {
    var wasSunset = isSunset
    while !Task.isCancelled {
      let start = ContinuousClock.now
      let isDone = state.withLock { $0.isStopping && $0.inFlight == 0 }
      // The last tick is after the last submission; then the head is final.
      let isFinal = isSunset && state.withLock { $0.inFlight == 0 }
      if !(isFinal && wasSunset) { await tick() }
      if isFinal, !wasSunset { try? await publishEntry() }
      // Where that failed it is tried again: what the lock has must be published.
      wasSunset = isFinal && state.withLock { $0.failure == nil }
      if isDone { return }
      try? await Task.sleep(until: start + settings.period)
    }
  }

  func tick() async {
    let start = ContinuousClock.now
    var failure: String?
    do {
      try await log.tick()
    } catch {
      failure = "\(error)"
    }
    metrics.countTick(took: .now - start, failed: failure != nil)
    let head = await log.head
    state.withLock { state in
      state.failure = failure
      state.lastTick = clock.steady()
      if let head { state.head = head }
    }
    let now = clock.steady()
    troubles.note(.publishing, failure.map { LogService.problem(failure: $0) }, now: now)
    troubles.note(.diskSpace, spaceProblem, now: now)
    troubles.note(.publicCheckpoint, comparison.problem, now: now)
  }

  private func runChores() async {
    while (try? await Task.sleep(for: settings.choresPeriod)) != nil {
      // Each may fail, and is tried again: nobody waits for it.
      try? await log.tidy()
      try? await leaves.catchUp(to: head.size, resting: true)
      try? await chores()
    }
  }

  // MARK: - Submissions

  /// Why nothing is taken now; nil if submissions are welcome.
  func closure() -> Rejection? {
    if isSunset, let end = entry.window?.upperBound { return .sunset(end: end) }
    if spaceProblem != nil { return .readOnly(reason: "little disk space is left") }
    let (failure, isStopping) = state.withLock { ($0.failure, $0.isStopping) }
    if isStopping { return .unavailable }
    return failure.map { _ in .readOnly(reason: "it could not publish, and will try again") }
  }

  /// Answers add-chain and add-pre-chain.
  func submit(
    _ body: [UInt8], as kind: LogEntryKind, through queue: AdmissionQueue
  ) async throws -> SignedCertificateTimestamp {
    state.withLock { $0.inFlight += 1 }
    defer { state.withLock { $0.inFlight -= 1 } }
    if let closure = closure() { throw closure }
    let (admission, now) = (log.admission, clock.now())
    return try await log.submit(try await queue.run { try admission.admit(body, as: kind, at: now) })
  }

  // MARK: - Reading

  /// Answers a path below the log's prefix.
  func read(_ path: Substring, _ query: Query, acceptsGzip: Bool) async throws -> Answer {
    // Whoever has an SCT finds its entry: the sequencer's own word is never older than its answers.
    let head = await log.head ?? head
    if path.hasPrefix("ct/v1/"), RFC6962Face.methods.contains(path.dropFirst(6)) {
      return try await rfc6962.answer(path.dropFirst(6), query, head)
    }
    let face = StaticFace(storage: log.storage)
    guard let answer = try await face.answer(path, head, acceptsGzip: acceptsGzip) else { throw Refusal.notFound }
    return answer
  }

  /// Answers a path below the log's prefix, if that takes no waiting; the first bytes of the body are in `buffer`.
  func readNow(
    _ path: Substring, acceptsGzip: Bool, _ buffer: inout ByteBuffer
  ) -> (fields: HTTPFields, body: OpenBlob)? {
    StaticFace(storage: log.storage).answerNow(path, head, acceptsGzip: acceptsGzip, &buffer)
  }

  // MARK: - Health

  func health() async -> LogHealth {
    LogHealth(
      log: origin, treeSize: head.size, anchor: anchor, publicCheckpoint: comparison.summary,
      problems: await problems())
  }

  private static func problem(failure: String) -> String { "the last attempt to publish failed: \(failure)" }

  /// Nil while there is enough disk space, as far as can be told.
  private var spaceProblem: String? {
    guard let free = freeBytes(), free < settings.minimumFreeBytes else { return nil }
    return "\(free >> 20) MiB of disk space are left, fewer than \(settings.minimumFreeBytes >> 20)"
  }

  /// What is wrong, as somebody at the log's files would see it; empty if all is well.
  private func problems() async -> [String] {
    var problems: [String] = []
    let (failure, lastTick) = state.withLock { ($0.failure, $0.lastTick) }
    if let failure { problems.append(LogService.problem(failure: failure)) }
    let silence = clock.steady() - lastTick
    if !isSunset, silence > 5000 + 4 * Int64(settings.period / .milliseconds(1)) {
      problems.append("nothing was published or tried for \(silence / 1000) seconds")
    }
    if let problem = spaceProblem { problems.append(problem) }
    do {
      let head = try log.identity.head(reading: try await log.storage.get(Blob.checkpoint) ?? [])
      let age = clock.now().milliseconds.subtractingReportingOverflow(head.timestamp.milliseconds).partialValue
      if !isSunset, age > settings.freshness { problems.append("the checkpoint is of \(head.timestamp)") }
      guard try await TileReader(storage: log.storage).root(size: head.size) == head.root else {
        throw LogError.damaged(path: "tile/", reason: "the last tiles do not lead to the checkpoint's root")
      }
    } catch {
      problems.append("the checkpoint or the last tiles can't be read: \(error)")
    }
    if let problem = comparison.problem { problems.append(problem) }
    let damage = scrub?.findings ?? []
    problems += damage.prefix(20).map { "damaged: \($0)" }
    if damage.count > 20 { problems.append("damaged: \(damage.count - 20) more files") }
    return problems
  }

  var measurements: [Metrics.Family] {
    let head = head
    return metrics.families(
      log: origin,
      [
        ("oriel_log_tree_size", Double(head.size)),
        ("oriel_log_tree_timestamp_seconds", Double(head.timestamp.milliseconds) / 1000),
        ("oriel_log_in_flight", Double(state.withLock { $0.inFlight })),
        ("oriel_log_takes_submissions", closure() == nil ? 1 : 0),
        ("oriel_log_free_bytes", freeBytes().map { Double($0) } ?? .nan),
      ] + (scrub?.measurements ?? []))
  }
}
