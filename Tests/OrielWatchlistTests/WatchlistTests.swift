import OrielWatchlist
import Testing

struct WatchlistTests {
  @Test("comments, blank lines, a byte order mark and both line ends are passed over")
  func lenientLines() throws {
    let text = "\u{FEFF}example.com\r\n# all of it\n\n  \t\n =www.example.org # the shop\r\n\t#\n2001:db8::/32"
    #expect(
      try Watchlist.read(Array(text.utf8), syntax: .oriel).map(\.description)
        == ["example.com", "=www.example.org", "2001:db8::/32"])
    #expect(try Watchlist.read([], syntax: .oriel).isEmpty)
  }

  @Test("in certspotter's syntax a bare name is that name alone, and valid_at is passed over")
  func certspotter() throws {
    let text = """
      example.com
      .example.org valid_at:2020-01-01
      bücher.example\tvalid_at:2020-01-01  valid_at:2021-01-01
      .co.uk
      .
      """
    #expect(
      try Watchlist.read(Array(text.utf8), syntax: .certspotter).map(\.description)
        == ["=example.com", "example.org", "=xn--bcher-kva.example", "co.uk", "."])
  }

  @Test("an option that certspotter does not have is an error in its line")
  func unknownOption() throws {
    let text = "example.com\nexample.org issuer:foo\n"
    let error = #expect(throws: WatchlistError.self) { try Watchlist.read(Array(text.utf8), syntax: .certspotter) }
    #expect(error?.lines.map(\.number) == [2])
    #expect(error?.lines.first?.error == .unknownOption("issuer:foo"))
  }

  @Test("all errors are reported with their lines, up to twenty")
  func errorLines() throws {
    let text = "# mine\r\n*.example.com\r\nexample.com\r\ncom\r\n\r\nexample.com valid_at:2020-01-01\r\n"
    let error = #expect(throws: WatchlistError.self) { try Watchlist.read(Array(text.utf8), syntax: .oriel) }
    #expect(error?.lines.map(\.number) == [2, 4, 6])
    #expect(error?.description.hasPrefix("line 2: \"*.example.com\" has a *") == true)

    let many = String(repeating: "a/b\n", count: 25)
    let twenty = #expect(throws: WatchlistError.self) { try Watchlist.read(Array(many.utf8), syntax: .oriel) }
    #expect(twenty?.lines.map(\.number) == Array(1...20))
    #expect(twenty?.count == 25)
    #expect(twenty?.description.hasSuffix("and 5 more") == true)
  }

  @Test("bytes that are not UTF-8 are an error in their line, not an end")
  func notText() throws {
    let bytes = Array("example.com\n".utf8) + [0xFF, 0xFE, 0x0A, 0xEF, 0xBB]
    let error = #expect(throws: WatchlistError.self) { try Watchlist.read(bytes, syntax: .oriel) }
    #expect(error?.lines.map(\.number) == [2, 3])
    #expect(error?.lines.allSatisfy { $0.error == .notText } == true)
  }

  @Test("public suffixes are taken where they are allowed")
  func publicSuffix() throws {
    let bytes = Array("co.uk".utf8)
    #expect(throws: WatchlistError.self) { try Watchlist.read(bytes, syntax: .oriel) }
    #expect(try Watchlist.read(bytes, syntax: .oriel, allowPublicSuffix: true).count == 1)
  }
}
