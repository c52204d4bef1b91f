import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite("A client of a static CT log")
struct StaticCTClientTests {
  private static let submission = "https://log.example/real-entries-1/"

  /// Reads the collected log from a server that `change` may have lie.
  private static func read<Result>(
    change: @escaping @Sendable (String, TestResponse) -> TestResponse = { $1 },
    _ body: (StaticCTClient, TestServer) async throws -> Result
  ) async throws -> Result {
    let files = FileResponder(try TestData.url("logs/real-entries/log"))
    return try await TestServer.run(respond: { change($0.target, files.respond(to: $0)) }) { server in
      try await HTTPTransport.withTransport { transport in
        let client = StaticCTClient(
          monitoringURL: server.url, submissionURL: submission, transport: transport, pacer: Pacer())
        return try await body(client, server)
      }
    }
  }

  private static func hashTile(_ level: Int, _ index: UInt64, width: Int = 256) throws -> TileCoordinate {
    try #require(TileCoordinate(.hashes(level: level), index: index, width: width))
  }

  @Test("takes the origin from the submission prefix", arguments: ["https://a.example/b/", "https://a.example/b"])
  func origin(url: String) async throws {
    try await HTTPTransport.withTransport { transport in
      let client = StaticCTClient(
        monitoringURL: "http://m.example", submissionURL: url, transport: transport, pacer: Pacer())
      #expect(client.origin == "a.example/b")
      #expect(client.monitoringURL == "http://m.example/")
    }
  }

  @Test("reads a checkpoint that its log's key signed", .needsTestData)
  func checkpoint() async throws {
    let list = try LogList(json: TestData.bytes("logs/real-entries/log_list.json"))
    let key = try #require(list.logs.first?.key)
    try await StaticCTClientTests.read { client, _ in
      let bytes = try await client.checkpoint()
      let head = try SignedTreeHead(checkpoint: bytes, origin: client.origin, key: key)
      #expect(head.treeSize == 2342)
    }
  }

