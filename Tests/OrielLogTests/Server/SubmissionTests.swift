import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

@Suite("Submitting to a served log")
struct SubmissionTests {
  struct Wrong: CustomTestStringConvertible, Sendable {
    let name: String
    var method = "POST"
    var path = "ct/v1/add-chain"
    let status: Int
    let reason: String
    let body: @Sendable (ServedLog) throws -> [UInt8]

    var testDescription: String { name }

    init(
      _ name: String, method: String = "POST", path: String = "ct/v1/add-chain", _ status: Int, _ reason: String,
      _ body: @escaping @Sendable (ServedLog) throws -> [UInt8]
    ) {
      (self.name, self.method, self.path, self.status, self.reason, self.body) =
        (name, method, path, status, reason, body)
    }

    static func chain(_ chain: [[UInt8]]) throws -> [UInt8] { try AddChainRequest(chain: chain).json() }
  }

  static let wrong: [Wrong] = [
    Wrong("not JSON", 400, "the request is not") { _ in Array("certificate".utf8) },
    Wrong("nothing", 400, "the request is not") { _ in [] },
    Wrong("no chain", 400, "chain is missing") { _ in Array("{}".utf8) },
    Wrong("empty chain", 400, "the chain is empty") { _ in Array("{\"chain\":[]}".utf8) },
    Wrong("wrong base64", 400, "not base64") { _ in Array("{\"chain\":[\"MII*\"]}".utf8) },
    Wrong("no certificate", 400, "certificate 0 can't be read") { _ in Array("{\"chain\":[\"AAAA\"]}".utf8) },
    Wrong("unknown root", 400, "no path to an accepted root") { log in
      let stranger = try TestAuthority(seed: 99, organisation: "Stranger", now: { log.clock.now })
      let pair = try stranger.issue(CertificateRequest(["a.example"]))
      return try Wrong.chain([pair.certificate] + pair.chain)
    },
    Wrong("issuer missing", 400, "no path to an accepted root") { log in
      try Wrong.chain([try log.issue(0).certificate])
    },
    Wrong("precertificate to add-chain", 400, "submit it to add-pre-chain") { log in
      let pair = try log.issue(0)
      return try Wrong.chain([pair.precertificate] + pair.chain)
    },
    Wrong("certificate to add-pre-chain", path: "ct/v1/add-pre-chain", 400, "submit it to add-chain") { log in
      let pair = try log.issue(0)
      return try Wrong.chain([pair.certificate] + pair.chain)
    },
    Wrong("poison twice", path: "ct/v1/add-pre-chain", 400, "poison") { log in
      var request = CertificateRequest(["a.example"])
      request.extraExtensions = [CertificateExtension.build(OID.poison, critical: true) { $0.null() }]
      let pair = try log.authority.issue(request)
      return try Wrong.chain([pair.precertificate] + pair.chain)
    },
    Wrong("outside the window", 400, "this log takes those from") { log in
      let pair = try log.issue(0, notAfter: Timestamp(milliseconds: log.clock.now.milliseconds + 400 * 86_400_000))
      return try Wrong.chain([pair.certificate] + pair.chain)
    },
    Wrong("oversized", 413, "larger than 262144 bytes") { _ in [UInt8](repeating: 0x20, count: 300_000) },
    Wrong("wrong method", method: "PUT", 405, "use POST") { _ in [] },
    Wrong("unknown path", path: "ct/v1/add-something", 405, "use GET") { _ in [] },
    Wrong("a path of no log", path: "../nowhere", 404, "nothing here") { _ in [] },
  ]

  @Test("What can't be logged is refused with a reason, and nothing is logged", arguments: wrong)
  func rejections(wrong: Wrong) async throws {
    try await ServedLog.run({ options, clock in
      let now = clock.now.milliseconds
      options.window = Timestamp(milliseconds: now)..<Timestamp(milliseconds: now + 200 * 86_400_000)
    }) { log in
      let path = wrong.path.hasPrefix("../") ? "/nowhere" : ServedLog.prefix + wrong.path
      let reply = try await log.http.request(wrong.method, path, body: try wrong.body(log))
      #expect(reply.status == wrong.status && reply.text.contains(wrong.reason), "\(reply.status) \(reply.text)")
      #expect(reply.headers["content-type"] == "text/plain; charset=utf-8")
      _ = try await log.fill(1)
      let size = try await log.head().treeSize
      #expect(size == 1, "\(reply.status) \(reply.text)")
    }
  }

