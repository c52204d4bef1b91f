import CertificateTransparency
import MerkleTree
import Synchronization

/// The read side of RFC 6962, from the tiles of a static log.
struct RFC6962Face: Sendable {
  let identity: LogIdentity
  let storage: any BlobStore
  let leaves: LeafIndex
  let roots: RootStore
  private let issuers = IssuerCache()

  init(identity: LogIdentity, storage: any BlobStore, leaves: LeafIndex, roots: RootStore) {
    self.identity = identity
    self.storage = storage
    self.leaves = leaves
    self.roots = roots
  }

  static let methods: Set<Substring> = [
    "get-sth", "get-sth-consistency", "get-proof-by-hash", "get-entries", "get-entry-and-proof", "get-roots",
  ]

  /// The most bytes of entries in one answer, before base64.
  private static let pageLimit = 4 << 20

  private var tiles: TileReader { TileReader(storage: storage) }

  /// - Parameter head: what is published.
  func answer(_ method: Substring, _ query: Query, _ head: LogHead) async throws -> Answer {
    switch method {
    case "get-sth":
      let sth = try SignedTreeHead(checkpoint: head.note, origin: identity.origin, key: identity.key.publicKey)
      return .changing(try RFC6962Face.json(sth), type: "application/json", keeping: .seconds)
    case "get-sth-consistency": return try await consistency(query, head)
    case "get-proof-by-hash": return try await proofByHash(query, head)
    case "get-entries": return try await entries(query, head)
    case "get-entry-and-proof": return try await entryAndProof(query, head)
    case "get-roots":
      return .changing(
        try GetRootsResponse(certificates: roots.certificates).json(), type: "application/json", keeping: .minutes)
    default: throw Refusal.notFound
    }
  }

  /// Written out here, so that the same head always gives the same bytes, and the same tag.
  private static func json(_ head: SignedTreeHead) throws -> [UInt8] {
    let (root, signature) = (Base64.encode(head.rootHash.bytes), Base64.encode(try head.signature.encoded()))
    let json = """
      {"tree_size":\(head.treeSize),"timestamp":\(head.timestamp.milliseconds),"sha256_root_hash":"\(root)",\
      "tree_head_signature":"\(signature)"}
      """
    return Array(json.utf8)
  }

  private func treeSize(_ query: Query, _ name: Substring, _ head: LogHead) throws -> UInt64 {
    let size = try query.number(name)
    guard size <= head.size else { throw Refusal(400, "\(name) is \(size), the tree has \(head.size) entries") }
    return size
  }

  private func consistency(_ query: Query, _ head: LogHead) async throws -> Answer {
    let (first, second) = (try treeSize(query, "first", head), try treeSize(query, "second", head))
    guard first <= second else { throw Refusal(400, "first is larger than second") }
    let proof = try await prove(head) { hashes in
      try ConsistencyProof.make(oldSize: first, newSize: second, hashes: hashes)
    }
    return .json(try GetSTHConsistencyResponse(consistency: proof.hashes).json())
  }

  private func proofByHash(_ query: Query, _ head: LogHead) async throws -> Answer {
    let (hash, size) = (try query.hash("hash"), try treeSize(query, "tree_size", head))
    guard let index = try await leaves.find(hash, in: head.size), index < size else {
      throw Refusal(404, "no leaf of the tree of \(size) entries has this hash")
    }
    let path = try await inclusion(index, size, head)
    return .json(try GetProofByHashResponse(leafIndex: index, auditPath: path).json())
  }

  private func entryAndProof(_ query: Query, _ head: LogHead) async throws -> Answer {
    let (index, size) = (try query.number("leaf_index"), try treeSize(query, "tree_size", head))
    guard index < size else { throw Refusal(400, "leaf_index is \(index), not below tree_size") }
    guard let entry = try await page(index...index, head).first else { throw Refusal.notFound }
    let path = try await inclusion(index, size, head)
    return .json(
      try GetEntryAndProofResponse(leafInput: entry.leafInput, extraData: entry.extraData, auditPath: path).json())
  }

  private func entries(_ query: Query, _ head: LogHead) async throws -> Answer {
    let (start, end) = (try query.number("start"), try query.number("end"))
    guard start <= end else { throw Refusal(400, "start is larger than end") }
    guard start < head.size else { throw Refusal(400, "start is \(start), the tree has \(head.size) entries") }
    let page = try await page(start...min(end, head.size - 1), head)
    var json = Array("{\"entries\":[".utf8)
    json.reserveCapacity(page.reduce(64) { $0 + ($1.leafInput.count + $1.extraData.count) / 3 * 4 + 64 })
    for (position, entry) in page.enumerated() {
      json += Array((position > 0 ? ",{\"leaf_input\":\"" : "{\"leaf_input\":\"").utf8)
      Base64.encode(entry.leafInput.span, into: &json)
      json += Array("\",\"extra_data\":\"".utf8)
      Base64.encode(entry.extraData.span, into: &json)
      json += Array("\"}".utf8)
    }
    return .json(json + Array("]}".utf8))
  }

