import CertificateTransparency
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

extension SeededGenerator {
  fileprivate mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &self)] }

  /// Names from few labels, so that they often meet.
  fileprivate mutating func name(labels: [String], upTo count: Int) -> String {
    (0..<Int.random(in: 1...count, using: &self)).map { _ in pick(labels) }.joined(separator: ".")
  }
}

struct WatchIndexPropertyTests {
  static let labels = ["a", "b", "ab", "abc", "www", "com", "org", "a-b", "x_y", "longer-than-eight", "xn--bcher-kva"]

  private static func items(_ generator: inout SeededGenerator) throws -> [WatchedItem] {
    try (0..<Int.random(in: 1...12, using: &generator)).map { _ in
      let sign = generator.pick(["", "="])
      return try WatchedItem(parsing: sign + generator.name(labels: labels, upTo: 4), allowPublicSuffix: true)
    }
  }

  /// What a name of proper labels and wildcards hits, by a scan of all items.
  private static func reference(_ items: [WatchedItem], _ name: String) -> Set<WatchedItem> {
    func covers(_ pattern: Substring, _ label: Substring) -> Bool {
      guard let first = pattern.first else { return label.isEmpty }
      if first == "*" {
        return covers(pattern.dropFirst(), label) || !label.isEmpty && covers(pattern, label.dropFirst())
      }
      return label.first == first && covers(pattern.dropFirst(), label.dropFirst())
    }
    let patterns = name.lowercased().split(separator: ".")
    return Set(
      items.filter { item in
        switch item {
        case .exact(let watched), .subtree(let watched):
          let labels = watched.ascii.split(separator: ".")
          // A wildcard in front stands for one label or more.
          if patterns.count > 1, patterns.first == "*", labels.count >= patterns.count,
            zip(patterns.dropFirst().reversed(), labels.reversed()).allSatisfy(covers)
          {
            return true
          }
          guard patterns.count >= labels.count else { return false }
          if case .exact = item, patterns.count > labels.count { return false }
          return zip(patterns.suffix(labels.count), labels).allSatisfy { covers($0, $1) }
        default: return false
        }
      })
  }

  @Test("proper names and wildcards hit what a scan of all items finds", arguments: 0..<20)
  func agreesWithScan(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let patterns = Self.labels + ["*", "*", "a*", "*b", "a*c", "*o*", "WWW", "B"]
    var hits = 0
    for _ in 0..<100 {
      let items = try Self.items(&generator)
      let index = WatchIndex(items)
      for _ in 0..<20 {
        let text = generator.name(labels: patterns, upTo: 5)
        let name = FoundName(source: .dnsName, bytes: Array(text.utf8))
        let expected = Self.reference(items, text)
        #expect(Set(index.items(hitBy: name)) == expected, "\(text) against \(items)")
        #expect(index.mightMatch(name) || expected.isEmpty)
        hits += expected.isEmpty ? 0 : 1
      }
    }
    #expect(hits > 200)
  }

  /// Bytes that have been through much: proper names with pieces that mean something, cut and put together anyhow.
  private static func nastyName(_ generator: inout SeededGenerator) -> FoundName {
    let pieces: [[UInt8]] =
      labels.map { Array($0.utf8) }
      + [
        ".", ".", ".", "..", "*", "?", "/", "://", "http://", ":443", "@", " ", "\0", "\\", "#", "[", "]", "%", "_",
        "192.0.2.1", "::1", "xn--", "bücher", "。", "\u{FF0E}", "ａ", ",", "A.COM", "_sip.", "\u{301}", "\t", "+", "~",
      ].map { Array($0.utf8) } + [[0xFC], [0xC3], [0xFF], [0], [0, 0x61], [192, 0, 2, 1]]
    var bytes = (0..<Int.random(in: 0...9, using: &generator)).flatMap { _ in generator.pick(pieces) }
    if Int.random(in: 0..<3, using: &generator) == 0 { bytes += Array((".ab.com").utf8) }
    let source = generator.pick(FoundName.Source.allCases)
    let tag = generator.pick([0, 12, 12, 19, 20, 22, 22, 22, 28, 30] as [UInt8])
    return FoundName(source: source, stringTag: tag, bytes: bytes)
  }

  @Test("where the hot question says no, there is no match", arguments: 0..<(isCampaign ? 20 : 8))
  func hotIsSuperset(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed + 1000)
    var (denials, hits) = (0, 0)
    for _ in 0..<30 {
      let items =
        try Self.items(&generator)
        + ["192.0.2.0/24", "::/8", "bücher.com"].prefix(Int.random(in: 0...3, using: &generator))
        .map { try WatchedItem(parsing: $0) }
      let index = WatchIndex(items)
      for _ in 0..<100 {
        let name = Self.nastyName(&generator)
        let found = index.items(hitBy: name)
        if index.mightMatch(name) {
          hits += found.isEmpty ? 0 : 1
        } else {
          denials += 1
          #expect(found.isEmpty, "\(name.source) \(name.stringTag) \(name.bytes) against \(items)")
        }
      }
    }
    #expect(denials > 100 && hits > 100)
  }

  @Test("every subtree item is hit by its own name, by a name below it and by its wildcard, among thousands")
  func manyItems() throws {
    var generator = SeededGenerator(seed: 7)
    let items = try (0..<5000).map { number in
      let label = String(UInt32.random(in: 0...UInt32.max, using: &generator), radix: 36)
      return try WatchedItem(parsing: "\(label)-\(number)." + generator.pick(["example", "co.uk", "a.b.c.example"]))
    }
    let index = WatchIndex(items)
    for item in items {
      for prefix in ["", "www.", "*."] {
        #expect(
          index.items(hitBy: FoundName(source: .dnsName, bytes: Array((prefix + item.description).utf8))) == [item])
      }
      let other = FoundName(source: .dnsName, bytes: Array(("x" + item.description).utf8))
      #expect(!index.mightMatch(other) && index.items(hitBy: other).isEmpty)
    }
    let all = index.matches(
      for: [FoundName(source: .dnsName, bytes: Array("*.co.uk".utf8))], publicKey: nil, issuer: nil
    ).all
    #expect(all.count == items.count { $0.description.hasSuffix(".co.uk") })
  }
}
