package import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Fetches bodies of a bounded size over HTTP/1.1, or from files, and posts JSON.
///
/// Redirects are not followed, certificates are verified, and bodies arrive as they were sent: whoever asks for gzip
/// inflates it (``Inflater``). Call ``shutdown()`` at the end.
public final class HTTPTransport: Sendable {
  public struct Settings: Sendable {
    /// What calls itself to servers, as `name/version`.
    public var product: String
    /// Where an operator can reach whoever runs this: a mail address or URL. Some logs are kinder to those who say.
    public var contact: String?
    /// Connections kept to one host; more requests wait.
    public var connectionsPerHost: Int
    public var connectTimeout: Duration
    /// The longest silence in the middle of a response.
    public var idleTimeout: Duration
    /// The time for a whole request.
    public var totalTimeout: Duration
    /// Once ``progressGrace`` is over, a body must have come at this rate.
    public var minimumBytesPerSecond: Int
    public var progressGrace: Duration

    public init(
      product: String = "oriel/0.1", contact: String? = nil, connectionsPerHost: Int = 16,
      connectTimeout: Duration = .seconds(10), idleTimeout: Duration = .seconds(20),
      totalTimeout: Duration = .seconds(60), minimumBytesPerSecond: Int = 1024,
      progressGrace: Duration = .seconds(15)
    ) {
      self.product = product
      self.contact = contact
      self.connectionsPerHost = connectionsPerHost
      self.connectTimeout = connectTimeout
      self.idleTimeout = idleTimeout
      self.totalTimeout = totalTimeout
      self.minimumBytesPerSecond = minimumBytesPerSecond
      self.progressGrace = progressGrace
    }

    var userAgent: String { product + (contact.map { " (+\($0))" } ?? "") }
  }

  public let settings: Settings
  private let client: HTTPClient

  /// One thread for all transports, which is never shut down: the look-up of a name can't be broken off, may outlast
  /// its request and the transport, and then still reports to its event loop.
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  public convenience init(_ settings: Settings = Settings()) { self.init(settings) { _ in } }

