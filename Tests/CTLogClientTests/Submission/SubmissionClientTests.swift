import CTLogClient
import CertificateTransparency
import MerkleTree
import Synchronization
import TestWorld
import Testing

@Suite("A client that submits to a log")
struct SubmissionClientTests {
  private static let time = HeldClock().start
  private static let signer = LogSigner()
  private static let pair = Result {
    var request = CertificateRequest(["www.example.com"])
    request.usesSigningCertificate = true
    let authority = try TestAuthority()
    return (plain: try authority.issue(CertificateRequest(["www.example.com"])), signed: try authority.issue(request))
  }

  /// The chains that are submitted: a certificate's, a precertificate's, and one of a precertificate signing certificate.
  enum Kind: String, CaseIterable {
    case certificate, precertificate, signingCertificate

    func chain() throws -> [[UInt8]] {
      let (plain, signed) = try SubmissionClientTests.pair.get()
      return switch self {
      case .certificate: [plain.certificate] + plain.chain
      case .precertificate: [plain.precertificate] + plain.pending.precertificateChain
      case .signingCertificate: [signed.precertificate] + signed.pending.precertificateChain
      }
    }

    func entry() throws -> LogEntryBody {
      let (plain, signed) = try SubmissionClientTests.pair.get()
      return switch self {
      case .certificate: .x509(certificate: plain.certificate)
      case .precertificate: plain.pending.entry.body
      case .signingCertificate: signed.pending.entry.body
      }
    }
  }

  private static func sct(
    _ entry: LogEntryBody, by signer: LogSigner = signer, extensions: [UInt8] = [0, 0, 5, 0, 0, 0, 0, 7]
  ) throws -> SignedCertificateTimestamp {
    try signer.sign(entry, timestamp: time, extensions: extensions)
  }

  private static func answer(_ sct: SignedCertificateTimestamp) throws -> TestResponse {
    .json(try AddChainResponse(sct: sct).json())
  }

  /// Time that passes only by sleeping.
  private final class Sleeper: Sendable {
    private let slept = Mutex<Duration>(.zero)
    var total: Duration { slept.withLock { $0 } }
    var surroundings: Pacer.Surroundings {
      Pacer.Surroundings(
        now: { self.total }, sleep: { time in self.slept.withLock { $0 += max(time, .zero) } }, random: { 0 })
    }
  }

  private static func submit(
    _ kind: Kind = .certificate, settings: HTTPTransport.Settings = .init(),
    patience: SubmissionClient.Patience = .init(), sleeper: Sleeper = Sleeper(),
    to respond: @escaping TestServer.Responder,
    _ body: (SubmissionClient, [[UInt8]], TestServer) async throws -> Void
  ) async throws {
    let chain = try kind.chain()
    try await TestServer.run(respond: respond) { server in
      try await HTTPTransport.withTransport(settings) { transport in
        let client = SubmissionClient(
          url: server.url + "2026", key: signer.publicKey, transport: transport,
          pacer: Pacer(surroundings: sleeper.surroundings), patience: patience, surroundings: sleeper.surroundings)
        try await body(client, chain, server)
      }
    }
  }

  @Test("posts the chain as JSON, and hands out the log's SCT", arguments: Kind.allCases)
  func success(_ kind: Kind) async throws {
    let seen = Notes<TestRequest>()
    let sct = try SubmissionClientTests.sct(kind.entry())
    let response = try SubmissionClientTests.answer(sct)
    try await SubmissionClientTests.submit(
      kind,
      to: { request in
        seen.add(request)
        return response
      }
    ) { client, chain, _ in
      let got = try await client.add(chain)
      #expect(got == sct)
      let request = try #require(seen.all.first)
      #expect(seen.all.count == 1)
      #expect(request.method == "POST")
      #expect(request.target == "/2026/ct/v1/" + (kind == .certificate ? "add-chain" : "add-pre-chain"))
      #expect(request.headers.contains { $0.name.lowercased() == "content-type" && $0.value == "application/json" })
      #expect(try AddChainRequest(json: request.body).chain == chain)
      #expect(SubmissionClientTests.signer.publicKey.verify(sct, for: try kind.entry()))
    }
  }

