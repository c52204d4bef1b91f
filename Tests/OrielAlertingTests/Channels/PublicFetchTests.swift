import OrielAlerting
import TestWorld
import Testing

@Suite("Fetching from the public Internet")
struct PublicFetchTests {
  private func fetch(redirects: Int = 3, limit: Int = 10_000, accept: String? = nil) -> PublicFetch {
    PublicFetch(limit: limit, timeout: .seconds(20), allowsPrivate: true, accept: accept, redirects: redirects)
  }

  private func redirect(_ status: Int, to location: String) -> TestResponse {
    var response = TestResponse(status: status, "moved\n")
    response.headers.append(("location", location))
    return response
  }

  @Test("follows redirects of every kind, absolute and relative, up to a bound", arguments: [301, 302, 303, 307, 308])
  func redirects(status: Int) async throws {
    try await TestServer.run { request in
      let host = request.headers.first { $0.name.lowercased() == "host" }?.value ?? ""
      return switch request.target {
      case "/a/first": redirect(status, to: "second?x=1")
      case "/a/second?x=1": redirect(status, to: "http://\(host)/third")
      case "/third": TestResponse(status: 200, "here")
      case "/round": redirect(status, to: "/round")
      default: .notFound
      }
    } _: { server in
      let found = try await fetch().bytes(at: server.url + "a/first")
      #expect(found == Array("here".utf8))
      #expect(server.targets == ["/a/first", "/a/second?x=1", "/third"])
      for limit in [0, 1] {
        await #expect(throws: PublicFetch.Failure.self) {
          try await fetch(redirects: limit).bytes(at: server.url + "a/first")
        }
      }
      await #expect(throws: PublicFetch.Failure.self) { try await fetch().bytes(at: server.url + "round") }
      #expect(server.requestCount(containing: "round") == 4)
    }
  }

  @Test(
    "follows no redirect to what it would not have fetched",
    arguments: ["file:///etc/passwd", "http://u@127.0.0.1/", "http://127.0.0.2:1/", ""])
  func forbidden(location: String) async throws {
    try await TestServer.run { _ in
      redirect(302, to: location)
    } _: { server in
      _ = await #expect(throws: (any Error).self) { try await fetch(redirects: 1).bytes(at: server.url + "x") }
    }
    try await TestServer.run { _ in
      redirect(302, to: "http://127.0.0.1:1/")
    } _: { server in
      let fetch = PublicFetch(limit: 10, timeout: .seconds(20), redirects: 3)
      let error = await #expect(throws: PublicFetch.Failure.self) { try await fetch.bytes(at: server.url) }
      #expect(error?.description.contains("not to be reached") == true && server.requestCount == 0)
    }
  }

  @Test("asks for the media types it was told, and reads gzip that it did not ask for, up to its limit")
  func content() async throws {
    let asked = "application/rdap+json"
    try await TestServer.run { request in
      let accepted = request.headers.first { $0.name.lowercased() == "accept" }?.value
      guard accepted == asked else { return TestResponse(status: 406, "no\n") }
      var response = TestResponse(
        status: 200, String(repeating: "x", count: request.target == "/large" ? 100_000 : 5000))
      response.isGzipped = true
      return response
    } _: { server in
      let found = try await fetch(accept: asked).bytes(at: server.url)
      #expect(found == [UInt8](repeating: UInt8(ascii: "x"), count: 5000))
      await #expect(throws: PublicFetch.Failure.self) { try await fetch().bytes(at: server.url) }
      await #expect(throws: (any Error).self) { try await fetch(accept: asked).bytes(at: server.url + "large") }
    }
  }
}
