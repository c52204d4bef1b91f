import CertificateTransparency
import MerkleTree
import OrielWatchlist
import Testing

struct WatchIndexTests {
  @Test(
    "a name hits what it covers, however it is written",
    arguments: QuirkCase.all)
  func quirks(_ quirk: QuirkCase) throws {
    // Others are watched too, so that what is not hit is not merely the last branch of an empty tree.
    let others = try ["example.net", "=www.example.net", "198.51.100.0/24"].map { try WatchedItem(parsing: $0) }
    let item = try WatchedItem(parsing: quirk.watched)
    let index = WatchIndex([item] + others)
    let hits = index.matches(for: [quirk.name], publicKey: nil, issuer: nil).all.map(\.item)
    #expect(hits.contains(item) == quirk.isHit)
    if !hits.isEmpty {
      #expect(index.mightMatch(quirk.name))
    }
  }

  @Test("every item and every name that hits it is reported once, in the order of the names, wildcards last")
  func allMatches() throws {
    let texts = ["example.com", "=www.example.com", "www.example.com", "example.com", "192.0.2.1"]
    let index = WatchIndex(try texts.map { try WatchedItem(parsing: $0) })
    let names = ["WWW.example.com.", "www.example.com", "*.example.com", "b\u{1}d.example.com"]
      .map { FoundName(source: .dnsName, bytes: Array($0.utf8)) }
    let found = index.matches(for: names, publicKey: nil, issuer: nil).all.map { "\($0.item) \($0.name)" }
    let items = ["example.com", "www.example.com", "=www.example.com"]
    #expect(
      found
        == items.map { "\($0) www.example.com" } + ["example.com b\\u{1}d.example.com"]
        + items.map { "\($0) *.example.com" })
  }

  @Test("keys, issuers and everything are matched without names")
  func withoutNames() throws {
    let other = SHA256Hash.hash([1])
    let index = WatchIndex([.publicKey(.zero), .issuer(other), .everything])
    #expect(index.needsPublicKeyHash && index.needsIssuerKeyHash && index.watchesEverything && !index.watchesAddresses)
    #expect(index.contains(publicKey: .zero) && !index.contains(publicKey: other))
    #expect(index.contains(issuer: other) && !index.contains(issuer: .zero))
    let name = FoundName(source: .dnsName, bytes: Array("A.example".utf8))
    #expect(
      index.matches(for: [name], publicKey: .zero, issuer: .zero).all
        == [WatchMatch(item: .publicKey(.zero), name: "a.example"), WatchMatch(item: .everything, name: "a.example")])
    #expect(index.matches(for: [], publicKey: other, issuer: other).all.map(\.item) == [.issuer(other), .everything])
    #expect(index.mightMatch(name))
  }

  @Test("an index of nothing matches nothing")
  func empty() {
    let index = WatchIndex([])
    for text in ["example.com", "*", "", "\0", "1.2.3.4"] {
      let name = FoundName(source: .dnsName, bytes: Array(text.utf8))
      #expect(index.matches(for: [name], publicKey: .zero, issuer: .zero).all.isEmpty)
    }
    #expect(!index.mightMatch(FoundName(source: .dnsName, bytes: Array("example.com".utf8))))
    #expect(!index.needsPublicKeyHash && !index.needsIssuerKeyHash && !index.watchesEverything)
    #expect(!index.watchesAddresses)
  }

  @Test("the hot question says no to plain names that are not watched")
  func hotNegatives() throws {
    let index = WatchIndex(
      try ["example.com", "=www.example.org", "192.0.2.0/24"].map { try WatchedItem(parsing: $0) })
    let names: [(String, FoundName.Source)] = [
      ("www.example.net", .dnsName), ("example.org", .dnsName), ("a.www.example.org", .dnsName), ("*.de", .dnsName),
      ("*.other.com", .dnsName), ("other.com", .commonName), ("", .dnsName), ("me@example.net", .email),
      ("http://example.net/example.com", .uri), ("_sip.example.net", .srvName),
    ]
    for (name, source) in names {
      #expect(!index.mightMatch(FoundName(source: source, stringTag: 22, bytes: Array(name.utf8))), "\(name)")
    }
    #expect(!index.mightMatch(FoundName(source: .ipAddress, bytes: [192, 0, 3, 1])))
    #expect(!index.mightMatch(FoundName(source: .ipAddress, bytes: QuirkCase.v6)))
  }
}

extension WatchIndex {
  func mightMatch(_ name: FoundName) -> Bool {
    mightMatch(name.bytes.span, source: name.source, stringTag: name.stringTag)
  }

  func matches(inUnreadable bytes: [UInt8]) -> [WatchMatch] { matches(inUnreadable: bytes.span) }

  func items(hitBy name: FoundName) -> [WatchedItem] {
    matches(for: [name], publicKey: nil, issuer: nil).all.map(\.item)
  }
}
