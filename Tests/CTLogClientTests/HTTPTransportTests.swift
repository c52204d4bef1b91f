import CTLogClient
import Foundation
import TestWorld
import Testing

@Suite("The transport")
struct HTTPTransportTests {
  private static let patient = HTTPTransport.Settings(contact: "mailto:me@example.com")
  private static let hasty = HTTPTransport.Settings(
    idleTimeout: .milliseconds(300), totalTimeout: .seconds(2), minimumBytesPerSecond: 1000,
    progressGrace: .milliseconds(300))

  /// Fetches once from a server that answers with `response`.
  private static func fetch(
    _ response: TestResponse, limit: Int = 1000, settings: HTTPTransport.Settings = patient
  ) async throws -> (head: ResponseHead, body: [UInt8]) {
    try await TestServer.run(respond: { _ in response }) { server in
      try await HTTPTransport.withTransport(settings) { transport in
        var body: [UInt8] = [1, 2, 3]
        let head = try await transport.get(server.url + "x", limit: limit, into: &body)
        return (head, body)
      }
    }
  }

  private static func failure(
    _ response: TestResponse, limit: Int = 1000, settings: HTTPTransport.Settings = patient
  ) async throws -> FetchError.Reason {
    let error = await #expect(throws: FetchError.self) {
      _ = try await fetch(response, limit: limit, settings: settings)
    }
    let found = try #require(error)
    #expect(found.url.hasPrefix("http://127.0.0.1:") && found.url.hasSuffix("/x"))
    return found.reason
  }

  private static let thousand = TestResponse(type: "text/plain", [UInt8](repeating: 7, count: 1000))

  @Test("replaces the buffer's content by the body, and tells type and entity tag")
  func whole() async throws {
    var response = HTTPTransportTests.thousand
    response.headers.append(("etag", "\"a1\""))
    let (head, body) = try await HTTPTransportTests.fetch(response)
    #expect(body == response.bytes)
    #expect(head == ResponseHead(status: 200, etag: "\"a1\"", contentType: "text/plain"))
  }

  @Test("says who it is, and asks for gzip only where it is told to")
  func requestHeaders() async throws {
    let seen = Notes<[String: String]>()
    try await TestServer.run(respond: { request in
      seen.add(Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { $1 })
      return TestResponse(status: request.target == "/b" ? 304 : 200, "")
    }) { server in
      try await HTTPTransport.withTransport(HTTPTransportTests.patient) { transport in
        var body: [UInt8] = []
        try await transport.get(server.url + "a", limit: 10, into: &body)
        let head = try await transport.get(
          server.url + "b", limit: 10, into: &body, acceptsGzip: true, entityTag: "\"t\"")
        #expect(head.status == 304)
      }
    }
    let requests = seen.all
    try #require(requests.count == 2)
    #expect(requests[0]["user-agent"] == "oriel/0.1 (+mailto:me@example.com)")
    #expect(requests[0]["accept-encoding"] == "identity")
    #expect(requests[0]["if-none-match"] == nil)
    #expect(requests[1]["accept-encoding"] == "gzip")
    #expect(requests[1]["if-none-match"] == "\"t\"")
  }

  @Test("refuses a body beyond the limit, announced or not")
  func limit() async throws {
    var response = HTTPTransportTests.thousand
    #expect(try await HTTPTransportTests.fetch(response, limit: 1000).body.count == 1000)
    #expect(try await HTTPTransportTests.failure(response, limit: 999) == .tooLarge(limit: 999))
    response.contentLength = .unstated
    #expect(try await HTTPTransportTests.fetch(response, limit: 1000).body.count == 1000)
    #expect(try await HTTPTransportTests.failure(response, limit: 999) == .tooLarge(limit: 999))
    // It does not wait for what was announced.
    response.contentLength = .claimed(1 << 60)
    response.delivery = .drip(byteCount: 1, every: .seconds(3600))
    #expect(try await HTTPTransportTests.failure(response) == .tooLarge(limit: 1000))
  }

  @Test("leaves gzip as it came")
  func gzip() async throws {
    var response = HTTPTransportTests.thousand
    response.isGzipped = true
    #expect(try await HTTPTransportTests.fetch(response).body == TestResponse.gzip(response.bytes))
  }

  @Test("tells a body that broke off")
  func cut() async throws {
    var response = HTTPTransportTests.thousand
    response.delivery = .cut(after: 400)
    let reason = try await HTTPTransportTests.failure(response)
    guard case .truncated(expected: 1000, let got) = reason else {
      Issue.record("\(reason)")
      return
    }
    #expect(got <= 400)
    response.contentLength = .unstated
    let other = try await HTTPTransportTests.failure(response)
    guard case .truncated(expected: nil, _) = other else {
      Issue.record("\(other)")
      return
    }
    response.contentLength = .claimed(1001)
    response.delivery = .whole
    #expect(try await HTTPTransportTests.failure(response, limit: 2000) == .truncated(expected: 1001, got: 1000))
  }

  @Test("gives up on silence")
  func silence() async throws {
    var response = HTTPTransportTests.thousand
    response.delivery = .never
    guard case .timedOut = try await HTTPTransportTests.failure(response, settings: HTTPTransportTests.hasty) else {
      Issue.record("no time-out")
      return
    }
  }

  @Test("gives up on a drip that is never silent for long")
  func drip() async throws {
    var response = HTTPTransportTests.thousand
    response.delivery = .drip(byteCount: 1, every: .milliseconds(20))
    let reason = try await HTTPTransportTests.failure(response, settings: HTTPTransportTests.hasty)
    guard case .timedOut(let after) = reason else {
      Issue.record("no time-out")
      return
    }
    #expect(after >= .milliseconds(300))
    // Fast enough, but longer than a whole request may take.
    var settings = HTTPTransportTests.patient
    settings.minimumBytesPerSecond = 0
    settings.totalTimeout = .milliseconds(500)
    guard case .timedOut(let total) = try await HTTPTransportTests.failure(response, settings: settings) else {
      Issue.record("no time-out")
      return
    }
    #expect(total >= .milliseconds(500))
  }

  @Test("does not follow redirects, and tells where they lead")
  func redirect() async throws {
    var response = TestResponse(status: 302, "")
    response.headers.append(("location", "https://elsewhere.example/"))
    #expect(try await HTTPTransportTests.failure(response) == .redirect(to: "https://elsewhere.example/"))
  }

  @Test("tells a refusal with its Retry-After and the start of its body")
  func refusal() async throws {
    var response = TestResponse(status: 429, "slow\u{1b}[2J down\n" + String(repeating: "x", count: 500))
    response.headers.append(("retry-after", "17"))
    let reason = try await HTTPTransportTests.failure(response)
    guard case .status(429, .seconds(17), let body) = reason else {
      Issue.record("\(reason)")
      return
    }
    #expect(body.hasPrefix("slow [2J down xxx"))
    #expect(body.utf8.count <= 200)
    response = TestResponse(status: 404, "")
    #expect(try await HTTPTransportTests.failure(response) == .status(code: 404, retryAfter: nil, body: ""))
    response = TestResponse(status: 204, "")
    #expect(try await HTTPTransportTests.failure(response) == .status(code: 204, retryAfter: nil, body: ""))
  }

  @Test(
    "tells where nobody listens, and what is no address",
    arguments: [
      "ftp://a/", "", "http://", "nonsense", "http://127.0.0.1:65536/", "http://[::1]:99999/", "http://127.0.0.1:0/",
    ])
  func nowhere(url: String) async throws {
    try await HTTPTransport.withTransport(HTTPTransportTests.patient) { transport in
      var body: [UInt8] = []
      let error = await #expect(throws: FetchError.self) { try await transport.get(url, limit: 1, into: &body) }
      guard case .badURL = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
      let port = try await TestServer.run(respond: { _ in .notFound }) { $0.port }
      let refused = await #expect(throws: FetchError.self) {
        try await transport.get("http://127.0.0.1:\(port)/", limit: 1, into: &body)
      }
      #expect(refused?.description.hasSuffix(": no connection: Connection refused") == true)
      guard case .connection = refused?.reason else {
        Issue.record("\(String(describing: refused))")
        return
      }
      #expect(refused?.isTransient == true)
    }
  }

  @Test("does not trust a server that has no certificate")
  func noCertificate() async throws {
    try await TestServer.run(respond: { _ in HTTPTransportTests.thousand }) { server in
      try await HTTPTransport.withTransport(HTTPTransportTests.patient) { transport in
        var body: [UInt8] = []
        let error = await #expect(throws: FetchError.self) {
          try await transport.get("https://127.0.0.1:\(server.port)/", limit: 1, into: &body)
        }
        #expect(error?.isTransient == true)
      }
    }
  }

  @Test("ends when its task is cancelled")
  func cancellation() async throws {
    var response = HTTPTransportTests.thousand
    response.delivery = .never
    let silent = response
    try await TestServer.run(respond: { _ in silent }) { server in
      try await HTTPTransport.withTransport { transport in
        let task = Task {
          var body: [UInt8] = []
          try await transport.get(server.url, limit: 1, into: &body)
        }
        while server.requestCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
      }
    }
  }

  @Test("reads files under the same limits")
  func files() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "oriel \(UUID()).bin")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data([1, 2, 3, 4]).write(to: file)
    try await HTTPTransport.withTransport { transport in
      var body: [UInt8] = [9]
      let head = try await transport.get(file.absoluteString, limit: 4, into: &body)
      #expect(head.status == 200)
      #expect(body == [1, 2, 3, 4])
      let tooLarge = await #expect(throws: FetchError.self) {
        try await transport.get(file.absoluteString, limit: 3, into: &body)
      }
      #expect(tooLarge?.reason == .tooLarge(limit: 3))
      let absent = await #expect(throws: FetchError.self) {
        try await transport.get(file.absoluteString + ".not", limit: 3, into: &body)
      }
      #expect(absent?.statusCode == 404)
    }
  }
}
