import CertificateTransparency
import Foundation

/// Under what an issuance can be found by name: each of its names alone (`=www.example.com`), and each name that they
/// are at or below (`www.example.com`, `example.com`, `com`).
enum NameKeys {
  /// Certificates have up to a few thousand names; beyond this they are stored but not all findable by name. What the
  /// issuance was stored for always is.
  static let most = 8192
  private static let longest = 512

  static func keys(_ names: [FoundName], matches: [StoredMatch], most: Int = most) -> [String] {
    var keys: [String] = []
    var seen: Set<String> = []
    func add(_ key: String) { if keys.count < most, seen.insert(key).inserted { keys.append(key) } }
    for match in matches { add(match.item) }
    let own = NameKeys.names(names, most: most)
    let names = matches.map(\.name) + own
    // What was matched may be a part of a name with NUL, which is no name of the certificate.
    for name in own.contains(where: hasNUL) ? own : names { add("=" + name) }
    for name in names where keys.count < most && !isAddress(name) {
      var rest = name.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
      if rest.hasPrefix("*.") { rest = rest.dropFirst(2) }
      while !rest.isEmpty {
        add(String(rest))
        guard let dot = rest.firstIndex(of: ".") else { break }
        rest = rest[rest.index(after: dot)...]
      }
    }
    return keys
  }

  static func hasNUL(_ text: String) -> Bool { text.utf8.contains(0) }

  /// The names as they are searched for, each once.
  static func names(_ names: [FoundName], most: Int) -> [String] {
    var texts: [String] = []
    var seen: Set<String> = []
    for name in names where texts.count < most {
      guard let text = text(name), !text.isEmpty, seen.insert(text).inserted else { continue }
      texts.append(text)
    }
    return texts
  }

  /// Names in the order in which people are to see them.
  struct Listed {
    var names: [String] = []
    var commonNames: Set<String> = []
    var count = 0
  }

  /// The names each once: those in `first`, then the others, at last what is a common name and nothing else.
  static func list(_ names: [FoundName], first: Set<String>, most: Int) -> Listed {
    var (hits, others, common): ([String], [String], [String]) = ([], [], [])
    var seen: Set<String> = []
    for isCommon in [false, true] {
      for name in names where (name.source == .commonName) == isCommon {
        guard let text = text(name), !text.isEmpty, seen.insert(text).inserted else { continue }
        if isCommon {
          common.append(text)
        } else if first.contains(text) {
          hits.append(text)
        } else {
          others.append(text)
        }
      }
    }
    // Where a common name is all that was hit, there is nothing else to begin with.
    if hits.isEmpty { hits = common.filter { first.contains($0) } }
    let listed = (hits + others + common).uniqued().prefix(most)
    return Listed(names: Array(listed), commonNames: Set(common).intersection(listed), count: seen.count)
  }

  private static func text(_ name: FoundName) -> String? {
    if name.source == .ipAddress { return address(name.bytes) }
    var text = DERString.text(Array(name.bytes.prefix(longest)), tag: name.stringTag)[...]
    switch name.source {
    case .commonName where !text.contains(".") || text.contains(" "): return nil
    case .uri:
      if let scheme = text.range(of: "://") { text = text[scheme.upperBound...] }
      text = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let at = text.lastIndex(of: "@") { text = text[text.index(after: at)...] }
    default: break
    }
    while text.hasSuffix(".") { text = text.dropLast() }
    return text.lowercased()
  }

  private static func isAddress(_ name: String) -> Bool { name.contains(":") || name.last?.isNumber == true }

  private static func address(_ octets: [UInt8]) -> String? {
    guard octets.count == 4 || octets.count == 16 else { return nil }
    var text = [CChar](repeating: 0, count: 64)
    let family = octets.count == 4 ? AF_INET : AF_INET6
    guard inet_ntop(family, octets, &text, socklen_t(text.count)) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// One by one, as they have no index by issuance.
  static func remove(_ connection: any SQLConnection, _ keys: some Sequence<String>, _ place: SearchCursor) throws {
    for key in keys {
      try connection.execute(
        "DELETE FROM issuance_names WHERE key = ? AND first_seen = ? AND issuance = ?",
        [.text(key), .integer(place.firstSeen), .integer(place.number)])
    }
  }

  static func insert(_ connection: any SQLConnection, _ keys: [String], _ place: SearchCursor) throws {
    for key in keys {
      try connection.execute(
        "INSERT INTO issuance_names (key, first_seen, issuance) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [.text(key), .integer(place.firstSeen), .integer(place.number)])
    }
  }
}
