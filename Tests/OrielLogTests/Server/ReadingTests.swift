import CTLogClient
import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("A served log, read through both faces")
struct ReadingTests {
  @Test("Every SCT's leaf is in the tree at its index, by tiles and by proofs; every tree goes on from those before")
  func faces() async throws {
    try await ServedLog.run { log in
      var heads: [SignedTreeHead] = []
      var promises: [ServedLog.Promise] = []
      for count in [1, 40, 215, 44] {
        promises += try await log.fill(count, from: promises.count)
        heads.append(try await log.head())
      }
      #expect(Set(promises.map(\.index)) == Set(0..<300))
      try await log.read { tiled, classic in
        try await readTiles(log, tiled, promises)
        try await readEntries(log, classic, promises)
        try await readProofs(classic, promises, heads)
        #expect(try await classic.roots() == [log.authority.root.chain[0]])
      }
      #expect(try await log.findings() == [])
    }
  }

  private func readTiles(_ log: ServedLog, _ tiled: StaticCTClient, _ promises: [ServedLog.Promise]) async throws {
    let head = try SignedTreeHead(
      checkpoint: try await tiled.checkpoint(), origin: log.folder.settings.origin, key: log.key)
    #expect(head.treeSize == 300)
    var leaves: [SHA256Hash] = []
    for coordinate in TileCoordinate.tiles(.data, treeSize: head.treeSize) {
      var body: [UInt8] = []
      try await tiled.tile(coordinate, into: &body)
      var content: [UInt8] = []
      try Inflater().inflate(body.span, into: &content, limit: 1 << 24)
      for entry in try DataTile.entries(in: content.span, count: coordinate.width) {
        let promise = try #require(promises.first { $0.index == UInt64(leaves.count) })
        leaves.append(entry.entry.leafHash(in: content.span))
        #expect(leaves.last == promise.leafHash)
        let entry = StaticCTEntry(entry, in: content.span)
        #expect(entry.precertificate == promise.entry.precertificate)
        for (fingerprint, der) in zip(entry.chainFingerprints, promise.entry.chain) {
          #expect(try await tiled.issuer(fingerprint) == der)
        }
      }
    }
    var frontier = Frontier()
    try frontier.append(leaves: leaves)
    #expect(try frontier.root() == head.rootHash)
    for level in 0...1 {
      for coordinate in TileCoordinate.tiles(.hashes(level: level), treeSize: head.treeSize) {
        var body: [UInt8] = []
        #expect(try await tiled.tile(coordinate, into: &body) == coordinate)
        let first = Int(coordinate.index) << 8
        if level == 0 { #expect(body == leaves[first..<(first + coordinate.width)].flatMap(\.bytes)) }
      }
    }
  }

  private func readEntries(
    _ log: ServedLog, _ classic: RFC6962Client, _ promises: [ServedLog.Promise]
  ) async throws {
    let (head, _) = try await classic.signedTreeHead()
    #expect(head.isSigned(by: log.key) && head.treeSize == 300)
    var next: UInt64 = 0
    while next < head.treeSize {
      var body: [UInt8] = []
      try await classic.entriesPage(next..<head.treeSize, into: &body)
      for entry in try GetEntriesResponse(json: body).entries {
        let promise = try #require(promises.first { $0.index == next })
        #expect(TreeHasher.leafHash(of: entry.leafInput) == promise.leafHash)
        let extra = try ExtraData(decoding: entry.extraData, kind: promise.entry.body.kind)
        #expect(extra.chain == promise.entry.chain)
        if case .precertificate(let precertificate, _) = extra {
          #expect(precertificate == promise.entry.precertificate)
        }
        next += 1
      }
    }
    // No more than was asked for, and a page ends with its tile.
    #expect(try GetEntriesResponse(json: try await log.get("ct/v1/get-entries?start=3&end=9").body).entries.count == 7)
    let page = try await log.get("ct/v1/get-entries?start=250&end=299")
    #expect(try GetEntriesResponse(json: page.body).entries.count == 6)
  }

  private func readProofs(
    _ classic: RFC6962Client, _ promises: [ServedLog.Promise], _ heads: [SignedTreeHead]
  ) async throws {
    for (old, new) in heads.indices.flatMap({ new in (0...new).map { (heads[$0], heads[new]) } }) {
      let proof = try await classic.consistencyProof(from: old.treeSize, to: new.treeSize)
      try proof.verify(oldRoot: old.rootHash, newRoot: new.rootHash)
    }
    for promise in promises where promise.index % 7 == 0 {
      for head in heads where promise.index < head.treeSize {
        let proof = try await classic.proofByHash(promise.leafHash, treeSize: head.treeSize)
        #expect(proof.leafIndex == promise.index)
        try proof.verify(leafHash: promise.leafHash, root: head.rootHash)
        let proved = try await classic.entryAndProof(index: promise.index, treeSize: head.treeSize)
        try proved.proof.verify(leafHash: TreeHasher.leafHash(of: proved.leafInput), root: head.rootHash)
      }
    }
    await #expect(throws: FetchError.self) { try await classic.proofByHash(.zero, treeSize: 300) }
    // It was not yet in the first tree.
    let late = try #require(promises.first { $0.index == 299 })
    await #expect(throws: FetchError.self) { try await classic.proofByHash(late.leafHash, treeSize: 1) }
  }

  @Test("Answers say what they are, how long they keep, and are not sent twice")
  func headers() async throws {
    // What changes by itself is not to change meanwhile.
    try await ServedLog.run({ options, _ in options.pace.idleRefresh = .max }) { log in
      let promises = try await log.fill(260)
      let issuer = StaticCTEntry.issuerPath(SHA256Hash.hash(promises[0].entry.chain[0]))
      let forEver = "public, max-age=604800, immutable"
      let table: [(path: String, type: String, keeping: String)] = [
        ("checkpoint", "text/plain; charset=utf-8", "public, max-age=1"),
        ("tile/0/000", "application/octet-stream", forEver),
        ("tile/1/000.p/1", "application/octet-stream", forEver),
        ("tile/data/000", "application/octet-stream", forEver),
        ("tile/names/000", "application/jsonl; charset=utf-8", forEver),
        (issuer, "application/pkix-cert", forEver),
        ("log.v3.json", "application/json", "public, max-age=60"),
        ("ct/v1/get-sth", "application/json", "public, max-age=1"),
        ("ct/v1/get-roots", "application/json", "public, max-age=60"),
      ]
      for (path, type, keeping) in table {
        let reply = try await log.get(path)
        #expect(reply.status == 200, "\(path)")
        #expect(reply.headers["content-type"] == type, "\(path)")
        #expect(reply.headers["cache-control"] == keeping, "\(path)")
        #expect(reply.headers["access-control-allow-origin"] == "*", "\(path)")
        #expect(reply.headers["content-length"] == "\(reply.body.count)", "\(path)")
        let tag = try #require(reply.headers["etag"])
        for known in [tag, "\"other\", W/\(tag)", "*"] {
          let again = try await log.get(path, headers: ["If-None-Match": known])
          #expect(again.status == 304 && again.body.isEmpty, "\(path) \(known)")
          #expect(again.headers["etag"] == tag && again.headers["cache-control"] == keeping, "\(path)")
        }
        #expect(try await log.get(path, headers: ["If-None-Match": "\"other\""]).status == 200)
        let head = try await log.http.request("HEAD", ServedLog.prefix + path)
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.headers["content-length"] == "\(reply.body.count)", "\(path)")
      }
      for path in ["ct/v1/get-sth-consistency?first=1&second=260", "ct/v1/get-entries?start=0&end=0"] {
        let reply = try await log.get(path)
        #expect(reply.headers["cache-control"] == "no-store" && reply.headers["etag"] == nil)
      }
    }
  }