  @Test("The chain may come out of order, and the same submission gets the same place")
  func order() async throws {
    try await ServedLog.run { log in
      let pair = try log.issue(1)
      let (first, second) = (
        try await log.submit([pair.certificate] + pair.chain, to: "add-chain"),
        try await log.submit([pair.certificate] + pair.chain.reversed(), to: "add-chain")
      )
      let promises = try [first, second].map { try ServedLog.Promise($0, pair.certificateEntry, log.key) }
      #expect(promises[0].leafHash == promises[1].leafHash && promises[0].index == 0)
      #expect(try await log.head().treeSize == 1)
    }
  }

  @Test(
    "White space in base64 is no reason to refuse a certificate",
    arguments: ["\n", "\r\n", " ", "\\n", "\\r\\n", "\\t "])
  func wrapped(space: String) async throws {
    try await ServedLog.run { log in
      let pair = try log.issue(1)
      let chain = ([pair.certificate] + pair.chain).map { certificate in
        let text = Base64.encode(certificate)
        let lines = stride(from: 0, to: text.utf8.count, by: 76).map { start in
          String(text.dropFirst(start).prefix(76))
        }
        return "\"" + lines.joined(separator: space) + space + "\""
      }
      let body = "{\"chain\":[\(chain.joined(separator: ","))]}"
      let reply = try await log.http.request("POST", ServedLog.prefix + "ct/v1/add-chain", body: Array(body.utf8))
      #expect(reply.status == 200, "\(reply.text)")
      _ = try ServedLog.Promise(reply, pair.certificateEntry, log.key)
    }
  }

  @Test("Who waits to be told to send the body is told so; who is refused anyway is not")
  func expectation() async throws {
    try await ServedLog.run { log in
      let invitation = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
      let pair = try log.issue(1)
      let body = try AddChainRequest(chain: [pair.certificate] + pair.chain).json()
      func head(_ length: Int, _ path: String = "ct/v1/add-chain") -> [UInt8] {
        let fields = "Host: test\r\nConnection: close\r\nExpect: 100-Continue\r\nContent-Length: \(length)\r\n\r\n"
        return Array("POST \(ServedLog.prefix)\(path) HTTP/1.1\r\n\(fields)".utf8)
      }
      // The body is sent a moment later, as if it had been waited for.
      let answer = try await log.http.exchange([head(body.count), body], pause: .milliseconds(100))
      #expect(answer.starts(with: invitation))
      #expect(RawHTTP.Reply(Array(answer.dropFirst(invitation.count)))?.status == 200)
      for (head, status) in [(head(300_000), 413), (head(10, "checkpoint"), 405)] {
        let answer = try await log.http.exchange([head], endsInput: true)
        #expect(RawHTTP.Reply(answer)?.status == status, "\(String(decoding: answer, as: UTF8.self))")
      }
    }
  }

  @Test("Pages of other sites may submit")
  func crossOrigin() async throws {
    try await ServedLog.run { log in
      for (path, methods) in [("ct/v1/add-chain", "POST, OPTIONS"), ("checkpoint", "GET, HEAD, OPTIONS")] {
        let headers = ["Origin": "https://ca.example", "Access-Control-Request-Method": "POST"]
        let reply = try await log.http.request("OPTIONS", ServedLog.prefix + path, headers: headers)
        #expect(reply.status == 204 && reply.body.isEmpty)
        #expect(reply.headers["access-control-allow-origin"] == "*")
        #expect(reply.headers["access-control-allow-methods"] == methods)
        #expect(reply.headers["access-control-allow-headers"] == "Content-Type")
      }
      #expect(try await log.submit([[1]], to: "add-chain").headers["access-control-allow-origin"] == "*")
    }
  }

