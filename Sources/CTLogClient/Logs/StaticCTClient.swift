import CertificateTransparency
public import MerkleTree

/// Reads a static CT log (c2sp.org/static-ct-api). Every body is bounded before it is read; nothing but an issuer's hash
/// is verified here.
public struct StaticCTClient: Sendable {
  private static let largestCheckpoint = 64 << 10
  private static let largestIssuer = 128 << 10
  /// The largest data or names tile, as it is sent.
  public static let largestTile = 32 << 20
  private static let fullHashTile = TileCoordinate.fullWidth * SHA256Hash.byteCount

  /// Where the log is read, with a slash at the end.
  public let monitoringURL: String
  /// The name that the log's checkpoints bear.
  public let origin: String
  private let transport: HTTPTransport
  private let pacer: Pacer

  public init(monitoringURL: String, origin: String, transport: HTTPTransport, pacer: Pacer) {
    self.monitoringURL = monitoringURL.endingWithSlash
    self.origin = origin
    self.transport = transport
    self.pacer = pacer
  }

  /// A log whose origin is, as the specification has it, its submission prefix without scheme and last slash.
  public init(monitoringURL: String, submissionURL: String, transport: HTTPTransport, pacer: Pacer) {
    let name = submissionURL.firstRange(of: "://").map { submissionURL[$0.upperBound...] } ?? submissionURL[...]
    self.init(
      monitoringURL: monitoringURL, origin: String(name.hasSuffix("/") ? name.dropLast() : name), transport: transport,
      pacer: pacer)
  }

  /// The newest checkpoint: a signed note, not verified.
  public func checkpoint() async throws -> [UInt8] {
    var body: [UInt8] = []
    try await fetch("checkpoint", limit: StaticCTClient.largestCheckpoint, into: &body)
    return body
  }

  /// Fetches a tile. Where a partial tile is gone, the full one that took its place is fetched.
  ///
  /// Hash tiles come as exactly `width` hashes, those of a full tile cut. Data and names tiles come as they were sent, so
  /// perhaps as gzip and, if the full one came, with more entries than asked for.
  ///
  /// - Returns: the tile that was fetched.
  /// - Throws: a `FormatError` if a hash tile has another length.
  @discardableResult
  public func tile(_ coordinate: TileCoordinate, into body: inout [UInt8]) async throws -> TileCoordinate {
    var fetched = coordinate
    do {
      try await tileBody(fetched, into: &body)
    } catch let error as FetchError where !coordinate.isFull && (error.statusCode == 404 || error.statusCode == 410) {
      fetched = coordinate.full
      try await tileBody(fetched, into: &body)
    }
    guard case .hashes = coordinate.kind else { return fetched }
    // A tile of the right length is one, even if its first hash starts as gzip does.
    if body.count != fetched.width * SHA256Hash.byteCount {
      try Inflater.inflateIfGzip(&body, limit: StaticCTClient.fullHashTile)
    }
    guard body.count == fetched.width * SHA256Hash.byteCount else {
      throw FormatError(
        fetched.path, at: body.count, "\(fetched.width * SHA256Hash.byteCount) bytes expected, found \(body.count)")
    }
    body.removeSubrange((coordinate.width * SHA256Hash.byteCount)...)
    return fetched
  }

  private func tileBody(_ coordinate: TileCoordinate, into body: inout [UInt8]) async throws {
    if case .hashes = coordinate.kind {
      // Hashes do not compress; some servers send them as gzip nevertheless, which adds a few bytes.
      try await fetch(coordinate.path, limit: StaticCTClient.fullHashTile + 256, into: &body)
    } else {
      try await fetch(coordinate.path, limit: StaticCTClient.largestTile, acceptsGzip: true, into: &body)
    }
  }

  /// The certificate with this SHA-256, in DER.
  ///
  /// - Throws: a `FormatError` if the log gives another one.
  public func issuer(_ fingerprint: SHA256Hash) async throws -> [UInt8] {
    var body: [UInt8] = []
    let path = StaticCTEntry.issuerPath(fingerprint)
    try await fetch(path, limit: StaticCTClient.largestIssuer, acceptsGzip: true, into: &body)
    try Inflater.inflateIfGzip(&body, limit: StaticCTClient.largestIssuer)
    let found = SHA256Hash.hash(body)
    guard found == fingerprint else { throw FormatError(path, at: 0, "the certificate there has the hash \(found)") }
    return body
  }

  private func fetch(_ path: String, limit: Int, acceptsGzip: Bool = false, into body: inout [UInt8]) async throws {
    let url = monitoringURL + path
    _ = try await pacer.run { try await transport.get(url, limit: limit, into: &body, acceptsGzip: acceptsGzip) }
  }
}
