import CertificateTransparency
import MerkleTree

/// Reads a log's whole directory and checks every tile, entry, issuer, hash and signature.
package struct LogCheck {
  private let identity: LogIdentity
  private let storage: any BlobStore
  private let findings: (Finding) -> Void
  private var checkedTiles: Set<UInt64>?
  private var checkedIssuers: [SHA256Hash: [UInt8]?] = [:]

  /// - Parameter findings: is told what is wrong, as it is found.
  package init(_ identity: LogIdentity, storage: any BlobStore, findings: @escaping (Finding) -> Void) {
    self.identity = identity
    self.storage = storage
    self.findings = findings
  }

  /// Checks the tree that the directory publishes.
  ///
  /// - Parameters:
  ///   - locked: the checkpoint in the lock, which the directory's must be or lead to, where it is at hand.
  ///   - tiles: the numbers of the data tiles whose entries are checked; nil for all.
  package mutating func run(locked: [UInt8]? = nil, entriesOf tiles: Set<UInt64>? = nil) async throws {
    checkedTiles = tiles
    guard let note = try await storage.get(Blob.checkpoint) else {
      return findings(Finding(Blob.checkpoint, "missing"))
    }
    let head: LogHead
    do {
      head = try identity.head(reading: note)
    } catch {
      return findings(Finding(Blob.checkpoint, "\(error)"))
    }
    if let locked, locked != note, try await !leads(head, to: locked) {
      findings(Finding(Blob.checkpoint, "the lock holds another one"))
    }
    try await checkTree(head)
  }

  /// Whether the log ended before it published what the lock holds, and will when it starts.
  private func leads(_ head: LogHead, to locked: [UInt8]) async throws -> Bool {
    guard let next = try? identity.head(reading: locked), next.timestamp > head.timestamp else { return false }
    if next.size == head.size { return next.root == head.root }
    return try await storage.get(StagedBundle.path(size: next.size, root: next.root)) != nil
  }

  /// From the top down: each tile is checked by what the ones above say of it, so that of two that disagree it is
  /// clear which is wrong.
  private mutating func checkTree(_ head: LogHead) async throws {
    let edge = try await rightEdge(head)
    var above: [UInt64: [SHA256Hash]] = [:]
    for level in TileCoordinate.hashLevels.reversed() {
      var here: [UInt64: [SHA256Hash]] = [:]
      for coordinate in TileCoordinate.tiles(.hashes(level: level), treeSize: head.size) {
        let expected = coordinate.isFull ? above[coordinate.index >> 8]?[Int(coordinate.index & 255)] : nil
        let hashes =
          coordinate.isFull ? try await fullTile(coordinate, expected) : edge[coordinate]
        if level == 0 {
          if checkedTiles?.contains(coordinate.index) ?? true { try await checkEntries(coordinate, hashes) }
        } else {
          // Level 0 is by far the largest, and not kept.
          here[coordinate.index] = hashes
        }
      }
      above = here
    }
  }

  /// Checks one tile of entries, and the tiles of hashes between it and the root of a published tree.
  ///
  /// - Throws: what the storage throws; the rest is not checked then.
  mutating func run(tile: UInt64, of head: LogHead) async throws {
    let edge = try await rightEdge(head)
    var above: [SHA256Hash]?
    for level in TileCoordinate.hashLevels.reversed() {
      let index = tile >> UInt64(8 * level)
      guard let coordinate = TileCoordinate(level: level, index: index, treeSize: head.size) else { continue }
      // Only full tiles have an entry above them, and all of those do.
      let hashes =
        coordinate.isFull ? try await fullTile(coordinate, above?[Int(index & 255)]) : edge[coordinate]
      if level == 0 { try await checkEntries(coordinate, hashes) }
      above = hashes
    }
  }

  /// The last tiles of all levels, which lead to the root; what is wrong in one of them is taken from the tiles below.
  private func rightEdge(_ head: LogHead) async throws -> [TileCoordinate: [SHA256Hash]] {
    var edge: [TileCoordinate: [SHA256Hash]] = [:]
    let coordinates = TileCoordinate.rightEdge(ofSize: head.size)
    for coordinate in coordinates { edge[coordinate] = try await hashTile(coordinate) }
    func isRight(_ edge: [TileCoordinate: [SHA256Hash]]) -> Bool {
      (try? Frontier(size: head.size) { edge[$0] ?? [] }.root()) == head.root
    }
    if isRight(edge) { return edge }
    for coordinate in coordinates {
      var mended = edge
      mended[coordinate] = try await hashesFromBelow(coordinate)
      guard isRight(mended), let right = mended[coordinate] else { continue }
      report(coordinate, edge[coordinate], right)
      return mended
    }
    findings(Finding(Blob.checkpoint, "its root is not the one that the tiles lead to"))
    return edge
  }

  /// A full tile; where it is not what the tile above it says but the tiles below are, the hashes of those.
  private func fullTile(_ coordinate: TileCoordinate, _ expected: SHA256Hash?) async throws -> [SHA256Hash]? {
    let found = try await hashTile(coordinate)
    guard let expected, found.map(HashTile.root) != expected else { return found }
    if let below = try await hashesFromBelow(coordinate), HashTile.root(of: below) == expected {
      report(coordinate, found, below)
      return below
    }
    if found != nil { findings(Finding(coordinate.path, "its root is not \(expected), as the tile above it says")) }
    return found
  }

  /// - Parameter found: nil where the tile was reported already.
  private func report(_ coordinate: TileCoordinate, _ found: [SHA256Hash]?, _ right: [SHA256Hash]) {
    guard let found, let place = found.indices.first(where: { found[$0] != right[$0] }) else { return }
    let byte = zip(found[place].bytes, right[place].bytes).enumerated().first { $0.element.0 != $0.element.1 }
    let number = coordinate.index << 8 + UInt64(place)
    findings(
      Finding(
        coordinate.path, offset: place * SHA256Hash.byteCount + (byte?.offset ?? 0),
        entry: coordinate.level == 0 ? number : nil, "hash \(place) is not that of what is below it"))
  }

  private func hashTile(_ coordinate: TileCoordinate) async throws -> [SHA256Hash]? {
    guard let bytes = try await storage.get(coordinate.path) else {
      findings(Finding(coordinate.path, "missing"))
      return nil
    }
    do throws(TreeError) {
      return try HashTile(bytes.span, width: coordinate.width).hashes
    } catch {
      findings(Finding(coordinate.path, error.description))
      return nil
    }
  }

  /// The hashes that a tile must have by the tiles or entries below it; nil where those can't be read.
  private func hashesFromBelow(_ coordinate: TileCoordinate) async throws -> [SHA256Hash]? {
    var hashes: [SHA256Hash] = []
    if coordinate.level == 0 {
      guard let data = TileCoordinate(.data, index: coordinate.index, width: coordinate.width),
        let content = try? await TileReader(storage: storage).content(data),
        let entries = try? DataTile.entries(in: content.span, count: data.width)
      else { return nil }
      for entry in entries { hashes.append(entry.entry.leafHash(in: content.span)) }
      return hashes
    }
    for place in 0..<coordinate.width {
      let kind = TileCoordinate.Kind.hashes(level: coordinate.level - 1)
      guard let child = TileCoordinate(kind, index: coordinate.index << 8 + UInt64(place)),
        let bytes = try await storage.get(child.path), let tile = try? HashTile(bytes.span, width: child.width)
      else { return nil }
      hashes.append(tile.root)
    }
    return hashes
  }

  private mutating func checkEntries(_ hashes: TileCoordinate, _ level0: [SHA256Hash]?) async throws {
    guard let coordinate = TileCoordinate(.data, index: hashes.index, width: hashes.width) else { return }
    let content: [UInt8]
    do {
      content = try await TileReader(storage: storage).content(coordinate)
    } catch LogError.damaged(let path, let reason) {
      return findings(Finding(path, reason))
    }
    let entries: [DataTileEntry]
    do throws(FormatError) {
      entries = try DataTile.entries(in: content.span, count: coordinate.width)
    } catch {
      return findings(Finding(coordinate.path, offset: error.offset, "\(error)"))
    }
    for (place, entry) in entries.enumerated() {
      let index = coordinate.index << 8 + UInt64(place)
      if let level0, level0[place] != entry.entry.leafHash(in: content.span) {
        findings(
          Finding(coordinate.path, offset: entry.entry.start, entry: index, "not what the tree has the hash of"))
      }
      try await checkEntry(entry, index, coordinate, content)
    }
    try await checkNames(coordinate, entries, content)
  }

  private mutating func checkEntry(
    _ entry: DataTileEntry, _ index: UInt64, _ coordinate: TileCoordinate, _ content: [UInt8]
  ) async throws {
    var issuers: [SHA256Hash: [UInt8]] = [:]
    for position in 0..<entry.chainCount {
      let fingerprint = entry.chainFingerprint(position, in: content.span)
      issuers[fingerprint] = try await issuer(fingerprint, index)
    }
    do {
      try entry.checkLeafIndex(index, in: content.span)
      try EntryCheck.check(entry, in: content.span) { issuers[$0] }
    } catch {
      findings(Finding(coordinate.path, offset: entry.entry.start, entry: index, "\(error)"))
    }
  }

  private mutating func issuer(_ fingerprint: SHA256Hash, _ index: UInt64) async throws -> [UInt8]? {
    if let known = checkedIssuers[fingerprint] { return known }
    let path = StaticCTEntry.issuerPath(fingerprint)
    let der = try await storage.get(path)
    if let der, SHA256Hash.hash(der) != fingerprint {
      findings(Finding(path, entry: index, "its SHA-256 is \(SHA256Hash.hash(der)), not its name"))
    } else if der == nil {
      findings(Finding(path, entry: index, "missing, the first of the entries that need it is this one"))
    }
    if checkedIssuers.count > 20_000 { checkedIssuers = [:] }
    checkedIssuers[fingerprint] = .some(der)
    return der
  }

  /// The names tile that goes with a data tile.
  static func names(_ entries: [DataTileEntry], in content: [UInt8]) -> [UInt8] {
    let bytes = content.span
    var names: [UInt8] = []
    for entry in entries { NamesLine.append(entry.entry, in: bytes, to: &names) }
    return names
  }

  private func checkNames(
    _ coordinate: TileCoordinate, _ entries: [DataTileEntry], _ content: [UInt8]
  ) async throws {
    guard let names = TileCoordinate(.names, index: coordinate.index, width: coordinate.width) else { return }
    let expected = LogCheck.names(entries, in: content)
    do {
      let found = try await TileReader(storage: storage).content(names)
      guard found != expected else { return }
      let offset = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      let line = found.prefix(offset ?? 0).count { $0 == 0x0a }
      findings(
        Finding(
          names.path, offset: offset ?? min(found.count, expected.count), entry: names.index << 8 + UInt64(line),
          "the names are not those of the entry"))
    } catch LogError.damaged(let path, let reason) {
      findings(Finding(path, reason))
    }
  }
}

extension HashTile {
  static func root(of hashes: [SHA256Hash]) -> SHA256Hash {
    var hashes = hashes
    return TreeHasher.root(ofComplete: &hashes)
  }
}
