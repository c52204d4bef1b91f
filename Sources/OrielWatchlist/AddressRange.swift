#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An IP address; the bits of a shorter one are at the top.
struct IPAddress: Hashable, Sendable {
  enum Family: UInt8 { case v4, v6 }

  let family: Family
  let bits: UInt128

  /// The longest prefix: as many bits as an address has.
  static func width(of family: Family) -> Int { family == .v4 ? 32 : 128 }

  /// An address as an `iPAddress` holds it; nil unless there are 4 or 16 bytes.
  init?(octets: Span<UInt8>) {
    guard octets.count == 4 || octets.count == 16 else { return nil }
    family = octets.count == 4 ? .v4 : .v6
    var bits: UInt128 = 0
    for index in 0..<octets.count { bits = bits << 8 | UInt128(octets[index]) }
    self.bits = family == .v4 ? bits << 96 : bits
  }

  /// An address as people write it, a zone (`%eth0`) aside.
  init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 64 else { return nil }
    let isV6 = text.utf8.contains(0x3A)
    let text = String(isV6 ? text.prefix { $0 != "%" } : text[...])
    // A zero byte would end the C string early.
    guard !text.utf8.contains(0) else { return nil }
    var octets = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
    guard inet_pton(isV6 ? AF_INET6 : AF_INET, text, &octets) == 1 else { return nil }
    self.init(octets: octets.span)
  }

  init(family: Family, bits: UInt128) {
    self.family = family
    self.bits = bits
  }

  /// The IPv4 address in an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
  var unmapped: IPAddress? {
    family == .v6 && bits >> 32 == 0xFFFF ? IPAddress(family: .v4, bits: bits << 96) : nil
  }

  /// The first address of the range of this prefix length around this one.
  func network(_ prefixLength: Int) -> IPAddress {
    IPAddress(family: family, bits: prefixLength == 0 ? 0 : bits & (UInt128.max << (128 - UInt128(prefixLength))))
  }
}

extension IPAddress: CustomStringConvertible {
  /// As RFC 5952 writes it.
  var description: String {
    let octets = (0..<(family == .v4 ? 4 : 16)).map { UInt8(truncatingIfNeeded: bits >> (120 - 8 * UInt128($0))) }
    var text = [CChar](repeating: 0, count: 64)
    guard inet_ntop(family == .v4 ? AF_INET : AF_INET6, octets, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A range of IP addresses: those that begin with the same bits (RFC 4632, RFC 4291).
public struct AddressRange: Hashable, Sendable {
  let network: IPAddress
  /// How many bits the addresses share.
  public let prefixLength: Int

  /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address; bits beyond the prefix are cleared.
  ///
  /// IPv4-mapped IPv6 addresses are taken for the IPv4 addresses that they are.
  /// - Throws: ``WatchedItemError/invalidAddress(_:)`` or ``WatchedItemError/prefixTooLong(in:longest:)``.
  public init(_ text: some StringProtocol) throws(WatchedItemError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress($0) }) else { throw .invalidAddress(String(text)) }
    let width = IPAddress.width(of: address.family)
    var length = width
    if parts.count == 2 {
      guard parts[1].utf8.allSatisfy(isDigit), let given = Int(parts[1]) else { throw .invalidAddress(String(text)) }
      guard given <= width else { throw .prefixTooLong(in: String(text), longest: width) }
      length = given
    }
    if length >= 96, let unmapped = address.unmapped {
      self.init(unmapped, prefixLength: length - 96)
    } else {
      self.init(address, prefixLength: length)
    }
  }

  /// The range of this prefix length around an address; the length is at most the address's width.
  init(_ address: IPAddress, prefixLength: Int) {
    network = address.network(prefixLength)
    self.prefixLength = prefixLength
  }
}

extension AddressRange: CustomStringConvertible {
  public var description: String {
    prefixLength == IPAddress.width(of: network.family) ? "\(network)" : "\(network)/\(prefixLength)"
  }
}
