import CertificateTransparency
import Foundation
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import CTLogClient

/// A server of a list that can be replaced, spoilt and switched off.
private final class ListServer: Sendable {
  struct Contents: Sendable {
    var list: [UInt8]
    var signature: [UInt8]?
    var etag: String?
    var isOff = false
    /// Goes out once in place of `signature`.
    var oldSignature: [UInt8]?
  }

  private let contents: Mutex<Contents>

  init(_ contents: Contents) { self.contents = Mutex(contents) }

  func change(_ body: (inout Contents) -> Void) { contents.withLock { body(&$0) } }

  func respond(to request: TestRequest) -> TestResponse {
    contents.withLock { contents in
      if contents.isOff { return TestResponse(status: 503, "off") }
      if request.target == "/list.sig" {
        defer { contents.oldSignature = nil }
        guard let signature = contents.oldSignature ?? contents.signature else { return .notFound }
        return TestResponse(type: "application/octet-stream", signature)
      }
      let asked = request.headers.first { $0.name.lowercased() == "if-none-match" }?.value
      if let etag = contents.etag, asked == etag { return TestResponse(status: 304, "") }
      var response = TestResponse.json(contents.list)
      response.isGzipped = true
      if let etag = contents.etag { response.headers.append(("etag", etag)) }
      return response
    }
  }
}

@Suite("Loading log lists")
struct LogListTests {
  private static let newer = "loglists/chrome/chrome_v3_2026-05-29_v85.92"
  private static let older = "loglists/chrome/chrome_v3_2025-11-01_v74.12"
  private static let june = Timestamp(milliseconds: 1_780_272_000_000)

  private static func contents(_ path: String, etag: String? = nil) throws -> ListServer.Contents {
    ListServer.Contents(
      list: try TestData.bytes(path + ".json"), signature: try TestData.bytes(path + ".sig"), etag: etag)
  }

  private static func load(
    _ contents: ListServer.Contents, signed: Bool = true,
    _ body: (ListServer, TestServer, LogListLoader, LogListSource, URL) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "oriel-lists-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let lists = ListServer(contents)
    try await TestServer.run(respond: { lists.respond(to: $0) }) { server in
      try await HTTPTransport.withTransport { transport in
        let source = LogListSource(
          name: "Test list", url: server.url + "list.json",
          signature: signed ? LogListSource.Signature(url: server.url + "list.sig", key: .google) : nil)
        let loader = LogListLoader(transport: transport, directory: folder.path)
        try await body(lists, server, loader, source, folder)
      }
    }
  }

  @Test("a signed list is verified and kept", .needsTestData)
  func verified() async throws {
    try await LogListTests.load(try LogListTests.contents(LogListTests.newer)) { lists, _, loader, source, folder in
      let fresh = try await loader.load(source, now: LogListTests.june)
      #expect(fresh.signature == .verified)
      #expect(fresh.list.logs.count == 56)
      #expect(!fresh.isStale && !fresh.fromCache && fresh.trouble == nil)
      #expect(fresh.fetchedAt == LogListTests.june)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(files.count == 1 && files.allSatisfy { $0.hasSuffix(".loglist") })

      lists.change { $0.isOff = true }
      let later = Timestamp(milliseconds: LogListTests.june.milliseconds + 71 * 86_400_000)
      let kept = try await loader.load(source, now: later)
      #expect(kept.fromCache && kept.isStale && kept.signature == .verified)
      #expect(kept.fetchedAt == LogListTests.june)
      #expect(kept.trouble?.contains("503") == true)
      #expect(kept.list.logs == fresh.list.logs)
    }
  }

  @Test("every collected list of Chrome's is signed by the pinned key", .needsTestData)
  func collected() async throws {
    let signatures = TestData.files(in: "loglists/chrome", withExtension: "sig")
    #expect(signatures.count > 5)
    try await HTTPTransport.withTransport { transport in
      let loader = LogListLoader(transport: transport, directory: nil)
      for path in signatures {
        let signature = try TestData.url(path).absoluteString
        let source = LogListSource(
          name: path, url: signature.replacing(".sig", with: ".json"),
          signature: LogListSource.Signature(url: signature, key: .google))
        #expect(try await loader.load(source, now: LogListTests.june).signature == .verified, "\(path)")
      }
    }
  }

