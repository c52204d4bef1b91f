package import CTLogClient
package import CertificateTransparency
package import MerkleTree
package import OrielStore

/// An entry of a log with the proof that it is in one of its trees, as the log gave both.
package struct LoggedEntry: Hashable, Sendable {
  package let body: LogEntryBody
  package let leafHash: SHA256Hash
  package let proof: InclusionProof

  package init(body: LogEntryBody, leafHash: SHA256Hash, proof: InclusionProof) {
    self.body = body
    self.leafHash = leafHash
    self.proof = proof
  }

  /// Checks that the entry is of this issuance, and that the proof leads to a root.
  ///
  /// - Throws: ``Mismatch``, or what is wrong with the proof.
  func verify(_ issuance: IssuanceRecord, root: SHA256Hash) throws {
    let isOfIssuance =
      switch body {
      case .x509(let certificate): issuance.certificates.contains { $0.sha256 == SHA256Hash.hash(certificate) }
      case .precertificate(let key, let tbs): IssuanceID(issuerKeyHash: key, tbsCertificate: tbs) == issuance.id
      }
    guard isOfIssuance else { throw Mismatch() }
    try proof.verify(leafHash: leafHash, root: root)
  }

  struct Mismatch: Error, CustomStringConvertible {
    let description = "the log shows another entry there now than it did"
  }
}

/// Asks logs for entries with their proofs.
package struct InclusionLookup: Sendable {
  private let transport: HTTPTransport
  private let patience: Duration
  /// People who ask all at once wait for one another, and not the logs for them.
  private let pacer = Pacer(maximumInFlight: 4)

  package init(_ transport: HTTPTransport, patience: Duration = .seconds(20)) {
    self.transport = transport
    self.patience = patience
  }

  package struct TooSlow: Error, CustomStringConvertible {
    package let description = "the log did not answer in time"
  }

  /// An entry as it stands now, with its proof for the tree of `treeSize`.
  ///
  /// - Throws: what the log or the net does; ``TooSlow``.
  package func entry(_ index: UInt64, of log: LogRecord, treeSize: UInt64) async throws -> LoggedEntry {
    let patience = patience
    return try await withThrowingTaskGroup(of: LoggedEntry.self) { group in
      group.addTask {
        try await log.kind == "rfc6962"
          ? rfc6962(index, at: log.url, treeSize) : staticCT(index, at: log.url, treeSize)
      }
      group.addTask {
        try await Task.sleep(for: patience)
        throw TooSlow()
      }
      defer { group.cancelAll() }
      guard let entry = try await group.next() else { throw TooSlow() }
      return entry
    }
  }

  private func rfc6962(_ index: UInt64, at url: String, _ treeSize: UInt64) async throws -> LoggedEntry {
    let client = RFC6962Client(url: url, transport: transport, pacer: pacer)
    guard index < treeSize else { throw ProofError.indexBeyondSize(index: index, size: treeSize) }
    var body: [UInt8] = []
    try await client.entriesPage(index..<(index + 1), into: &body)
    var page = EntriesPage()
    try page.scan(body.span, maximumEntries: 1)
    let leaf = Array(page.leaves[page.leafRange(0)])
    let entry = try MerkleTreeLeaf(decoding: leaf.span).timestampedEntry
    let hash = TreeHasher.leafHash(of: leaf)
    var proof = try await client.proofByHash(hash, treeSize: treeSize)
    // The same leaf may stand at several places.
    if proof.leafIndex != index { proof = try await client.entryAndProof(index: index, treeSize: treeSize).proof }
    return LoggedEntry(body: entry.body, leafHash: hash, proof: proof)
  }

  private func staticCT(_ index: UInt64, at url: String, _ treeSize: UInt64) async throws -> LoggedEntry {
    // Its checkpoint is not read: the tree is one that was verified before.
    let client = StaticCTClient(monitoringURL: url, origin: "", transport: transport, pacer: pacer)
    guard index < treeSize, let tile = TileCoordinate(data: index / 256, treeSize: treeSize) else {
      throw ProofError.indexBeyondSize(index: index, size: treeSize)
    }
    var bytes: [UInt8] = []
    try await client.tile(tile, into: &bytes)
    try Inflater.inflateIfGzip(&bytes, limit: StaticCTClient.largestTile)
    var offset = 0
    for _ in 0..<(index % 256) { offset = try DataTileEntry(in: bytes.span, at: offset).end }
    let entry = try DataTileEntry(in: bytes.span, at: offset).entry
    let (leafHash, proof) = try await client.inclusionProof(index: index, treeSize: treeSize)
    guard entry.leafHash(in: bytes.span) == leafHash else {
      throw FormatError(tile.path, at: offset, "the entry does not hash to what the log's tree has at its place")
    }
    return LoggedEntry(body: TimestampedEntry(entry, in: bytes.span).body, leafHash: leafHash, proof: proof)
  }
}
