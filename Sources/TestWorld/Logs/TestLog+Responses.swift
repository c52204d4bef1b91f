import CertificateTransparency
package import Foundation
import MerkleTree
import Synchronization

extension TestLog {
  /// Answers a path with its query, both below the log's prefix and without a slash at the start.
  package func respond(to target: String) -> TestResponse {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    guard let path = parts.first else { return .notFound }
    do {
      if path.hasPrefix("ct/v1/") {
        return try respond(to: String(path.dropFirst(6)), Query(parts.count > 1 ? parts[1] : ""))
      }
      return try respondStatic(to: path)
    } catch let refusal as Refusal {
      return TestResponse(status: refusal.status, refusal.reason + "\n")
    } catch {
      return TestResponse(status: 500, "\(error)\n")
    }
  }

  /// The answer to a request for the head, if it were this one; nil for other requests.
  func respond(to target: String, with head: SignedTreeHead) throws -> TestResponse? {
    switch target {
    case "checkpoint":
      let note = try head.checkpoint(origin: origin, logID: signer.logID)
      return TestResponse(type: "text/plain; charset=utf-8", try note.encoded())
    case "ct/v1/get-sth": return .json(try head.json())
    default: return nil
    }
  }

  private struct Refusal: Error {
    let status: Int
    let reason: String
  }

  struct Query {
    private let items: [String: String]

    init(_ text: String) {
      let pairs = text.split(separator: "&").map {
        $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      }
      items = Dictionary(pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") }) { $1 }
    }

    func number(_ name: String) throws -> Int {
      // Far below where sums of two overflow.
      guard let value = items[name].flatMap({ Int($0) }), 0..<(1 << 53) ~= value else {
        throw Refusal(status: 400, reason: "\(name) is not a number")
      }
      return value
    }

    func hash(_ name: String) throws -> SHA256Hash {
      guard let bytes = items[name]?.removingPercentEncoding.flatMap({ Base64.decode($0) }),
        let hash = SHA256Hash(bytes)
      else { throw Refusal(status: 400, reason: "\(name) is not base64 of 32 bytes") }
      return hash
    }
  }

  private func respondStatic(to path: String) throws -> TestResponse {
    let state = state.withLock { $0 }
    if let head = state.heads.last, let response = try respond(to: path, with: head) { return response }
    if path.hasPrefix("issuer/"), let hash = SHA256Hash(hex: path.dropFirst(7)), let issuer = state.issuers[hash] {
      return TestResponse(type: "application/pkix-cert", issuer)
    }
    guard let tile = TileCoordinate(path: path),
      state.heads.contains(where: { tile.belongs(toTreeOf: Int($0.treeSize)) })
    else { return .notFound }
    let index = Int(tile.index)
    guard case .hashes(let level) = tile.kind else {
      let first = 256 * index
      var response = TestResponse(
        type: "application/octet-stream", state.entries[first..<(first + tile.width)].flatMap(\.tileLeaf))
      response.isGzipped = true
      return response
    }
    let hashes = state.tree.tile(level: level, index: index, width: tile.width)
    return TestResponse(type: "application/octet-stream", hashes)
  }

  private func respond(to method: String, _ query: Query) throws -> TestResponse {
    let state = state.withLock { $0 }
    let size = state.publishedSize
    func treeSize(_ name: String) throws -> Int {
      let value = try query.number(name)
      guard value <= size else { throw Refusal(status: 400, reason: "\(name) is larger than the tree") }
      return value
    }
    switch method {
    case "get-sth":
      guard let head = state.heads.last else { return .notFound }
      return .json(try head.json())
    case "get-entries":
      let (start, end) = (try query.number("start"), try query.number("end"))
      guard start <= end, start < size else { throw Refusal(status: 400, reason: "no such entries") }
      let entries = try state.entries[start..<min(start + pageSize, end + 1, size)].map {
        GetEntriesResponse.Entry(leafInput: $0.leafInput, extraData: try $0.extraData(state.issuers))
      }
      return .json(try GetEntriesResponse(entries: entries).json())
    case "get-sth-consistency":
      let (first, second) = (try treeSize("first"), try treeSize("second"))
      guard first <= second else { throw Refusal(status: 400, reason: "first is larger than second") }
      let proof = state.tree.consistencyProof(from: first, to: second)
      return .json(try GetSTHConsistencyResponse(consistency: proof).json())
    case "get-proof-by-hash":
      let (hash, size) = (try query.hash("hash"), try treeSize("tree_size"))
      guard let index = state.tree.leafHashes.prefix(size).firstIndex(of: hash) else { return .notFound }
      let path = state.tree.inclusionProof(index, in: 0..<size)
      return .json(try GetProofByHashResponse(leafIndex: UInt64(index), auditPath: path).json())
    case "get-entry-and-proof":
      let (index, size) = (try query.number("leaf_index"), try treeSize("tree_size"))
      guard index < size else { throw Refusal(status: 400, reason: "no such entry") }
      let entry = state.entries[index]
      return .json(
        try GetEntryAndProofResponse(
          leafInput: entry.leafInput, extraData: try entry.extraData(state.issuers),
          auditPath: state.tree.inclusionProof(index, in: 0..<size)
        ).json())
    case "get-roots": return .json(try GetRootsResponse(certificates: state.roots).json())
    default: return .notFound
    }
  }

  /// Writes the published tree as files below `directory`, for any web server or a ``FileResponder``.
  ///
  /// A static log gets its checkpoint, tiles (data tiles gzipped) and issuers. An RFC 6962 log gets get-sth, get-roots
  /// and each page of get-entries, in files that are named by their path with its query.
  package func write(to directory: URL) throws {
    let state = state.withLock { $0 }
    var targets: [String]
    switch kind {
    case .staticCT:
      targets = ["checkpoint"] + TileCoordinate.all(state.publishedSize).map(\.path)
      targets += state.issuers.keys.map { "issuer/\($0.hex)" }
    case .rfc6962:
      let pages = stride(from: 0, to: state.publishedSize, by: pageSize)
      targets = ["ct/v1/get-sth", "ct/v1/get-roots"]
      targets += pages.map { "ct/v1/get-entries?start=\($0)&end=\(min($0 + pageSize, state.publishedSize) - 1)" }
    }
    for target in targets {
      let file = directory.appending(path: target)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(respond(to: target).encoded().bytes).write(to: file)
    }
  }
}