  @Test("an invalid signature never replaces the kept copy", .needsTestData)
  func invalidLater() async throws {
    try await LogListTests.load(try LogListTests.contents(LogListTests.older)) { lists, _, loader, source, _ in
      let first = try await loader.load(source, now: LogListTests.june)
      #expect(first.isStale && first.signature == .verified)
      let newer = try LogListTests.contents(LogListTests.newer)
      lists.change { $0.list = newer.list }
      for _ in 1...2 {
        let kept = try await loader.load(source, now: LogListTests.june)
        #expect(kept.fromCache && kept.signature == .verified)
        #expect(kept.list.version == first.list.version)
        #expect(kept.trouble?.contains("signature") == true)
      }
      lists.change { $0.signature = newer.signature }
      let mended = try await loader.load(source, now: LogListTests.june)
      #expect(!mended.fromCache && mended.signature == .verified)
      #expect(mended.list.version != first.list.version)
    }
  }

  @Test("an invalid signature is told, and the list not kept, where there is no copy", .needsTestData)
  func invalidAtFirst() async throws {
    var contents = try LogListTests.contents(LogListTests.newer)
    contents.list.append(0x0a)
    try await LogListTests.load(contents) { lists, _, loader, source, folder in
      let loaded = try await loader.load(source, now: LogListTests.june)
      guard case .invalid = loaded.signature else {
        Issue.record("\(loaded.signature)")
        return
      }
      #expect(LogListUnion.unite([loaded]).logs.isEmpty)
      #expect(LogListUnion.unite([loaded]).problems.count == 1)
      #expect(!FileManager.default.fileExists(atPath: folder.path))
      lists.change { $0.signature = nil }
      await #expect(throws: FetchError.self) { try await loader.load(source, now: LogListTests.june) }
    }
  }

  @Test("a list replaced between the two requests is fetched again", .needsTestData)
  func race() async throws {
    var contents = try LogListTests.contents(LogListTests.newer)
    contents.oldSignature = try LogListTests.contents(LogListTests.older).signature
    try await LogListTests.load(contents) { _, server, loader, source, _ in
      let loaded = try await loader.load(source, now: LogListTests.june)
      #expect(loaded.signature == .verified)
      #expect(server.requestCount == 4)
    }
  }

  @Test("an unchanged list is not sent again", .needsTestData)
  func unchanged() async throws {
    try await LogListTests.load(try LogListTests.contents(LogListTests.newer, etag: "\"85\"")) {
      _, server, loader, source, _ in
      let first = try await loader.load(source, now: LogListTests.june)
      let later = Timestamp(milliseconds: LogListTests.june.milliseconds + 5000)
      let second = try await loader.load(source, now: later)
      #expect(!second.fromCache && second.signature == .verified && second.fetchedAt == later)
      #expect(second.list.logs == first.list.logs)
      #expect(server.targets == ["/list.json", "/list.sig", "/list.json"])
    }
  }

  @Test("a kept copy that was spoilt on the disk does not count", .needsTestData)
  func spoiltCopy() async throws {
    try await LogListTests.load(try LogListTests.contents(LogListTests.newer, etag: "\"85\"")) {
      lists, server, loader, source, folder in
      _ = try await loader.load(source, now: LogListTests.june)
      let cache = LogListCache(directory: folder.path)
      var copy = try #require(cache.copy(of: source))
      copy.list.append(0x20)
      try cache.keep(copy, of: source)
      #expect(try await loader.load(source, now: LogListTests.june).signature == .verified)
      #expect(server.requestCount == 4)
      try cache.keep(copy, of: source)
      lists.change { $0.isOff = true }
      await #expect(throws: FetchError.self) { try await loader.load(source, now: LogListTests.june) }
    }
  }

  @Test("a list that could not be kept is given all the same", .needsTestData)
  func notKept() async throws {
    try await LogListTests.load(try LogListTests.contents(LogListTests.newer)) { _, _, loader, source, folder in
      try Data().write(to: folder)
      let loaded = try await loader.load(source, now: LogListTests.june)
      #expect(loaded.signature == .verified && !loaded.fromCache)
      #expect(loaded.trouble?.contains("could not be kept") == true)
    }
  }

  @Test("a list that nobody signs is taken as it is", .needsTestData)
  func unsigned() async throws {
    let apple = try TestData.bytes("loglists/apple/apple_2026-04-01_v511_a2d39b.json")
    try await LogListTests.load(ListServer.Contents(list: apple), signed: false) { lists, _, loader, source, _ in
      let loaded = try await loader.load(source, now: LogListTests.june)
      #expect(loaded.signature == .unsigned && !loaded.isStale)
      lists.change { $0.list = Array("{}".utf8) }
      let kept = try await loader.load(source, now: LogListTests.june)
      #expect(kept.fromCache && kept.list.logs.count == loaded.list.logs.count)
    }
  }

