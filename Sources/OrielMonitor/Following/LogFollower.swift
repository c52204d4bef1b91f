import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore
import OrielWatchlist

/// Follows one log: head, plan, fetch, digest, commit, verify.
///
/// It owns the log's positions. What it commits is always a prefix of the log: batches are read side by side, but their
/// sightings and the position behind them are committed in order, in one transaction. So it may be killed at any
/// instruction: it then reads something again, and never skips.
struct LogFollower {
  /// What a follower works with.
  struct Context: Sendable {
    let store: FollowingStore
    let issuers: IssuerDirectory
    let pool: Digester.Pool
    let permits: Permits
    let board: StatusBoard
    let time: Timekeeper
    let settings: MonitorSettings
    let sought: @Sendable () -> Sought
    /// Called after each commit that brought sightings.
    let committed: @Sendable () async throws -> Void
    /// The log as the lists have it now; nil where none has it any more.
    let listing: @Sendable (LogID) -> LogDescription?
    /// How often the log may be asked for its head, as its operator bears it.
    let pollInterval: @Sendable (LogDescription) -> Duration
  }

  /// How following ended.
  enum Ending: Sendable, Equatable {
    /// Verified to the head seen at start.
    case caughtUp
    case unreachable(String)
    case lying(String)
    /// The lists describe the log in another way now: another follower goes on from the same state.
    case replaced
    /// The log left the lists, and has been read to its end.
    case drained
  }

  let source: any LogSource
  let context: Context
  private var record: LogRecord
  private var judge = HeadJudge()
  /// The newest head, as it was when the log was polled last.
  private var polled: PolledHead?
  /// Heads to verify, smallest first.
  private var targets: [HeadRecord] = []
  private var downloaded: LogPosition?
  private var verified: LogPosition?
  private var rates = Rates()
  private let progress = FollowProgress()
  private var nextPoll: Int64 = 0

  init(source: any LogSource, record: LogRecord, context: Context) {
    self.source = source
    self.record = record
    self.context = context
    downloaded = record.downloaded
    verified = record.verified
  }

  private var log: LogDescription { source.log }

  // MARK: The loop