  /// Lets `adjust` have the last word on how the client connects (proxy, trust roots).
  package init(_ settings: Settings, adjusting adjust: (inout HTTPClient.Configuration) -> Void) {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: TimeAmount(settings.connectTimeout), read: TimeAmount(settings.idleTimeout)),
      decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, settings.connectionsPerHost)
    // Whether and when to try again is the caller's to say.
    configuration.connectionPool.retryConnectionEstablishment = false
    // Few large reads instead of many small ones: half the kernel's work for get-entries.
    configuration.http1_1ConnectionDebugInitializer = { channel in
      channel.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 262_144))
    }
    adjust(&configuration)
    self.settings = settings
    client = HTTPClient(eventLoopGroupProvider: .shared(HTTPTransport.group), configuration: configuration)
  }

  /// Ends all requests and closes all connections.
  public func shutdown() async throws { try await client.shutdown() }

  /// A transport for the duration of `body`.
  public static func withTransport<Result>(
    _ settings: Settings = Settings(), isolation: isolated (any Actor)? = #isolation,
    _ body: (HTTPTransport) async throws -> Result
  ) async throws -> Result {
    let transport = HTTPTransport(settings)
    do {
      let result = try await body(transport)
      try await transport.shutdown()
      return result
    } catch {
      try? await transport.shutdown()
      throw error
    }
  }

  /// Fetches `url` into `buffer`, whose content is replaced and whose storage is kept.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are taken; a larger body is refused as soon as it is known to be larger.
  ///   - acceptsGzip: whether the server may send gzip; some do so unasked.
  ///   - entityTag: makes the request conditional; the answer may then be 304, and the buffer empty.
  /// - Throws: ``FetchError`` for whatever a server or the net does; `CancellationError`.
  @discardableResult
  public func get(
    _ url: String, limit: Int, into buffer: inout [UInt8], acceptsGzip: Bool = false, entityTag: String? = nil
  ) async throws -> ResponseHead {
    buffer.removeAll(keepingCapacity: true)
    if url.hasPrefix("file:") { return try readFile(url, limit: limit, into: &buffer) }
    var request = try request(url, "https, http and file can be read")
    request.headers.add(name: "accept-encoding", value: acceptsGzip ? "gzip" : "identity")
    if let entityTag { request.headers.add(name: "if-none-match", value: entityTag) }
    return try await send(request, conditional: entityTag != nil, limit, into: &buffer)
  }

  /// Sends `body`, a JSON text, to `url`, and takes the answer into `buffer`, whose content is replaced.
  ///
  /// - Parameter limit: the most bytes of the answer that are taken.
  /// - Throws: ``FetchError`` for whatever a server or the net does; `CancellationError`.
  @discardableResult
  public func post(
    _ url: String, body: [UInt8], limit: Int, into buffer: inout [UInt8]
  ) async throws -> ResponseHead {
    buffer.removeAll(keepingCapacity: true)
    var request = try request(url, "JSON can be posted to https and http")
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.headers.add(name: "accept-encoding", value: "identity")
    request.body = .bytes(ByteBuffer(bytes: body))
    return try await send(request, conditional: false, limit, into: &buffer)
  }

  private func request(_ url: String, _ expected: String) throws(FetchError) -> HTTPClientRequest {
    guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
      throw FetchError(url: url, reason: .badURL(expected))
    }
    // The client would trap on a port past the range beside an address in digits.
    if let port = URL(string: url)?.port, !(1...65535).contains(port) {
      throw FetchError(url: url, reason: .badURL("there is no such port"))
    }
    var request = HTTPClientRequest(url: url)
    request.headers.add(name: "user-agent", value: settings.userAgent)
    return request
  }

  private func send(
    _ request: HTTPClientRequest, conditional: Bool, _ limit: Int, into buffer: inout [UInt8]
  ) async throws -> ResponseHead {
    let watch = ProgressWatch(settings)
    do {
      let response = try await client.execute(request, deadline: .now() + TimeAmount(settings.totalTimeout))
      return try await receive(response, from: request.url, conditional: conditional, limit, into: &buffer, watch)
    } catch {
      buffer.removeAll(keepingCapacity: true)
      throw translate(error, url: request.url, after: watch.elapsed)
    }
  }

  private func receive(
    _ response: HTTPClientResponse, from url: String, conditional: Bool, _ limit: Int, into buffer: inout [UInt8],
    _ watch: ProgressWatch
  ) async throws -> ResponseHead {
    let head = ResponseHead(response)
    switch head.status {
    case 200: break
    case 304 where conditional: return head
    case 300..<400:
      throw FetchError(
        url: url, reason: .redirect(to: response.headers.first(name: "location")?.printable ?? "nowhere"))
    default:
      let body = await FetchError.Reason.excerpt(of: response.body, watch)
      throw FetchError(url: url, reason: .status(code: head.status, retryAfter: head.retryAfter, body: body))
    }
    let announced = response.headers.first(name: "content-length").flatMap { Int($0) }
    guard announced ?? 0 <= limit else { throw FetchError(url: url, reason: .tooLarge(limit: limit)) }
    if let announced { buffer.reserveCapacity(announced) }
    do {
      for try await part in response.body {
        guard part.readableBytes <= limit - buffer.count else {
          throw FetchError(url: url, reason: .tooLarge(limit: limit))
        }
        buffer.append(contentsOf: part.readableBytesView)
        guard watch.isFastEnough(buffer.count) else {
          throw FetchError(url: url, reason: .timedOut(after: watch.elapsed))
        }
      }
    } catch let error where error as? HTTPClientError == .remoteConnectionClosed || error is HTTPParserError {
      throw FetchError(url: url, reason: .truncated(expected: announced, got: buffer.count))
    }
    if let announced, buffer.count < announced {
      throw FetchError(url: url, reason: .truncated(expected: announced, got: buffer.count))
    }
    return head
  }

  private func translate(_ error: any Error, url: String, after elapsed: Duration) -> any Error {
    switch error {
    case is FetchError, is CancellationError: return error
    case let error as HTTPClientError:
      switch error {
      case .cancelled: return CancellationError()
      case .readTimeout, .connectTimeout, .deadlineExceeded, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
        return FetchError(url: url, reason: .timedOut(after: elapsed))
      case .invalidURL, .emptyHost, .emptyScheme: return FetchError(url: url, reason: .badURL(error.shortDescription))
      default: return FetchError(url: url, reason: .connection(error.shortDescription))
      }
    default: return FetchError(url: url, reason: .connection(HTTPTransport.reason(error)))
    }
  }

  /// Why there is no connection, as the system has it.
  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      // Of several addresses, the first says enough; a name that has none says so itself.
      error.connectionErrors.first.map { reason($0.error) } ?? "\(error)".printable
    default: "\(error)".printable
    }
  }

  private func readFile(_ url: String, limit: Int, into buffer: inout [UInt8]) throws -> ResponseHead {
    guard let file = URL(string: url), file.isFileURL else {
      throw FetchError(url: url, reason: .badURL("not the URL of a file"))
    }
    do {
      let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
      guard size ?? 0 <= limit else { throw FetchError(url: url, reason: .tooLarge(limit: limit)) }
      let content = try Data(contentsOf: file)
      guard content.count <= limit else { throw FetchError(url: url, reason: .tooLarge(limit: limit)) }
      buffer.append(contentsOf: content)
    } catch let error as FetchError {
      throw error
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
      throw FetchError(url: url, reason: .status(code: 404, retryAfter: nil, body: "no such file"))
    } catch {
      throw FetchError(url: url, reason: .connection("\(error)"))
    }
    return ResponseHead(status: 200)
  }
}

