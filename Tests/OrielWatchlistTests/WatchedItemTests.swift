import Foundation
import MerkleTree
import OrielWatchlist
import TestSupport
import Testing

struct WatchedItemTests {
  @Test(
    "an item is read into its canonical form, which reads back as the same item",
    arguments: [
      ("example.com", "example.com"), (".example.com", "example.com"), (" Example.COM. \t", "example.com"),
      ("=www.example.com", "=www.example.com"), ("_dmarc.example.com", "_dmarc.example.com"),
      ("bücher.example", "xn--bcher-kva.example"), ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
      ("=.faß.de", nil), ("=faß.de", "=xn--fa-hia.de"), ("www。example．com｡", "www.example.com"),
      ("xn--i-7iq.ws", "xn--i-7iq.ws"), ("localhost", "localhost"),
      ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.77/24", "192.0.2.0/24"), ("192.0.2.1", "192.0.2.1"),
      ("192.0.2.1/32", "192.0.2.1"), ("0.0.0.0/0", "0.0.0.0/0"), ("=192.0.2.1", "192.0.2.1"),
      ("2001:DB8::/32", "2001:db8::/32"), ("2001:db8:0:0::1", "2001:db8::1"), ("::/0", "::/0"),
      ("::ffff:192.0.2.0/120", "192.0.2.0/24"), (".", "."),
      ("spki:" + String(repeating: "aB", count: 32), "spki:" + String(repeating: "ab", count: 32)),
      ("ISSUER:" + "00" + String(repeating: ":fF", count: 31), "issuer:00" + String(repeating: "ff", count: 31)),
    ] as [(String, String?)])
  func canonicalForm(text: String, canonical: String?) throws {
    guard let canonical else {
      #expect(throws: WatchedItemError.self) { try WatchedItem(parsing: text) }
      return
    }
    let item = try WatchedItem(parsing: text)
    #expect(item.description == canonical)
    #expect(try WatchedItem(parsing: canonical) == item)
  }

  @Test("the sign before a name says what is watched")
  func kinds() throws {
    let name = try DomainName("example.com")
    #expect(try WatchedItem(parsing: "example.com") == .subtree(name))
    #expect(try WatchedItem(parsing: "=example.com") == .exact(name))
    #expect(try WatchedItem(parsing: ".") == .everything)
    #expect(try WatchedItem(parsing: "10.0.0.0/8") == .addresses(AddressRange("10.0.0.0/8")))
    #expect(try WatchedItem(parsing: "spki:" + SHA256Hash.zero.hex) == .publicKey(.zero))
    #expect(try WatchedItem(parsing: "issuer:" + SHA256Hash.zero.hex) == .issuer(.zero))
  }

  static let long = String(repeating: "a", count: 64)

  @Test(
    "an error names the rule that a text breaks",
    arguments: [
      ("", .empty), ("  ", .empty), ("=", .empty), ("a..example", .emptyLabel(in: "a..example")),
      ("..example", .emptyLabel(in: ".example")), ("\(long).example", .labelTooLong(long)),
      ("*.example.com", .wildcard(in: "*.example.com")), ("w*.example.com", .wildcard(in: "w*.example.com")),
      ("https://example.com/", .invalidCharacter(":", in: "https://example.com/")),
      ("example.com/x", .invalidCharacter("/", in: "example.com/x")),
      ("me@example.com", .invalidCharacter("@", in: "me@example.com")),
      ("exa mple.com", .invalidCharacter(" ", in: "exa mple.com")),
      ("example.com\0", .invalidCharacter("\0", in: "example.com\0")),
      ("bü/cher.example", .notIDNA(label: "bü/cher", reason: "A-label roundtrip failed")),
      ("192.0.2", .numericTopLevel("192.0.2")), ("192.0.2.256", .numericTopLevel("192.0.2.256")),
      ("192.0.2.0/33", .prefixTooLong(in: "192.0.2.0/33", longest: 32)),
      ("2001:db8::/129", .prefixTooLong(in: "2001:db8::/129", longest: 128)),
      ("192.0.2.0/", .invalidAddress("192.0.2.0/")), ("192.0.2.0/-1", .invalidCharacter("/", in: "192.0.2.0/-1")),
      ("2001:db8", .invalidAddress("2001:db8")), ("spki:ab", .invalidHash("ab")), ("issuer:", .invalidHash("")),
    ] as [(String, WatchedItemError)])
  func refused(text: String, error: WatchedItemError) {
    #expect(throws: error) { try WatchedItem(parsing: text) }
    #expect(!error.description.isEmpty)
  }

  @Test("a name of 253 bytes is the longest")
  func longestName() throws {
    let name = String(repeating: "a.", count: 125) + "com"
    #expect(try DomainName(name + ".").ascii == name)
    #expect(throws: WatchedItemError.nameTooLong("a" + name)) { try DomainName("a" + name) }
  }

  @Test("a wildcard's error says what to write instead")
  func wildcardHint() {
    #expect(WatchedItemError.wildcard(in: "*.example.com").description.contains("write \"example.com\""))
  }

  @Test("a public suffix of the ICANN section is refused unless allowed", arguments: ["com", "co.uk", "=co.uk", ".jp"])
  func publicSuffix(text: String) throws {
    #expect {
      try WatchedItem(parsing: text)
    } throws: {
      if case .publicSuffix? = $0 as? WatchedItemError { true } else { false }
    }
    let item = try WatchedItem(parsing: text, allowPublicSuffix: true)
    #expect(try WatchedItem(parsing: item.description, allowPublicSuffix: true) == item)
  }

  @Test(
    "names below a suffix, of the private section and of no known top level are watched",
    arguments: ["github.io", "foo.co.uk", "local", "corp.internal"])
  func noPublicSuffix(text: String) throws {
    #expect(try WatchedItem(parsing: text) == .subtree(DomainName(text)))
  }

  @Test("a newer list given as a file decides", .needsTestData)
  func newerList() throws {
    let path = try TestData.url("psl/public_suffix_list_2026-10-22.dat").path
    let list = try PublicSuffixes(file: path)
    for suffix in ["abg.ec", "bank.in", "chtr.k12.ma.us", "xn--55qx5d.cn", "any.ck"] {
      #expect(list.isICANNSuffix(try DomainName(suffix)), "\(suffix)")
    }
    for name in ["www.ck", "github.io", "example.com", "unknown-tld"] {
      #expect(!list.isICANNSuffix(try DomainName(name)), "\(name)")
    }
    #expect(throws: WatchedItemError.publicSuffix(try DomainName("abg.ec"))) {
      try WatchedItem(parsing: "abg.ec", publicSuffixes: list)
    }
  }

  @Test("a file that is no list is an error", .needsTestData)
  func noList() throws {
    let path = try TestData.url("README.md").path
    #expect(throws: PublicSuffixes.UnusableFile.self) { try PublicSuffixes(file: path) }
    #expect(throws: PublicSuffixes.UnusableFile.self) { try PublicSuffixes(file: "/nonexistent") }
  }
}
