import OrielProbe
import OrielWatchlist

/// A site as people write it: a host, with a port or without, an address, or a URL; international names too.
enum SiteAddress {
  /// What ``ProbeTarget`` reads: `example.com:8443`, `[2001:db8::1]:443`.
  ///
  /// - Throws: ``ProbeError/invalidTarget(_:)``: a URL of something else than a web site, or a name that IDNA refuses.
  static func normalised(_ text: String) throws(ProbeError) -> String {
    var rest = text[...]
    if let mark = text.firstRange(of: "://") {
      guard ["https", "http"].contains(text[..<mark.lowerBound].lowercased()) else {
        throw .invalidTarget("it is no address of a web site; give its host")
      }
      rest = text[mark.upperBound...].prefix { !"/?#".contains($0) }
      if let user = rest.lastIndex(of: "@") { rest = rest[rest.index(after: user)...] }
    }
    // An IPv6 address has several colons.
    guard !rest.hasPrefix("["), let colon = rest.lastIndex(of: ":"), rest.firstIndex(of: ":") == colon else {
      return try name(String(rest))
    }
    return try name(String(rest[..<colon])) + rest[colon...]
  }

  /// A host in A-labels; one in ASCII as it is.
  static func name(_ host: String) throws(ProbeError) -> String {
    guard !host.utf8.allSatisfy({ $0 < 0x80 }) else { return host }
    do throws(WatchedItemError) {
      return try DomainName(host).ascii
    } catch {
      throw .invalidTarget("\(error)")
    }
  }
}