  /// Follows until cancelled, or, when asked to read once, until the head seen first is verified or the log is given up.
  ///
  /// - Throws: what the store throws: a state that can't be kept ends everything.
  func run() async throws -> Ending {
    guard context.settings.once else { return try await LogFollower.following(self) }
    let (ending, isGivenUp) = try await withThrowingTaskGroup(of: (Ending, isGivenUp: Bool).self) { group in
      defer { group.cancelAll() }
      group.addTask { (try await LogFollower.following(self), false) }
      group.addTask { (try await progress.stalled(for: context.settings.timeout, context.time), true) }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
    if isGivenUp, case .unreachable(let reason) = ending {
      try await set(.unreachable, reason: reason, answered: false)
    }
    return ending
  }

  private static func following(_ follower: LogFollower) async throws -> Ending {
    var follower = follower
    return try await follower.follow()
  }

  private mutating func follow() async throws -> Ending {
    try await recall()
    var goal: UInt64?
    var failures = 0
    var faults = 0
    while true {
      try Task.checkCancellation()
      let listed = context.listing(log.logID)
      if let listed, listed != log { return .replaced }
      do {
        let head = try await poll()
        goal = goal ?? head.treeSize
        try await begin(at: head)
        try await catchUp()
        (failures, faults) = (0, 0)
        try await report(head)
        if context.settings.once, let goal, let verified, verified.index >= goal { return .caughtUp }
        if listed == nil, isOld(head) {
          try await set(.drained, reason: "it left the lists", answered: true)
          return .drained
        }
        try await context.time.sleep(context.pollInterval(log))
      } catch let fault as LogFault {
        faults += 1
        try await lied(fault)
        progress.isHeldUp(by: .lying(fault.description))
        if context.settings.once, faults >= 3 { return .lying(fault.description) }
        try await context.time.sleep(faults < 3 ? .seconds(1) : context.settings.lyingPause)
      } catch let error as CancellationError {
        throw error
      } catch let error where LogFollower.isLogTrouble(error) {
        failures += 1
        try await unreachable("\(error)")
        progress.isHeldUp(by: .unreachable("\(error)"))
        try await context.time.sleep(RetryPolicy.delay(afterFailures: failures, error: error))
      }
    }
  }

  /// What is the log's trouble is waited out; anything else (the state, this program) is not for the follower to hide.
  private static func isLogTrouble(_ error: any Error) -> Bool {
    error is FetchError || error is FormatError || error is InflateError || error is ProofError
      || error is TreeError
  }

  /// Takes up where the state left off: the heads that were received and not verified yet.
  private mutating func recall() async throws {
    let heads = try await context.store.heads(of: log.logID)
    judge.known = heads.max { ($0.treeSize, $0.timestamp) < ($1.treeSize, $1.timestamp) }
    let position = downloaded?.index ?? 0
    // A head whose entries were all read may still have to be verified: the end may have come in between.
    targets = heads.filter { !$0.isVerified && $0.treeSize >= position }
    context.board.update(log) { status in
      status.state = record.state
      status.reason = record.reason
      status.position = record.downloaded?.index
      status.verified = record.verified?.index
    }
  }

  /// Asks for the newest head and takes it in.
  private mutating func poll() async throws -> HeadRecord {
    let head = try await source.head()
    scheduleNextPoll()
    try judge.compare(head, withFinal: log.finalTreeHead)
    switch try judge.judge(head) {
    case .newer:
      if downloaded != nil { try await context.store.keep(head, of: log.logID) }
      targets.append(head)
      if let final = finalHead(before: head) { targets.insert(final, at: targets.count - 1) }
      // Catching up may take days: the newest head is always wanted, of those between a few are enough.
      if targets.count > 16 { targets.remove(at: targets.count / 2) }
    case .same: break
    case .stale:
      let evidence = Evidence(
        kind: .staleHead, detail: "size \(head.treeSize) after size \(judge.known?.treeSize ?? 0)",
        material: [(name: "head", bytes: head.signed)])
      try await context.store.lied(log.logID, evidence, now: context.time.now(), rewind: false)
    }
    let known = judge.known ?? head
    rates.published(known.treeSize, at: context.time.now())
    let measured = PolledHead(size: known.treeSize, timestamp: known.timestamp, polledAt: context.time.now())
    polled = measured
    context.board.update(log) { status in
      status.head = measured
      status.entriesOut = rates.out
    }
    return known
  }

  /// The final tree head that the lists state, if the log has grown past it: it must have been the tree's once.
  private func finalHead(before head: HeadRecord) -> HeadRecord? {
    let position = downloaded?.index ?? 0
    guard let final = log.finalTreeHead, position < final.treeSize, final.treeSize < head.treeSize else { return nil }
    return HeadRecord(
      treeSize: final.treeSize, root: final.rootHash, timestamp: head.timestamp, signed: [], seenAt: head.seenAt)
  }

  private mutating func scheduleNextPoll() {
    nextPoll = context.time.now() + context.pollInterval(log).milliseconds
  }

  /// Settles the first position, with a frontier that is proved to belong to the head's tree.
  private mutating func begin(at head: HeadRecord) async throws {
    guard downloaded == nil else { return }
    let policy = StartPolicy(record.start) ?? .start
    let index = try await policy.index(in: source, head: head, now: context.time.now(), onStep: progress.prepared)
    let frontier = index == 0 ? Frontier() : try await source.frontier(at: index, of: head)
    let position = LogPosition(index: index, frontier: frontier)
    let isWhole = index == head.treeSize
    if isWhole, try frontier.root() != head.root {
      throw LogFault(
        .rootMismatch, "the head of size \(index) has the wrong root", [(name: "head", bytes: head.signed)])
    }
    try await context.store.begin(log.logID, at: position, head: isWhole ? head : nil)
    if !isWhole { try await context.store.keep(head, of: log.logID) }
    downloaded = position
    verified = position
    targets.removeAll { $0.treeSize <= index }
  }

  // MARK: Catching up

  /// Reads and verifies up to each head in turn.
  private mutating func catchUp() async throws {
    while let target = targets.first {
      if target.treeSize > (downloaded?.index ?? 0) { try await read(upTo: target) }
      try await verify(target)
      targets.removeFirst()
    }
  }

  /// Everything before the head has been read: its root must be ours.
  private mutating func verify(_ head: HeadRecord) async throws {
    guard let position = downloaded, position.index == head.treeSize else { return }
    let root = try position.frontier.root()
    guard root == head.root else {
      throw LogFault(
        .rootMismatch, "the \(head.treeSize) entries read hash to \(root), the signed root is \(head.root)",
        [
          (name: "head", bytes: head.signed), (name: "frontier", bytes: position.frontier.encoded),
          (name: "verified frontier", bytes: verified?.frontier.encoded ?? []),
        ])
    }
    try await context.store.verified(head, of: log.logID, at: position)
    verified = position
    progress.advanced()
    context.board.update(log) { $0.verified = position.index }
  }

  /// A batch that has been read, waiting for those before it.
  private struct Finished: Sendable {
    let range: Range<UInt64>
    let part: Frontier
    let sightings: [NewSighting]
    let unreadable: Int
    let isVerified: Bool
  }

  /// Reads up to a head: several batches side by side, committed in order.
  private mutating func read(upTo head: HeadRecord) async throws {
    guard var position = downloaded else { return }
    var planned = position.index
    var inFlight = 0
    var waiting: [UInt64: Finished] = [:]
    var pending = Pending()
    let source = source
    let context = context
    try await withThrowingTaskGroup(of: Finished.self) { group in
      defer { for _ in 0..<max(0, inFlight - 1) { context.permits.give() } }
      while true {
        while planned < head.treeSize, inFlight + waiting.count < context.settings.window,
          inFlight == 0 || context.permits.take()
        {
          let range = source.plan(from: planned, to: head.treeSize)
          group.addTask { try await LogFollower.batch(range, of: head, source: source, context: context) }
          planned = range.upperBound
          inFlight += 1
        }
        guard let finished = try await group.next() else { break }
        inFlight -= 1
        if inFlight > 0 { context.permits.give() }
        waiting[finished.range.lowerBound] = finished
        while let next = waiting.removeValue(forKey: position.index) {
          try position.frontier.merge(next.part)
          position.index = next.range.upperBound
          progress.advanced()
          pending.add(next.sightings, unreadable: next.unreadable, isVerified: next.isVerified)
        }
        if pending.isDue(atEnd: position.index == head.treeSize) {
          try await commit(&pending, at: position)
          try await pollWhileReading()
        }
      }
    }
  }

  /// What has been read in order and waits for the next commit.
  private struct Pending {
    var sightings: [NewSighting] = []
    var unreadable = 0
    var isVerified = true
    var batches = 0

    mutating func add(_ more: [NewSighting], unreadable: Int, isVerified: Bool) {
      sightings += more
      self.unreadable += unreadable
      self.isVerified = self.isVerified && isVerified
      batches += 1
    }

    /// A match is committed at once; a position alone, which costs only reading again, every so often.
    func isDue(atEnd: Bool) -> Bool { batches > 0 && (!sightings.isEmpty || atEnd || batches >= 64) }
  }

  private mutating func commit(_ pending: inout Pending, at position: LogPosition) async throws {
    // Only an unbroken run of proved batches moves the verified position.
    let isProved = pending.isVerified && verified?.index == downloaded?.index
    try await context.store.commit(
      pending.sightings, of: log.logID, downloaded: position, verified: isProved ? position : nil,
      unreadable: pending.unreadable, now: context.time.now())
    let before = downloaded?.index ?? position.index
    downloaded = position
    if isProved { verified = position }
    rates.read(position.index - min(before, position.index), at: context.time.now())
    let matches = pending.sightings.count { !$0.matches.isEmpty }
    context.board.update(log) { status in
      status.position = position.index
      if isProved { status.verified = position.index }
      status.digested += position.index - before
      status.matches += UInt64(matches)
      status.entriesIn = rates.in
      if status.state == .new || status.state == .current { status.state = .behind }
    }
    pending = Pending()
    guard matches > 0 else { return }
    progress.tells(true)
    defer { progress.tells(false) }
    try await context.committed()
  }

  /// Heads are asked for while catching up too: how far behind a log is, and whether it still tells one story.
  private mutating func pollWhileReading() async throws {
    let (now, interval) = (context.time.now(), context.pollInterval(log).milliseconds)
    guard StoredTime.isDue(nextPoll, now: now, longest: interval), !context.settings.once else { return }
    scheduleNextPoll()
    do {
      _ = try await poll()
      try await context.store.setState(
        .behind, of: log.logID, reason: behind, now: context.time.now(), answered: true)
    } catch is FetchError {
      // Reading goes on as long as entries come; the next poll may fare better.
    }
  }

  /// Fetches, digests and reads in full what may match.
  private static func batch(
    _ range: Range<UInt64>, of head: HeadRecord, source: any LogSource, context: Context
  ) async throws -> Finished {
    let sought = context.sought()
    let digester = Digester(sought: sought, issuers: context.issuers, pool: context.pool)
    let (digest, isVerified) = try await source.digest(range, of: head, with: digester)
    var part = Frontier(start: range.lowerBound)
    try part.append(leaves: digest.leafHashes)
    var sightings: [NewSighting] = []
    var unreadable = 0
    let builder = SightingBuilder(sought: sought, issuers: context.issuers) { try await source.issuer($0) }
    for candidate in digest.candidates {
      switch try await builder.build(candidate) {
      case .match(let sighting): sightings.append(sighting)
      case .unreadable: unreadable += 1
      case .noMatch: break
      }
    }
    return Finished(
      range: range, part: part, sightings: sightings, unreadable: unreadable, isVerified: isVerified)
  }

  // MARK: How it fares

  private var behind: String? {
    guard let head = judge.known, let position = downloaded, position.index < head.treeSize else { return nil }
    return "\(head.treeSize - position.index) entries to read"
  }

  private func report(_ head: HeadRecord) async throws {
    if isOld(head), log.takesNoEntries {
      return try await set(.drained, reason: "it takes no more entries", answered: true)
    }
    let time = Timestamp(milliseconds: head.timestamp)
    // One from the future would hide for as long that the log is frozen.
    let isAhead = polled?.isAhead == true
    let reason =
      isAhead ? "its newest head is dated \(time), in the future" : isOld(head) ? "its newest head is of \(time)" : nil
    try await set(reason == nil ? .current : .frozen, reason: reason, answered: true)
  }

  /// Whether the head is older than the log may leave it.
  private func isOld(_ head: HeadRecord) -> Bool {
    context.time.now() - Int64(clamping: head.timestamp) > context.settings.allowedAge(log)
  }

  private func unreachable(_ reason: String) async throws {
    try await set(.unreachable, reason: reason, answered: false)
  }

  /// Keeps the evidence and goes back to what is verified: nothing is skipped, whatever the log says next.
  private mutating func lied(_ fault: LogFault) async throws {
    try await context.store.lied(log.logID, fault.evidence, now: context.time.now(), rewind: downloaded != nil)
    downloaded = verified
    // A head that does not add up must not be the measure of those that come.
    targets = []
    judge.known = try await context.store.heads(of: log.logID).last { $0.isVerified }
    try await set(.lying, reason: fault.description, answered: true)
  }

  private func set(_ state: LogState, reason: String?, answered: Bool) async throws {
    try await context.store.setState(
      state, of: log.logID, reason: reason, now: context.time.now(), answered: answered)
    context.board.update(log) { status in
      status.state = state
      status.reason = reason
    }
  }
}

extension LogDescription {
  /// Whether its tree is not to grow any more, so that an old head is as it should be.
  fileprivate var takesNoEntries: Bool {
    switch state {
    case .readonly, .retired, .rejected: true
    default: false
    }
  }
}

/// Entries per second, over the last few minutes.
private struct Rates {
  private var sizes: [(at: Int64, count: UInt64)] = []
  private var reads: [(at: Int64, count: UInt64)] = []
  private static let span: Int64 = 300_000

  mutating func published(_ size: UInt64, at now: Int64) {
    sizes.append((now, size))
    sizes.removeAll { now - $0.at > Rates.span }
  }

  mutating func read(_ count: UInt64, at now: Int64) {
    reads.append((now, (reads.last?.count ?? 0) + count))
    if reads.count > 512 { reads.removeFirst(256) }
    reads.removeAll { now - $0.at > Rates.span }
  }

  var out: Double? { Rates.slope(sizes) }
  var `in`: Double? { Rates.slope(reads) }

  private static func slope(_ points: [(at: Int64, count: UInt64)]) -> Double? {
    guard let first = points.first, let last = points.last, last.at > first.at, last.count >= first.count else {
      return nil
    }
    return Double(last.count - first.count) * 1000 / Double(last.at - first.at)
  }
}
