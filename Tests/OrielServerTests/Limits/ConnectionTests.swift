import Foundation
import NIOCore
import OrielAccounts
import TestSupport
import Testing

@testable import OrielServer

@Suite("Connections to the pages")
struct ConnectionTests {
  /// Connections that send nothing, or not enough.
  private func open(_ count: Int, _ port: Int, sending text: String = "") throws -> [LoopbackSocket] {
    try (0..<count).map { _ in
      let peer = try LoopbackSocket(port: port)
      if !text.isEmpty { peer.send(Array(text.utf8)) }
      return peer
    }
  }

  /// Which connections the other end has closed by now.
  private func closed(_ peers: [LoopbackSocket]) -> [Int] {
    peers.indices.filter { index in
      var byte: UInt8 = 0
      let count = recv(peers[index].handle, &byte, 1, Int32(MSG_DONTWAIT))
      return count == 0 || count < 0 && errno == ECONNRESET
    }
  }

  @Test(
    "However many an address opens without asking for anything, the next one is served, and the oldest are closed",
    arguments: ["", "GET / HT", "GET /sign-in HTTP/1.1\r\nHost: x\r\n"])
  func halfOpen(_ text: String) async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve({ settings, _ in settings.idleConnectionsPerAddress = 10 }) { port in
      let peers = try open(60, port, sending: text)
      try await eventually { closed(peers).count == 50 }
      // The server sees those that come at the same time in any order.
      #expect(Array(closed(peers).prefix(30)) == Array(0..<30))
      #expect(try await Visitor(port: port).get("/sign-in").status == 200)
      withExtendedLifetime(peers) {}
    }
  }

  @Test("When all places are taken, whoever has most of the idle ones gives one")
  func full() async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve({ settings, _ in
      (settings.connections, settings.idleConnectionsPerAddress) = (20, 1000)
    }) { port in
      let peers = try open(40, port)
      try await eventually { closed(peers).count == 20 }
      for _ in 0..<3 { #expect(try await Visitor(port: port).get("/sign-in").status == 200) }
      withExtendedLifetime(peers) {}
    }
  }

  @Test("A body that trickles in holds its place for as long as may be, and an address has only so many")
  func bodies() async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve({ settings, _ in
      settings.bodies = Quota(total: 100, perAddress: 2)
      settings.bodyTimeout = .seconds(60)
    }) { port in
      let visitor = Visitor(port: port)
      let head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\naddress="
      let peers = try open(2, port, sending: head)
      // Until both have been seen.
      var reply = try await visitor.post("/sign-in", [("address", "a@alpha.example")], of: "/sign-in")
      while reply.status == 200 {
        reply = try await visitor.post(
          "/sign-in", [("address", "b\(UInt32.random(in: 0...9_999_999))@alpha.example")], of: "/sign-in")
      }
      #expect(reply.status == 429 && reply.header("retry-after") != nil)
      #expect(try await visitor.get("/sign-in").status == 200)
      withExtendedLifetime(peers) {}
    }
  }

  @Test("What is no HTTP is answered with the reason, as a problem")
  func noHTTP() async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve { port in
      let client = RawClient(port: port)
      for path in ["/api/v1/domains?q=" + String(repeating: "a", count: 100_000), "/a b c"] {
        let reply = try await client.request("GET", path)
        #expect(reply.status == 400 && reply.header("content-type") == APIProblem.mediaType)
        #expect(reply.object["title"] as? String == "Bad Request" && reply.object["detail"] is String)
        #expect(reply.header("content-length") == "\(reply.body.utf8.count)")
      }
    }
  }

  @Test("HEAD says what GET would, without the body")
  func head() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.serve { port in
      let client = RawClient(port: port)
      let token = [("Authorization", "Bearer \(all.token.text)")]
      for path in ["/sign-in", "/api/v1/domains", "/api/v1/nothing", "/domains/\(all.domain)/feed.atom", "/nothing"] {
        let (head, get) = (
          try await client.request("HEAD", path, headers: token, until: "\r\n\r\n"),
          try await client.request("GET", path, headers: token)
        )
        #expect(head.status == get.status && head.body.isEmpty, "\(path)")
        // Pages without a session have a code of their own each, of the same length.
        #expect(head.header("content-length") == "\(get.body.utf8.count)", "\(path)")
        #expect(head.header("content-type") == get.header("content-type"), "\(path)")
      }
      // How long these get nobody knows beforehand; the end of the connection is the end of the answer.
      for path in ["/api/v1/stream", "/domains/\(all.domain)/export.csv"] {
        let reply = try await client.request("HEAD", path, headers: token)
        #expect(reply.status == 200 && reply.header("content-length") == nil && reply.body.isEmpty, "\(path)")
      }
    }
  }

  @Test(
    "Addresses are counted by the network that somebody has all of",
    arguments: [
      ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
      ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"), ("::1", "0:0:0:0::/64"),
    ])
  func addresses(_ address: String, _ key: String) throws {
    #expect(NetworkAddress.key(of: try SocketAddress(ipAddress: address, port: 1)) == key)
  }
}
