public import CertificateTransparency
public import MerkleTree

/// A watched item that a certificate hits, and the name that hit it.
public struct WatchMatch: Hashable, Sendable {
  public let item: WatchedItem
  /// The name, normalised and printable; for an item that is not about names, the certificate's first name, or nothing.
  public let name: String

  public init(item: WatchedItem, name: String) {
    self.item = item
    self.name = name
  }
}

/// Watched items, arranged so that the cost of asking about a name does not depend on how many they are.
///
/// ``mightMatch(_:source:stringTag:)`` is for every name of every certificate: it allocates nothing and never says no to
/// a name that ``matches(for:publicKey:issuer:)`` says yes to. The latter is exact, and takes names in whatever state
/// they are.
public struct WatchIndex: Sendable {
  /// Items that are no names; names are spelt by the trie, which is smaller than keeping them.
  private let others: [Int: WatchedItem]
  let trie: SuffixTrie
  let addresses: AddressIndex
  let publicKeys: [SHA256Hash: Int]
  let issuers: [SHA256Hash: Int]
  let everything: Int?

  /// A name of more bytes than this is not read as a whole.
  static let longestName = 65_536

  /// Arranges items; of equal ones the first counts.
  public init(_ items: [WatchedItem]) {
    others = Dictionary(
      items.enumerated().lazy.filter { !$0.element.isName }.map { ($0.offset, $0.element) },
      uniquingKeysWith: { first, _ in first })
    trie = SuffixTrie(items)
    addresses = AddressIndex(items)
    var publicKeys: [SHA256Hash: Int] = [:]
    var issuers: [SHA256Hash: Int] = [:]
    for (index, item) in items.enumerated() {
      switch item {
      case .publicKey(let hash) where publicKeys[hash] == nil: publicKeys[hash] = index
      case .issuer(let hash) where issuers[hash] == nil: issuers[hash] = index
      default: break
      }
    }
    self.publicKeys = publicKeys
    self.issuers = issuers
    everything = items.firstIndex(of: .everything)
  }

  /// The item with this number.
  func item(_ number: Int) -> WatchedItem { others[number] ?? trie.item(number) }

  /// Whether some item is about the certificate's key.
  public var needsPublicKeyHash: Bool { !publicKeys.isEmpty }
  /// Whether some item is about the issuer's key.
  public var needsIssuerKeyHash: Bool { !issuers.isEmpty }
  /// Whether every certificate is a match, whatever its names and even without any.
  public var watchesEverything: Bool { everything != nil }
  /// Whether some item is about addresses.
  public var watchesAddresses: Bool { !addresses.isEmpty }

  /// Whether a key (by the SHA-256 of its SubjectPublicKeyInfo) is watched.
  public func contains(publicKey: SHA256Hash) -> Bool { publicKeys[publicKey] != nil }
  /// Whether an issuer (by the SHA-256 of its SubjectPublicKeyInfo) is watched.
  public func contains(issuer: SHA256Hash) -> Bool { issuers[issuer] != nil }
}

// MARK: - The hot path

extension WatchIndex {
  /// Whether a name as it stands in a certificate might be watched; false only if no item covers it.
  ///
  /// What `source` and `stringTag` are, ``FoundName`` says. Keys and issuers are to be asked about apart.
  public func mightMatch(_ name: Span<UInt8>, source: FoundName.Source, stringTag: UInt8) -> Bool {
    if watchesEverything { return true }
    return switch source {
    case .dnsName, .commonName: mightMatch(host: name, stringTag: stringTag)
    case .ipAddress: addresses.mightContain(octets: name)
    case .email, .smtpUTF8Mailbox: mightMatch(mailbox: name, stringTag: stringTag)
    case .uri: mightMatch(uri: name)
    case .srvName: mightMatch(service: name)
    }
  }

  @inline(__always)
  private func mightMatch(host name: Span<UInt8>, stringTag: UInt8) -> Bool {
    guard name.isRegular, !StringTag.isWide(stringTag), name.count <= WatchIndex.longestName else { return true }
    var end = name.count
    while end > 0, name[end - 1] == 0x2E { end -= 1 }
    guard end > 0 else { return false }
    if watchesAddresses, isDigit(name[end - 1]) { return true }
    return trie.mightContain(name, endingAt: end)
  }

  /// A mailbox of one `@` and a plain local part is judged by what follows; any other, exactly.
  private func mightMatch(mailbox name: Span<UInt8>, stringTag: UInt8) -> Bool {
    for index in 0..<min(name.count, WatchIndex.longestName) where !isRegularByte(name[index]) {
      if name[index] == 0x2B { continue }
      guard name[index] == 0x40 else { return true }
      return mightMatch(host: name.extracting((index + 1)...), stringTag: stringTag)
    }
    return true
  }

  /// A URI of printable ASCII is judged by its authority.
  private func mightMatch(uri name: Span<UInt8>) -> Bool {
    guard name.count <= WatchIndex.longestName, name.isPrintable, let authority = name.authority else { return true }
    return mightMatch(host: name.extracting(authority), stringTag: 0)
  }

  /// A service is judged with its labels of service and protocol, and without.
  private func mightMatch(service name: Span<UInt8>) -> Bool {
    var start = 0
    while start < name.count, name[start] == 0x5F {
      while start < name.count, name[start] != 0x2E { start += 1 }
      start += 1
    }
    if mightMatch(host: name, stringTag: 0) { return true }
    return start > 0 && start < name.count && mightMatch(host: name.extracting(start...), stringTag: 0)
  }
}

extension Span<UInt8> {
  /// What stands between `://` and the path, query or fragment of a URI; nil if it has no authority.
  var authority: Range<Int>? {
    var start = 0
    while start < count, self[start] != 0x3A { start += 1 }
    guard start + 2 < count, self[start + 1] == 0x2F, self[start + 2] == 0x2F else { return nil }
    start += 3
    var end = start
    while end < count, self[end] != 0x2F, self[end] != 0x3F, self[end] != 0x23 { end += 1 }
    return start..<end
  }
}

/// The string types of ASN.1 whose characters are wider than a byte.
enum StringTag {
  static let universal: UInt8 = 28
  static let bmp: UInt8 = 30

  @inline(__always) static func isWide(_ tag: UInt8) -> Bool { tag == universal || tag == bmp }
}
