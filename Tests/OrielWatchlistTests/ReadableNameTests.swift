import Testing

@testable import OrielWatchlist

@Suite("Internationalised names for readers")
struct ReadableNameTests {
  @Test(
    "a name is shown as it is meant where it can't be taken for another",
    arguments: [
      ("münchen.example", true), ("www.bücher.example", true), ("*.zürich.example", true), ("россия.example", true),
      ("日本語カタカナ.example", true), ("søren.example", true), ("ελλάδα.example", true),
      // All Cyrillic, and looks like a word of ASCII.
      ("аррӏе.example", false), ("сосо.example", false),
      // Two scripts.
      ("pаypal.example", false), ("münchеn.example", false),
      // Letters that pass for those of ASCII.
      ("ɑmazon.example", false), ("bıtcoin.example", false),
      // One label that can't be shown keeps all as they are.
      ("bücher.аррӏе.example", false),
    ])
  func names(_ item: (unicode: String, isShown: Bool)) throws {
    let wildcard = item.unicode.hasPrefix("*.")
    let name = try DomainName(item.unicode.dropFirst(wildcard ? 2 : 0)).ascii
    #expect(ReadableName.unicode(of: (wildcard ? "*." : "") + name) == (item.isShown ? item.unicode : nil))
  }

  @Test(
    "what is no internationalised name, or none that can be read, has nothing else to show",
    arguments: [
      "", ".", "example.com", "xn--.example", "xn--a.example", "xn--99999999.example", "xn--\u{fc}.example",
      "xn--mnchen-3ya\u{0}.example", String(repeating: "xn--mnchen-3ya.", count: 20) + "example",
      "xn--" + String(repeating: "z", count: 200),
    ])
  func others(name: String) { #expect(ReadableName.unicode(of: name) == nil) }
}
