import CTLogClient
import CertificateTransparency
import MerkleTree
import TestWorld
import Testing

@Suite("A client of an RFC 6962 log")
struct RFC6962ClientTests {
  private static func log(size: Int) throws -> TestLog {
    let log = try TestLog(.rfc6962, name: "reader", pageSize: 8)
    for number in 0..<size {
      let body = LogEntryBody.x509(certificate: [0x30, 2, 5, UInt8(truncatingIfNeeded: number)])
      try log.append(TestEntry(body: body, precertificate: nil, chain: [[0x30, 0]]))
      if [1, 7, size - 1].contains(number) { try log.publish() }
    }
    return log
  }

  private static func read<Result>(
    _ log: TestLog, gzip: Bool = false, _ body: (RFC6962Client, TestServer) async throws -> Result
  ) async throws -> Result {
    try await TestServer.run(respond: { request in
      var response = log.respond(to: String(request.target.dropFirst("/2026/".count)))
      response.isGzipped = gzip
      return response
    }) { server in
      try await HTTPTransport.withTransport { transport in
        try await body(RFC6962Client(url: server.url + "2026", transport: transport, pacer: Pacer()), server)
      }
    }
  }

  @Test("reads head, entries, proofs and roots", arguments: [false, true])
  func everything(gzip: Bool) async throws {
    let log = try RFC6962ClientTests.log(size: 20)
    try await RFC6962ClientTests.read(log, gzip: gzip) { client, _ in
      let (head, bytes) = try await client.signedTreeHead()
      #expect(head == log.head)
      #expect(try SignedTreeHead(json: bytes) == head)
      #expect(head.isSigned(by: log.signer.publicKey))

      var (body, page) = ([UInt8](), EntriesPage())
      try await client.entriesPage(3..<20, into: &body)
      try page.scan(body.span, maximumEntries: 17)
      #expect(page.count == 8)
      for index in 0..<page.count {
        let hash = SHA256Hash.hash(Array(page.leaves[page.hashedRange(index)]))
        #expect(hash == log.tree.leafHashes[3 + index])
      }

      let consistency = try await client.consistencyProof(from: 8, to: 20)
      try consistency.verify(oldRoot: log.tree.root(8), newRoot: head.rootHash)
      let proof = try await client.proofByHash(log.tree.leafHashes[11], treeSize: 20)
      #expect(proof.leafIndex == 11)
      try proof.verify(leafHash: log.tree.leafHashes[11], root: head.rootHash)
      let entry = try await client.entryAndProof(index: 19, treeSize: 20)
      #expect(entry.leafInput.dropFirst(12).prefix(7) == [0, 0, 4, 0x30, 2, 5, 19])
      try entry.proof.verify(leafHash: log.tree.leafHashes[19], root: head.rootHash)
      #expect(try await client.roots() == [[0x30, 0]])
    }
  }

  @Test("asks for the last entry inclusively, and for every hash as a query can carry it")
  func queries() async throws {
    let log = try RFC6962ClientTests.log(size: 2)
    try await RFC6962ClientTests.read(log) { client, server in
      var body: [UInt8] = []
      try await client.entriesPage(1..<2, into: &body)
      let hash = try #require(SHA256Hash([UInt8](repeating: 0xfb, count: 31) + [0xff]))
      let error = await #expect(throws: FetchError.self) { try await client.proofByHash(hash, treeSize: 2) }
      #expect(error?.statusCode == 404)
      #expect(server.targets.first == "/2026/ct/v1/get-entries?start=1&end=1")
      let asked = try #require(server.targets.last)
      #expect(asked.contains("%2B") && asked.hasSuffix("%3D&tree_size=2"))
      #expect(!asked.contains("+"))
    }
  }

  @Test("asks no log to prove what needs no proof, and refuses an empty range")
  func trivial() async throws {
    let log = try RFC6962ClientTests.log(size: 2)
    try await RFC6962ClientTests.read(log) { client, server in
      for (old, new) in [(0, 2), (2, 2), (0, 0)] as [(UInt64, UInt64)] {
        let proof = try await client.consistencyProof(from: old, to: new)
        #expect(proof == ConsistencyProof(oldSize: old, newSize: new, hashes: []))
      }
      var body: [UInt8] = []
      await #expect(throws: FormatError.self) { try await client.entriesPage(5..<5, into: &body) }
      #expect(server.requestCount == 0)
    }
  }

  @Test("refuses a head that is none, or far too long")
  func badHeads() async throws {
    for body in [Array("<html>".utf8), [], [UInt8](repeating: 0x20, count: 70_000)] {
      try await TestServer.run(respond: { _ in .json(body) }) { server in
        try await HTTPTransport.withTransport { transport in
          let client = RFC6962Client(url: server.url, transport: transport, pacer: Pacer())
          await #expect(throws: (any Error).self) { try await client.signedTreeHead() }
        }
      }
    }
  }

  @Test("inflates no more than a body may have")
  func bomb() async throws {
    let bomb = TestResponse.gzip([UInt8](repeating: 0x20, count: 1_000_000))
    try await TestServer.run(respond: { _ in TestResponse(type: "application/json", bomb) }) { server in
      try await HTTPTransport.withTransport { transport in
        let client = RFC6962Client(url: server.url, transport: transport, pacer: Pacer())
        await #expect(throws: InflateError.tooLarge(limit: 65_536)) { try await client.signedTreeHead() }
      }
    }
  }
}