/// Whether a body comes fast enough: an attacker who sends a byte now and then must not hold a reader for ever.
private struct ProgressWatch: Sendable {
  let start = ContinuousClock.now
  let settings: HTTPTransport.Settings

  init(_ settings: HTTPTransport.Settings) { self.settings = settings }

  var elapsed: Duration { ContinuousClock.now - start }

  func isFastEnough(_ count: Int) -> Bool {
    let elapsed = elapsed
    guard elapsed <= settings.totalTimeout else { return false }
    guard elapsed > settings.progressGrace else { return true }
    return Double(count) >= Double(settings.minimumBytesPerSecond) * (elapsed / .seconds(1))
  }
}

extension ResponseHead {
  fileprivate init(_ response: HTTPClientResponse) {
    let headers = response.headers
    self.init(
      status: Int(response.status.code), etag: headers.first(name: "etag").flatMap(ResponseHead.entityTag),
      contentType: headers.first(name: "content-type"),
      retryAfter: headers.first(name: "retry-after").flatMap { value in
        ResponseHead.retryAfter(
          value, date: headers.first(name: "date"), now: Int64(Date().timeIntervalSince1970))
      })
  }
}

extension FetchError.Reason {
  /// The start of an error's body, for a person to read.
  fileprivate static func excerpt(of body: HTTPClientResponse.Body, _ watch: ProgressWatch) async -> String {
    var bytes: [UInt8] = []
    do {
      for try await part in body {
        bytes.append(contentsOf: part.readableBytesView.prefix(200 - bytes.count))
        if bytes.count == 200 || !watch.isFastEnough(bytes.count) { break }
      }
    } catch {
      // What came is enough; the status says the rest.
    }
    return String(decoding: bytes, as: UTF8.self).printable
  }
}

extension String {
  /// The text in one line and without control characters, as it comes from strangers.
  fileprivate var printable: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? " " : $0 })
    ).split(separator: " ").joined(separator: " ")
  }
}

extension TimeAmount {
  fileprivate init(_ duration: Duration) {
    // A hundred days are as good as for ever, and overflow nothing.
    let parts = min(max(duration, .zero), .seconds(8_640_000)).components
    self = .seconds(parts.seconds) + .nanoseconds(parts.attoseconds / 1_000_000_000)
  }
}
