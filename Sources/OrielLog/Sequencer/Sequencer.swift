import CertificateTransparency
import MerkleTree

/// What a sequencer is told about its pace and bounds.
package struct SequencerSettings: Sendable {
  /// The most submissions of one batch; more are turned away.
  package var poolLimit = 4096
  /// After so many milliseconds without a submission the head is signed anew, so that readers see that the log lives.
  package var idleRefresh: UInt64 = 5000
  /// So many keys are held in memory before they go to the table.
  package var deduplicationLot = 65_536

  package init() {}
}

/// Gives submissions their places, batch by batch.
///
/// Each batch goes through these steps, and each is durable before the next begins:
///
/// 1. Issuers are stored, all new tiles staged in one blob of their own path, and the signed checkpoint beside the anchor,
///    if there is one. Nobody can see them yet.
/// 2. The signed checkpoint is swapped into the lock, if the lock still holds the one before. From here on the batch is
///    part of the log, whatever happens: all that it takes to publish it is staged. The anchor follows.
/// 3. Tiles are published, then the checkpoint: who sees the checkpoint finds the tiles.
/// 4. What was staged is deleted, and the SCTs are handed out: each is of an entry in a published tree.
///
/// An error in step 1 fails the batch. An error in 2 or 3 leaves it unknown what the lock or the readers have: the
/// sequencer stops, and before it does anything else it loads the log again as if it had just started.
///
/// Once it is known that others have seen another tree of this log, nothing is signed any more.
package actor Sequencer {
  private enum Condition {
    case running(LogHead, TreeEdge)
    case stopped(any Error)
  }

  private let identity: LogIdentity
  private let storage: any BlobStore
  private let lock: any CheckpointLock
  private let anchor: (any CheckpointAnchor)?
  private let clock: ClockWatch
  private let settings: SequencerSettings
  private var condition: Condition
  /// How the tree differs from what others have seen; set once.
  private var fork: LogError?
  private var pool: Pool
  private var deduplicator: Deduplicator
  /// Issuers that are stored; bounded, since it only saves work.
  private var storedIssuers: Set<SHA256Hash> = []
  /// Held from the closing of a pool until its end: batches never overlap.
  private var isSequencing = false
  /// Whether the last attempt to publish failed: the next one shows whether it works again, even if nothing is waiting.
  private var hasFailed = false
  private var isFlushing = false
  private var supersededTiles: [String] = []

  /// Loads the log.
  ///
  /// - Parameters:
  ///   - anchor: nil for none.
  ///   - known: the checkpoint that somebody else serves as this log's, where it could be fetched.
  /// - Throws: ``LogError`` if lock, directory, anchor and what is known do not belong together.
  package init(
    _ identity: LogIdentity, storage: any BlobStore, lock: any CheckpointLock, anchor: (any CheckpointAnchor)? = nil,
    table: any EntryTable, clock: LogClock, settings: SequencerSettings = SequencerSettings(), known: [UInt8]? = nil
  ) async throws {
    self.identity = identity
    self.storage = storage
    self.lock = lock
    self.anchor = anchor
    self.clock = ClockWatch(clock)
    self.settings = settings
    pool = Pool(limit: settings.poolLimit)
    let loader = LogLoader(identity: identity, storage: storage, lock: lock, anchor: anchor)
    let (head, edge) = try await loader.load(known: known)
    var deduplicator = Deduplicator(table, storage: storage)
    try await deduplicator.catchUp(to: head.size, lot: settings.deduplicationLot)
    self.deduplicator = deduplicator
    condition = .running(head, edge)
  }

  /// The last head; nil while the log is stopped.
  package var head: LogHead? {
    if case .running(let head, _) = condition { head } else { nil }
  }

  /// Why the log is stopped; nil while it runs.
  package var reasonForStop: (any Error)? {
    if let fork { return fork }
    return if case .stopped(let error) = condition { error } else { nil }
  }

  private var loader: LogLoader { LogLoader(identity: identity, storage: storage, lock: lock, anchor: anchor) }

  /// Compares the tree with a checkpoint that somebody else serves as this log's.
  ///
  /// - Throws: ``LogError``. If it says that the two are different trees, or that this one is behind, nothing is signed from
  ///   now on.
  package func compare(with known: [UInt8]) async throws {
    do {
      try await loader.check(against: known, published: head)
    } catch let error as LogError {
      if error.isFork { fork = fork ?? error }
      throw error
    }
  }

  /// Waits until an entry is published.
  package func place(of entry: PendingEntry) async throws -> LogPlace {
    try await withCheckedThrowingContinuation { continuation in
      submit(entry) { continuation.resume(with: $0) }
    }
  }

  /// Adds an entry to the pool; `answer` is called once.
  package func submit(_ entry: PendingEntry, _ answer: @escaping @Sendable (Result<LogPlace, any Error>) -> Void) {
    guard case .running = condition, fork == nil else { return answer(.failure(Rejection.unavailable)) }
    pool.add(entry, answer)
  }

  /// Closes the pool and publishes it. Call it once per period; a call during another does nothing.
  ///
  /// - Throws: why the pool failed, after its submitters were told.
  package func tick() async throws {
    guard !isSequencing else { return }
    isSequencing = true
    defer { isSequencing = false }
    if let fork {
      for item in pool.close() { item.answer(.failure(Rejection.unavailable)) }
      throw fork
    }
    if case .stopped = condition { try await reload() }
    guard case .running(let head, let edge) = condition else { return }
    var items = pool.close()
    do {
      items = try await answerDuplicates(items)
      try await sequence(items, head, edge)
      hasFailed = false
    } catch {
      hasFailed = true
      for item in items { item.answer(.failure(Rejection.unavailable)) }
      throw error
    }
  }

  private func reload() async throws {
    do {
      let (head, edge) = try await loader.load()
      // Entries of a batch that was given up may be in the log after all.
      var deduplicator = deduplicator
      try await deduplicator.catchUp(to: head.size, lot: .max)
      self.deduplicator = deduplicator
      condition = .running(head, edge)
    } catch {
      condition = .stopped(error)
      for item in pool.close() { item.answer(.failure(Rejection.unavailable)) }
      throw error
    }
  }

  /// Answers for entries that are in the log already, and gives the others.
  ///
  /// The batches before are published and remembered, or the log was loaded again: nothing can be on its way.
  private func answerDuplicates(_ items: [Pool.Item]) async throws -> [Pool.Item] {
    let found = try await deduplicator.find(items.map(\.entry))
    guard !found.isEmpty else { return items }
    var rest: [Pool.Item] = []
    for item in items {
      if let place = found[item.entry.key] { item.answer(.success(place)) } else { rest.append(item) }
    }
    return rest
  }

  private func sequence(_ items: [Pool.Item], _ head: LogHead, _ edge: TreeEdge) async throws {
    let time = try clock.time(after: head.timestamp)
    if items.isEmpty, !hasFailed, time.milliseconds - head.timestamp.milliseconds < settings.idleRefresh { return }
    let entries = items.map(\.entry)
    let batch = try await Sequencer.prepare(entries, edge, at: time)
    try await storeIssuers(of: entries)
    let staged = StagedBundle.path(size: batch.edge.size, root: batch.root)
    let blobs = batch.blobs
    if !blobs.isEmpty {
      let bundle = StagedBundle(baseSize: edge.size, baseRoot: head.root, blobs: blobs)
      try await storage.put(Blob(staged, try bundle.encoded()))
    }
    // It may have been found out meanwhile.
    if let fork { throw fork }
    let next = try await identity.head(size: batch.edge.size, root: batch.root, at: time)
    try await anchor?.stage(next.note, over: head.note)
    do {
      try await lock.replace(identity.logID, head.note, by: next.note)
      try await anchor?.commit(next.note)
      if !blobs.isEmpty { try await storage.add(blobs) }
      try await storage.put(Blob(Blob.checkpoint, next.note))
    } catch {
      condition = .stopped(error)
      throw error
    }
    condition = .running(next, batch.edge)
    deduplicator.remember(entries, batch)
    for (position, item) in items.enumerated() { item.answer(.success(batch.place(position))) }
    noteSuperseded(batch)
    // Where this fails it is left lying there, and deleted at the next start.
    if !blobs.isEmpty { try? await storage.delete([staged]) }
  }

  /// Lays the entries out, and works everything out a second time from the result.
  @concurrent
  private static func prepare(
    _ entries: [PendingEntry], _ edge: TreeEdge, at time: Timestamp
  ) async throws -> Batch {
    var batch = try BatchBuilder.build(entries, on: edge, at: time)
    batch.edge.frontier = try BatchVerifier(batch: batch, old: edge, entries: entries).verify()
    return batch
  }

  private func storeIssuers(of entries: [PendingEntry]) async throws {
    var new: [SHA256Hash: [UInt8]] = [:]
    for issuer in entries.lazy.flatMap(\.issuers) where !storedIssuers.contains(issuer.fingerprint) {
      new[issuer.fingerprint] = issuer.der
    }
    guard !new.isEmpty else { return }
    let blobs = new.map { Blob(StaticCTEntry.issuerPath($0.key), $0.value) }.sorted { $0.path < $1.path }
    try await storage.add(blobs)
    if storedIssuers.count > 100_000 { storedIssuers = [] }
    storedIssuers.formUnion(new.keys)
  }
}

