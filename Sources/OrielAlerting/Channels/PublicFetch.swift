import AsyncHTTPClient
import CTLogClient
import Foundation
import NIOCore
import NIOHTTP1

/// Fetches what stands at a URL, from the public Internet alone, in bounded time and size.
package struct PublicFetch: Sendable {
  package struct Failure: Error, Hashable, CustomStringConvertible {
    package let description: String
  }

  private let limit: Int
  private let timeout: Duration
  private let allowsPrivate: Bool
  private let userAgent: String
  private let accept: String?
  private let mostRedirects: Int
  private let resolver: HostResolver

  /// - Parameters:
  ///   - limit: the most bytes that are taken.
  ///   - timeout: for all of it.
  ///   - allowsPrivate: whether addresses will do that are not of the public Internet.
  ///   - accept: the media types that are asked for; nil for any.
  ///   - redirects: how many are followed, each to where the first URL might have led too, and none from https to http.
  package init(
    limit: Int, timeout: Duration, allowsPrivate: Bool = false, userAgent: String = "oriel", accept: String? = nil,
    redirects: Int = 0, resolver: HostResolver = .system
  ) {
    self.limit = limit
    self.timeout = timeout
    self.allowsPrivate = allowsPrivate
    self.userAgent = userAgent
    self.accept = accept
    mostRedirects = redirects
    self.resolver = resolver
  }

  /// The body of what is there.
  package func bytes(at text: String) async throws -> [UInt8] {
    let url = try WebhookURL(text)
    let result = await within(timeout) { await attempt(url) }
    guard let result else { throw Failure(description: "\(url) did not answer in \(timeout)") }
    return try result.get()
  }

  private func attempt(_ url: WebhookURL) async -> Result<[UInt8], any Error> {
    do {
      var url = url
      for rest in (0...mostRedirects).reversed() {
        switch try await fetch(url) {
        case .body(let bytes): return .success(bytes)
        case .redirect(let location):
          guard rest > 0 else { throw Failure(description: "\(url) redirects\(mostRedirects > 0 ? " too often" : "")") }
          url = try next(location, from: url)
        }
      }
      throw Failure(description: "\(url) redirects too often")
    } catch {
      return .failure(error)
    }
  }

  private func next(_ location: String, from url: WebhookURL) throws -> WebhookURL {
    guard location.utf8.count <= 4096, let base = URL(string: url.text),
      let target = URL(string: location, relativeTo: base)?.absoluteURL
    else { throw Failure(description: "\(url) redirects to what is no URL") }
    guard base.scheme?.lowercased() != "https" || target.scheme?.lowercased() == "https" else {
      throw Failure(description: "\(url) redirects from https to \(target.scheme ?? "nothing")".oneLine())
    }
    return try WebhookURL(target.absoluteString)
  }

  private enum Answer {
    case body([UInt8])
    case redirect(to: String)
  }

  private func fetch(_ url: WebhookURL) async throws -> Answer {
    let isLiteral = TargetAddress.octets(url.host) != nil
    let addresses = isLiteral ? [url.host] : try await resolver.addresses(url.host)
    // One address that must not be reached rules out the host: its others are not to be trusted.
    for address in addresses where !allowsPrivate {
      if let objection = TargetAddress.objection(to: address) {
        throw Failure(description: "\(url) is \(address), which is not to be reached: \(objection)".oneLine())
      }
    }
    guard let address = addresses.first(where: { TargetAddress.octets($0) != nil }) else {
      throw Failure(description: "\(url) has no address")
    }
    let seconds = TimeAmount.seconds(max(1, timeout.components.seconds))
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: seconds, read: seconds), decompression: .disabled)
    configuration.httpVersion = .http1Only
    // The address holds for this fetch alone: looked up again, the name could lead elsewhere.
    if !isLiteral { configuration.dnsOverride = [url.host: address] }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let result: Result<Answer, any Error>
    do { result = .success(try await body(url, client, seconds)) } catch { result = .failure(error) }
    try? await client.shutdown()
    return try result.get()
  }

  private func body(_ url: WebhookURL, _ client: HTTPClient, _ timeout: TimeAmount) async throws -> Answer {
    var request = HTTPClientRequest(url: url.text)
    request.headers.add(name: "user-agent", value: userAgent)
    request.headers.add(name: "accept-encoding", value: "identity")
    if let accept { request.headers.add(name: "accept", value: accept) }
    let response = try await client.execute(request, timeout: timeout)
    if [301, 302, 303, 307, 308].contains(response.status.code), let location = response.headers.first(name: "location")
    {
      return .redirect(to: location)
    }
    guard response.status.code == 200 else { throw Failure(description: "\(url) answered \(response.status.code)") }
    let buffer = try await response.body.collect(upTo: limit)
    return .body(try plain(Array(buffer.readableBytesView), response.headers.first(name: "content-encoding"), url))
  }

  /// Some servers compress what they were asked for as it is.
  private func plain(_ bytes: [UInt8], _ encoding: String?, _ url: WebhookURL) throws -> [UInt8] {
    switch encoding?.lowercased() {
    case nil, "", "identity": return bytes
    case "gzip", "x-gzip":
      var inflated: [UInt8] = []
      try Inflater().inflate(bytes.span, into: &inflated, limit: limit)
      return inflated
    default:
      throw Failure(description: "\(url) answered in the encoding \(encoding ?? ""), which was not asked for".oneLine())
    }
  }
}
