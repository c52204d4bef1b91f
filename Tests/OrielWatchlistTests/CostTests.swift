import CertificateTransparency
import TestSupport
import Testing

@testable import OrielWatchlist

@Suite("What names cost", .serialized)
struct CostTests {
  @Test("A name is compared with what is watched in linear time", arguments: costlyPieces)
  func names(_ piece: String) throws {
    let texts = ["example.com", "=www.example.org", "192.0.2.0/24"]
    let index = WatchIndex(try texts.map { try WatchedItem(parsing: $0) })
    let lookalikes = LookalikeIndex(domains: [try DomainName("example.com"), try DomainName("bücher.example")])
    func look(_ names: [FoundName]) {
      _ = index.matches(for: names, publicKey: nil, issuer: nil)
      for name in names {
        var found: [Lookalike] = []
        lookalikes.matches(name.bytes.span, source: name.source, stringTag: name.stringTag, into: &found)
      }
    }
    for tag in [12, 20, 30] as [UInt8] {
      let long = growth(
        to: isCampaign ? 1 << 15 : 1 << 14,
        input: {
          [FoundName(source: .dnsName, stringTag: tag, bytes: Array(String(repeating: piece, bytes: $0).utf8))]
        },
        look)
      let many = growth(
        to: isCampaign ? 2000 : 1000,
        input: { count in
          (0..<count).map {
            FoundName(source: .dnsName, stringTag: tag, bytes: Array("\(piece)\($0).example.com".utf8))
          }
        }, look)
      #expect(long < 3 && many < 3)
    }
  }

  @Test("What an owner types in is read in linear time", arguments: costlyPieces)
  func items(_ piece: String) {
    let ratio = growth(of: piece) { text in
      for text in [text, text + ".example.com", "=" + text, "key:" + text] { _ = try? WatchedItem(parsing: text) }
      _ = ReadableName.unicode(of: text)
    }
    #expect(ratio < 3)
  }
}
