import CertificateTransparency
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

extension SeededGenerator {
  fileprivate mutating func letter() -> Character {
    Character(Unicode.Scalar(UInt8.random(in: 0x61...0x7A, using: &self)))
  }

  fileprivate mutating func label(_ length: ClosedRange<Int>) -> String {
    String((0..<Int.random(in: length, using: &self)).map { _ in letter() })
  }
}

struct LookalikePropertyTests {
  private static let suffixes = ["com", "de", "co.uk", "example"]

  /// All that one slip makes of a label, with one letter of the generator's choice where there are 26.
  private static func slips(_ label: String, _ generator: inout SeededGenerator) -> Set<String> {
    let letters = Array(label)
    var slips: Set<String> = []
    for place in letters.indices {
      var (missing, replaced, swapped) = (letters, letters, letters)
      missing.remove(at: place)
      replaced[place] = generator.letter()
      if place > 0 { swapped.swapAt(place, place - 1) }
      slips.formUnion([String(missing), String(replaced), String(swapped)])
    }
    for place in 0...letters.count {
      var (added, doubled) = (letters, letters)
      added.insert(generator.letter(), at: place)
      doubled.insert(letters[min(place, letters.count - 1)], at: place)
      slips.formUnion([String(added), String(doubled)])
    }
    return slips.subtracting([label])
  }

  @Test("whatever one slip makes of a domain is found, among thousands", arguments: 0..<4)
  func slips(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let domains = try (0..<2000).map { _ in
      try DomainName(generator.label(5...14) + "." + (Self.suffixes.randomElement(using: &generator) ?? "com"))
    }
    let index = LookalikeIndex(watching: domains.map { LookalikeIndex.OwnedDomain($0) }, floor: 0)
    var scanner = LookalikeScanner(index)
    for domain in domains.prefix(60) {
      let label = String(domain.ascii.prefix { $0 != "." })
      for slip in Self.slips(label, &generator) {
        let name = slip + domain.ascii.dropFirst(label.count)
        #expect(index.lookalikes(name).contains { $0.domain == domain }, "\(name) for \(domain)")
        let isLookalike = scanner.isLookalike("www." + name)
        #expect(isLookalike, "\(name) for \(domain)")
      }
    }
  }

  @Test("names at random imitate nothing, but for very few")
  func random() throws {
    var generator = SeededGenerator(seed: 11)
    let index = LookalikeIndex(domains: try (0..<2000).map { _ in try DomainName(generator.label(5...12) + ".com") })
    var scanner = LookalikeScanner(index)
    let found = (0..<20_000).count { _ in scanner.isLookalike("www." + generator.label(6...14) + ".com") }
    #expect(found < 20)
  }

  @Test("whatever the bytes, the scanner finds all that the index does", arguments: 0..<(isCampaign ? 20 : 8))
  func hostileBytes(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed + 500)
    let pieces: [[UInt8]] =
      [
        "paypal", "paypa1", "bücher", "xn--bcher-kva", "xn--80ak6aa92e", "xn--", "xn--99999999", "shop", "apple",
        "login", "-", "-", "--", "1", "24", ".", ".", ".", "..", "com", "co.uk", "example", "evil", "*", "_", "my",
        "rn",
        "раураӏ", "。", "a\u{301}\u{301}\u{301}", "\0", " ", ",", "@", "://", "\u{202E}", "😀", "ﷺ",
      ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xFC], [UInt8](repeating: 0x2D, count: 70)]
    let watched = ["paypal.com", "bücher.example", "shop.example", "apple.co.uk", "modern-login.example", "ab.com"]
    let index = LookalikeIndex(domains: try watched.map { try DomainName($0) })
    var scanner = LookalikeScanner(index)
    var hits = 0
    for _ in 0..<2000 {
      let count = Int.random(in: 0...8, using: &generator)
      let bytes = (0..<count).flatMap { _ in pieces.randomElement(using: &generator) ?? [] } + Array(".com".utf8)
      let tag = [12, 22, 28, 30, 0].randomElement(using: &generator) ?? 0 as UInt8
      var found: [Lookalike] = []
      index.matches(bytes.span, source: .commonName, stringTag: tag, into: &found)
      let isLookalike = scanner.isLookalike(bytes.span, source: .commonName, stringTag: tag)
      #expect(isLookalike == !found.isEmpty, "\(bytes)")
      #expect(found.allSatisfy { 0...100 ~= $0.rating && $0.name.allSatisfy(\.isASCII) })
      hits += found.count
    }
    #expect(hits > 50)
  }

  @Test("names of any length are taken", arguments: [253, 254, 1012, 1013, 65_536, 1 << 20])
  func long(length: Int) throws {
    let index = LookalikeIndex(domains: [try DomainName("paypal.com")])
    var scanner = LookalikeScanner(index)
    for piece in ["a", "a.", "-", "paypal-", "paypa1.", "é", "."] {
      let name = String(repeating: piece, count: length / piece.utf8.count + 1).utf8.prefix(length)
      var found: [Lookalike] = []
      index.matches(Array(name).span, source: .dnsName, stringTag: 12, into: &found)
      let isLookalike = scanner.isLookalike(Array(name).span, source: .dnsName, stringTag: 12)
      #expect(isLookalike == !found.isEmpty)
    }
  }
}
