/// Watched ranges of addresses: one look-up for each prefix length in use.
struct AddressIndex: Sendable {
  private let items: [AddressRange: Int]
  /// The prefix lengths in use, widest range first.
  private let v4Lengths: [Int]
  private let v6Lengths: [Int]

  init(_ watched: [WatchedItem]) {
    var items: [AddressRange: Int] = [:]
    for (index, item) in watched.enumerated() {
      if case .addresses(let range) = item, items[range] == nil { items[range] = index }
    }
    func lengths(_ family: IPAddress.Family) -> [Int] {
      Set(items.keys.lazy.filter { $0.network.family == family }.map(\.prefixLength)).sorted()
    }
    v4Lengths = lengths(.v4)
    v6Lengths = lengths(.v6)
    self.items = items
  }

  var isEmpty: Bool { items.isEmpty }

  /// The items that an address is in; an IPv4-mapped IPv6 address is also the IPv4 address.
  func items(containing address: IPAddress) -> [Int] {
    let own = (address.family == .v4 ? v4Lengths : v6Lengths).compactMap {
      items[AddressRange(address, prefixLength: $0)]
    }
    return own + (address.unmapped.map { items(containing: $0) } ?? [])
  }

  private func contains(_ address: IPAddress) -> Bool {
    for length in address.family == .v4 ? v4Lengths : v6Lengths
    where items[AddressRange(address, prefixLength: length)] != nil { return true }
    return address.unmapped.map { contains($0) } ?? false
  }

  /// Whether the bytes of an `iPAddress` might be watched: as an address, or as the text of one.
  func mightContain(octets: Span<UInt8>) -> Bool {
    guard !isEmpty else { return false }
    guard let address = IPAddress(octets: octets), !octets.isPrintable else { return true }
    return contains(address)
  }
}

extension Span<UInt8> {
  /// Whether every byte is a printable ASCII character other than the space.
  var isPrintable: Bool {
    for index in 0..<count where self[index] &- 0x21 > 0x5D { return false }
    return true
  }
}
