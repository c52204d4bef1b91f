import CertificateTransparency
import Foundation
import HTTPTypes
import MerkleTree
import NIOCore

/// The read side of static-ct-api: files, with what HTTP wants to know of them.
struct StaticFace: Sendable {
  let storage: any BlobStore

  /// - Parameters:
  ///   - head: what is published.
  ///   - acceptsGzip: whether the client takes tiles as they are stored.
  /// - Returns: nil if static-ct-api has no such path.
  func answer(_ path: Substring, _ head: LogHead, acceptsGzip: Bool) async throws -> Answer? {
    if path == Blob.checkpoint {
      return .changing(head.note, type: "text/plain; charset=utf-8", keeping: .seconds)
    }
    if path == LogListEntry.path {
      guard let bytes = try await storage.get(String(path)) else { throw Refusal.notFound }
      return .changing(bytes, type: "application/json", keeping: .minutes)
    }
    if path.hasPrefix("issuer/") { return try await issuer(path) }
    if path.hasPrefix("tile/") { return try await tile(path, head, acceptsGzip: acceptsGzip) }
    return nil
  }

  private func issuer(_ path: Substring) async throws -> Answer {
    guard let fingerprint = SHA256Hash(hex: path.dropFirst(7)), StaticCTEntry.issuerPath(fingerprint) == path,
      let der = try await storage.get(String(path))
    else { throw Refusal(404, "no issuer of an entry has this SHA-256") }
    return Answer(der, type: "application/pkix-cert", keeping: .forEver, tag: String(path))
  }

  private func tile(_ path: Substring, _ head: LogHead, acceptsGzip: Bool) async throws -> Answer {
    guard let tile = TileCoordinate(path: String(path)) else { throw Refusal(404, "no tile has this path") }
    guard let present = TileCoordinate(tile.kind, index: tile.index, treeSize: head.size), tile.width <= present.width
    else { throw Refusal(404, "the tree of \(head.size) entries has no such tile") }
    guard let stored = try await storage.get(tile.path) else {
      throw Refusal(
        404,
        present.isFull && !tile.isFull
          ? "this partial tile is gone, the full one took its place: \(tile.full.path)"
          : "this partial tile was never published, or is missing")
    }
    let body = acceptsGzip || !tile.isGzipped ? stored : try Gunzip().inflate(stored)
    return Answer(body, headers(tile, acceptsGzip: acceptsGzip))
  }

  /// The header fields and the body of the answer to a request for a full tile, if it can be given without waiting; the
  /// first bytes of the body are in `buffer`.
  func answerNow(
    _ path: Substring, _ head: LogHead, acceptsGzip: Bool, _ buffer: inout ByteBuffer
  ) -> (fields: HTTPFields, body: OpenBlob)? {
    guard path.hasPrefix("tile/"), let tile = TileCoordinate(path: String(path)), tile.isFull,
      TileCoordinate(tile.kind, index: tile.index, treeSize: head.size)?.isFull == true,
      acceptsGzip || !tile.isGzipped, let body = storage.openNow(tile.path, &buffer)
    else { return nil }
    return (Answer.fields(headers(tile, acceptsGzip: acceptsGzip), byteCount: body.byteCount), body)
  }

  private func headers(_ tile: TileCoordinate, acceptsGzip: Bool) -> HTTPFields {
    let type = tile.kind == .names ? "application/jsonl; charset=utf-8" : "application/octet-stream"
    let isGzipped = tile.isGzipped && acceptsGzip
    var headers = Answer.headers(type: type, keeping: .forEver, tag: tile.path + (isGzipped ? "+gzip" : ""))
    if tile.isGzipped { headers[.vary] = "Accept-Encoding" }
    if isGzipped { headers[.contentEncoding] = "gzip" }
    return headers
  }

  /// Whether an Accept-Encoding takes gzip.
  static func acceptsGzip(_ header: String?) -> Bool {
    // As most say it.
    if header == "gzip" { return true }
    return (header ?? "").split(separator: ",").contains { item in
      let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard let coding = parts.first, coding == "gzip" || coding == "x-gzip" || coding == "*" else { return false }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
      return weight.flatMap { Double($0) } != 0
    }
  }
}

extension TileCoordinate {
  /// Whether it is stored gzipped.
  fileprivate var isGzipped: Bool {
    if case .hashes = kind { false } else { true }
  }
}