  @Test("reads every tile of a real log, from which its root follows", .needsTestData)
  func wholeLog() async throws {
    try await StaticCTClientTests.read { client, _ in
      let checkpoint = try Checkpoint(text: SignedNote(decoding: try await client.checkpoint()).text)
      let size = checkpoint.treeSize
      var (body, plain, frontier) = ([UInt8](), [UInt8](), Frontier())
      for index in 0...(size / 256) {
        let coordinate = try #require(TileCoordinate(data: index, treeSize: size))
        #expect(try await client.tile(coordinate, into: &body) == coordinate)
        if Inflater.isGzip(body.span) {
          try Inflater().inflate(body.span, into: &plain, limit: 4 << 20)
        } else {
          plain = body
        }
        let entries = try DataTile.entries(in: plain.span, count: coordinate.width)
        try await client.tile(try #require(TileCoordinate(level: 0, index: index, treeSize: size)), into: &body)
        let tile = try HashTile(body.span, width: coordinate.width)
        #expect(entries.map { $0.entry.leafHash(in: plain.span) } == tile.hashes)
        for hash in tile.hashes { try frontier.append(subtree: hash, level: 0) }
      }
      #expect(try frontier.root() == checkpoint.rootHash)
    }
  }

  @Test("takes the full tile where the partial one is gone, and cuts its hashes", .needsTestData)
  func fallback() async throws {
    try await StaticCTClientTests.read { client, server in
      var (body, full) = ([UInt8](), [UInt8]())
      let partial = try StaticCTClientTests.hashTile(0, 2, width: 77)
      #expect(try await client.tile(partial, into: &body) == partial.full)
      #expect(server.targets == ["/tile/0/002.p/77", "/tile/0/002"])
      try await client.tile(partial.full, into: &full)
      #expect(full.count == 8192)
      #expect(body.elementsEqual(full.prefix(77 * 32)))

      let data = try #require(TileCoordinate(.data, index: 2, width: 77))
      #expect(try await client.tile(data, into: &body) == data.full)
      let absent = try StaticCTClientTests.hashTile(0, 200, width: 3)
      let error = await #expect(throws: FetchError.self) { try await client.tile(absent, into: &body) }
      #expect(error?.statusCode == 404)
      #expect(error?.url.hasSuffix("tile/0/200") == true)
    }
  }

  @Test("asks for a full tile once", .needsTestData)
  func absentFullTile() async throws {
    try await StaticCTClientTests.read { client, server in
      var body: [UInt8] = []
      let absent = try StaticCTClientTests.hashTile(0, 300)
      await #expect(throws: FetchError.self) { try await client.tile(absent, into: &body) }
      #expect(server.requestCount == 1)
    }
  }

  @Test("reads hash tiles that are sent as gzip", .needsTestData)
  func gzippedHashes() async throws {
    try await StaticCTClientTests.read(change: { _, response in
      var response = response
      response.isGzipped = true
      return response
    }) { client, _ in
      var body: [UInt8] = []
      try await client.tile(try StaticCTClientTests.hashTile(0, 2), into: &body)
      #expect(body == (try TestData.bytes("logs/real-entries/log/tile/0/002")))
    }
  }

  @Test("does not mistake a hash that starts as gzip does")
  func hashLikeGzip() async throws {
    let tile = [0x1f, 0x8b] + [UInt8](repeating: 5, count: 62)
    try await TestServer.run(respond: { _ in TestResponse(type: "application/octet-stream", tile) }) { server in
      try await HTTPTransport.withTransport { transport in
        let client = StaticCTClient(monitoringURL: server.url, origin: "x", transport: transport, pacer: Pacer())
        var body: [UInt8] = []
        try await client.tile(try StaticCTClientTests.hashTile(0, 0, width: 2), into: &body)
        #expect(body == tile)
      }
    }
  }

  @Test("refuses hash tiles of another length", arguments: [0, 31, 32 * 4, 8192, 8193])
  func wrongLength(count: Int) async throws {
    let tile = [UInt8](repeating: 9, count: count)
    try await TestServer.run(respond: { _ in TestResponse(type: "application/octet-stream", tile) }) { server in
      try await HTTPTransport.withTransport { transport in
        let client = StaticCTClient(monitoringURL: server.url, origin: "x", transport: transport, pacer: Pacer())
        var body: [UInt8] = []
        let coordinate = try StaticCTClientTests.hashTile(0, 0, width: 3)
        await #expect(throws: FormatError.self) { try await client.tile(coordinate, into: &body) }
      }
    }
  }

  @Test("takes an issuer only if it has the hash that was asked for", .needsTestData)
  func issuers() async throws {
    let names = TestData.files(in: "logs/real-entries/log/issuer").compactMap { $0.split(separator: "/").last }
    let hash = try #require(names.first.flatMap { SHA256Hash(hex: $0) })
    try await StaticCTClientTests.read { client, _ in
      let issuer = try await client.issuer(hash)
      #expect(SHA256Hash.hash(issuer) == hash)
      await #expect(throws: FetchError.self) { try await client.issuer(.zero) }
    }
    try await StaticCTClientTests.read(change: { _, response in
      var response = response
      response.bytes[40] ^= 1
      return response
    }) { client, _ in
      _ = await #expect(throws: FormatError.self) { try await client.issuer(hash) }
    }
  }

  @Test("reads a log that lies on the disk, too", .needsTestData)
  func files() async throws {
    let url = try TestData.url("logs/real-entries/log").absoluteString
    try await HTTPTransport.withTransport { transport in
      let client = StaticCTClient(monitoringURL: url, origin: "x", transport: transport, pacer: Pacer())
      #expect(try await client.checkpoint() == (try TestData.bytes("logs/real-entries/log/checkpoint")))
      var body: [UInt8] = []
      let partial = try StaticCTClientTests.hashTile(0, 2, width: 77)
      #expect(try await client.tile(partial, into: &body) == partial.full)
      #expect(body.count == 77 * 32)
    }
  }
}
