import CertificateTransparency
import Foundation
import HTTPTypes
import MerkleTree
import NIOCore
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Answers that are sent at once")
struct PromptReadTests {
  private static func request(_ change: (inout HTTPRequest) -> Void = { _ in }) -> HTTPRequest {
    var request = HTTPRequest(method: .get, scheme: "http", authority: "log.example", path: "/tile/data/000")
    change(&request)
    return request
  }

  @Test(
    "Dates are as HTTP has them",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_798_761_600, "Fri, 01 Jan 2027 00:00:00 GMT"),
    ])
  func dates(second: Int, text: String) {
    #expect(HTTPClock.text(second) == text)
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
      #expect((PlainRequest(PromptReadTests.request(change)) != nil) == isPlain, "\(number)")
    }
    for (accepted, acceptsGzip) in [("gzip", true), ("gzip;q=0", false), ("br", false)] {
      let plain = PlainRequest(PromptReadTests.request { $0.headerFields[.acceptEncoding] = accepted })
      #expect(plain?.path == "/tile/data/000" && plain?.acceptsGzip == acceptsGzip)
    }
  }

  // MARK: - Served

  /// A log with one full tile of entries.
  private func serving(_ body: (ServedLog) async throws -> Void) async throws {
    // A busy machine may take long over many answers in a row.
    try await ServedLog.run({ options, _ in options.server.idleTimeout = .seconds(600) }) { log in
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

  @Test("They are those of the long way, but for the date")
  func sameness() async throws {
    try await serving { log in
      for (path, fields) in [
        ("tile/0/000", ""), ("tile/data/000", ""), ("tile/data/000", "Accept-Encoding: gzip\r\n"),
        ("tile/names/000", "Accept-Encoding: gzip\r\n"), ("tile/0/001.p/1", ""),
      ] {
        let last = request(path, fields + PromptReadTests.end)
        // The last of each goes the long way, as it is to close the connection.
        let asked = (0..<3).flatMap { _ in request(path, fields) } + last
        let before = replies(try await log.http.exchange([asked]))
        #expect(before.map(\.status) == [200, 200, 200, 200])
        for answer in before {
          #expect(answer.body == before[3].body)
          #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
          #expect(answer.headers.filter { $0.key != "date" } == before[3].headers.filter { $0.key != "date" })
        }
      }
    }
  }

  @Test("A damaged tile that was put right is served anew")
  func replacement() async throws {
    try await serving { log in
      let file = URL(filePath: log.folder.publicPath + "/tile/0/000")
      let right = try Data(contentsOf: file)
      for content in [Data(right.reversed()), right] {
        try FileManager.default.removeItem(at: file)
        try content.write(to: file)
        #expect(try await log.get("tile/0/000").body == [UInt8](content))
      }
    }
  }

  @Test("Requests that come at once are answered in their order, and so are those before the input ends")
  func pipelining() async throws {
    try await serving { log in
      let paths = ["tile/data/000", "tile/0/000", "checkpoint", "tile/0/001.p/1", "tile/names/000", "tile/9/000"]
      var known: [String: [UInt8]] = [:]
      for path in paths where path != "checkpoint" { known[path] = try await log.get(path).body }
      #expect(known["tile/9/000"]?.isEmpty == false)
      var generator = SeededGenerator(seed: 5)
      let order = (0..<300).map { _ in paths.randomElement(using: &generator) ?? "" }
      let head = order.flatMap { request($0) }
      for pieces in [[head + request("tile/0/000", PromptReadTests.end)], [head, request("", PromptReadTests.end)]] {
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

  @Test("Answers of the long way come whole before the connection is closed, however slowly they are read")
  func wholeAnswers() async throws {
    try await serving { log in
      let known = try await log.get("tile/data/000").body
      let bytes = try await log.http.exchange(
        [(0..<40).flatMap { _ in request("tile/data/000", "If-None-Match: \"x\"\r\n") }], endsInput: true, isSlow: true)
      #expect(replies(bytes).map(\.body) == [[UInt8]](repeating: known, count: 40))
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
  @Test("A reader that is slow, but goes on, gets all of it")
  func slow() async throws {
    try await ServedLog.run({ options, _ in options.server.writeTimeout = .seconds(2) }) { log in
      _ = try await log.fill(257)
      let body = try await log.get("tile/data/000").body
      let count = (24 << 20) / body.count
      let asked = (1..<count).flatMap { _ in request("tile/data/000") } + request("tile/0/000", PromptReadTests.end)
      // So much is not in any socket's memory: the server waits for the reader most of the time.
      let pieces = [asked] + [[UInt8]](repeating: [], count: 300)
      let answers = replies(try await log.http.exchange(pieces, pause: .milliseconds(20)))
      #expect(answers.count == count && answers.dropLast().allSatisfy { $0.body == body })
    }
  }
}