extension Sequencer {
  /// Remembers the partial tiles that nobody needs once the full one is there.
  private func noteSuperseded(_ batch: Batch) {
    guard supersededTiles.count < 100_000 else { return }
    for coordinate in batch.tiles.keys where !coordinate.isFull { supersededTiles.append(coordinate.path) }
  }

  /// Does what can wait: keys go to their table, partial tiles are deleted where the full ones are published.
  ///
  /// - Parameter keepingPartialTiles: those last published, which readers may still ask for.
  package func tidy(keepingPartialTiles kept: Int = 4096) async throws {
    guard !isFlushing, case .running(let head, _) = condition else { return }
    isFlushing = true
    defer { isFlushing = false }
    let old = supersededTiles.dropLast(kept).filter { path in
      TileCoordinate(path: path).map { isFull($0, in: head.size) } ?? false
    }
    if !old.isEmpty {
      try await storage.delete(Array(old))
      let gone = Set(old)
      supersededTiles.removeAll { gone.contains($0) }
    }
    guard deduplicator.isDue(lot: settings.deduplicationLot) else { return }
    let written = try await deduplicator.write(resting: true)
    deduplicator.forget(written)
  }

  private func isFull(_ coordinate: TileCoordinate, in size: UInt64) -> Bool {
    TileCoordinate(coordinate.kind, index: coordinate.index, treeSize: size)?.isFull ?? false
  }
}
