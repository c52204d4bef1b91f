import CertificateTransparency
import Foundation
import Synchronization
import TestWorld
import Testing

@testable import OrielAlerting

@Suite("The webhook channel")
struct WebhookChannelTests {
  private static func settings(_ url: String, _ adjust: (inout WebhookChannel.Settings) -> Void = { _ in }) throws
    -> WebhookChannel.Settings
  {
    var settings = WebhookChannel.Settings(url: try WebhookURL(url), allowPrivateTargets: true)
    adjust(&settings)
    return settings
  }

  /// Delivers once to a receiver that answers with `response`; also what the receiver got.
  private static func deliver(
    _ delivery: Delivery = Alerts.heartbeat, to response: TestResponse = TestResponse(status: 200, "ok"),
    _ adjust: (inout WebhookChannel.Settings) -> Void = { _ in }
  ) async throws -> (result: DeliveryResult, requests: [TestRequest]) {
    let requests = Received<TestRequest>()
    let respond: TestServer.Responder = { request in
      requests.add(request)
      return response
    }
    let result = try await TestServer.run(respond: respond) { server in
      let settings = try settings(server.url + "hook?a=b", adjust)
      return await WebhookChannel(settings, now: { Alerts.time }).deliver(delivery)
    }
    return (result, requests.all)
  }

  @Test("posts the payload as JSON, and says who it is and which delivery this is")
  func posts() async throws {
    let delivery = Alerts.delivery(.certificate(try Alerts.certificate()))
    let (result, requests) = try await Self.deliver(delivery) { $0.userAgent = "oriel/9" }
    #expect(result == .delivered("answered 200: ok"))
    let request = try #require(requests.first)
    #expect(requests.count == 1)
    #expect(request.method == "POST")
    #expect(request.target == "/hook?a=b")
    #expect(request.body == (try AlertJSON(delivery.alert).encoded()))
    #expect(request.header("content-type") == ["application/json"])
    #expect(request.header("idempotency-key") == ["d-1"])
    #expect(request.header("user-agent") == ["oriel/9"])
    #expect(request.header("oriel-signature").isEmpty)
  }

  @Test("signs time and body with the secret")
  func signs() async throws {
    let (_, requests) = try await Self.deliver { $0.secret = "correct horse" }
    let request = try #require(requests.first)
    let signature = WebhookChannel.signature(of: request.body, secret: "correct horse", at: Alerts.time)
    #expect(request.header("oriel-signature") == [signature])
    #expect(WebhookChannel.signature(of: request.body, secret: "correct horsf", at: Alerts.time) != signature)
    #expect(WebhookChannel.signature(of: request.body + [0], secret: "correct horse", at: Alerts.time) != signature)
  }

