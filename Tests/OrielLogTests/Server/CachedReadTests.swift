import CertificateTransparency
import Foundation
import HTTPTypes
import MerkleTree
import NIOCore
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Answers that are kept")
struct CachedReadTests {
  private static func request(_ change: (inout HTTPRequest) -> Void = { _ in }) -> HTTPRequest {
    var request = HTTPRequest(method: .get, scheme: "http", authority: "log.example", path: "/tile/data/000")
    change(&request)
    return request
  }

  private static func answer(_ byteCount: Int, _ byte: UInt8 = 0) -> Answer {
    Answer([UInt8](repeating: byte, count: byteCount), type: "application/octet-stream", keeping: .forEver)
  }

  private static func key(_ number: Int) -> AnswerCache.Key { AnswerCache.Key(path: "/\(number)", acceptsGzip: false) }

  @Test("They are bounded in size; what is asked for stays, what is not goes, and none is too large for the rest")
  func bounds() {
    let (limit, start) = (1 << 20, NIODeadline.now())
    let cache = AnswerCache(limit: limit, lifetime: .seconds(10))
    func admit(_ number: Int, _ byteCount: Int, _ byte: UInt8 = 0) -> AnswerCache.Item {
      cache.admit(CachedReadTests.answer(byteCount, byte), CachedReadTests.key(number), Metrics(), at: start)
    }
    for number in 0..<400 {
      let byteCount = number % 7 == 0 ? 100_000 : 20_000
      // Who reads it once leaves no trace.
      #expect(!admit(number, byteCount).isKept)
      #expect(cache.find(CachedReadTests.key(number), at: start) == nil)
      #expect(admit(number, byteCount).isKept == (byteCount < limit / 16))
      #expect(cache.byteCount <= limit)
      #expect((cache.find(CachedReadTests.key(1), at: start) != nil) == (number > 0))
    }
    let found = (0..<400).filter { cache.find(CachedReadTests.key($0), at: start) != nil }
    #expect(found.count > 20 && found.count < limit / 20_000)
    #expect(found.allSatisfy { $0 == 1 || $0 > 300 && $0 % 7 != 0 })
    // Another in its place takes no more room.
    let before = cache.byteCount
    for _ in 0..<2 { _ = admit(398, 20_000, 1) }
    #expect(cache.byteCount <= before)
    #expect(cache.find(CachedReadTests.key(398), at: start)?.body == ByteBuffer(repeating: 1, count: 20_000))
  }

  @Test("One who reads a log from end to end, again and again, fills nothing")
  func scan() {
    let cache = AnswerCache(limit: 1 << 20, lifetime: .seconds(10))
    for number in 0..<3000 {
      #expect(!cache.admit(CachedReadTests.answer(10), CachedReadTests.key(number % 1000), Metrics()).isKept)
    }
    #expect(cache.byteCount == 0)
  }

  @Test("They are made anew after a while")
  func expiry() {
    let (start, key) = (NIODeadline.now(), CachedReadTests.key(0))
    let cache = AnswerCache(limit: 1 << 20, lifetime: .seconds(10))
    for _ in 0..<2 { _ = cache.admit(CachedReadTests.answer(1), key, Metrics(), at: start) }
    #expect(cache.find(key, at: start + .seconds(9)) != nil)
    #expect(cache.find(key, at: start + .seconds(10)) == nil)
  }

  @Test("What is kept is not what a buffer is filled with afterwards")
  func buffers() {
    let (cache, key) = (AnswerCache(limit: 1 << 20, lifetime: .seconds(10)), CachedReadTests.key(0))
    for byte in UInt8(0)..<6 {
      var buffer = cache.takeBuffer()
      buffer.clear()
      buffer.writeRepeatingByte(byte, count: 100)
      let item = cache.admit(Answer(buffer, type: "", keeping: .forEver), key, Metrics())
      #expect(item.body == ByteBuffer(repeating: byte, count: 100))
      cache.giveBack(buffer)
    }
    #expect(cache.find(key)?.body == ByteBuffer(repeating: 5, count: 100))
  }

