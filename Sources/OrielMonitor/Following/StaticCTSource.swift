import CTLogClient
import CertificateTransparency
import MerkleTree
import OrielStore
import Synchronization

/// A static-ct-api log: checkpoint and tiles.
final class StaticCTSource: LogSource {
  let log: LogDescription
  private let client: StaticCTClient
  private let time: Timekeeper
  private let edge = Mutex<RightEdge?>(nil)
  private let missing = Mutex(MissingIssuers())

  init(log: LogDescription, client: StaticCTClient, time: Timekeeper) {
    self.log = log
    self.client = client
    self.time = time
  }

  func head() async throws -> HeadRecord {
    let bytes = try await client.checkpoint()
    do {
      let head = try SignedTreeHead(checkpoint: bytes, origin: log.origin, key: log.key)
      return HeadRecord(head, signed: bytes, seenAt: time.now())
    } catch CheckpointError.malformed(let error) {
      throw error
    } catch {
      throw LogFault(.badSignature, "\(error)", [(name: "head", bytes: bytes)])
    }
  }

  func plan(from position: UInt64, to size: UInt64) -> Range<UInt64> {
    position..<min(size, (position / 256 + 1) * 256)
  }

  /// Ranges lie within one data tile. Where more than two tiles are missing, each full one is verified on arrival; the few
  /// entries that a poll brings are verified by the root alone, which takes no further requests.
  func digest(
    _ range: Range<UInt64>, of head: HeadRecord, with digester: Digester
  ) async throws -> (digest: BatchDigest, isVerified: Bool) {
    let tile = range.lowerBound / 256
    guard let coordinate = TileCoordinate(data: tile, treeSize: head.treeSize) else {
      throw FormatError("data tile", at: 0, "the tree of size \(head.treeSize) has no data tile \(tile)")
    }
    let expected: SHA256Hash?
    if coordinate.isFull, head.treeSize - range.lowerBound > 512 {
      expected = try await edge(of: head).hash(level: 1, index: tile)
    } else {
      expected = nil
    }
    var digest = BatchDigest()
    for attempt in 1...2 {
      digest = try await digester.digestTile(
        coordinate, skipping: Int(range.lowerBound % 256), upTo: Int(range.upperBound - tile * 256), client: client)
      guard let expected else { break }
      var fold = digest.leafHashes
      if TreeHasher.root(ofComplete: &fold) == expected { break }
      // A cache or a cut may have spoilt it once; the same twice is what the log says.
      guard attempt == 1 else {
        throw LogFault(
          .wrongEntries, "the entries of \(coordinate.path) do not hash to what the signed tree says",
          [
            (name: "head", bytes: head.signed), (name: "expected", bytes: expected.bytes),
            (name: "leaf hashes of \(coordinate.path)", bytes: digest.leafHashes.flatMap(\.bytes)),
          ])
      }
    }
    digest.leafHashes = Array(digest.leafHashes[Int(range.lowerBound % 256)..<Int(range.upperBound - tile * 256)])
    return (digest, expected != nil)
  }

  func frontier(at size: UInt64, of head: HeadRecord) async throws -> Frontier {
    let edge = edge(of: head)
    if size == head.treeSize { return try await edge.frontier() }
    var tiles: [TileCoordinate: [SHA256Hash]] = [:]
    for coordinate in TileCoordinate.rightEdge(ofSize: size) {
      let whole = try await edge.tile(level: coordinate.level, index: coordinate.index)
      tiles[coordinate] = Array(whole.prefix(coordinate.width))
    }
    return try Frontier(size: size) { tiles[$0] ?? [] }
  }

  func timestamp(ofEntry index: UInt64, of head: HeadRecord) async throws -> UInt64 {
    guard let coordinate = TileCoordinate(data: index / 256, treeSize: head.treeSize) else {
      throw FormatError("data tile", at: 0, "the tree of size \(head.treeSize) has no entry \(index)")
    }
    return try await Digester.timestamp(ofEntry: Int(index % 256), in: coordinate, client: client)
  }

  func issuer(_ hash: SHA256Hash) async throws -> [UInt8] {
    if let error = missing.withLock({ $0.error(for: hash, now: time.now()) }) { throw error }
    do {
      let certificate = try await client.issuer(hash)
      missing.withLock { $0.found(hash) }
      return certificate
    } catch {
      if !(error is CancellationError) { missing.withLock { $0.failed(hash, error, now: time.now()) } }
      throw error
    }
  }

  private func edge(of head: HeadRecord) -> RightEdge {
    edge.withLock { edge in
      if let known = edge, known.head.treeSize == head.treeSize, known.head.root == head.root { return known }
      let fresh = RightEdge(head: head, client: client)
      edge = fresh
      return fresh
    }
  }
}
