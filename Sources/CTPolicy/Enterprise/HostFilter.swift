/// One entry of a list of hosts that need no CT, and which hosts it covers.
///
/// A leading dot means opposite things: to Chrome and Firefox `.example.com` is that host alone, to Apple that host and
/// all below it; without the dot it is the other way about.
public struct HostFilter: Hashable, Sendable {
  /// Whose rules the entry is read by.
  public enum Dialect: String, Hashable, Sendable, CaseIterable {
    case chrome
    case firefox
    case apple
  }

  public enum Reach: Hashable, Sendable {
    /// This host alone.
    case exact(String)
    /// This host and all below it.
    case subtree(String)
    /// No host, for this reason.
    case nothing(String)
  }

  /// The entry as it was written.
  public let entry: String
  public let dialect: Dialect
  public let reach: Reach

  /// Longer entries and hosts match nothing.
  public static let maximumByteCount = 2048

  public init(_ entry: String, dialect: Dialect) {
    self.entry = entry
    self.dialect = dialect
    if entry.utf8.count > HostFilter.maximumByteCount {
      reach = .nothing("it is too long")
    } else {
      switch dialect {
      case .chrome: reach = HostFilter.chrome(entry)
      case .firefox: reach = HostFilter.firefox(entry)
      case .apple: reach = HostFilter.apple(entry)
      }
    }
  }

  /// Chrome's reading: all of a URL but its host is ignored, and a lone `*` too.
  private static func chrome(_ entry: String) -> Reach {
    guard let host = URLHost.find(in: entry).map(HostFilter.lowercased), !host.isEmpty else {
      return .nothing("no host can be told in it")
    }
    if host == "*" { return .nothing("a lone * is ignored") }
    if host.hasPrefix(".") {
      return host.utf8.count == 1 ? .nothing("no host can be told in it") : .exact(String(host.dropFirst()))
    }
    if let reason = neverMatches(host) { return .nothing(reason) }
    return isAddress(host) ? .exact(host) : .subtree(host)
  }

  private static func firefox(_ entry: String) -> Reach {
    if entry.isEmpty || entry == "." { return .nothing("it is empty") }
    if entry != lowercased(entry) { return .nothing("upper case never matches, as hosts are lower-case") }
    let isExact = entry.hasPrefix(".")
    let host = isExact ? String(entry.dropFirst()) : entry
    if let reason = neverMatches(host) { return .nothing(reason) }
    return isExact ? .exact(host) : .subtree(host)
  }

  private static func apple(_ entry: String) -> Reach {
    let host = lowercased(entry)
    if host.isEmpty || host == "." { return .nothing("it is empty") }
    let name = host.hasPrefix(".") ? String(host.dropFirst()) : host
    if let reason = neverMatches(name) { return .nothing(reason) }
    guard host.hasPrefix(".") else { return .exact(name) }
    return name.utf8.contains(UInt8(ascii: ".")) ? .subtree(name) : .nothing("a whole top-level domain is refused")
  }

  /// Why nothing can be called so.
  private static func neverMatches(_ host: String) -> String? {
    if host.utf8.contains(UInt8(ascii: "*")) { return "a wildcard is taken literally, and no host has a * in it" }
    if host.utf8.contains(where: { $0 >= 0x80 }) { return "hosts are compared in their xn-- form" }
    if host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { return "no host has a space or a control in it" }
    if host.hasSuffix(".") { return "it ends in a dot, which hosts are compared without" }
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if !isBracketed, host.utf8.contains(where: { "/\\?#@%:[]".utf8.contains($0) }) {
      return "it is no host: no scheme, port or path may stand here"
    }
    return nil
  }

  /// Whether URL rules take the host for an address: in brackets, or with a number at its end.
  static func isAddress(_ host: String) -> Bool {
    if host.hasPrefix("[") { return true }
    guard let last = host.split(separator: ".", omittingEmptySubsequences: false).last else { return false }
    if last.hasPrefix("0x") { return last.dropFirst(2).utf8.allSatisfy { isHexDigit($0) } }
    return !last.isEmpty && last.utf8.allSatisfy { 0x30...0x39 ~= $0 }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte || 0x61...0x66 ~= byte }

  /// ASCII letters folded, all else as it stands.
  static func lowercased(_ text: some StringProtocol) -> String {
    String(decoding: text.utf8.map { 0x41...0x5a ~= $0 ? $0 + 0x20 : $0 }, as: UTF8.self)
  }

