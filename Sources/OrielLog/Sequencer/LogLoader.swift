import CertificateTransparency
import MerkleTree

/// Brings a log back to the tree that the lock holds.
///
/// The lock says which tree that is. The directory must have all of it, published or staged, and what others have seen
/// of the log must be part of it; anything else means that one of them is not the one that the log was run with, or that
/// they were restored from a backup, and to go on could fork the log.
struct LogLoader {
  let identity: LogIdentity
  let storage: any BlobStore
  let lock: any CheckpointLock
  /// Nil for none.
  let anchor: (any CheckpointAnchor)?

  private var tiles: TileReader { TileReader(storage: storage) }

  /// Enters a new, empty log.
  func create(at timestamp: Timestamp) async throws {
    guard try await lock.load(identity.logID) == nil, try await storage.get(Blob.checkpoint) == nil else {
      throw LogError.alreadyCreated(origin: identity.origin)
    }
    let head = try await identity.head(size: 0, root: TreeHasher.emptyRoot, at: timestamp)
    do {
      try await lock.create(identity.logID, head.note)
    } catch LockError.alreadyThere {
      throw LogError.alreadyCreated(origin: identity.origin)
    }
    try await anchor?.stage(head.note, over: nil)
    try await anchor?.commit(head.note)
    try await storage.put(Blob(Blob.checkpoint, head.note))
  }

  /// - Parameter known: what somebody else serves as this log's checkpoint, where it could be fetched. Where it is none,
  ///   such as a page that says that the server is being repaired, nothing is compared.
  func load(known: [UInt8]? = nil) async throws -> (LogHead, TreeEdge) {
    let locked = try await locked()
    let anchored = try await anchored()
    if let anchored { try await checkAnchor { try compareAnchor(anchored, with: locked) } }
    let known = known.flatMap { try? read($0, "public log") }
    if let known { try comparePublic(known, with: locked) }
    let published = try await storage.get(Blob.checkpoint).map { try read($0, "directory") }
    if let published { try compare(published, with: locked) }
    if published != locked { try await replay(locked, over: published) }
    let edge = try await edge(of: locked, published)
    // The directory's own past, as it told it, must be in the tree.
    if let published { try await checkPast(published, locked, of: "directory's checkpoint") }
    if let known { try await checkPast(known, locked, of: "public log") }
    if let anchored { try await checkAnchor { try await checkPast(anchored, locked, of: "anchor") } }
    if let anchor, anchored != locked {
      try await anchor.stage(locked.note, over: anchored?.note)
      try await anchor.commit(locked.note)
    }
    if published != locked { try await storage.put(Blob(Blob.checkpoint, locked.note)) }
    try await removeStaged(upTo: locked.size)
    return (locked, edge)
  }

  private func locked() async throws -> LogHead {
    guard let note = try await lock.load(identity.logID) else { throw LogError.notCreated(origin: identity.origin) }
    return try read(note, "lock")
  }

  /// Checks, while the log runs, that its tree goes on from one that somebody else serves as this log's.
  ///
  /// The lock, unlike the sequencer's own word, is never behind what was published; its tiles may be about to be.
  ///
  /// - Parameter published: a head whose tiles are published; nil if none is known.
  func check(against known: [UInt8], published: LogHead?) async throws {
    let known = try read(known, "public log")
    let locked = try await locked()
    try comparePublic(known, with: locked)
    let present = published.flatMap { known.size <= $0.size ? $0 : nil } ?? locked
    try compareRoots(known, present, of: "public log")
    try await checkPast(known, present, of: "public log")
  }

  private func comparePublic(_ known: LogHead, with locked: LogHead) throws(LogError) {
    guard known.size <= locked.size, known.timestamp <= locked.timestamp else {
      throw .behindPublic(size: locked.size, known: known.size, knownTime: known.timestamp)
    }
    try compareRoots(known, locked, of: "public log")
  }

  private func compareRoots(_ past: LogHead, _ present: LogHead, of place: String) throws(LogError) {
    guard past.size < present.size || past.root == present.root else {
      throw .forked(size: past.size, ours: present.root, theirs: past.root, where: place)
    }
  }

  private func anchored() async throws -> LogHead? {
    guard let anchor else { return nil }
    do {
      guard let note = try await anchor.load() else { return nil }
      return try read(note, "anchor \(anchor.name)")
    } catch let error as AnchorError {
      throw LogError.anchor(reason: error.description)
    } catch let error as LogError {
      throw LogError.anchor(reason: error.description)
    }
  }

  private func compareAnchor(_ anchored: LogHead, with locked: LogHead) throws(LogError) {
    guard anchored.size <= locked.size, anchored.timestamp <= locked.timestamp else {
      throw .anchor(
        reason: """
          the anchor \(anchor?.name ?? "") holds \(anchored.size) entries as of \(anchored.timestamp), lock and directory \
          only \(locked.size) as of \(locked.timestamp): they were restored from a snapshot or a backup, or this is a copy. \
          To go on would fork the log
          """)
    }
    try compareRoots(anchored, locked, of: "anchor")
  }

