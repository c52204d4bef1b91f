import CertificateTransparency
import MerkleTree
import OrielWatchlist

/// What holds of every name, in a certificate or in a watch list.
enum NameProperties {
  /// One item of each kind. Lines that do not parse would show in the replay of the seeds.
  static let items = [
    "example.com", "=www.example.org", "bücher.example", "a.b.c.example.net", "192.0.2.0/24", "2001:db8::/32",
  ].compactMap { try? WatchedItem(parsing: $0) }
  static let index = WatchIndex(items)

  static func check(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard bytes.count >= 2 else { return }
    let sources = FoundName.Source.allCases
    let source = sources[Int(bytes[0]) % sources.count]
    let name = FoundName(source: source, stringTag: bytes[1], bytes: [UInt8](bytes.dropFirst(2)))
    let matches = index.matches(for: [name], publicKey: nil, issuer: nil).all
    let mightMatch = index.mightMatch(name.bytes.span, source: source, stringTag: name.stringTag)
    try FuzzTarget.require(matches.isEmpty || mightMatch, "the hot path passes over \(matches)")
  }

  static func check(watchlist bytes: [UInt8]) throws(FuzzTarget.Failure) {
    for syntax in Watchlist.Syntax.allCases {
      let items: [WatchedItem]
      do { items = try Watchlist.read(bytes, syntax: syntax, allowPublicSuffix: true) } catch {
        _ = error.description
        continue
      }
      for item in items {
        let text = item.description
        let again = try? WatchedItem(parsing: text, allowPublicSuffix: true)
        try FuzzTarget.require(again == item, "`\(text)` does not read as it was written")
      }
      _ = WatchIndex(items).matches(inUnreadable: bytes.span)
    }
  }
}
