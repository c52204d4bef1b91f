import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Fetches what stands at a URL, from the public Internet alone, in bounded time and size. Redirects are not followed.
package struct PublicFetch: Sendable {
  package struct Failure: Error, Hashable, CustomStringConvertible {
    package let description: String
  }

  private let limit: Int
  private let timeout: Duration
  private let allowsPrivate: Bool
  private let userAgent: String
  private let resolver: HostResolver

  /// - Parameters:
  ///   - limit: the most bytes that are taken.
  ///   - timeout: for all of it.
  ///   - allowsPrivate: whether addresses will do that are not of the public Internet.
  package init(
    limit: Int, timeout: Duration, allowsPrivate: Bool = false, userAgent: String = "oriel",
    resolver: HostResolver = .system
  ) {
    self.limit = limit
    self.timeout = timeout
    self.allowsPrivate = allowsPrivate
    self.userAgent = userAgent
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
    do { return .success(try await fetch(url)) } catch { return .failure(error) }
  }

  private func fetch(_ url: WebhookURL) async throws -> [UInt8] {
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
    let result: Result<[UInt8], any Error>
    do { result = .success(try await body(url, client, seconds)) } catch { result = .failure(error) }
    try? await client.shutdown()
    return try result.get()
  }

  private func body(_ url: WebhookURL, _ client: HTTPClient, _ timeout: TimeAmount) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: url.text)
    request.headers.add(name: "user-agent", value: userAgent)
    request.headers.add(name: "accept-encoding", value: "identity")
    let response = try await client.execute(request, timeout: timeout)
    guard response.status.code == 200 else { throw Failure(description: "\(url) answered \(response.status.code)") }
    let buffer = try await response.body.collect(upTo: limit)
    return Array(buffer.readableBytesView)
  }
}
