import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import TestSupport
import Testing

@testable import OrielServer

@Suite("The stream of certificates")
struct StreamTests {
  private static let end = #""message_type":"certificate_update"}"#

  @Test("A certificate that is judged comes at once, in certstream's form, and to its own account alone")
  func live() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let beta = try await Premises(dashboard, "Beta", item: "beta.example")
    try await dashboard.serve { port in
      let (heard, beginning) = AsyncStream.makeStream(of: Void.self)
      async let reply = RawClient(port: port).request(
        "GET", "/api/v1/stream", headers: [("Authorization", "Bearer \(all.token.text)")], until: StreamTests.end,
        began: beginning)
      var pieces = heard.makeAsyncIterator()
      await pieces.next()
      // What is there before the stream knows where it begins is no news: more of both, until one is heard of.
      let sighting = Task {
        while !Task.isCancelled {
          try await dashboard.sight(["other.beta.example"], for: beta.domain, item: "beta.example")
          try await dashboard.sight(["live.alpha.example"], for: all.domain, item: "alpha.example")
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      let stream = try await reply
      sighting.cancel()
      #expect(stream.status == 200 && stream.header("content-type") == "text/event-stream")
      #expect(!stream.body.contains("beta.example") && !stream.body.contains("www.alpha.example"))
      let event = try #require(stream.body.components(separatedBy: "\n\n").lazy.compactMap { Event($0) }.first)
      #expect(event.json["message_type"] as? String == "certificate_update")
      let data = try #require(event.json["data"] as? [String: Any])
      #expect(data["update_type"] as? String == "X509LogEntry" && data["seen"] is Double)
      let source = try #require(data["source"] as? [String: String])
      #expect(source["name"]?.contains("Lighthouse 2026h2") == true && source["url"] == "https://log.example/")
      let chain = try #require(data["chain"] as? [[String: Any]])
      #expect((chain.first?["subject"] as? [String: Any])?["O"] as? String == "Harbour Trust Services")
      #expect((data["oriel"] as? [String: Any])?["item"] as? String == "alpha.example")
      let leaf = try #require(data["leaf_cert"] as? [String: Any])
      #expect(leaf["all_domains"] as? [String] == ["live.alpha.example"])
      #expect((leaf["extensions"] as? [String: Any])?["subjectAltName"] as? String == "DNS:live.alpha.example")
      let der = try #require((leaf["as_der"] as? String).flatMap { Data(base64Encoded: $0) })
      let facts = CertificateFacts(certificate: Array(der))
      #expect(leaf["not_before"] as? Int == facts.notBefore.map { Int($0) })
      #expect((leaf["serial_number"] as? String)?.lowercased() == facts.serialNumber)
      #expect((leaf["fingerprint"] as? String)?.count == 59)
      #expect(leaf["sha256"] as? String == colons(SHA256Hash.hash(Array(der)).hex))
    }
  }

  private func colons(_ hex: String) -> String {
    stride(from: 0, to: hex.count, by: 2).map { hex.uppercased().dropFirst($0).prefix(2) }.joined(separator: ":")
  }

  /// One event, as far as it came.
  private struct Event {
    let id: String
    let json: [String: Any]

    init?(_ text: String) {
      guard let id = text.firstMatch(of: #/id: (\d+)/#), let data = text.firstMatch(of: #/data: ({.*})/#),
        let json = try? JSONSerialization.jsonObject(with: Data(data.1.utf8)) as? [String: Any]
      else { return nil }
      (self.id, self.json) = (String(id.1), json)
    }
  }

  @Test("After a break it goes on behind the last event: nothing twice, nothing left out")
  func resume() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let names = (0..<5).map { "s\($0).alpha.example" }
    for name in names { try await dashboard.sight([name], for: all.domain, item: "alpha.example") }
    try await dashboard.serve { port in
      func stream(after id: String, until mark: String) async throws -> [Event] {
        let reply = try await RawClient(port: port).request(
          "GET", "/api/v1/stream",
          headers: [("Authorization", "Bearer \(all.token.text)"), ("Last-Event-ID", id)], until: mark)
        return reply.body.components(separatedBy: "\n\n").compactMap { Event($0) }
      }
      func shown(_ events: [Event]) -> [String] {
        events.compactMap {
          (($0.json["data"] as? [String: Any])?["leaf_cert"] as? [String: Any])?["all_domains"] as? [String]
        }.compactMap(\.first)
      }
      let first = try await stream(after: "0", until: "[\"s3.alpha.example\"]")
      try #require(first.count >= 4)
      #expect(shown(first).prefix(4) == ["www.alpha.example"] + names.prefix(3))
      let rest = try await stream(after: first[1].id, until: "[\"s4.alpha.example\"]")
      #expect(shown(rest).prefix(3) == names[1...3])
    }
  }

  @Test("A place that does not exist any more is the end of what is there; nonsense is none")
  func strangePlaces() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let now = try await dashboard.accounts.arrivals(all.owner, after: nil)
    #expect(now.judgements.isEmpty && now.next > 0)
    for place in [now.next, now.next + 1_000_000, Int64.max] {
      let arrivals = try await dashboard.accounts.arrivals(all.owner, after: place)
      #expect(arrivals.judgements.isEmpty && arrivals.next == now.next && !arrivals.hasMore)
    }
    for place in [Int64.min, -1, 0] {
      #expect(try await dashboard.accounts.arrivals(all.owner, after: place).judgements.count == 1)
    }
  }