  @Test("refuses an SCT that is not this log's for this entry", arguments: Kind.allCases)
  func forged(_ kind: Kind) async throws {
    let other = LogSigner()
    let entries = try Kind.allCases.filter { $0 != kind }.map { try $0.entry() }
    var bad = try entries.map { try SubmissionClientTests.sct($0) }
    let right = try SubmissionClientTests.sct(kind.entry())
    bad.append(
      SignedCertificateTimestamp(
        logID: right.logID, timestamp: Timestamp(milliseconds: right.timestamp.milliseconds + 1),
        extensions: right.extensions, signature: right.signature))
    bad.append(
      SignedCertificateTimestamp(logID: right.logID, timestamp: right.timestamp, signature: right.signature))
    let foreign = try SubmissionClientTests.sct(kind.entry(), by: other)
    bad.append(
      SignedCertificateTimestamp(
        logID: right.logID, timestamp: right.timestamp, extensions: right.extensions, signature: foreign.signature))
    for sct in bad {
      let response = try SubmissionClientTests.answer(sct)
      try await SubmissionClientTests.submit(kind, to: { _ in response }) { client, chain, _ in
        let error = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
        #expect(error?.reason == .badSignature(sct))
      }
    }
    let response = try SubmissionClientTests.answer(foreign)
    try await SubmissionClientTests.submit(kind, to: { _ in response }) { client, chain, _ in
      let error = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
      #expect(error?.reason == .otherLog(other.logID))
    }
  }

  private static let good = [
    "sct_version": "0", "id": "\"\(signer.logID.base64)\"", "timestamp": "1780272000000", "extensions": "\"\"",
    "signature": "\"BAMAAA==\"",
  ]

