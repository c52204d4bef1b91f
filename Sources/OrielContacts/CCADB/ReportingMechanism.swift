/// How a CA takes reports of certificate problems: CCADB's free text, and what in it can be used at once.
package struct ReportingMechanism: Hashable, Sendable {
  /// The text as the CA gave it, in one line.
  package let text: String
  package let addresses: [ContactAddress]
  package let pages: [WebPage]

  package init(_ freeText: String) {
    text = freeText.cleaned(limit: 1000)
    var addresses: [ContactAddress] = []
    var pages: [WebPage] = []
    // By scalars, as characters can be as long as the text; and without flags, whose halves are paired by counting back.
    let scalars = freeText.unicodeScalars.prefix(4000).lazy.map { $0.value > 0xffff ? " " : $0 }
    var plain = String(String.UnicodeScalarView(scalars))
    for at in ["[at]", "(at)", "[AT]", "(AT)", "{at}"] { plain = ReportingMechanism.closing(at, in: plain, with: "@") }
    for dot in ["[dot]", "(dot)"] { plain = ReportingMechanism.closing(dot, in: plain, with: ".") }
    for word in plain.split(whereSeparator: { $0.isWhitespace || ";<>\"“”|".contains($0) }) {
      let token = word.drop { "([{'".contains($0) }
      let bare = ReportingMechanism.withoutTail(token)
      if let page = WebPage(bare.lowercased().hasPrefix("www.") ? "https://" + bare : bare) {
        add(page, to: &pages, limit: 8)
      } else {
        for part in bare.split(whereSeparator: { ",:".contains($0) }) {
          if let address = ContactAddress(ReportingMechanism.withoutTail(part)) {
            add(address, to: &addresses, limit: 8)
          }
        }
      }
    }
    self.addresses = addresses
    self.pages = pages
  }

  /// Puts a character in place of a word for it, blanks on both sides included.
  private static func closing(_ word: String, in text: String, with character: String) -> String {
    guard text.contains(word) else { return text }
    let parts = text.split(separator: word, omittingEmptySubsequences: false).map { part in
      var part = part.drop { $0 == " " }
      while part.last == " " { part.removeLast() }
      return String(part)
    }
    return parts.joined(separator: character)
  }

  /// Without the punctuation of the sentence around it.
  private static func withoutTail(_ word: Substring) -> Substring {
    var word = word
    while let last = word.last, ",.:!')]}".contains(last) { word.removeLast() }
    return word
  }
}
