import AsyncHTTPClient
import CTLogClient
package import CertificateTransparency
import Crypto
import Foundation
import MerkleTree
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends alerts to a URL, as documented in `docs/webhook.md`.
package struct WebhookChannel: Channel {
  package enum Payload: Hashable, Sendable {
    /// ``AlertJSON``.
    case json
    /// What Slack, Mattermost and others take for a message.
    case slack
  }

  package struct Settings: Hashable, Sendable {
    package var url: WebhookURL
    package var payload: Payload
    /// Signs each request, if there is one.
    package var secret: String?
    /// For all of an attempt, name lookup included.
    package var timeout: Duration
    /// Whether addresses will do that are not of the public Internet.
    package var allowPrivateTargets: Bool
    package var userAgent: String
    /// Whether a burst comes as digests: as messages do, unless set otherwise, and JSON does not.
    package var combinesBursts: Bool

    package init(
      url: WebhookURL, payload: Payload = .json, secret: String? = nil, timeout: Duration = .seconds(10),
      allowPrivateTargets: Bool = false, userAgent: String = "oriel"
    ) {
      self.url = url
      self.payload = payload
      self.secret = secret
      self.timeout = timeout
      self.allowPrivateTargets = allowPrivateTargets
      self.userAgent = userAgent
      combinesBursts = payload == .slack
    }
  }

  private let settings: Settings
  private let resolver: HostResolver
  private let now: @Sendable () -> Timestamp

  package init(
    _ settings: Settings, resolver: HostResolver = .system,
    now: @escaping @Sendable () -> Timestamp = { .now }
  ) {
    self.settings = settings
    self.resolver = resolver
    self.now = now
  }

  package func deliver(_ delivery: Delivery) async -> DeliveryResult {
    let result = await within(settings.timeout) { await attempt(delivery) }
    if let result { return result }
    return Task.isCancelled ? .unavailable("cancelled") : .refused(lateness)
  }

  package var combinesBursts: Bool { settings.combinesBursts }

  private var lateness: String { "\(settings.url) did not answer in \(settings.timeout)" }

  private func attempt(_ delivery: Delivery) async -> DeliveryResult {
    do {
      let targets = try await self.targets()
      var attempt = Attempt(result: .unavailable("\(settings.url) has no address"))
      var last: [UInt8] = []
      for form in forms {
        let body = try form(delivery.alert)
        guard body != last else { continue }
        last = body
        attempt = await send(request(delivery.id, body), to: targets)
        // Too long, perhaps: what is shorter may do.
        guard let status = attempt.status, [400, 413].contains(status) else { break }
      }
      return attempt.result
    } catch let refusal as Refusal {
      return refusal.result
    } catch {
      return .unavailable("\(settings.url): \(error)".oneLine())
    }
  }

  /// The first address that answers gets the request.
  private func send(_ request: HTTPClientRequest, to targets: [String]) async -> Attempt {
    var attempt = Attempt(result: .unavailable("\(settings.url) has no address"))
    for target in targets {
      attempt = await send(request, to: target, ofTotal: targets.count)
      if attempt.isConnected || Task.isCancelled { break }
    }
    return attempt
  }

  // MARK: - Where to

  private struct Refusal: Error {
    let result: DeliveryResult
  }

  /// The most addresses of a host that are tried.
  private static let mostTargets = 4

  /// The addresses to connect to. One that must not be reached rules out the host: its others are not to be trusted.
  private func targets() async throws -> [String] {
    let host = settings.url.host
    let isLiteral = TargetAddress.octets(host) != nil
    let addresses = isLiteral ? [host] : try await resolver.addresses(host)
    for address in addresses where !settings.allowPrivateTargets {
      guard let objection = TargetAddress.objection(to: address) else { continue }
      let words =
        "\(isLiteral ? address : "\(host) is \(address)"), which is not to be reached: \(objection)".oneLine()
        + " (set allow_private_targets if it is meant)"
      // Names can be put right, or spoofed for a while, and settings changed: no reason to give up on an alert.
      throw Refusal(result: .unavailable(words))
    }
    // Whatever else stands there would be looked up again, behind our back.
    return Array(addresses.filter { TargetAddress.octets($0) != nil }.prefix(WebhookChannel.mostTargets))
  }

  // MARK: - What

  /// What is said, and then what is said to a receiver that takes no more than less.
  private var forms: [(Alert) throws -> [UInt8]] {
    switch settings.payload {
    case .json: return [{ try AlertJSON($0).encoded() }, { try AlertJSON($0, isShortened: true).encoded() }]
    case .slack:
      let limits = [SlackMessage.slackLimit, SlackMessage.usualLimit, SlackMessage.leastLimit]
      return limits.dropFirst(settings.url.isOfSlack ? 0 : 1).map { limit in
        { try SlackMessage($0, limit: limit).encoded() }
      }
    }
  }

  private func request(_ id: String, _ body: [UInt8]) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: settings.url.text)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: settings.userAgent)
    request.headers.add(name: "Idempotency-Key", value: id)
    if let secret = settings.secret {
      let signature = WebhookChannel.signature(of: body, secret: secret, at: now())
      request.headers.add(name: "Oriel-Signature", value: signature)
    }
    request.body = .bytes(body)
    return request
  }

  /// `t=<seconds since 1970>,v1=<HMAC-SHA256 over the seconds, a dot and the body>`.
  static func signature(of body: [UInt8], secret: String, at time: Timestamp) -> String {
    let seconds = time.milliseconds / 1000
    let code = HMAC<SHA256>.authenticationCode(
      for: Array("\(seconds).".utf8) + body, using: SymmetricKey(data: Array(secret.utf8)))
    return "t=\(seconds),v1=" + code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  // MARK: - How

  private struct Attempt {
    var result: DeliveryResult
    /// Whether the address answered at all; if not, another one may.
    var isConnected = false
    var status: Int?
  }

  /// Sends the request to one address; name and Host, and for TLS the name in the certificate, stay the URL's.
  private func send(_ request: HTTPClientRequest, to address: String, ofTotal count: Int) async -> Attempt {
    let timeout = TimeAmount(settings.timeout)
    // Less than the whole: a connection that does not come about says nothing of the alert.
    let connect = timeout / 5 * 4 / max(1, count)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: connect, read: timeout),
      decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    if settings.url.host != address { configuration.dnsOverride = [settings.url.host: address] }
    // A client of its own: the address holds for this attempt alone.
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let attempt: Attempt
    do {
      let response = try await client.execute(request, timeout: timeout)
      attempt = Attempt(
        result: await result(response), isConnected: true, status: Int(response.status.code))
    } catch {
      attempt = failure(error)
    }
    try? await client.shutdown()
    return attempt
  }

  private func failure(_ error: any Error) -> Attempt {
    let words = (error as? HTTPClientError)?.shortDescription ?? "\(error)"
    let unreachable: Set<Int32> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL, ETIMEDOUT]
    let isUnreachable =
      error as? HTTPClientError == .connectTimeout
      || (error as? IOError).map { unreachable.contains($0.errnoCode) } ?? false
    let isLate = error as? HTTPClientError == .deadlineExceeded
    let said = isLate ? lateness : "\(settings.url): \(words)".oneLine()
    return Attempt(
      result: WebhookChannel.isOfMessage(error) ? .refused(said) : .unavailable(said), isConnected: !isUnreachable)
  }

  /// Whether a connection failed once the alert was on its way: then the alert may be what the receiver stumbled over.
  private static func isOfMessage(_ error: any Error) -> Bool {
    let late: [HTTPClientError] = [.deadlineExceeded, .readTimeout, .writeTimeout, .remoteConnectionClosed]
    if let error = error as? HTTPClientError { return late.contains(error) }
    if let error = error as? IOError { return [ECONNRESET, EPIPE].contains(error.errnoCode) }
    return error is HTTPParserError
  }

  private func result(_ response: HTTPClientResponse) async -> DeliveryResult {
    let body = await within(.seconds(2)) { await WebhookChannel.start(of: response.body) } ?? ""
    return WebhookChannel.result(
      status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"), body: body,
      now: now())
  }

  /// The most bytes of an answer that are read, and quoted.
  private static let mostQuoted = 4096

  private static func start(of body: HTTPClientResponse.Body) async -> String {
    var bytes: [UInt8] = []
    do {
      for try await part in body {
        bytes.append(contentsOf: part.readableBytesView.prefix(mostQuoted - bytes.count))
        if bytes.count == mostQuoted { break }
      }
    } catch {
      // The status has said what matters.
    }
    return String(decoding: bytes, as: UTF8.self).oneLine(limit: mostQuoted)
  }

  /// What an answer means.
  static func result(status: Int, retryAfter: String?, body: String, now: Timestamp) -> DeliveryResult {
    let words = "answered \(status)" + (body.isEmpty ? "" : ": \(body)")
    switch status {
    case 200..<300: return .delivered(words)
    case 300..<400: return .refused(words + " (redirects are not followed)")
    case 410: return .gone(words + " (gone for good)")
    // Who asks, how often, and whether anybody is there behind the gateway: nothing of the alert.
    case 401, 403, 407, 429, 502, 503, 504: return .unavailable(words, retryAfter: delay(retryAfter, now: now))
    // A request that took too long, and what came too early, may fare better.
    default:
      let isPermanent = (400..<500).contains(status) && ![408, 425].contains(status)
      return .refused(words, isPermanent: isPermanent, retryAfter: delay(retryAfter, now: now))
    }
  }

  /// Reads Retry-After, a day at most.
  private static func delay(_ value: String?, now: Timestamp) -> Duration? {
    let asked = value.flatMap { ResponseHead.retryAfter($0, date: nil, now: Int64(clamping: now.milliseconds / 1000)) }
    return asked.map { min($0, .seconds(86_400)) }
  }
}

extension TimeAmount {
  fileprivate init(_ duration: Duration) {
    // A day is as good as for ever, and overflows nothing.
    let parts = min(max(duration, .milliseconds(1)), .seconds(86_400)).components
    self = .seconds(parts.seconds) + .nanoseconds(parts.attoseconds / 1_000_000_000)
  }

  fileprivate static func / (amount: TimeAmount, divisor: Int) -> TimeAmount {
    .nanoseconds(amount.nanoseconds / Int64(divisor))
  }
}
