import CertificateTransparency
import OrielWatchlist
import TestSupport
import Testing

struct WatchIndexBoundsTests {
  private func index(_ texts: String...) throws -> WatchIndex {
    WatchIndex(try texts.map { try WatchedItem(parsing: $0) })
  }

  static let longNames: [String] = [
    String(repeating: "a", count: 65_536), String(repeating: ".", count: 65_536),
    String(repeating: "*.", count: 32_768), String(repeating: "a*", count: 32_768),
    String(repeating: "a.", count: 32_768), String(repeating: "com.", count: 100_000),
    String(repeating: "/", count: 65_536), String(repeating: "a/", count: 40_000),
    String(repeating: "\0a", count: 40_000), String(repeating: "ü", count: 40_000),
    String(repeating: "ü.", count: 40_000), String(repeating: "\u{301}", count: 40_000),
    String(repeating: ":", count: 65_536), String(repeating: "@", count: 65_536),
    String(repeating: "[", count: 65_536), String(repeating: " ", count: 65_536),
    String(repeating: "xn--a.", count: 12_000), String(repeating: "中", count: 300) + ".com",
  ]

  @Test("a name of many thousand bytes is read to its end, and its host is found", arguments: longNames.indices)
  func longName(number: Int) throws {
    let index = try index("example.com", "=www.example.org", "192.0.2.0/24")
    for source in FoundName.Source.allCases {
      for tag in [12, 28, 30] as [UInt8] {
        let name = FoundName(source: source, stringTag: tag, bytes: Array(Self.longNames[number].utf8))
        #expect(index.mightMatch(name) || index.items(hitBy: name).isEmpty)
      }
    }
    let name = FoundName(source: .dnsName, bytes: Array((Self.longNames[number] + ".example.com").utf8))
    #expect(index.items(hitBy: name).contains(try WatchedItem(parsing: "example.com")))
    #expect(index.mightMatch(name))
  }

  @Test("a host in the midst of too many others is found by search")
  func manyHosts() throws {
    let parts = String(repeating: "a/", count: 200)
    let name = FoundName(source: .dnsName, bytes: Array((parts + "www.example.com/" + parts).utf8))
    #expect(try index("example.com").items(hitBy: name) == [try WatchedItem(parsing: "example.com")])
  }

  @Test("where wildcards ask for too much, what they leave out is said, and nobody is reported for it")
  func exhausted() throws {
    let long = String(repeating: "a", count: 50)
    let items =
      try (0..<2000).map { try WatchedItem(parsing: "\(long)\($0).example") } + [WatchedItem(parsing: "x.test")]
    let index = WatchIndex(items)
    func names(_ count: Int) -> [FoundName] {
      (0..<count).map { number in
        FoundName(source: .dnsName, bytes: Array("x\(number)\(String(repeating: "*", count: 40)).example".utf8))
      }
    }
    let few = index.matches(for: names(10), publicKey: nil, issuer: nil)
    #expect(few.all.isEmpty && few.isComplete)
    // Names without wildcards, and wildcards for whole labels, do not suffer from others.
    let victims = ["x.test", "*.test", "\(long)7.example"].map { FoundName(source: .dnsName, bytes: Array($0.utf8)) }
    let many = index.matches(for: names(200) + victims, publicKey: nil, issuer: nil)
    #expect(!many.isComplete)
    #expect(Set(many.all.map(\.item)) == Set([items[7], items[2000]]))
  }

  @Test("a wildcard above many thousand items matches each of them once, however often it is there")
  func wideWildcard() throws {
    let items = try (0..<20_000).map { try WatchedItem(parsing: "name\($0).example") }
    let names = ["*.example", "*.EXAMPLE", "*.example.", "*.com"].map {
      FoundName(source: .dnsName, bytes: Array($0.utf8))
    }
    let found = WatchIndex(items).matches(for: names, publicKey: nil, issuer: nil)
    #expect(found.isComplete && Set(found.all.map(\.item)) == Set(items) && found.all.count == items.count)
  }

  @Test("many wildcards above many items match each item, and do not multiply")
  func manyWildcards() throws {
    let items = try (0..<20_000).map { try WatchedItem(parsing: "name\($0).example") }
    let names = "abcdefghijklmnopqrstuvwxyz".map {
      FoundName(source: .dnsName, bytes: Array("*\($0)*.example".utf8))
    }
    let found = WatchIndex(items).matches(for: names, publicKey: nil, issuer: nil)
    #expect(Set(found.all.map(\.item)) == Set(items) && found.all.count < 2 * items.count)
  }

  @Test(
    "a watched name is found in bytes without structure",
    arguments: [
      ("example.com", "\u{1}example.com\u{2}", true), ("example.com", "..www.EXAMPLE.com", true),
      ("example.com", "\u{16}Nexample.com0", true), ("example.com", "notexample.com", false),
      ("=www.example.com", "0www.example.com1", true), ("=www.example.com", "\u{3}ab.www.example.com", false),
      ("=www.example.com", "\u{3}www.example.co", false), ("example.com", "example com", false),
      ("a.b.c.example", "\u{0}x.a.b.c.example", true), (".", "", true), ("192.0.2.0/24", "192.0.2.1", false),
    ])
  func unreadable(watched: String, text: String, isFound: Bool) throws {
    let item = try WatchedItem(parsing: watched)
    let found = try WatchIndex([item, WatchedItem(parsing: "example.net")]).matches(inUnreadable: Array(text.utf8))
    #expect(found.map(\.item) == (isFound ? [item] : []))
  }

  @Test("a watched address is found in bytes without structure, behind the tag of an iPAddress")
  func unreadableAddress() throws {
    let index = try index("192.0.2.0/24")
    #expect(index.matches(inUnreadable: [0x30, 6, 0x87, 4, 192, 0, 2, 1]).map(\.name) == ["192.0.2.1"])
    #expect(index.matches(inUnreadable: [0x87, 0x87, 4, 192, 0, 2, 1]).count == 1)
    for bytes in [[0x87], [0x87, 4], [0x87, 4, 192, 0, 2], [0x82, 4, 192, 0, 2, 1]] as [[UInt8]] {
      #expect(index.matches(inUnreadable: bytes).isEmpty)
    }
  }
}