  /// Entries from the start of `range`, of one tile at most.
  private func page(_ range: ClosedRange<UInt64>, _ head: LogHead) async throws -> [GetEntriesResponse.Entry] {
    guard let tile = TileCoordinate(data: range.lowerBound >> 8, treeSize: head.size) else { throw Refusal.notFound }
    // The partial tile of a tree that has grown since may be gone.
    var content = try? await tiles.content(tile)
    if content == nil { content = try await tiles.content(tile.full) }
    var page: [GetEntriesResponse.Entry] = []
    var byteCount = 0
    for entry in try RFC6962Face.entries(in: content ?? [], from: tile.index << 8, range) {
      let extraData = try await extraData(of: entry)
      let leaf = try MerkleTreeLeaf(entry.timestampedEntry).encoded()
      page.append(GetEntriesResponse.Entry(leafInput: leaf, extraData: extraData))
      byteCount += leaf.count + extraData.count
      if byteCount > RFC6962Face.pageLimit { break }
    }
    return page
  }

  private static func entries(
    in tile: [UInt8], from first: UInt64, _ range: ClosedRange<UInt64>
  ) throws -> [StaticCTEntry] {
    let bytes = tile.span
    var entries: [StaticCTEntry] = []
    for (place, ranges) in try DataTile.entries(in: bytes).enumerated() where range.contains(first + UInt64(place)) {
      entries.append(StaticCTEntry(ranges, in: bytes))
    }
    return entries
  }

  private func extraData(of entry: StaticCTEntry) async throws -> [UInt8] {
    var chain: [[UInt8]] = []
    for fingerprint in entry.chainFingerprints {
      chain.append(try await issuers.certificate(fingerprint, in: storage))
    }
    guard let precertificate = entry.precertificate else { return try ExtraData.x509(chain: chain).encoded() }
    return try ExtraData.precertificate(precertificate: precertificate, chain: chain).encoded()
  }

  private func inclusion(_ index: UInt64, _ size: UInt64, _ head: LogHead) async throws -> [SHA256Hash] {
    try await prove(head) { hashes in
      try InclusionProof.make(leafIndex: index, treeSize: size, hashes: hashes)
    }.hashes
  }

  /// Makes a proof twice: first to see which tiles it takes, then from those.
  private func prove<Proof>(
    _ head: LogHead, _ make: (SubtreeHashes<any Error>) throws -> Proof
  ) async throws -> Proof {
    var needed: Set<TileCoordinate> = []
    _ = try make { level, index in
      needed.insert(try RFC6962Face.place(level, index, head).tile)
      return .zero
    }
    var found: [TileCoordinate: [SHA256Hash]] = [:]
    for tile in needed { found[tile] = try await tiles.hashes(tile) }
    return try make { level, index in
      let (tile, range) = try RFC6962Face.place(level, index, head)
      guard let hashes = found[tile], range.upperBound <= hashes.count else { throw Refusal.notFound }
      return HashTile.root(of: Array(hashes[range]))
    }
  }

  /// Where the hashes below a complete subtree are.
  private static func place(
    _ level: Int, _ index: UInt64, _ head: LogHead
  ) throws -> (tile: TileCoordinate, range: Range<Int>) {
    let tileLevel = min(level / 8, TileCoordinate.hashLevels.upperBound)
    let first = index << UInt64(level - 8 * tileLevel)
    guard let tile = TileCoordinate(level: tileLevel, index: first >> 8, treeSize: head.size) else {
      throw Refusal.notFound
    }
    let start = Int(first & 255)
    return (tile, start..<(start + 1 << (level - 8 * tileLevel)))
  }
}

/// Issuers that were read lately: nearly every entry needs one of the same few.
private final class IssuerCache: Sendable {
  private let known = Mutex(TwoGenerations<SHA256Hash, [UInt8]>())

  func certificate(_ fingerprint: SHA256Hash, in storage: any BlobStore) async throws -> [UInt8] {
    if let der = known.withLock({ $0[fingerprint] }) { return der }
    let path = StaticCTEntry.issuerPath(fingerprint)
    guard let der = try await storage.get(path) else { throw LogError.damaged(path: path, reason: "missing") }
    known.withLock { $0[fingerprint] = der }
    return der
  }
}
