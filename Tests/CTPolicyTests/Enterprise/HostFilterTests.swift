import CTPolicy
import TestWorld
import Testing

@Suite struct HostFilterTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let dialect: HostFilter.Dialect
    let entry: String
    var covered: [String] = []
    var others: [String] = []

    init(_ dialect: HostFilter.Dialect, _ entry: String, _ covered: [String], not others: [String]) {
      self.dialect = dialect
      self.entry = entry
      self.covered = covered
      self.others = others
    }

    var testDescription: String { "\(dialect) \(entry)" }
  }

  static let rows =
    [
      Row(.chrome, "example.com", ["example.com", "a.b.example.com"], not: ["notexample.com", "com"]),
      Row(.chrome, ".example.com", ["example.com"], not: ["www.example.com", "notexample.com"]),
      Row(
        .chrome, "https://pay.example.com:8443/x", ["pay.example.com", "a.pay.example.com"],
        not: ["example.com", "xpay.example.com"]),
      Row(.chrome, "192.0.2.1", ["192.0.2.1"], not: ["1.192.0.2.1", "192.0.2.2", "192.0.2.10"]),
      Row(.chrome, "*", [], not: ["example.com", "*", "a.b"]),
      Row(.chrome, "https://*", [], not: ["example.com"]),
      Row(.chrome, "https://*:443/", [], not: ["example.com"]),
      Row(.chrome, "example.test:invalid_port", ["example.test", "a.example.test"], not: ["test", "example.com"]),
      // What the table leaves open, as Chromium's code answers it.
      Row(.chrome, "EXAMPLE.com", ["example.com", "Www.Example.Com"], not: ["example.org"]),
      Row(.chrome, "https://user:secret@example.com/path?query#part", ["example.com"], not: ["user"]),
      Row(.chrome, "user@example.com:80", ["example.com"], not: ["user"]),
      Row(.chrome, "user:secret@example.com", [], not: ["example.com", "user"]),
      Row(.chrome, "  example.com\t", ["example.com"], not: ["com"]),
      Row(.chrome, "https://.example.com/", ["example.com"], not: ["www.example.com"]),
      Row(.chrome, "//example.com", ["example.com"], not: []),
      Row(.chrome, "https:\\\\example.com\\x", ["example.com"], not: []),
      Row(.chrome, "localhost:8080", ["localhost", "a.localhost"], not: []),
      Row(.chrome, "localhost:invalid", [], not: ["localhost"]),
      Row(.chrome, "[2001:db8::1]:443", ["[2001:db8::1]", "2001:db8::1", "2001:DB8::1"], not: ["2001:db8::2"]),
      Row(.chrome, "2001:db8::1", [], not: ["2001:db8::1"]),
      Row(.chrome, "mailto:a@example.com", [], not: ["example.com", "a"]),
      Row(.chrome, "file:///example.com", [], not: ["example.com"]),
      Row(.chrome, "*.example.com", [], not: ["www.example.com", "example.com"]),
      Row(.chrome, "https:///", [], not: ["example.com", ""]),
      Row(.chrome, "", [], not: ["", "example.com"]),
      Row(.chrome, ".", [], not: ["", ".", "example.com"]),
      Row(.chrome, "bücher.example", [], not: ["bücher.example", "xn--bcher-kva.example"]),
      Row(.chrome, "xn--bcher-kva.example", ["xn--bcher-kva.example"], not: []),
      Row(.chrome, "example.com", ["example.com."], not: []),
      Row(.chrome, "example.com.", [], not: ["example.com"]),
      Row(.chrome, "exa mple.com", [], not: ["exa mple.com"]),
      Row(.firefox, "example.com", ["example.com", "a.b.example.com"], not: ["notexample.com"]),
      Row(.firefox, ".example.com", ["example.com"], not: ["www.example.com"]),
      Row(.firefox, "192.0.2.1", ["192.0.2.1"], not: ["192.0.2.2"]),
      Row(.firefox, "https://example.com", [], not: ["example.com"]),
      Row(.firefox, " example.com", [], not: ["example.com"]),
      Row(.firefox, "Example.com", [], not: ["example.com"]),
      Row(.firefox, "", [], not: ["", "example.com"]),
      Row(.apple, "example.com", ["example.com", "EXAMPLE.com"], not: ["www.example.com", "notexample.com"]),
      Row(
        .apple, ".example.com", ["example.com", "a.b.example.com", "WWW.example.com"], not: ["notexample.com", "com"]),
      Row(.apple, ".com", [], not: ["example.com", "com"]),
      Row(.apple, "*.example.com", [], not: ["www.example.com"]),
      Row(.apple, "", [], not: ["", "example.com"]),
    ] + published

  /// Those of the browsers' own tests: ChromeRequireCTDelegateTest.IgnoresInvalidEntries, test_ct.js of Firefox, and
  /// the domain exceptions of Apple's CTTests.m.
  private static let published = [
    Row(.chrome, "file:///etc/fstab", [], not: ["google.com"]),
    Row(.chrome, "file:///c|/Windows", [], not: ["google.com"]),
    Row(.chrome, "https://example.test:invalid_port", ["example.test"], not: ["google.com"]),
    Row(
      .firefox, ".ct-unknown-log.example.com", ["ct-unknown-log.example.com"],
      not: ["sub.ct-unknown-log.example.com", "ct-insufficient-scts.example.com"]),
    Row(
      .firefox, "no-ct.example.com", ["no-ct.example.com", "sub.no-ct.example.com"],
      not: ["ct-insufficient-scts.example.com"]),
    Row(.apple, "test.apple.com", [], not: ["ct.test.apple.com"]),
    Row(.apple, "one.ct.test.apple.com", [], not: ["ct.test.apple.com"]),
    Row(.apple, "ct.test.apple.com", ["ct.test.apple.com"], not: []),
    Row(.apple, ".test.apple.com", ["ct.test.apple.com"], not: []),
    Row(.apple, ".ct.test.apple.com", ["ct.test.apple.com"], not: []),
    Row(.apple, ".apple.com", ["ct.test.apple.com"], not: []),
    Row(.apple, ".one.ct.test.apple.com", [], not: ["ct.test.apple.com"]),
  ]

  @Test("an entry covers the hosts that its browser says, and no others", arguments: rows)
  func table(row: Row) {
    let filter = HostFilter(row.entry, dialect: row.dialect)
    for host in row.covered { #expect(filter.covers(host), "\(row.entry) should cover \(host)") }
    for host in row.others { #expect(!filter.covers(host), "\(row.entry) should not cover \(host)") }
  }

  struct Miss: Sendable {
    let dialect: HostFilter.Dialect
    let entry: String
    let host: String
    /// Part of the reason; nil if there is nothing to say.
    let reason: String?
  }

  static let misses = [
    Miss(dialect: .chrome, entry: ".shop.example", host: "www.shop.example", reason: "does not cover www.shop.example"),
    Miss(dialect: .firefox, entry: ".shop.example", host: "www.shop.example", reason: "the leading dot means"),
    Miss(dialect: .apple, entry: "shop.example", host: "www.shop.example", reason: "a leading dot it would cover both"),
    Miss(dialect: .chrome, entry: "www.shop.example", host: "shop.example", reason: "not shop.example above it"),
    Miss(dialect: .chrome, entry: "shop.example", host: "myshop.example", reason: "but is not below it"),
    Miss(dialect: .chrome, entry: "*.shop.example", host: "www.shop.example", reason: "a wildcard is taken literally"),
    Miss(dialect: .chrome, entry: "*", host: "www.shop.example", reason: "a lone * is ignored"),
    Miss(dialect: .chrome, entry: "https://*", host: "www.shop.example", reason: "a lone * is ignored"),
    Miss(dialect: .firefox, entry: "https://shop.example/", host: "shop.example", reason: "it is no host"),
    Miss(dialect: .firefox, entry: " shop.example", host: "shop.example", reason: "no host has a space"),
    Miss(dialect: .firefox, entry: "Shop.example", host: "shop.example", reason: "upper case never matches"),
    Miss(dialect: .chrome, entry: "shop.example.", host: "shop.example", reason: "it ends in a dot"),
    Miss(dialect: .chrome, entry: "other.example", host: "shop.example", reason: nil),
    Miss(dialect: .chrome, entry: "shop.example", host: "shop.example", reason: nil),
    Miss(dialect: .chrome, entry: "*.other.example", host: "shop.example", reason: nil),
  ]

  @Test("an entry that nearly covers a host says what is missing", arguments: misses)
  func nearMisses(miss: Miss) {
    let reason = HostFilter(miss.entry, dialect: miss.dialect).nearMiss(miss.host)
    if let expected = miss.reason {
      #expect(reason?.contains(expected) == true, "\(reason ?? "nothing")")
    } else {
      #expect(reason == nil)
    }
  }

  @Test("no entry and no host traps, and none that covers a host is a near miss of it")
  func mutations() {
    var generator = SeededGenerator(seed: 41)
    let alphabet = Array("a.:/@[]*?#%\\ x-0é\u{0}\u{301}🙂")
    for _ in 0..<20_000 {
      let entry = String(
        (0..<Int.random(in: 0...14, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      let host = String(
        (0..<Int.random(in: 0...6, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      for dialect in HostFilter.Dialect.allCases {
        let filter = HostFilter(entry, dialect: dialect)
        for candidate in [host, entry] where filter.covers(candidate) {
          #expect(filter.nearMiss(candidate) == nil)
        }
        _ = filter.nearMiss(host)
      }
    }
    let long = String(repeating: "a", count: 1 << 20)
    #expect(!HostFilter(long, dialect: .chrome).covers(long))
  }
}