  @Test("Tiles are sent as they are stored to who takes gzip, and inflated to who does not")
  func gzip() async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(5)
      for path in ["tile/data/000.p/5", "tile/names/000.p/5"] {
        let stored = [UInt8](try Data(contentsOf: URL(filePath: log.folder.publicPath + "/" + path)))
        let plain = try Gunzip().inflate(stored)
        var tags: Set<String> = []
        for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
          let reply = try await log.get(path, headers: ["Accept-Encoding": accepted])
          #expect(reply.headers["content-encoding"] == "gzip" && reply.body == stored, "\(accepted)")
          #expect(reply.headers["vary"] == "Accept-Encoding")
          tags.insert(reply.headers["etag"] ?? "")
        }
        for accepted in ["identity", "gzip;q=0", "br", "gzip; q=0.0"] {
          let reply = try await log.get(path, headers: ["Accept-Encoding": accepted])
          #expect(reply.headers["content-encoding"] == nil && reply.body == plain, "\(accepted)")
          #expect(reply.headers["vary"] == "Accept-Encoding")
          tags.insert(reply.headers["etag"] ?? "")
        }
        #expect(tags.count == 2, "what differs in its bytes has another tag")
      }
    }
  }

  @Test("Tiles that the tree does not have are not there, and a partial one may give way to the full one")
  func tiles() async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(3)
      _ = try await log.fill(255, from: 3)
      let absent = [
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/300", "tile/0/001", "tile/0/001.p/3", "tile/0/002.p/1",
        "tile/1/000", "tile/1/000.p/2", "tile/2/000", "tile/2/000.p/1", "tile/6/000", "tile/00/000", "tile/0/0",
        "tile/0/x000/000", "tile/data/001", "tile/names/001", "tile/0/", "tile/0/000.p/", "tile/0/-01",
        "tile/entries/000", "issuer/00", "issuer/" + String(repeating: "A", count: 64), "staging/", "incoming/",
        "../log.json", "tile/../../key.pem", "%2e%2e/key.pem", "checkpoint/", "ct/v1/", "ct/v1/get-nothing", "",
      ]
      for path in absent {
        let reply = try await log.get(path)
        #expect(reply.status == 404 && reply.body.count > 5, "\(path): \(reply.status)")
        #expect(reply.headers["cache-control"] == "no-store")
      }
      #expect(try await log.get("tile/0/001.p/2").status == 200)
      #expect(try await log.get("tile/0/000.p/3").status == 200)
      try FileManager.default.removeItem(atPath: log.folder.publicPath + "/tile/0/000.p/3")
      let gone = try await log.get("tile/0/000.p/3")
      #expect(gone.status == 404 && gone.text.contains("tile/0/000\n"))
      try await log.read { tiled, _ in
        var body: [UInt8] = []
        let coordinate = try #require(TileCoordinate(.hashes(level: 0), index: 0, width: 3))
        #expect(try await tiled.tile(coordinate, into: &body) == coordinate.full)
        #expect(body.count == 96)
      }
    }
  }

  @Test(
    "Questions that have no answer get a reason",
    arguments: [
      ("get-sth-consistency?first=2&second=1", 400, "first is larger than second"),
      ("get-sth-consistency?first=1&second=4", 400, "the tree has 3 entries"),
      ("get-sth-consistency?first=1", 400, "second is missing"),
      ("get-sth-consistency?first=-1&second=2", 400, "not a number"),
      ("get-sth-consistency?first=99999999999999999999999&second=2", 400, "not a number"),
      ("get-sth-consistency?first=18446744073709551615&second=2", 400, "not a number"),
      ("get-entries?start=2&end=1", 400, "start is larger than end"),
      ("get-entries?start=3&end=3", 400, "the tree has 3 entries"),
      ("get-entries", 400, "start is missing"),
      ("get-entry-and-proof?leaf_index=3&tree_size=3", 400, "not below tree_size"),
      ("get-entry-and-proof?leaf_index=0&tree_size=4", 400, "the tree has 3 entries"),
      ("get-proof-by-hash?hash=AAAA&tree_size=3", 400, "not base64 of 32 bytes"),
      ("get-proof-by-hash?hash=%zz&tree_size=3", 400, "not base64 of 32 bytes"),
      ("get-proof-by-hash?hash=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=&tree_size=3", 404, "no leaf"),
    ])
  func questions(query: String, status: Int, reason: String) async throws {
    try await ServedLog.run { log in
      _ = try await log.fill(3)
      let reply = try await log.get("ct/v1/" + query)
      #expect(reply.status == status && reply.text.contains(reason), "\(reply.status) \(reply.text)")
    }
  }

  @Test("Leaf hashes are found in the table and in memory, after a restart, and where their keys are the same")
  func leafIndex() async throws {
    let store = MemoryStore()
    // The first 31 bytes are those of others: all of the key.
    let hashes = (0..<300).map { number -> SHA256Hash in
      var bytes = SHA256Hash.hash([UInt8(number / 6)]).bytes
      bytes[31] = UInt8(number % 6)
      return SHA256Hash(bytes) ?? .zero
    }
    for tile in TileCoordinate.tiles(.hashes(level: 0), treeSize: 300) {
      let first = Int(tile.index) << 8
      store.content[tile.path] = hashes[first..<(first + tile.width)].flatMap(\.bytes)
    }
    let folder = try TemporaryFolder()
    for _ in 0..<2 {
      let index = try await LeafIndex(try SortedRuns(folder.path, .prefix), storage: store, size: 300, lot: 200)
      for (number, hash) in hashes.enumerated() {
        #expect(try await index.find(hash, in: 300) == UInt64(number))
      }
      #expect(try await index.find(SHA256Hash.hash([1, 2]), in: 300) == nil)
    }
  }
}
