import Foundation
import NIOCore

enum NetworkAddress {
  /// What attempts and connections are counted by: an IPv4 address, or the /64 network of an IPv6 address, as whoever has
  /// one address of it has them all. Empty where there is no address.
  static func key(of address: SocketAddress?) -> String {
    let text = address?.ipAddress ?? ""
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return text }
    // An IPv4 address that was mapped (RFC 4291, section 2.5.5.2).
    if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10...11] == [0xff, 0xff] {
      return bytes[12...].map(String.init).joined(separator: ".")
    }
    return stride(from: 0, to: 8, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
      .joined(separator: ":") + "::/64"
  }
}
