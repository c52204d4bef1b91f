import Foundation

/// An IP address and a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  package enum Family: String, Hashable, Sendable, CaseIterable {
    case ipv4, ipv6

    var number: Int32 { self == .ipv4 ? AF_INET : AF_INET6 }
  }

  package let family: Family
  /// In the usual notation, without brackets; link-local ones with their zone.
  package let host: String
  package let port: UInt16
  /// The `sockaddr`.
  let system: [UInt8]

  /// Reads an address in the usual notation; nil if it is none.
  package init?(_ host: String, port: UInt16) {
    guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), host.utf8.count <= 80,
      let first = try? Resolver.ask(host, port: port, family: nil, flags: AI_NUMERICHOST).get().first
    else { return nil }
    self = first
  }

  /// Copies what the system gave; nil if it is of no IP family.
  init?(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
    switch Int32(address.pointee.sa_family) {
    case AF_INET: family = .ipv4
    case AF_INET6: family = .ipv6
    default: return nil
    }
    var host = [CChar](repeating: 0, count: 128)
    var service = [CChar](repeating: 0, count: 16)
    guard
      getnameinfo(
        address, length, &host, socklen_t(host.count), &service, socklen_t(service.count),
        NI_NUMERICHOST | NI_NUMERICSERV) == 0, let port = UInt16(SocketAddress.text(service))
    else { return nil }
    self.host = SocketAddress.text(host)
    self.port = port
    system = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length)))
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package var description: String { family == .ipv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The system's own way from a name to its addresses.
enum Resolver {
  /// How many addresses of a name are looked at.
  static let maximum = 64
  /// `SOCK_STREAM`, whose type differs between systems.
  static let stream: Int32 = 1

  /// Its calls can't be ended early, so that it has threads of its own: those who wait may go before it is done.
  private static let threads = WorkerThreads(limit: 64)

  /// All addresses of a name, in the system's order.
  static func resolve(
    _ host: String, port: UInt16, family: SocketAddress.Family?, _ watch: Watch
  ) throws(ProbeError) -> [SocketAddress] {
    if let address = SocketAddress(host, port: port) {
      guard family == nil || family == address.family else {
        throw .nameNotResolved(host: host, reason: "it is an address of another family")
      }
      return [address]
    }
    let answer = Answer<Result<[SocketAddress], ProbeError>>()
    threads.submit { answer.give(ask(host, port: port, family: family, flags: 0)) }
    return try answer.wait(watch, .resolving).get()
  }

  static func ask(
    _ host: String, port: UInt16, family: SocketAddress.Family?, flags: Int32
  ) -> Result<[SocketAddress], ProbeError> {
    var hints = addrinfo()
    hints.ai_family = family?.number ?? AF_UNSPEC
    hints.ai_flags = flags | AI_NUMERICSERV
    hints.ai_socktype = stream
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &found)
    defer { if let found { freeaddrinfo(found) } }
    guard status == 0 else {
      let reason = status == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(status))
      return .failure(.nameNotResolved(host: host, reason: reason))
    }
    var addresses: [SocketAddress] = []
    var next = found
    while let entry = next, addresses.count < maximum {
      if let pointer = entry.pointee.ai_addr, let address = SocketAddress(pointer, entry.pointee.ai_addrlen),
        !addresses.contains(address)
      {
        addresses.append(address)
      }
      next = entry.pointee.ai_next
    }
    guard !addresses.isEmpty else { return .failure(.nameNotResolved(host: host, reason: "it has no address")) }
    return .success(addresses)
  }
}
