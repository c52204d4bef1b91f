public import CertificateTransparency
public import MerkleTree

/// Reads a log of RFC 6962 (section 4). Every body is bounded before it is read; nothing is believed or verified here.
public struct RFC6962Client: Sendable {
  /// An entry and the proof that it is in a tree.
  public struct ProvedEntry: Hashable, Sendable {
    /// The `MerkleTreeLeaf`.
    public let leafInput: [UInt8]
    public let extraData: [UInt8]
    public let proof: InclusionProof
  }

  /// The largest answer to get-entries, before and after inflating.
  public static let largestPage = 64 << 20
  private static let largestHead = 64 << 10
  private static let largestProof = 256 << 10
  private static let largestRoots = 16 << 20

  /// The log's prefix, with a slash at the end.
  public let url: String
  private let transport: HTTPTransport
  private let pacer: Pacer

  public init(url: String, transport: HTTPTransport, pacer: Pacer) {
    self.url = url.endingWithSlash
    self.transport = transport
    self.pacer = pacer
  }

  /// The newest signed tree head, and the bytes that it came as.
  public func signedTreeHead() async throws -> (head: SignedTreeHead, bytes: [UInt8]) {
    let bytes = try await fetch("get-sth", limit: RFC6962Client.largestHead)
    return (try SignedTreeHead(json: bytes), bytes)
  }

  /// The JSON body for entries from the start of `range`: logs give as many of them as they like, but at least one.
  ///
  /// It is to be read with ``EntriesPage``.
  public func entriesPage(_ range: Range<UInt64>, into body: inout [UInt8]) async throws {
    guard !range.isEmpty else { throw FormatError("get-entries", at: 0, "an empty range cannot be asked for") }
    let query = "get-entries?start=\(range.lowerBound)&end=\(range.upperBound - 1)"
    try await fetch(query, limit: RFC6962Client.largestPage, into: &body)
  }

  /// The proof that the tree of `oldSize` is part of that of `newSize`.
  public func consistencyProof(from oldSize: UInt64, to newSize: UInt64) async throws -> ConsistencyProof {
    // No log proves anything of the empty tree or of one and the same; such proofs are empty.
    guard oldSize > 0, oldSize < newSize else {
      return ConsistencyProof(oldSize: oldSize, newSize: newSize, hashes: [])
    }
    let query = "get-sth-consistency?first=\(oldSize)&second=\(newSize)"
    let response = try GetSTHConsistencyResponse(
      json: await fetch(query, limit: RFC6962Client.largestProof))
    return ConsistencyProof(oldSize: oldSize, newSize: newSize, hashes: response.consistency)
  }

  /// An entry, and the proof that it is in the tree of `treeSize`.
  public func entryAndProof(index: UInt64, treeSize: UInt64) async throws -> ProvedEntry {
    let query = "get-entry-and-proof?leaf_index=\(index)&tree_size=\(treeSize)"
    let response = try GetEntryAndProofResponse(json: await fetch(query, limit: RFC6962Client.largestRoots))
    return ProvedEntry(
      leafInput: response.leafInput, extraData: response.extraData,
      proof: InclusionProof(leafIndex: index, treeSize: treeSize, hashes: response.auditPath))
  }

  /// Where the leaf with this hash stands in the tree of `treeSize`, with the proof; a refusal if it doesn't.
  public func proofByHash(_ leafHash: SHA256Hash, treeSize: UInt64) async throws -> InclusionProof {
    let hash = Base64.encode(leafHash.bytes).utf8.map { byte in
      switch byte {
      case UInt8(ascii: "+"): "%2B"
      case UInt8(ascii: "/"): "%2F"
      case UInt8(ascii: "="): "%3D"
      default: String(Unicode.Scalar(byte))
      }
    }
    let query = "get-proof-by-hash?hash=\(hash.joined())&tree_size=\(treeSize)"
    let response = try GetProofByHashResponse(json: await fetch(query, limit: RFC6962Client.largestProof))
    return InclusionProof(leafIndex: response.leafIndex, treeSize: treeSize, hashes: response.auditPath)
  }

  /// The certificates, in DER, that chains may end in.
  public func roots() async throws -> [[UInt8]] {
    try GetRootsResponse(json: await fetch("get-roots", limit: RFC6962Client.largestRoots)).certificates
  }

  private func fetch(_ query: String, limit: Int) async throws -> [UInt8] {
    var body: [UInt8] = []
    try await fetch(query, limit: limit, into: &body)
    return body
  }

  private func fetch(_ query: String, limit: Int, into body: inout [UInt8]) async throws {
    let url = url + "ct/v1/" + query
    _ = try await pacer.run { try await transport.get(url, limit: limit, into: &body, acceptsGzip: true) }
    try Inflater.inflateIfGzip(&body, limit: limit)
  }
}

extension String {
  var endingWithSlash: String { hasSuffix("/") ? self : self + "/" }
}

extension Inflater {
  /// Replaces a gzip body by what it inflates to; leaves any other as it is.
  package static func inflateIfGzip(_ body: inout [UInt8], limit: Int) throws(InflateError) {
    guard isGzip(body.span) else { return }
    var plain: [UInt8] = []
    try Inflater().inflate(body.span, into: &plain, limit: limit)
    swap(&body, &plain)
  }
}
