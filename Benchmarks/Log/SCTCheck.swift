import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import OrielLog

/// Checks that every SCT is of an entry in the published tree, at its index, and says what was submitted.
struct SCTCheck {
  let corpus: SubmissionCorpus
  let home: URL

  struct Broken: Error { let reason: String }

  func check(_ answers: [SubmissionLoad.Answer], checkpoints: Set<Data>) throws {
    let settings = try JSONSerialization.jsonObject(with: Data(contentsOf: home.appending(path: "log.json")))
    let der = ((settings as? [String: Any])?["key"] as? String).flatMap { Base64.decode($0) } ?? []
    let key = try LogKey(derRepresentation: der)
    let files = home.appending(path: "public")
    let read = { (checkpoint: Data) in
      try SignedTreeHead(checkpoint: [UInt8](checkpoint), origin: "127.0.0.1:18990/bench", key: key)
    }
    let head = try read(try Data(contentsOf: files.appending(path: "checkpoint")))
    let heads = Dictionary(grouping: try checkpoints.map(read), by: \.treeSize)
    var byTile: [UInt64: [(body: Int, sct: SignedCertificateTimestamp, index: UInt64)]] = [:]
    var count = 0
    for answer in answers where answer.status == 200 {
      let sct = try AddChainResponse(json: answer.content).sct
      guard let index = try CTExtensions(decoding: sct.extensions.span).leafIndex else {
        throw Broken(reason: "no index")
      }
      byTile[index >> 8, default: []].append((answer.body, sct, index))
      count += 1
    }
    var frontier = Frontier()
    var content: [UInt8] = []
    let inflater = Inflater()
    for tile in 0..<((head.treeSize + 255) >> 8) {
      guard let place = TileCoordinate(data: tile, treeSize: head.treeSize) else { continue }
      let stored = [UInt8](try Data(contentsOf: files.appending(path: place.path)))
      try inflater.inflate(stored.span, into: &content, limit: 1 << 26)
      let bytes = content.span
      let entries = try DataTile.entries(in: bytes, count: place.width)
      for entry in entries {
        try frontier.append(entry.entry.leafHash(in: bytes))
        guard try heads[frontier.end]?.allSatisfy({ try $0.rootHash == frontier.root() }) ?? true else {
          throw Broken(reason: "a checkpoint of \(frontier.end) entries is of another tree")
        }
      }
      for item in byTile.removeValue(forKey: tile) ?? [] {
        try check(item.sct, item.body, entries[Int(item.index & 255)], bytes, key)
      }
    }
    guard byTile.isEmpty else { throw Broken(reason: "SCTs for entries beyond the tree") }
    guard try frontier.root() == head.rootHash else { throw Broken(reason: "the tree has another root") }
    print(
      "checked: \(count) SCTs, each in the tree of \(head.treeSize) at its index;",
      "\(checkpoints.count) checkpoints, each of its beginning")
  }

  private func check(
    _ sct: SignedCertificateTimestamp, _ body: Int, _ entry: DataTileEntry, _ tile: Span<UInt8>, _ key: LogKey
  ) throws {
    let submitted = corpus.certificate(body)
    let logged = entry.precertificate ?? entry.entry.certificate
    guard entry.entry.timestamp == sct.timestamp, tile.equals(logged, submitted) else {
      throw Broken(reason: "body \(body): the entry at its index is another")
    }
    let leaf: [UInt8] = [0, 0] + tile.copy(entry.entry.start..<entry.entry.end)
    guard key.verify(sct.signature, over: leaf) else { throw Broken(reason: "body \(body): bad signature") }
  }
}