  @Test("makes the signature that any other HMAC-SHA256 makes")
  func knownSignature() {
    // printf '1770000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    let signature = WebhookChannel.signature(of: Array(#"{"a":1}"#.utf8), secret: "secret", at: Alerts.time)
    #expect(
      signature == "t=1770000000,v1=0bf9c34219c58d4ebe02fff1b357de19bbe1a1b8a10733aea9bb43b7a4dfed72")
  }

  @Test("never follows a redirect", arguments: [301, 302, 303, 307, 308])
  func redirects(_ status: Int) async throws {
    let (result, requests) = try await Self.deliver(
      to: {
        var response = TestResponse(status: status, "")
        response.headers.append(("location", "/elsewhere"))
        return response
      }())
    #expect(result == .refused("answered \(status) (redirects are not followed)"))
    #expect(requests.map(\.target) == ["/hook?a=b"])
  }

  @Test(
    "is done, refused this alert, takes none at the moment or never will, as the status says",
    arguments: [
      (200, "delivered"), (202, "delivered"), (204, "delivered"), (300, "refused"), (304, "refused"),
      (400, "refused"), (401, "unavailable"), (403, "unavailable"), (404, "refused"), (407, "unavailable"),
      (408, "refused"), (409, "refused"), (410, "gone"), (413, "refused"), (422, "refused"), (425, "refused"),
      (429, "unavailable"), (500, "refused"), (501, "refused"), (502, "unavailable"), (503, "unavailable"),
      (504, "unavailable"), (505, "refused"), (599, "refused"),
    ])
  func statuses(_ status: Int, _ outcome: String) {
    let result = WebhookChannel.result(status: status, retryAfter: nil, body: "so it is", now: Alerts.time)
    #expect(result.outcome == outcome)
    #expect(result.words.hasPrefix("answered \(status): so it is"))
  }

  @Test(
    "waits as long as the receiver asks, within reason",
    arguments: [
      ("120", .seconds(120)), ("0", .zero), ("99999999999999999999999", .seconds(86_400)),
      ("Mon, 02 Feb 2026 02:41:00 GMT", .seconds(60)), ("Mon, 02 Feb 2026 02:39:00 GMT", .zero),
      ("Sat, 02 Feb 9999 02:39:00 GMT", .seconds(86_400)), ("soon", nil), ("-5", nil), ("", nil),
    ] as [(String, Duration?)])
  func retryAfter(_ value: String, _ delay: Duration?) {
    let result = WebhookChannel.result(status: 429, retryAfter: value, body: "", now: Alerts.time)
    #expect(result == .unavailable("answered 429", retryAfter: delay))
  }

  @Test("reads Retry-After from the answer")
  func retryAfterHeader() async throws {
    var response = TestResponse(status: 503, "busy")
    response.headers.append(("retry-after", "30"))
    #expect(try await Self.deliver(to: response).result == .unavailable("answered 503: busy", retryAfter: .seconds(30)))
  }

  @Test(
    "says less to a receiver for which it is too much, under the same id", arguments: [400, 413], ["json", "slack"])
  func shorter(_ status: Int, _ payload: String) async throws {
    let sizes = Received<Int>()
    let ids = Received<[String]>()
    let respond: TestServer.Responder = { request in
      sizes.add(request.body.count)
      ids.add(request.header("idempotency-key"))
      return TestResponse(status: sizes.all.count == 1 ? status : 200, "")
    }
    let delivery = Alerts.delivery(.digest(try (0..<30).map { try Alerts.certificate(["n\($0).shop.example"]) }))
    let result = try await TestServer.run(respond: respond) { server in
      let settings = try Self.settings(server.url) { $0.payload = payload == "slack" ? .slack : .json }
      return await WebhookChannel(settings).deliver(delivery)
    }
    #expect(result == .delivered("answered 200"))
    #expect(sizes.all.count == 2 && sizes.all[1] < sizes.all[0])
    #expect(Set(ids.all).count == 1)
  }

  @Test("does not say the same again that was refused, nor less where that is not the matter")
  func notShorter() async throws {
    #expect(try await Self.deliver(to: TestResponse(status: 400, "")).requests.count == 1)
    let digest = Alerts.delivery(.digest(try (0..<30).map { try Alerts.certificate(["n\($0).shop.example"]) }))
    #expect(try await Self.deliver(digest, to: TestResponse(status: 500, "")).requests.count == 1)
  }

  @Test(
    "knows Slack by its host",
    arguments: [
      ("https://hooks.slack.com/services/x", true), ("https://SLACK.com/x", true),
      ("https://hooks.slack-gov.com/", true),
      ("https://notslack.com/x", false), ("https://discord.com/api/webhooks/1/slack", false),
      ("https://slack.com.example/x", false),
    ])
  func slack(_ url: String, _ isSlack: Bool) throws { #expect(try WebhookURL(url).isOfSlack == isSlack) }

  @Test("takes 410 for the end")
  func gone() async throws {
    let result = try await Self.deliver(to: TestResponse(status: 410, "no such channel")).result
    #expect(result == .gone("answered 410: no such channel (gone for good)"))
  }

  @Test("fails where no answer comes in time")
  func silence() async throws {
    var response = TestResponse(status: 200, "ok")
    response.delivery = .never
    let result = try await Self.deliver(to: response) { $0.timeout = .milliseconds(300) }.result
    #expect(result == .refused("127.0.0.1 did not answer in 0.3 seconds"))
  }

  @Test("knows the outcome by the head, however slow the body is", arguments: [200, 500])
  func slowBody(_ status: Int) async throws {
    var response = TestResponse(status: status, String(repeating: "x", count: 1000))
    response.delivery = .drip(byteCount: 1, every: .milliseconds(200))
    let result = try await Self.deliver(to: response).result
    #expect(result == (status == 200 ? .delivered("answered 200") : .refused("answered 500")))
  }

  @Test("reads and quotes the start of a huge body only")
  func hugeBody() async throws {
    let result = try await Self.deliver(to: TestResponse(status: 400, String(repeating: "x", count: 5_000_000))).result
    #expect(result == .refused("answered 400: " + String(repeating: "x", count: 4096), isPermanent: true))
  }

  @Test("quotes a body in one line that fools no terminal")
  func hostileBody() async throws {
    let result = try await Self.deliver(to: TestResponse(status: 400, "a\u{1b}[2J\r\nb\u{202e}c\0")).result
    #expect(result == .refused(#"answered 400: a\u{1b}[2J b\u{202e}c\u{0}"#, isPermanent: true))
  }

  @Test("reaches nobody where nobody listens")
  func noConnection() async throws {
    let port = try await TestServer.run(respond: { _ in .notFound }) { $0.port }
    let settings = try Self.settings("http://127.0.0.1:\(port)/secret")
    let result = await WebhookChannel(settings).deliver(Alerts.heartbeat)
    #expect(result.outcome == "unavailable")
    #expect(result.words.hasPrefix("127.0.0.1: "))
    #expect(!result.words.contains("secret"))
  }

  @Test("ends soon when its task is cancelled")
  func cancelled() async throws {
    let result = try await TestServer.run { _ in
      var response = TestResponse(status: 200, "ok")
      response.delivery = .never
      return response
    } _: { server in
      let channel = WebhookChannel(try Self.settings(server.url) { $0.timeout = .seconds(3600) })
      let task = Task { await channel.deliver(Alerts.heartbeat) }
      while server.requestCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
      task.cancel()
      return await task.value
    }
    #expect(result == .unavailable("cancelled"))
  }

  @Test("lets no line break into a header")
  func oddHeaders() async throws {
    let (result, requests) = try await Self.deliver { $0.userAgent = "a\r\nX-Injected: 1" }
    #expect(result.outcome == "unavailable")
    #expect(requests.isEmpty)
  }
}

/// What a server got.
final class Received<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  var all: [Value] { values.withLock { $0 } }
  func add(_ value: Value) { values.withLock { $0.append(value) } }
}

extension TestRequest {
  func header(_ name: String) -> [String] {
    headers.filter { $0.name.lowercased() == name }.map(\.value)
  }
}

extension DeliveryResult {
  var outcome: String {
    switch self {
    case .delivered: "delivered"
    case .unavailable: "unavailable"
    case .refused: "refused"
    case .gone: "gone"
    }
  }

  var words: String {
    switch self {
    case .delivered(let words), .unavailable(let words, _), .refused(let words, _, _, _), .gone(let words): words
    }
  }
}
