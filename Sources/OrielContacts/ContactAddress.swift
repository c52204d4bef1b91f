package import OrielWatchlist

/// A mail address of somebody to turn to: plain ASCII that needs no quotes, at a host with a full stop in its name.
package struct ContactAddress: Hashable, Sendable, CustomStringConvertible {
  /// `local@domain`, the domain in lower-case A-labels.
  package let text: String

  /// Reads an address; nil for anything that is none or could carry more than itself.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 254, let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return nil }
    let local = bytes[..<at]
    let parts = local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...64).contains(local.count), local.first != UInt8(ascii: "-"),
      parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(ContactAddress.isAtomText) }),
      let domain = try? DomainName(String(decoding: bytes[(at + 1)...], as: UTF8.self)),
      domain.ascii.contains("."), !domain.ascii.contains("_")
    else { return nil }
    self.text = String(decoding: local, as: UTF8.self) + "@" + domain.ascii
  }

  package var description: String { text }

  /// RFC 5322, section 3.2.3.
  private static func isAtomText(_ byte: UInt8) -> Bool {
    byte.isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }
}

/// The address of a page that may be shown as a link or be fetched: `https` or `http`, a host with a full stop in its
/// name, no user name in front of it, nothing but what RFC 3986 allows.
package struct WebPage: Hashable, Sendable, CustomStringConvertible {
  package let url: String
  package let host: DomainName
  package let isSecure: Bool

  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 2000 else { return nil }
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, bytes[index + 1].isHexDigit, bytes[index + 2].isHexDigit else { return nil }
      } else if !byte.isLetterOrDigit, !"-._~:/?#[]@!$&'()*+,;=".utf8.contains(byte) {
        return nil
      }
    }
    let lower = text.lowercased()
    guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else { return nil }
    isSecure = lower.hasPrefix("https://")
    let rest = lower.dropFirst(isSecure ? 8 : 7)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard let name = parts.first, parts.count <= 2, parts.count < 2 || UInt16(parts[1]) != nil,
      let host = try? DomainName(name), host.ascii.contains(".")
    else { return nil }
    self.host = host
    url = String(text)
  }

  package var description: String { url }
}