  @Test("A client that trickles is cut off, in the head and in the body")
  func trickle() async throws {
    try await ServedLog.run({ options, _ in
      options.server.bodyTimeout = .milliseconds(400)
      options.server.idleTimeout = .milliseconds(400)
    }) { log in
      let head = "POST \(ServedLog.prefix)ct/v1/add-chain HTTP/1.1\r\nHost: test\r\n"
      let letters = [[UInt8]](repeating: [0x61], count: 40)
      // Each returns because the server closed: the client only reads.
      let inHead = try await log.http.exchange([Array(head.utf8)] + letters, pause: .milliseconds(50))
      #expect(RawHTTP.Reply(inHead) == nil || RawHTTP.Reply(inHead)?.status == 400)
      let withBody = Array((head + "Content-Length: 1000\r\n\r\n").utf8)
      let inBody = try await log.http.exchange([withBody] + letters, pause: .milliseconds(50))
      #expect(RawHTTP.Reply(inBody)?.status == 408)
      #expect(try await log.fill(1).count == 1)
    }
  }

  @Test("A client that sends without end is cut off")
  func endless() async throws {
    try await ServedLog.run { log in
      let head = "POST \(ServedLog.prefix)ct/v1/add-chain HTTP/1.1\r\nHost: test\r\n"
      let chunks = [UInt8](Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 65_536) + [13, 10])
      let endless = Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8)
      let inChunks = try await log.http.exchange(
        [endless] + [[UInt8]](repeating: chunks, count: 10), pause: .milliseconds(5))
      #expect(RawHTTP.Reply(inChunks)?.status == 413)
      #expect(try await log.fill(1).count == 1)
    }
  }

  @Test("Who submits too fast is told to wait, by address or by what the proxy says")
  func rates() async throws {
    try await ServedLog.run({ options, _ in
      options.server.clientRate = 0.001
      options.server.trustsForwarded = true
    }) { log in
      func status(_ client: String?) async throws -> RawHTTP.Reply {
        try await log.http.request(
          "POST", ServedLog.prefix + "ct/v1/add-chain", headers: client.map { ["X-Forwarded-For": $0] } ?? [:],
          body: [0x7b])
      }
      for client in [nil, "192.0.2.1", "2001:db8:1:2::5"] {
        #expect(try await status(client).status == 400)
        let reply = try await status(client)
        #expect(reply.status == 429 && reply.headers["retry-after"] == "1")
      }
      #expect(try await status("198.51.100.7, 192.0.2.1").status == 429, "only the proxy's own word counts")
      #expect(try await status("2001:db8:1:2:ffff::9").status == 429, "the same customer's network")
      #expect(try await status("2001:db8:1:3::5").status == 400)
      #expect(try await log.get("checkpoint").status == 200)
    }
  }

  @Test("Tokens come back with time, a second's worth each second")
  func tokens() {
    let limiter = RateLimiter(rate: 10)
    let start = ContinuousClock.now
    func admitted(_ seconds: Int) -> Int {
      (0..<100).count { _ in limiter.admits([1], at: start + .seconds(seconds)) }
    }
    #expect([0, 0, 1, 100].map(admitted) == [20, 0, 10, 20] as [Int])
    #expect(limiter.admits([2], at: start))
  }

  @Test("When the pool is full, what is too much is put off")
  func overload() async throws {
    try await ServedLog.run({ options, _ in
      options.pace.poolLimit = 4
      options.service.period = .seconds(1)
    }) { log in
      // Fresh precertificates: none gives way to another.
      let pairs = try (0..<20).map { try log.issue(5 * $0) }
      let replies = try await withThrowingTaskGroup(of: RawHTTP.Reply.self) { group in
        for pair in pairs { group.addTask { try await log.submit(pair, precertificate: true) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let taken = replies.count { $0.status == 200 }
      let putOff = replies.filter { $0.status == 503 }
      #expect(taken >= 4 && !putOff.isEmpty && taken + putOff.count == 20)
      #expect(putOff.allSatisfy { $0.headers["retry-after"] == "10" })
      #expect(try await log.head().treeSize == UInt64(taken))
    }
  }
}
