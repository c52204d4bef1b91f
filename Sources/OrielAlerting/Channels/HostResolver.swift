import NIOPosix

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Looks up the addresses of a host.
package struct HostResolver: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  /// The IP addresses of a host name, in the order to try them.
  package let addresses: @Sendable (String) async throws -> [String]

  package init(_ addresses: @escaping @Sendable (String) async throws -> [String]) { self.addresses = addresses }

  /// The system's own way: hosts file, DNS and what else it is set up for.
  package static let system = HostResolver { host in
    try await NIOThreadPool.singleton.runIfActive { try HostResolver.lookUp(host) }
  }

  private static func lookUp(_ host: String) throws -> [String] {
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, nil, &list)
    guard code == 0 else { throw Failure(String(cString: gai_strerror(code))) }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ai_next
      var text = [CChar](repeating: 0, count: 128)
      guard let address = entry.ai_addr,
        getnameinfo(address, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // Each address is listed once for each kind of socket.
      if !addresses.contains(found) { addresses.append(found) }
    }
    return addresses
  }
}
