import CertificateTransparency
import OrielWatchlist
import Testing

struct LookalikeIndexTests {
  /// Others are watched too, so that what is not found is not merely the last branch of an empty table.
  private static let others = ["wikipedia.org", "stadtwerke.example", "wetterdienst.net", "abc.example"]

  @Test("a name imitates a domain in the way that the table says, or not", arguments: LookalikeCase.all)
  func table(_ row: LookalikeCase) throws {
    let index = LookalikeIndex(domains: try ([row.watched] + Self.others).map { try DomainName($0) })
    let found = index.lookalikes(row.name)
    #expect(found.map(\.reason) == (row.reason.map { [$0] } ?? []))
    #expect(
      found.allSatisfy { 40...100 ~= $0.rating && $0.domain.description == (try? DomainName(row.watched))?.ascii })
    var scanner = LookalikeScanner(index)
    for _ in 0..<2 {
      let isLookalike = scanner.isLookalike(row.name)
      #expect(isLookalike == (row.reason != nil))
    }
  }

  @Test("what deceives more is rated higher")
  func order() throws {
    let index = LookalikeIndex(domains: [try DomainName("paypal.com")])
    let names = ["pаypal.com", "paypa1.com", "papyal.com", "paypal.net", "paypels.com"]
    let ratings = names.map { index.lookalikes($0).first?.rating ?? 0 }
    #expect(ratings == ratings.sorted(by: >) && ratings[4] == 0 && ratings[3] > 0)
    let found = try #require(index.lookalikes("www.papyal.com").first)
    #expect(found.registrable == "papyal.com")
    #expect(found.description == "www.papyal.com is paypal.com with two letters swapped.")
  }

  @Test(
    "A name is shown as it looks, unless that could turn or hide text",
    arguments: [
      ("pаypal.com", "pаypal.com"), ("www.paypa1.com", nil), ("раураl-login.com", "раураl-login.com"),
      ("xn--paypal-login-\u{200d}.com", nil),
    ] as [(String, String?)])
  func unicode(_ name: String, _ shown: String?) throws {
    let index = LookalikeIndex(domains: [try DomainName("paypal.com")])
    #expect(index.lookalikes(name).first?.unicode == shown)
    for match in index.lookalikes(name) {
      #expect(match.name.allSatisfy { $0.isASCII })
      #expect(match.unicode?.unicodeScalars.contains { $0.isDeceptive } != true)
    }
  }

  @Test("own and allowed names are left out for their owner, and for nobody else")
  func owners() throws {
    func owned(_ name: String, _ owner: Int64) throws -> LookalikeIndex.OwnedDomain {
      LookalikeIndex.OwnedDomain(try DomainName(name), owner: owner)
    }
    let index = LookalikeIndex(
      watching: [try owned("paypal.com", 1), try owned("paypal.net", 1), try owned("paypal.com", 2)],
      allowed: [try owned("paypa1.org", 2)])
    #expect(index.lookalikes("www.paypal.net").map(\.owner) == [2])
    #expect(index.lookalikes("paypa1.org").map(\.owner) == [1, 1])
    #expect(index.lookalikes("www.paypal.com").isEmpty && index.lookalikes("a.paypa1.org").map(\.owner) == [1, 1])
    #expect(index.lookalikes("paypal.org").map(\.owner) == [1, 1, 2])
  }

  @Test("an index of nothing, of a public suffix or of a top level finds nothing", arguments: ["", "co.uk", "com"])
  func nothing(_ watched: String) throws {
    let index = LookalikeIndex(domains: watched.isEmpty ? [] : [try DomainName(watched)])
    var scanner = LookalikeScanner(index)
    for name in ["example.com", "co.uk.example.com", "c0.uk", "com.example", "", ".", "a.co.uk"] {
      let isLookalike = scanner.isLookalike(name)
      #expect(index.lookalikes(name).isEmpty && !isLookalike)
    }
  }

  @Test("only host names are looked at")
  func sources() throws {
    let index = LookalikeIndex(domains: [try DomainName("paypal.com")])
    for source in FoundName.Source.allCases {
      var found: [Lookalike] = []
      index.matches(Array("paypa1.com".utf8).span, source: source, stringTag: 22, into: &found)
      #expect(found.count == (source == .dnsName || source == .commonName ? 1 : 0))
    }
  }
}

extension LookalikeIndex {
  func lookalikes(_ name: String) -> [Lookalike] {
    var found: [Lookalike] = []
    matches(Array(name.utf8).span, source: .dnsName, stringTag: 22, into: &found)
    return found
  }
}

extension LookalikeScanner {
  mutating func isLookalike(_ name: String) -> Bool {
    isLookalike(Array(name.utf8).span, source: .dnsName, stringTag: 22)
  }
}