  @Test("the defaults are Chrome's list with Google's key and Apple's without one")
  func defaults() {
    #expect(LogListSource.defaults.map(\.name) == ["Chrome", "Apple"])
    #expect(LogListSource.chrome.signature?.url == "https://www.gstatic.com/ct/log_list/v3/log_list.sig")
    #expect(LogListSource.chrome.signature?.key.derRepresentation == LogListKey.google.derRepresentation)
    #expect(LogListSource.apple.signature == nil)
  }
}

@Suite("The union of log lists")
struct LogListUnionTests {
  private static func log(
    _ name: String, _ state: LogDescription.State?, url: String = "https://a.example/"
  ) throws -> LogDescription {
    let log = try TestLog(.rfc6962, name: name).description(url: url, operatorName: "Operator")
    return LogDescription(
      kind: log.kind, key: log.key, description: name, operatorName: "Operator", maximumMergeDelay: 86_400,
      state: state)
  }

  private static func list(
    _ name: String, _ logs: [LogDescription], signature: LoadedLogList.Signature = .unsigned
  ) -> LoadedLogList {
    let now = Timestamp(milliseconds: 1_780_272_000_000)
    return LoadedLogList(
      list: LogList(operators: [LogList.Operator(name: "Operator")], logs: logs),
      source: LogListSource(name: name, url: "file:///\(name)"), fetchedAt: now, signature: signature, now: now)
  }

  @Test(
    "follows what a list accepts, and drains what is retired",
    arguments: [
      (.pending, false), (.qualified, true), (.usable, true), (.readonly(finalTreeHead: nil), true), (.retired, true),
      (.rejected, false), (.other("new"), false), (nil, false),
    ] as [(LogDescription.State?, Bool)])
  func states(state: LogDescription.State?, isFollowed: Bool) throws {
    let union = LogListUnion.unite([
      LogListUnionTests.list(
        "one", [try LogListUnionTests.log("a", state), try LogListUnionTests.log("b", .usable)])
    ])
    #expect(union.logs.contains { $0.description == "a" } == isFollowed)
    #expect(union.problems.isEmpty)
  }

  @Test("follows all logs of a list without states")
  func plain() throws {
    let logs = [try LogListUnionTests.log("a", nil), try LogListUnionTests.log("b", nil)]
    #expect(LogListUnion.unite([LogListUnionTests.list("own", logs)]).logs == logs)
  }

  @Test("has each log once, as the first list that accepts it has it, and tells where they disagree")
  func conflicts() throws {
    let first = [
      try LogListUnionTests.log("a", .usable), try LogListUnionTests.log("b", .retired),
      try LogListUnionTests.log("c", .rejected),
    ]
    let second = [
      try LogListUnionTests.log("c", .qualified), try LogListUnionTests.log("b", .usable),
      try LogListUnionTests.log("a", .readonly(finalTreeHead: nil), url: "https://b.example/"),
    ]
    let union = LogListUnion.unite([LogListUnionTests.list("one", first), LogListUnionTests.list("two", second)])
    #expect(union.logs == [first[0], second[1], second[0]])
    #expect(union.problems == ["a: one has it at https://a.example/, two at https://b.example/"])
  }

  @Test("of real lists has every usable log of both", .needsTestData)
  func realLists() throws {
    let paths = ["chrome/chrome_v3_2026-05-29_v85.92", "apple/apple_2026-04-01_v511_a2d39b"]
    let lists = try paths.map { try LogList(json: TestData.bytes("loglists/\($0).json")) }
    let now = Timestamp(milliseconds: 1_780_272_000_000)
    let union = LogListUnion.unite(
      zip(["Chrome", "Apple"], lists).map { name, list in
        LoadedLogList(
          list: list, source: LogListSource(name: name, url: "file:///\(name)"), fetchedAt: now, signature: .verified,
          now: now)
      })
    let usable = Set(lists.flatMap(\.logs).filter { $0.state == .usable }.map(\.logID))
    let found = union.logs.map(\.logID)
    #expect(usable.isSubset(of: found))
    #expect(Set(found).count == found.count)
    #expect(found.count < lists[0].logs.count + lists[1].logs.count)
  }
}