  @Test("It ends with the right to see it, and an account has only so many")
  func ends() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let made = try await dashboard.accounts.addToken(all.owner, name: "stream", scopes: [.read])
    try await dashboard.serve({ settings, _ in settings.streams.perAccount = 1 }) { port in
      let (heard, beginning) = AsyncStream.makeStream(of: Void.self)
      async let reply = RawClient(port: port).request(
        "GET", "/api/v1/stream", headers: [("Authorization", "Bearer \(made.secret.text)")], began: beginning)
      var pieces = heard.makeAsyncIterator()
      await pieces.next()
      let second = try await Program(port, all.token).api("GET", "/stream")
      #expect(second.status == 429 && second.header("retry-after") != nil)
      try await dashboard.accounts.revokeToken(all.owner, made.token.id)
      // It would go on for ever otherwise.
      #expect(try await reply.status == 200)
      try await waitForPlace(port, all.token)
    }
  }

  /// Until the account has a place for another stream.
  private func waitForPlace(_ port: Int, _ token: Secret) async throws {
    while true {
      let reply = try await RawClient(port: port).request(
        "GET", "/api/v1/stream", headers: [("Authorization", "Bearer \(token.text)")], until: ": hello")
      if reply.status == 200 { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test("A quiet stream says now and then that it is there")
  func heartbeat() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.serve({ settings, _ in settings.streamHeartbeat = .milliseconds(30) }) { port in
      let reply = try await RawClient(port: port).request(
        "GET", "/api/v1/stream", headers: [("Authorization", "Bearer \(all.token.text)")], until: "\n: \n\n")
      #expect(reply.status == 200)
    }
  }

  @Test("Who does not read is waited for no longer than so")
  func slowReaders() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    for index in 0..<30 {
      let names = (0..<1500).map { "n\($0)-\(index)-\(String(repeating: "x", count: 30)).alpha.example" }
      try await dashboard.sight(names, for: all.domain, item: "alpha.example")
    }
    try await dashboard.serve({ settings, _ in
      (settings.streams.perAccount, settings.writeTimeout) = (1, .milliseconds(300))
    }) { port in
      let peer = try LoopbackSocket(port: port)
      var little = Int32(4096)
      setsockopt(peer.handle, SOL_SOCKET, SO_RCVBUF, &little, socklen_t(MemoryLayout<Int32>.size))
      let head = [
        "GET /api/v1/stream HTTP/1.1", "Host: x", "Authorization: Bearer \(all.token.text)", "Last-Event-ID: 0",
      ]
      peer.send(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8))
      var first = [UInt8](repeating: 0, count: 12)
      #expect(recv(peer.handle, &first, first.count, Int32(MSG_WAITALL)) == 12)
      // It holds the only place, and gives it back though nobody reads on.
      try await waitForPlace(port, all.token)
      withExtendedLifetime(peer) {}
    }
  }
}