  @Test(
    "Dates are as HTTP has them",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_798_761_600, "Fri, 01 Jan 2027 00:00:00 GMT"),
    ])
  func dates(second: Int, text: String) {
    #expect(AnswerCache.text(second) == text)
  }

  @Test("A request that asks for more than the bytes at a path is answered the long way")
  func requests() {
    let changes: [(isPlain: Bool, change: (inout HTTPRequest) -> Void)] = [
      (true, { _ in }), (true, { $0.headerFields[.connection] = "Keep-Alive" }), (false, { $0.method = .head }),
      (false, { $0.method = .post }), (false, { $0.headerFields[.ifNoneMatch] = "*" }),
      (false, { $0.headerFields[.connection] = "close" }), (false, { $0.headerFields[.contentLength] = "0" }),
      (false, { $0.headerFields[.transferEncoding] = "chunked" }), (false, { $0.path = nil }),
    ]
    for (number, (isPlain, change)) in changes.enumerated() {
      #expect((AnswerCache.Key(CachedReadTests.request(change)) != nil) == isPlain, "\(number)")
    }
    for (accepted, acceptsGzip) in [("gzip", true), ("gzip;q=0", false), ("br", false)] {
      let key = AnswerCache.Key(CachedReadTests.request { $0.headerFields[.acceptEncoding] = accepted })
      #expect(key == AnswerCache.Key(path: "/tile/data/000", acceptsGzip: acceptsGzip))
    }
  }

  // MARK: - Served

  /// A log with one full tile of entries; its cache keeps answers for `lifetime`.
  private func serving(_ lifetime: Duration, _ body: (ServedLog) async throws -> Void) async throws {
    try await ServedLog.run({ options, _ in options.server.cacheLifetime = lifetime }) { log in
      _ = try await log.fill(257)
      try await body(log)
    }
  }

  /// Answers that came one after the other on a connection.
  private func replies(_ bytes: [UInt8]) -> [RawHTTP.Reply] {
    var (replies, rest) = ([RawHTTP.Reply](), bytes)
    while let all = RawHTTP.Reply(rest), let length = all.headers["content-length"].flatMap({ Int($0) }),
      length <= all.body.count
    {
      let end = rest.count - all.body.count + length
      if let reply = RawHTTP.Reply(Array(rest[..<end])) { replies.append(reply) }
      rest = Array(rest[end...])
    }
    #expect(rest.isEmpty)
    return replies
  }

  private func request(_ path: String, _ fields: String = "") -> [UInt8] {
    Array("GET \(ServedLog.prefix)\(path) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n".utf8)
  }

  private static let end = "Connection: close\r\n"

  @Test("A prompt answer and a kept one are those of the long way, but for the date")
  func sameness() async throws {
    try await serving(.seconds(3600)) { log in
      for (path, fields) in [
        ("tile/0/000", ""), ("tile/data/000", ""), ("tile/data/000", "Accept-Encoding: gzip\r\n"),
        ("tile/names/000", "Accept-Encoding: gzip\r\n"), ("tile/0/001.p/1", ""),
      ] {
        let last = request(path, fields + CachedReadTests.end)
        // The last of each goes the long way, as it is to close the connection.
        let asked = (0..<3).flatMap { _ in request(path, fields) } + last
        let before = replies(try await log.http.exchange([asked]))
        #expect(before.map(\.status) == [200, 200, 200, 200])
        for answer in before {
          #expect(answer.body == before[3].body)
          #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
          #expect(answer.headers.filter { $0.key != "date" } == before[3].headers.filter { $0.key != "date" })
        }
        let file = URL(filePath: log.folder.publicPath + "/" + path)
        let stored = try Data(contentsOf: file)
        try FileManager.default.removeItem(at: file)
        let after = replies(try await log.http.exchange([request(path, fields) + last]))
        // A partial tile may go; what never does is kept.
        #expect(after.map(\.status) == [path.contains(".p/") ? 404 : 200, 404], "\(path)")
        if after.first?.status == 200 { #expect(after.first?.body == before[3].body) }
        try stored.write(to: file)
      }
    }
  }

  @Test("A damaged tile that was put right is served anew")
  func replacement() async throws {
    try await serving(.zero) { log in
      let file = URL(filePath: log.folder.publicPath + "/tile/0/000")
      let right = try Data(contentsOf: file)
      for content in [Data(right.reversed()), right] {
        try FileManager.default.removeItem(at: file)
        try content.write(to: file)
        #expect(try await log.get("tile/0/000").body == [UInt8](content))
      }
    }
  }

  @Test("Requests that come at once are answered in their order, kept or not, and so are those before the input ends")
  func pipelining() async throws {
    try await serving(.seconds(3600)) { log in
      let paths = ["tile/data/000", "tile/0/000", "checkpoint", "tile/0/001.p/1", "tile/names/000", "tile/9/000"]
      var known: [String: [UInt8]] = [:]
      for path in paths where path != "checkpoint" { known[path] = try await log.get(path).body }
      #expect(known["tile/9/000"]?.isEmpty == false)
      var generator = SeededGenerator(seed: 5)
      let order = (0..<300).map { _ in paths.randomElement(using: &generator) ?? "" }
      let head = order.flatMap { request($0) }
      for pieces in [[head + request("tile/0/000", CachedReadTests.end)], [head, request("", CachedReadTests.end)]] {
        let answers = replies(try await log.http.exchange(pieces, pause: .milliseconds(50)))
        #expect(answers.count == 301)
        for (path, answer) in zip(order, answers) {
          #expect(known[path].map { answer.body == $0 } ?? answer.text.hasPrefix(log.folder.settings.origin), "\(path)")
        }
      }
      // The end of input, not a field, tells that these are all.
      for count in [1, 40] {
        let bytes = try await log.http.exchange(
          [(0..<count).flatMap { _ in request("tile/data/000") }], endsInput: true)
        #expect(replies(bytes).map(\.body) == [[UInt8]](repeating: known["tile/data/000"] ?? [], count: count))
      }
    }
  }

  @Test("A reader that takes nothing is let go")
  func stalled() async throws {
    try await ServedLog.run({ options, _ in options.server.writeTimeout = .milliseconds(300) }) { log in
      _ = try await log.fill(257)
      let body = try await log.get("tile/data/000").body
      // More than any socket holds.
      let count = (64 << 20) / body.count
      let bytes = try await log.http.exchange(
        [(0..<count).flatMap { _ in request("tile/data/000") }, []], pause: .seconds(3))
      #expect(bytes.count < count * body.count)
      #expect(try await log.get("tile/data/000").body == body)
    }
  }
}
