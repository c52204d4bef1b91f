#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Which addresses a webhook, or whatever else strangers name, may reach: those of the public Internet, and no others
/// unless its owner says so.
///
/// The blocks are those of the IANA special-purpose address registries (RFC 6890). IPv4 addresses inside of IPv6
/// addresses are judged as what they are.
package enum TargetAddress {
  /// Why `text`, an IP address, is not to be connected to; nil if it may be.
  package static func objection(to text: String) -> String? {
    guard let octets = octets(text) else { return "it is not an IP address" }
    return octets.count == 4 ? objection(toV4: octets[...]) : objection(toV6: octets)
  }

  /// The 4 or 16 octets of an address in its usual notation; nil for anything else, zones (`%eth0`) included.
  static func octets(_ text: String) -> [UInt8]? {
    guard text.utf8.count <= 64, !text.utf8.contains(0) else { return nil }
    let isV6 = text.utf8.contains(UInt8(ascii: ":"))
    var octets = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
    return inet_pton(isV6 ? AF_INET6 : AF_INET, text, &octets) == 1 ? octets : nil
  }

  private struct Block {
    let prefix: [UInt8]
    let length: Int
    let words: String

    init(_ prefix: [UInt8], _ length: Int, _ words: String) {
      self.prefix = prefix
      self.length = length
      self.words = words
    }

    func contains(_ octets: ArraySlice<UInt8>) -> Bool {
      let whole = length / 8
      guard octets.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
      guard length % 8 > 0 else { return true }
      let shift = 8 - length % 8
      return octets[octets.startIndex + whole] >> shift == prefix[whole] >> shift
    }
  }

  private static let v4 = [
    Block([0], 8, "this network"), Block([10], 8, "private"), Block([100, 64], 10, "shared by a carrier's customers"),
    Block([127], 8, "loopback"), Block([169, 254], 16, "link-local"), Block([172, 16], 12, "private"),
    Block([192, 0, 0], 24, "reserved for protocols"), Block([192, 0, 2], 24, "for documentation"),
    Block([192, 88, 99], 24, "reserved for relays"), Block([192, 168], 16, "private"),
    Block([198, 18], 15, "for benchmarks"), Block([198, 51, 100], 24, "for documentation"),
    Block([203, 0, 113], 24, "for documentation"), Block([224], 4, "multicast"), Block([240], 4, "reserved"),
  ]

  private static func objection(toV4 octets: ArraySlice<UInt8>) -> String? {
    v4.first { $0.contains(octets) }?.words
  }

  /// Inside of the global unicast block.
  private static let v6 = [
    // 2001::/23 holds Teredo (which hides an IPv4 address), ORCHID and benchmarks, and no host to speak of.
    Block([0x20, 0x01, 0x00], 23, "reserved for protocols"), Block([0x20, 0x01, 0x0d, 0xb8], 32, "for documentation"),
    Block([0x3f, 0xff, 0x00], 20, "for documentation"),
  ]

  private static let localV6 = [
    Block([UInt8](repeating: 0, count: 15) + [1], 128, "loopback"), Block([0xfc], 7, "private"),
    Block([0xfe, 0x80], 10, "link-local"), Block([0xfe, 0xc0], 10, "private"), Block([0xff], 8, "multicast"),
  ]

  private static let globalUnicast = Block([0x20], 3, "")
  private static let mapped = Block([UInt8](repeating: 0, count: 10) + [0xff, 0xff], 96, "")
  private static let nat64 = Block([0, 0x64, 0xff, 0x9b] + [UInt8](repeating: 0, count: 8), 96, "")
  private static let sixToFour = Block([0x20, 0x02], 16, "")

  private static func objection(toV6 octets: [UInt8]) -> String? {
    if mapped.contains(octets[...]) || nat64.contains(octets[...]) { return objection(toV4: octets[12...]) }
    if sixToFour.contains(octets[...]) { return objection(toV4: octets[2..<6]) }
    guard globalUnicast.contains(octets[...]) else {
      return localV6.first { $0.contains(octets[...]) }?.words ?? "reserved"
    }
    return v6.first { $0.contains(octets[...]) }?.words
  }
}