  @Test(
    "names the member of the answer that is wrong",
    arguments: [
      ("sct_version", nil), ("sct_version", "1"), ("sct_version", "\"0\""), ("sct_version", "null"), ("id", nil),
      ("id", "\"AAAA\""), ("id", "\"?\""), ("id", "7"), ("timestamp", nil), ("timestamp", "\"1780272000000\""),
      ("extensions", nil), ("extensions", "\"=\""), ("extensions", "null"), ("signature", nil), ("signature", "\"\""),
      ("signature", "\"BAMABQ==\""), ("signature", "\"BAMAAAA=\""), ("signature", "[]"),
    ] as [(String, String?)])
  func malformed(_ member: String, _ value: String?) async throws {
    var members = SubmissionClientTests.good
    members[member] = value
    let body = "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    try await SubmissionClientTests.submit(to: { _ in .json(Array(body.utf8)) }) { client, chain, server in
      let error = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
      guard case .malformedAnswer(let problem)? = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
      let named = problem.description.lowercased()
      #expect(named.contains(member) || (member == "signature" && named.contains("digitallysigned")), "\(named)")
      #expect(server.requestCount == 1)
    }
  }

  @Test(
    "takes no garbage for an answer",
    arguments: ["", "null", "[]", "{", "<html>no</html>", "\u{0}", "{\"a\":"]
      + ["-1", "1.5", "1e30", "18446744073709551616"].map { number in
        "{" + good.map { "\"\($0)\":\($0 == "timestamp" ? number : $1)" }.joined(separator: ",") + "}"
      })
  func garbage(_ body: String) async throws {
    try await SubmissionClientTests.submit(to: { _ in .json(Array(body.utf8)) }) { client, chain, _ in
      let error = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
      guard case .malformedAnswer? = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("tells what a log that says no gives as its reason, and does not insist", arguments: [400, 403, 404, 410, 413])
  func refused(_ status: Int) async throws {
    let words = "chain does not end\nin a \u{1b}[31mknown root" + String(repeating: ".", count: 4000)
    try await SubmissionClientTests.submit(to: { _ in TestResponse(status: status, words) }) { client, chain, server in
      let error = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
      guard case .refused(status, let said)? = error?.reason else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(said.hasPrefix("chain does not end in a [31mknown root...") && said.utf8.count <= 200)
      #expect(server.requestCount == 1)
    }
  }

  @Test("comes back when the log has said, and not before", arguments: [429, 503])
  func busy(_ status: Int) async throws {
    let (asked, sleeper) = (Notes<Duration>(), Sleeper())
    let sct = try SubmissionClientTests.sct(Kind.certificate.entry())
    let response = try SubmissionClientTests.answer(sct)
    try await SubmissionClientTests.submit(
      sleeper: sleeper,
      to: { _ in
        asked.add(sleeper.total)
        guard asked.all.count == 1 else { return response }
        var refusal = TestResponse(status: status, "later")
        refusal.headers.append(("retry-after", "17"))
        return refusal
      }
    ) { client, chain, _ in
      let got = try await client.add(chain)
      #expect(got == sct)
      #expect(asked.all.count == 2)
      #expect(asked.all.last.map { (.seconds(17)...(.seconds(19))).contains($0) } == true, "\(asked.all)")
    }
  }

  @Test("does not wait for a log that wants to be left alone too long, nor ask it again")
  func tooBusy() async throws {
    let sleeper = Sleeper()
    try await SubmissionClientTests.submit(
      sleeper: sleeper,
      to: { _ in
        var refusal = TestResponse(status: 503, "next week")
        refusal.headers.append(("retry-after", "604800"))
        return refusal
      }
    ) { client, chain, server in
      let error = await #expect(throws: FetchError.self) { try await client.add(chain) }
      #expect(error?.retryAfter == .seconds(604_800))
      let second = await #expect(throws: SubmissionError.self) { try await client.add(chain) }
      #expect(second?.reason == .busy(for: .seconds(3600)))
      #expect(server.requestCount == 1)
      #expect(sleeper.total == .zero)
    }
  }

  @Test("tries a failing log a bounded number of times", arguments: [1, 2, 5])
  func bounded(_ tries: Int) async throws {
    let patience = SubmissionClient.Patience(tries: tries)
    for status in [500, 503] {
      try await SubmissionClientTests.submit(patience: patience, to: { _ in TestResponse(status: status, "oops") }) {
        client, chain, server in
        let error = await #expect(throws: FetchError.self) { try await client.add(chain) }
        #expect(error?.statusCode == status)
        #expect(server.requestCount == tries)
      }
    }
  }

  @Test("tries again when the answer breaks off")
  func cut() async throws {
    let count = Notes<Int>()
    let sct = try SubmissionClientTests.sct(Kind.certificate.entry())
    let response = try SubmissionClientTests.answer(sct)
    try await SubmissionClientTests.submit(to: { _ in
      count.add(0)
      var response = response
      if count.all.count == 1 { response.delivery = .cut(after: 40) }
      return response
    }) { client, chain, _ in
      let got = try await client.add(chain)
      #expect(got == sct)
      #expect(count.all.count == 2)
    }
  }

  @Test("takes no huge answer, waits for no slow one, and follows nobody elsewhere")
  func transport() async throws {
    var slow = TestResponse(status: 200, "{")
    slow.delivery = .never
    var dripping = TestResponse.json([UInt8](repeating: 0x20, count: 60_000))
    dripping.delivery = .drip(byteCount: 1, every: .milliseconds(20))
    var moved = TestResponse(status: 302, "")
    moved.headers.append(("location", "http://127.0.0.1/"))
    let huge = TestResponse.json([UInt8](repeating: 0x20, count: SubmissionClient.largestAnswer + 1))
    let hasty = HTTPTransport.Settings(
      idleTimeout: .milliseconds(200), totalTimeout: .seconds(5), minimumBytesPerSecond: 5000,
      progressGrace: .milliseconds(300))
    let patient = HTTPTransport.Settings()
    for (settings, response, isExpected) in [
      (hasty, slow, { if case .timedOut = $0 { true } else { false } }),
      (hasty, dripping, { if case .timedOut = $0 { true } else { false } }),
      (patient, moved, { $0 == .redirect(to: "http://127.0.0.1/") }),
      (patient, huge, { $0 == .tooLarge(limit: SubmissionClient.largestAnswer) }),
    ] as [(HTTPTransport.Settings, TestResponse, (FetchError.Reason) -> Bool)] {
      try await SubmissionClientTests.submit(settings: settings, patience: .init(tries: 1), to: { _ in response }) {
        client, chain, _ in
        let error = await #expect(throws: FetchError.self) { try await client.add(chain) }
        #expect(error.map { isExpected($0.reason) } == true, "\(String(describing: error))")
      }
    }
  }

  @Test("sends no chain that the request does not take")
  func badChains() async throws {
    let certificate = try Kind.certificate.chain()
    let precertificate = try Kind.precertificate.chain()
    let signed = try Kind.signingCertificate.chain()
    try await SubmissionClientTests.submit(to: { _ in TestResponse(status: 500, "") }) { client, _, server in
      for chain in [[], [[]], precertificate] as [[[UInt8]]] {
        await expectBadChain { try await client.addChain(chain) }
      }
      for chain in [
        [], certificate, [precertificate[0]], Array(signed.prefix(2)), [precertificate[0], [0x30, 0]],
        [precertificate[0], []],
      ] as [[[UInt8]]] {
        await expectBadChain { try await client.addPreChain(chain) }
      }
      #expect(server.requestCount == 0)
    }
  }

  private func expectBadChain(_ body: () async throws -> SignedCertificateTimestamp) async {
    let error = await #expect(throws: SubmissionError.self) { _ = try await body() }
    guard case .badChain? = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("posts only to http and https, and to no impossible port")
  func urls() async throws {
    try await HTTPTransport.withTransport { transport in
      for url in ["file:///tmp/x", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "log"] {
        var body: [UInt8] = [1]
        let error = await #expect(throws: FetchError.self) {
          try await transport.post(url, body: [], limit: 10, into: &body)
        }
        guard case .badURL? = error?.reason else {
          Issue.record("\(String(describing: error))")
          continue
        }
        #expect(body.isEmpty)
      }
    }
  }

  @Test("reads the roots that a log takes")
  func roots() async throws {
    let roots = [try Kind.certificate.chain().last ?? []]
    let response = TestResponse.json(try GetRootsResponse(certificates: roots).json())
    try await SubmissionClientTests.submit(to: { $0.target == "/2026/ct/v1/get-roots" ? response : .notFound }) {
      client, _, _ in
      let got = try await client.roots()
      #expect(got == roots)
    }
  }
}