  /// A host as it is compared: lower-case, without a dot at its end, IPv6 addresses in brackets.
  static func canonical(_ host: String) -> String {
    var text = lowercased(host)
    if text.utf8.count > 1, text.hasSuffix(".") { text.removeLast() }
    return text.utf8.contains(UInt8(ascii: ":")) && !text.hasPrefix("[") ? "[\(text)]" : text
  }

  /// Whether the entry covers a host. IPv6 addresses may stand in brackets or not, in their RFC 5952 notation.
  public func covers(_ host: String) -> Bool {
    let host = HostFilter.canonical(host)
    guard host.utf8.count <= HostFilter.maximumByteCount else { return false }
    switch reach {
    case .exact(let name): return same(host, name)
    case .subtree(let name): return same(host, name) || HostFilter.isBelow(host, name)
    case .nothing: return false
    }
  }

  private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

  private static func isBelow(_ host: String, _ domain: String) -> Bool { ends(host, with: "." + domain) }

  private static func ends(_ text: String, with end: String) -> Bool {
    text.utf8.count > end.utf8.count && text.utf8.suffix(end.utf8.count).elementsEqual(end.utf8)
  }

  /// Why the entry does not cover a host that it seems to mean; nil if it covers it, or means quite another.
  public func nearMiss(_ host: String) -> String? {
    guard !covers(host) else { return nil }
    let host = HostFilter.canonical(host)
    switch reach {
    case .exact(let name) where HostFilter.isBelow(host, name):
      return dialect == .apple || HostFilter.isAddress(name)
        ? "`\(entry)` covers that host alone, not \(host) below it"
          + (dialect == .apple ? "; with a leading dot it would cover both" : "")
        : "`\(entry)` does not cover \(host): the leading dot means that host alone; without it, all below are covered"
    case .exact(let name), .subtree(let name):
      if HostFilter.isBelow(name, host) { return "`\(entry)` covers \(name), not \(host) above it" }
      if case .subtree = reach, HostFilter.ends(host, with: name) {
        return "\(host) ends in `\(entry)`, but is not below it"
      }
      return nil
    case .nothing(let reason):
      let named = HostFilter.lowercased(entry).utf8.split(whereSeparator: { "*:/ @?#%[]\\".utf8.contains($0) })
        .map { Substring($0) }.map { $0.hasPrefix(".") ? $0.dropFirst() : $0 }
        .map { $0.hasSuffix(".") ? $0.dropLast() : $0 }
      let isMeant = named.contains { name in
        name.utf8.contains(UInt8(ascii: ".")) && (name == host || HostFilter.isBelow(host, String(name)))
      }
      let isEverything = entry.hasSuffix("*")
      return isMeant || isEverything ? "`\(entry)` covers nothing: \(reason)" : nil
    }
  }
}

/// Finds the host in what a person may have typed into an address bar, as Chromium's URL fixer would.
enum URLHost {
  private static let standardSchemes = ["http", "https", "ftp", "ws", "wss"]

  static func find(in text: String) -> Substring? {
    var rest = text[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    if let colon = rest.firstIndex(of: ":"), isScheme(rest[..<colon]), !isPort(rest[colon...].dropFirst()) {
      guard standardSchemes.contains(HostFilter.lowercased(rest[..<colon])) else { return nil }
      rest = rest[colon...].dropFirst()
      rest = rest.drop { $0 == "/" || $0 == "\\" }
    } else {
      rest = rest.drop { $0 == "/" || $0 == "\\" }
    }
    rest = rest.prefix { !"/\\?#".contains($0) }
    if let at = rest.lastIndex(of: "@") { rest = rest[at...].dropFirst() }
    let bracket = rest.lastIndex(of: "]") ?? rest.startIndex
    if let colon = rest.lastIndex(of: ":"), colon >= bracket { rest = rest[..<colon] }
    return rest.isEmpty ? nil : rest
  }

  /// A name with a dot in it is a host with a port, however odd.
  private static func isScheme(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, 0x41...0x5a ~= first & 0xdf else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "+"), UInt8(ascii: "-"): true
      default: false
      }
    }
  }

  /// `localhost:8080/x` has a port, not a scheme.
  private static func isPort(_ text: Substring) -> Bool {
    let digits = text.prefix { !"/\\?#".contains($0) }
    return !digits.isEmpty && digits.utf8.allSatisfy { 0x30...0x39 ~= $0 }
  }
}
