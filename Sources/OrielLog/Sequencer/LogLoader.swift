import CertificateTransparency
import MerkleTree

/// Brings a log back to the tree that the lock holds.
///
/// The lock says which tree that is. The directory must have all of it, published or staged; anything else means that
/// one of the two is not the one that the log was run with, and to go on could fork the log.
struct LogLoader {
  let identity: LogIdentity
  let storage: any BlobStore
  let lock: any CheckpointLock

  private var tiles: TileReader { TileReader(storage: storage) }

  /// Enters a new, empty log.
  func create(at timestamp: Timestamp) async throws {
    guard try await lock.load(identity.logID) == nil, try await storage.get("checkpoint") == nil else {
      throw LogError.alreadyCreated(origin: identity.origin)
    }
    let head = try await identity.head(size: 0, root: TreeHasher.emptyRoot, at: timestamp)
    do {
      try await lock.create(identity.logID, head.note)
    } catch LockError.alreadyThere {
      throw LogError.alreadyCreated(origin: identity.origin)
    }
    try await storage.put(Blob("checkpoint", head.note))
  }

  func load() async throws -> (LogHead, TreeEdge) {
    guard let note = try await lock.load(identity.logID) else { throw LogError.notCreated(origin: identity.origin) }
    let locked = try read(note, "lock")
    let published = try await storage.get("checkpoint").map { try read($0, "directory") }
    if let published { try compare(published, with: locked) }
    if published != locked { try await replay(locked, over: published) }
    let edge = try await edge(of: locked, published)
    // The directory's own past, as it told it, must be in the tree.
    if let published, published != locked { try await checkPast(published, locked) }
    if published != locked { try await storage.put(Blob("checkpoint", locked.note)) }
    try await removeStaged(upTo: locked.size)
    return (locked, edge)
  }

  /// Checks that the tree in the lock goes on from a tree that the public knows.
  func check(against known: [UInt8]) async throws {
    let known = try read(known, "public log")
    let (locked, _) = try await load()
    guard known.size <= locked.size, known.timestamp <= locked.timestamp else {
      throw LogError.behindPublic(size: locked.size, known: known.size, knownTime: known.timestamp)
    }
    if known.size == locked.size, known.root != locked.root {
      throw LogError.forked(size: known.size, ours: locked.root, theirs: known.root, where: "public log")
    }
    try await checkPast(known, locked)
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
    guard published.size < locked.size || published.root == locked.root else {
      throw LogError.forked(size: locked.size, ours: locked.root, theirs: published.root, where: "directory")
    }
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

  private func checkPast(_ published: LogHead, _ locked: LogHead) async throws {
    guard published.size < locked.size else { return }
    let root = try await tiles.root(size: published.size)
    guard root == published.root else {
      throw LogError.forked(size: published.size, ours: root, theirs: published.root, where: "directory's checkpoint")
    }
  }
}
