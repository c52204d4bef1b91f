public import MerkleTree

/// One thing that somebody wants to hear about.
///
/// Lists of a hundred thousand are nearly all names: the other cases are kept elsewhere, so that each takes 16 bytes.
public enum WatchedItem: Hashable, Sendable {
  /// A name and all below it: `example.com` or `.example.com`.
  case subtree(DomainName)
  /// One name: `=www.example.com`.
  case exact(DomainName)
  /// Addresses: `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.1`.
  indirect case addresses(AddressRange)
  /// A key, by the SHA-256 of its SubjectPublicKeyInfo: `spki:` and hexadecimal digits.
  indirect case publicKey(SHA256Hash)
  /// What a CA certificate issues, by the SHA-256 of its SubjectPublicKeyInfo: `issuer:` and hexadecimal digits.
  indirect case issuer(SHA256Hash)
  /// Everything, unreadable entries included: `.`.
  case everything

  /// Reads an item as ``description`` writes it, and in the other forms that its cases name.
  ///
  /// - Parameters:
  ///   - allowPublicSuffix: Take names such as `co.uk`, below which everybody's names are.
  ///   - publicSuffixes: The list that says which names those are.
  /// - Throws: ``WatchedItemError``.
  public init(
    parsing text: some StringProtocol, allowPublicSuffix: Bool = false, publicSuffixes: PublicSuffixes = .system
  ) throws(WatchedItemError) {
    let parser = ItemParser(allowPublicSuffix: allowPublicSuffix, publicSuffixes: publicSuffixes)
    self = try parser.parse(Array(text.utf8).span)
  }
}

extension WatchedItem: CustomStringConvertible {
  /// The item in its canonical form, which reads back as the same item.
  public var description: String {
    switch self {
    case .subtree(let name): name.ascii
    case .exact(let name): "=" + name.ascii
    case .addresses(let range): range.description
    case .publicKey(let hash): "spki:" + hash.hex
    case .issuer(let hash): "issuer:" + hash.hex
    case .everything: "."
    }
  }
}

/// Reads the text of items.
struct ItemParser {
  var allowPublicSuffix: Bool
  var publicSuffixes: PublicSuffixes
  /// What a name without a sign before it is.
  var bareNameIsExact = false

  func parse(_ bytes: Span<UInt8>) throws(WatchedItemError) -> WatchedItem {
    let text = bytes.extracting(bytes.trimmed)
    guard !text.isEmpty else { throw .empty }
    switch text[0] {
    case 0x2E where text.count == 1: return .everything
    case 0x2E: return try item(named: text.extracting(1...), isExact: false)
    case 0x3D: return try item(named: text.extracting(1...), isExact: true)
    default: break
    }
    if text.starts(with: "spki:") { return .publicKey(try hash(text.extracting(5...))) }
    if text.starts(with: "issuer:") { return .issuer(try hash(text.extracting(7...))) }
    return try item(named: text, isExact: bareNameIsExact)
  }

  private func item(named text: Span<UInt8>, isExact: Bool) throws(WatchedItemError) -> WatchedItem {
    if let range = try addresses(text) { return .addresses(range) }
    let name = try DomainName(utf8: text)
    if !allowPublicSuffix, publicSuffixes.isICANNSuffix(name) { throw .publicSuffix(name) }
    return isExact ? .exact(name) : .subtree(name)
  }

  /// The range, if the text has the look of one: it ends in a digit or has a `:` or `/` in it, and has no letters beyond
  /// hexadecimal digits.
  private func addresses(_ text: Span<UInt8>) throws(WatchedItemError) -> AddressRange? {
    let isRange = text.contains(0x3A) || text.contains(0x2F)
    guard !text.isEmpty, isRange || isDigit(text[text.count - 1]) else { return nil }
    for index in 0..<text.count {
      let isHexadecimal = isDigit(text[index]) || (text[index] | 0x20) &- 0x61 < 6
      guard isHexadecimal || text[index] == 0x2E || text[index] == 0x2F || text[index] == 0x3A else { return nil }
    }
    do { return try AddressRange(String(decoding: text.array, as: UTF8.self)) } catch {
      if isRange { throw error }
      return nil
    }
  }

  private func hash(_ digits: Span<UInt8>) throws(WatchedItemError) -> SHA256Hash {
    let text = String(decoding: digits.array.filter { $0 != 0x3A }, as: UTF8.self)
    guard let hash = SHA256Hash(hex: text) else { throw .invalidHash(text) }
    return hash
  }
}

extension Span<UInt8> {
  /// Where the bytes are that have white space around them.
  var trimmed: Range<Int> {
    var (start, end) = (0, count)
    while start < end, isWhiteSpace(self[start]) { start += 1 }
    while end > start, isWhiteSpace(self[end - 1]) { end -= 1 }
    return start..<end
  }

  /// Whether the bytes start with a lower-case text, in whatever case it stands here.
  func starts(with prefix: StaticString) -> Bool {
    guard count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where lowercased(self[index]) != prefix.utf8Start[index] { return false }
    return true
  }

  func contains(_ byte: UInt8) -> Bool {
    for index in 0..<count where self[index] == byte { return true }
    return false
  }
}
