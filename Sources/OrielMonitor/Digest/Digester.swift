import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielWatchlist
import Synchronization

/// The digest stage: bytes of a batch in, leaf hashes and candidates out.
///
/// It works in buffers that are used again and again; nothing of them outlives a batch but what matched.
package struct Digester: Sendable {
  /// The buffers of one batch.
  struct Scratch: Sendable {
    var body: [UInt8] = []
    var inflated: [UInt8] = []
    var page = EntriesPage()
    /// Remembers names that were looked at before.
    var scanner = LookalikeScanner(.empty)

    /// Inflates the body, if it is gzipped: `body` holds the plain bytes then.
    mutating func inflate() throws(InflateError) {
      guard Inflater.isGzip(body.span) else { return }
      swap(&body, &inflated)
      let compressed = inflated
      try Inflater().inflate(compressed.span, into: &body, limit: Digester.largestTile)
    }

    /// Finds the entries of a get-entries answer.
    mutating func scan(maximumEntries: Int) throws(FormatError) {
      let answer = body
      try page.scan(answer.span, maximumEntries: maximumEntries)
    }
  }

  /// Buffers that rest between batches.
  final class Pool: Sendable {
    private let resting = Mutex<[Scratch]>([])

    func take() -> Scratch { resting.withLock { $0.popLast() } ?? Scratch() }

    func put(_ scratch: consuming Scratch) {
      // A batch far beyond the usual must not be remembered for ever.
      guard scratch.body.capacity + scratch.inflated.capacity < 8 << 20 else { return }
      let back = scratch
      resting.withLock { if $0.count < 8 { $0.append(back) } }
    }
  }

  /// A data tile never inflates to more: 256 entries with certificates and chains as large as logs accept.
  static let largestTile = 64 << 20

  let sought: Sought
  let issuers: IssuerDirectory
  let pool: Pool

  init(sought: Sought, issuers: IssuerDirectory, pool: Pool) {
    self.sought = sought
    self.issuers = issuers
    self.pool = pool
  }

  /// Fetches a data tile and digests it. All its leaves are hashed; candidates come from `skipping..<upTo` only.
  func digestTile(
    _ coordinate: TileCoordinate, skipping: Int, upTo: Int, client: StaticCTClient
  ) async throws -> BatchDigest {
    var scratch = pool.take()
    try await client.tile(coordinate, into: &scratch.body)
    let digest = try digestTile(
      &scratch, firstIndex: coordinate.index * 256, wanted: skipping..<upTo, path: coordinate.path)
    pool.put(scratch)
    return digest
  }

  /// Digests the tile in `scratch.body`, gzipped or not.
  func digestTile(
    _ scratch: inout Scratch, firstIndex: UInt64, wanted: Range<Int>, path: String
  ) throws -> BatchDigest {
    var inspector = EntryInspector(sought, issuers: issuers, &scratch.scanner)
    defer { inspector.giveBack(&scratch.scanner) }
    var digest = BatchDigest()
    digest.leafHashes.reserveCapacity(256)
    try scratch.inflate()
    try walk(scratch.body.span, firstIndex: firstIndex, wanted: wanted, path: path, &inspector, &digest)
    return digest
  }

  private func walk(
    _ bytes: Span<UInt8>, firstIndex: UInt64, wanted: Range<Int>, path: String, _ inspector: inout EntryInspector,
    _ digest: inout BatchDigest
  ) throws {
    var offset = 0
    while offset < bytes.count, digest.leafHashes.count < 256 {
      let place = digest.leafHashes.count
      let entry = try DataTileEntry(in: bytes, at: offset)
      digest.leafHashes.append(entry.entry.leafHash(in: bytes))
      let issuer = entry.chainCount == 0 ? nil : entry.chainFingerprint(0, in: bytes)
      if wanted.contains(place), inspector.mayMatch(entry.entry, issuer: issuer, in: bytes) {
        digest.candidates.append(Candidate(entry, index: firstIndex + UInt64(place), in: bytes))
      }
      offset = entry.end
    }
    guard digest.leafHashes.count >= wanted.upperBound else {
      throw FormatError(path, at: offset, "expected \(wanted.upperBound) entries, found \(digest.leafHashes.count)")
    }
    guard offset == bytes.count else {
      throw FormatError(path, at: offset, "\(bytes.count - offset) bytes follow the last entry")
    }
  }

  /// Fetches entries from the start of `range` and adds them to `digest`.
  ///
  /// - Returns: how many the log gave; at least one.
  func digestPage(_ range: Range<UInt64>, into digest: inout BatchDigest, client: RFC6962Client) async throws -> Int {
    var scratch = pool.take()
    try await client.entriesPage(range, into: &scratch.body)
    let count = try digestPage(&scratch, range, into: &digest)
    pool.put(scratch)
    return count
  }

  /// Digests the get-entries answer in `scratch.body`.
  func digestPage(_ scratch: inout Scratch, _ range: Range<UInt64>, into digest: inout BatchDigest) throws -> Int {
    try scratch.scan(maximumEntries: range.count)
    var inspector = EntryInspector(sought, issuers: issuers, &scratch.scanner)
    defer { inspector.giveBack(&scratch.scanner) }
    let bytes = scratch.page.leaves.span
    for place in 0..<scratch.page.count {
      let leaf = scratch.page.leafRange(place)
      digest.leafHashes.append(SHA256Hash.hash(bytes.extracting(scratch.page.hashedRange(place))))
      let entry: EntryRanges
      do {
        entry = try EntryRanges(merkleTreeLeafIn: bytes, leaf)
      } catch {
        digest.candidates.append(
          Candidate(
            index: range.lowerBound + UInt64(place), timestamp: 0, leaf: .unknown(bytes.copy(leaf)),
            chain: .extraData([]), problems: ["leaf: \(error)"]))
        continue
      }
      guard inspector.mayMatch(entry, issuer: nil, in: bytes) else { continue }
      let extra = try scratch.page.extraData(at: place, in: scratch.body.span)
      digest.candidates.append(
        Candidate(
          index: range.lowerBound + UInt64(place), timestamp: entry.timestamp.milliseconds,
          leaf: .init(entry, in: bytes),
          chain: .extraData(extra), problems: []))
    }
    return scratch.page.count
  }

  /// The timestamp of one entry of a data tile.
  static func timestamp(
    ofEntry place: Int, in coordinate: TileCoordinate, client: StaticCTClient
  ) async throws -> UInt64 {
    var scratch = Scratch()
    try await client.tile(coordinate, into: &scratch.body)
    try scratch.inflate()
    var offset = 0
    for current in 0..<256 {
      let entry = try DataTileEntry(in: scratch.body.span, at: offset)
      if current == place { return entry.entry.timestamp.milliseconds }
      offset = entry.end
    }
    throw FormatError(coordinate.path, at: offset, "expected at least \(place + 1) entries")
  }

  /// The timestamp of one entry of an RFC 6962 log.
  static func timestamp(ofEntry index: UInt64, client: RFC6962Client) async throws -> UInt64 {
    var scratch = Scratch()
    try await client.entriesPage(index..<(index + 1), into: &scratch.body)
    try scratch.scan(maximumEntries: 1)
    return try EntryRanges(merkleTreeLeafIn: scratch.page.leaves.span, scratch.page.leafRange(0)).timestamp.milliseconds
  }
}

extension Candidate.Leaf {
  init(_ entry: EntryRanges, in bytes: Span<UInt8>) {
    if let keyHash = entry.issuerKeyHash {
      self = .precertificate(
        issuerKeyHash: SHA256Hash(copying: bytes, at: keyHash.lowerBound),
        tbsCertificate: bytes.copy(entry.certificate))
    } else {
      self = .certificate(bytes.copy(entry.certificate))
    }
  }
}

extension Candidate {
  init(_ tileEntry: DataTileEntry, index: UInt64, in bytes: Span<UInt8>) {
    var problems: [String] = []
    do {
      try tileEntry.checkLeafIndex(index, in: bytes)
    } catch {
      problems.append("leaf_index: \(error.reason)")
    }
    let precertificate = tileEntry.precertificate.map { bytes.copy($0) } ?? []
    let fingerprints = (0..<tileEntry.chainCount).map { tileEntry.chainFingerprint($0, in: bytes) }
    self.init(
      index: index, timestamp: tileEntry.entry.timestamp.milliseconds, leaf: .init(tileEntry.entry, in: bytes),
      chain: .fingerprints(precertificate: precertificate, fingerprints), problems: problems)
  }
}
