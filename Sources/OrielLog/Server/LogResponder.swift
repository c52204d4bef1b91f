import CertificateTransparency
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Finds who is to answer a request, and answers for what goes wrong.
struct LogResponder: HTTPResponder {
  struct Context: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
  }

  private let routes: [(prefix: String, service: LogService)]
  private let services: [LogService]
  private let settings: LogServer.Settings
  private let clock = HTTPClock()
  private let queue = AdmissionQueue()
  private let limiter: RateLimiter?

  init(_ services: [LogService], _ settings: LogServer.Settings) {
    self.services = services
    self.settings = settings
    limiter = settings.clientRate.map { RateLimiter(rate: $0) }
    let routes = services.flatMap { service in
      Set([service.entry.submissionURL, service.entry.monitoringURL].map(LogListEntry.prefix)).map { ($0, service) }
    }
    // The longest first: one log's prefix may begin with another's.
    self.routes = routes.sorted { $0.0.utf8.count > $1.0.utf8.count }
  }

  func respond(to request: Request, context: Context) async throws -> Response {
    let target = request.head.path ?? "/"
    let path = target.prefix { $0 != "?" }
    let route = routes.first { path.hasPrefix($0.prefix) }
    guard let (prefix, service) = route, path != "/health", path != "/metrics" else {
      return await answering { try await about(path, request) }.response(to: request)
    }
    let start = ContinuousClock.now
    let rest = path.dropFirst(prefix.count)
    guard let kind = LogResponder.submissions[rest] else {
      let query = Query(target.dropFirst(path.count + 1))
      let acceptsGzip = StaticFace.acceptsGzip(request.headers[.acceptEncoding])
      let answer = await answering { try await read(rest, query, request.method, acceptsGzip, of: service) }
      service.metrics.countRead(status: answer.status.code)
      return answer.response(to: request)
    }
    let answer = await answering { try await submit(request, kind, to: service, context) }
    service.metrics.countSubmission(rest.dropFirst(6), status: answer.status.code, took: .now - start)
    return answer.response(to: request)
  }

  /// The answer to a request for what never changes, if the system has it in memory; the first bytes of the body
  /// are in `buffer`.
  func respondNow(to request: HTTPRequest, _ buffer: inout ByteBuffer) -> PromptAnswer? {
    guard let plain = PlainRequest(request),
      let (prefix, service) = routes.first(where: { plain.path.hasPrefix($0.prefix) })
    else { return nil }
    let path = plain.path.dropFirst(prefix.utf8.count)
    guard let (fields, body) = service.readNow(path, acceptsGzip: plain.acceptsGzip, &buffer) else { return nil }
    var head = HTTPResponse(status: .ok, headerFields: fields)
    head.headerFields[.date] = clock.date()
    return PromptAnswer(head: head, body: body, metrics: service.metrics)
  }

  private static let submissions: [Substring: LogEntryKind] = [
    "ct/v1/add-chain": .x509, "ct/v1/add-pre-chain": .precertificate,
  ]

  private func answering(_ work: () async throws -> Answer) async -> Answer {
    do {
      return try await work()
    } catch let rejection as Rejection {
      return Refusal(rejection).answer
    } catch let refusal as Refusal {
      return refusal.answer
    } catch {
      // The reason is in the health of the log, for its operator.
      return Refusal(500, "the log could not do that").answer
    }
  }

  /// The answer to a method that is not among `allowed`, or that asks which are; nil for one that is.
  private static func answer(to method: HTTPRequest.Method, allowing allowed: [HTTPRequest.Method]) -> Answer? {
    guard !allowed.contains(method) else { return nil }
    let list = (allowed + [.options]).map(\.rawValue).joined(separator: ", ")
    var answer = Answer.text("use \(list) here", status: method == .options ? 204 : 405)
    answer.headers[.allow] = list
    guard method == .options else { return answer }
    answer.body.clear()
    answer.headers[.contentType] = nil
    answer.headers[.accessControlAllowMethods] = list
    answer.headers[.accessControlAllowHeaders] = "Content-Type"
    answer.headers[.accessControlMaxAge] = "86400"
    return answer
  }

  private func read(
    _ path: Substring, _ query: Query, _ method: HTTPRequest.Method, _ acceptsGzip: Bool, of service: LogService
  ) async throws -> Answer {
    if let answer = LogResponder.answer(to: method, allowing: [.get, .head]) { return answer }
    return try await service.read(path, query, acceptsGzip: acceptsGzip)
  }

  /// What is asked of the server rather than a log.
  private func about(_ path: Substring, _ request: Request) async throws -> Answer {
    guard path == "/health" || path == "/metrics" else { throw Refusal.notFound }
    if let answer = LogResponder.answer(to: request.method, allowing: [.get, .head]) { return answer }
    if path == "/metrics" { return .text(Metrics.text(services.map(\.measurements))) }
    var logs: [LogHealth] = []
    for service in services { logs.append(await service.health()) }
    var answer = Answer.json(Array((LogHealth.json(logs) + "\n").utf8))
    if !logs.allSatisfy(\.isWell) { answer.status = .serviceUnavailable }
    return answer
  }
}

// MARK: - Submissions

extension LogResponder {
  private func submit(
    _ request: Request, _ kind: LogEntryKind, to service: LogService, _ context: Context
  ) async throws -> Answer {
    if let answer = LogResponder.answer(to: request.method, allowing: [.post]) { return answer }
    if let limiter, !limiter.admits(client(request, context)) {
      throw Refusal(429, "you submit faster than one client may", retryAfter: 1)
    }
    if let closure = service.closure() { throw closure }
    let body = try await body(of: request, limit: service.log.admission.rules.maximumBodyByteCount, context)
    return .json(try AddChainResponse(sct: try await service.submit(body, as: kind, through: queue)).json())
  }

  private func client(_ request: Request, _ context: Context) -> [UInt8] {
    // The last one is what our own proxy saw; those before it anybody may have made up.
    if settings.trustsForwarded, let name = HTTPField.Name("X-Forwarded-For"),
      let last = request.headers[values: name].last?.split(separator: ",").last,
      let address = try? SocketAddress(ipAddress: last.filter { $0 != " " }, port: 0)
    {
      return RateLimiter.client(address)
    }
    return RateLimiter.client(context.channel.remoteAddress)
  }

  /// Tells a client that waits to be told so to send the body (RFC 9110, 10.1.1). Requests are answered in their order, so
  /// that all answers before this one are on their way.
  private func invite(_ request: Request, _ channel: any Channel) {
    guard request.headers[.expect]?.lowercased() == "100-continue" else { return }
    channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
  }

  /// Reads a body that is bounded in size and time. Where it is not within them, the connection ends soon after the
  /// answer: nobody wants to read the rest.
  private func body(of request: Request, limit: Int, _ context: Context) async throws -> [UInt8] {
    let channel = context.channel
    func endConnection() {
      channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      endConnection()
      throw Rejection.bodyTooLarge(limit: limit)
    }
    invite(request, channel)
    do {
      return [UInt8]((try await request.body.collect(upTo: limit)).readableBytesView)
    } catch is NIOTooManyBytesError {
      endConnection()
      throw Rejection.bodyTooLarge(limit: limit)
    } catch is PromptHandler.BodyTooSlow {
      endConnection()
      throw Refusal(408, "the request took too long to come")
    }
  }
}
