package import OrielStore
import OrielWatchlist

extension SearchName {
  /// A name as people write it: `example.com` for it and all below it, `=www.example.com` for it alone,
  /// `*.example.com` for that wildcard, or an address. A NUL, which names of deceivers have, is written `\u{0}`.
  ///
  /// - Throws: ``AccountError/refused(field:reason:)``.
  package init(parsing text: String) throws {
    var text = String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())[...]
    let isExact = text.hasPrefix("=")
    if isExact { text = text.dropFirst() }
    let stored = StoredText.unescaped(String(text))
    if stored.utf8.contains(0) {
      self = isExact ? .exactly(stored.lowercased()) : .atOrBelow(stored.lowercased())
      return
    }
    do {
      if let range = try? AddressRange(text), !text.contains("/") {
        self = .exactly(range.description)
      } else if text.hasPrefix("*.") {
        self = .exactly("*." + (try DomainName(text.dropFirst(2))).ascii)
      } else {
        let name = try DomainName(text.hasPrefix(".") ? text.dropFirst() : text).ascii
        self = isExact ? .exactly(name) : .atOrBelow(name)
      }
    } catch {
      throw AccountError.refused(field: .name, reason: "\(error)")
    }
  }
}