  /// Whatever the anchor does not agree with, it is the anchor that tells.
  private func checkAnchor(_ check: () async throws -> Void) async throws {
    do {
      try await check()
    } catch let error as LogError {
      throw LogError.anchor(reason: error.description)
    }
  }

  private func read(_ note: [UInt8], _ place: String) throws -> LogHead {
    do {
      return try identity.head(reading: note)
    } catch {
      throw LogError.badCheckpoint(place: place, reason: "\(error)")
    }
  }

  private func compare(_ published: LogHead, with locked: LogHead) throws {
    guard published.size <= locked.size, published.timestamp <= locked.timestamp else {
      throw LogError.directoryAhead(
        lock: locked.size, lockTime: locked.timestamp, directory: published.size, directoryTime: published.timestamp)
    }
    try compareRoots(published, locked, of: "directory")
  }

  /// Publishes the tiles that were staged for the tree in the lock, where they are there.
  ///
  /// Where they are not, they may have been published already: loading the edge will tell.
  private func replay(_ locked: LogHead, over published: LogHead?) async throws {
    let path = StagedBundle.path(size: locked.size, root: locked.root)
    guard let bytes = try await storage.get(path) else { return }
    let bundle: StagedBundle
    do {
      bundle = try StagedBundle(decoding: bytes)
    } catch {
      throw LogError.damaged(path: path, reason: error.description)
    }
    // The checkpoint may be older than the tiles, where the writing of it was held up. The tiles may not.
    do {
      let root = try await tiles.root(size: bundle.baseSize)
      guard root == bundle.baseRoot else {
        throw LogError.forked(size: bundle.baseSize, ours: bundle.baseRoot, theirs: root, where: "directory's tiles")
      }
    } catch LogError.damaged(let path, let reason) {
      throw LogError.directoryBehind(
        lock: locked.size, directory: published?.size,
        reason: "what is staged adds to a tree of \(bundle.baseSize) entries, of which \(path) is \(reason)")
    }
    try await storage.add(bundle.blobs)
  }

  /// Deletes what was staged for trees that are published, by this or by attempts that came to nothing.
  private func removeStaged(upTo size: UInt64) async throws {
    // Larger ones may be another writer's, who has yet to swap the lock.
    let past = try await storage.list(StagedBundle.folder).filter { path in
      StagedBundle.size(ofPath: path).map { $0 <= size } ?? false
    }
    if !past.isEmpty { try await storage.delete(past) }
  }

  private func edge(of locked: LogHead, _ published: LogHead?) async throws -> TreeEdge {
    var edge = TreeEdge()
    edge.size = locked.size
    do {
      for coordinate in TileCoordinate.rightEdge(ofSize: locked.size) {
        edge.hashes[coordinate.level] = try await tiles.hashes(coordinate)
      }
      edge.frontier = try Frontier(size: locked.size) { edge.hashes[$0.level] }
    } catch let error as LogError {
      guard published != locked else { throw error }
      throw LogError.directoryBehind(lock: locked.size, directory: published?.size, reason: "\(error)")
    }
    let root = try edge.frontier.root()
    guard root == locked.root else {
      throw LogError.forked(size: locked.size, ours: locked.root, theirs: root, where: "directory's tiles")
    }
    try await readLastEntries(into: &edge)
    return edge
  }

  /// Reads the last data tile, and compares it with the hashes beside it.
  private func readLastEntries(into edge: inout TreeEdge) async throws {
    guard edge.size > 0, let coordinate = TileCoordinate(data: (edge.size - 1) >> 8, treeSize: edge.size),
      let beside = TileCoordinate(level: 0, index: coordinate.index, treeSize: edge.size)
    else { return }
    let expected = try await tiles.hashes(beside)
    let content = try await tiles.content(coordinate)
    let span = content.span
    var names: [UInt8] = []
    do {
      for (place, entry) in try DataTile.entries(in: span, count: coordinate.width).enumerated() {
        guard entry.entry.leafHash(in: span) == expected[place] else {
          throw LogError.damaged(path: coordinate.path, reason: "entry \(place) has not the hash in \(beside.path)")
        }
        NamesLine.append(entry.entry, in: span, to: &names)
      }
    } catch let error as FormatError {
      throw LogError.damaged(path: coordinate.path, reason: error.description)
    }
    if !coordinate.isFull { (edge.data, edge.names) = (content, names) }
  }

  /// Checks that a tree which was signed before is part of one whose tiles are there.
  private func checkPast(_ past: LogHead, _ present: LogHead, of place: String) async throws {
    guard past.size < present.size else { return }
    let root = try await tiles.root(size: past.size, inTreeOf: present.size)
    guard root == past.root else {
      throw LogError.forked(size: past.size, ours: root, theirs: past.root, where: place)
    }
  }
}
