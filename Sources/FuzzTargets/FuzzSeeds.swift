import CTPolicy
import CertificateTransparency
import MerkleTree
import TestWorld

extension FuzzTarget {
  /// Well-formed inputs of every kind that the target knows, for a fuzzer to start from.
  public func seeds() throws -> [[UInt8]] {
    let world = try SeedWorld()
    switch self {
    case .certificate:
      return world.pairs.flatMap { [$0.certificate, $0.precertificate, $0.tbsWithoutPoison] } + world.issuers
    case .names: return SeedWorld.names + SeedWorld.watchlists
    case .wire:
      let notes = try [0, 1, 3].map { try world.answer(world.tiled, "checkpoint", size: $0) }
      return try world.structures() + notes + SeedWorld.proofs
    case .tiles:
      let tile = try world.answer(world.tiled, "tile/data/000.p/\(world.pairs.count * 2)")
      let leaves = try DataTile.entries(in: tile.span).map { Array(tile[$0.entry.start..<$0.end]) }
      return [tile, TestResponse.gzip(tile), TestResponse.gzip([])] + leaves
    case .json:
      let answers = try world.messages([
        "get-sth", "get-roots", "get-entries?start=0&end=1", "get-entries?start=0&end=255",
        "get-sth-consistency?first=3&second=7", "get-entry-and-proof?leaf_index=2&tree_size=7",
      ])
      return answers + [try world.logList()]
    case .scts:
      let certificate = try PolicyProperties.world.get().certificate
      return [certificate.leaf, certificate.ocspResponse ?? [], certificate.tlsSCTList ?? []]
    case .policies: return PolicyProperties.policyFiles
    case .submissions:
      let pairs = try SubmissionProperties.world.get().pairs
      let bodies = try pairs.flatMap { pair in
        try [[pair.certificate] + pair.chain, [pair.precertificate] + pair.pending.precertificateChain].map {
          try AddChainRequest(chain: $0).json()
        }
      }
      return bodies + pairs.flatMap { [FuzzTarget.tbs(of: $0.certificate), FuzzTarget.tbs(of: $0.precertificate)] }
    case .stored: return try StoredProperties.seeds()
    }
  }
}

extension FuzzTarget {
  fileprivate static func tbs(of certificate: [UInt8]) -> [UInt8] {
    CertificateFields(certificate: 0..<certificate.count, in: certificate.span).map { Array(certificate[$0.tbs]) } ?? []
  }
}

/// What seeds are cut from: certificates of every look, and a log of each kind that has them.
private struct SeedWorld {
  let pairs: [IssuedPair]
  let tiled: TestLog
  let classic: TestLog

  var issuers: [[UInt8]] { pairs.flatMap(\.pending.precertificateChain) }

  init() throws {
    let authority = try TestAuthority()
    var mixed = CertificateRequest(["www.example.org", "*.example.com", "xn--bcher-kva.example"])
    mixed.emails = ["owner@example.com"]
    mixed.uris = ["https://www.example.org/path"]
    mixed.ipAddresses = [[192, 0, 2, 1], [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 12)]
    mixed.organisation = "Example & Söhne"
    var delegated = CertificateRequest(["a.b.c.example.net"])
    delegated.usesSigningCertificate = true
    var odd = CertificateRequest(["example.com"])
    odd.subjectAltNameValue = [0x30, 0x0d, 0x82, 0x0b] + Array("example.com".utf8) + [0x00]
    pairs = try [CertificateRequest(["example.com"]), mixed, delegated, odd].map { try authority.issue($0) }
    tiled = try TestLog(.staticCT, name: "tiled")
    classic = try TestLog(.rfc6962, name: "classic")
    for log in [tiled, classic] {
      for pair in pairs {
        try log.append(pair.precertificateEntry)
        try log.append(pair.certificateEntry)
      }
      try log.publish()
    }
  }

  func answer(_ log: TestLog, _ target: String, size: Int? = nil) throws -> [UInt8] {
    if let size { try log.publish(size: size) }
    return log.respond(to: target).bytes
  }

  func messages(_ targets: [String]) throws -> [[UInt8]] {
    try targets.map { try answer(classic, "ct/v1/" + $0) }
  }

  func structures() throws -> [[UInt8]] {
    let page = try GetEntriesResponse(json: answer(classic, "ct/v1/get-entries?start=0&end=255"))
    let sct = try tiled.sct(at: 0)
    let head = try tiled.signedHead()
    return page.entries.flatMap { [$0.leafInput, $0.extraData] } + [
      try sct.encoded(), sct.extensions, try sct.signature.encoded(), try SCTList([sct, sct]).encoded(),
      try RFC6962NoteSignature(timestamp: head.timestamp, signature: head.signature).encoded(),
    ]
  }

  func logList() throws -> [UInt8] {
    let logs = [
      tiled.description(url: "https://tiled.example/"), classic.description(url: "https://classic.example/"),
    ]
    return try LogList(operators: [LogList.Operator(name: "Test Operator", email: ["ct@example.com"])], logs: logs)
      .json()
  }

  static let names: [[UInt8]] = FoundName.Source.allCases.flatMap { source in
    [
      "www.example.org", "*.example.com.", "w*.example.org", "b\u{FC}cher.example", "192.0.2.1", "owner@example.com",
      "https://user@www.example.org:443/path", "_imaps.example.com", "\u{0}example.com", "?.example.com",
    ].map { [source.rawValue, 0x0c] + Array($0.utf8) }
  }

  static let watchlists: [[UInt8]] = [
    "# mine\nexample.com\n=www.example.org # exact\n192.0.2.0/24\n2001:db8::/32\n.\n",
    "\u{FEFF}bücher.example\r\nspki:\(String(repeating: "ab", count: 32))\nissuer:\(String(repeating: "0c", count: 32))\n",
    ".example.com valid_at:2026-01-01\nexample.org\n",
  ].map { Array($0.utf8) }

  static let proofs: [[UInt8]] = {
    var tree = TestTree()
    for leaf in 0..<7 as Range<UInt8> { tree.append(TreeHasher.leafHash(of: [leaf])) }
    func seed(_ first: UInt8, _ second: UInt8, _ kind: UInt8, _ hashes: [SHA256Hash]) -> [UInt8] {
      let numbers = [first, second].flatMap { [UInt8](repeating: 0, count: 7) + [$0] }
      return numbers + [kind] + hashes.flatMap(\.bytes)
    }
    return [
      seed(6, 7, 0, tree.inclusionProof(6, in: 0..<7)), seed(3, 7, 1, tree.consistencyProof(from: 3, to: 7)),
      seed(4, 6, 2, tree.inclusionProof(2, in: 0..<4)), seed(3, 2, 3, Array(tree.leafHashes.prefix(2))),
      Array("tile/0/x001/234.p/5".utf8), Array("tile/data/000".utf8),
    ]
  }()
}
