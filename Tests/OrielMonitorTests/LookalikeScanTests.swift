import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore
import OrielWatchlist
import TestWorld
import Testing

@Suite("Scanning for look-alikes")
struct LookalikeScanTests {
  private static let watched = ["paypal.com", "shop.example", "amazon.co.uk", "apple.de", "mail.example"]

  private static func index() throws -> LookalikeIndex {
    LookalikeIndex(domains: try watched.map { try DomainName($0) })
  }

  /// What ends alike comes together: that is what a scanner makes use of.
  private static let names: [String] = {
    let domains = [
      "paypal.com", "paypa1.com", "paypel.com", "plain.com", "evil.com", "shop.example", "sh0p.example", "some.example",
      "amazon.co.uk", "amaz0n.co.uk", "plain.co.uk", "co.uk", "apple.de", "applle.de", "birne.de", "mail.evil.de",
      "com",
    ]
    let first = [
      "", "www.", "*.", "mail.", "paypal.", "paypal-login.", "apple.", "shop.example.", "www.paypal.com.",
      "a-long-label-here.b.",
      "shop.", "aplpe.", ".", "..",
    ]
    return domains.flatMap { domain in first.map { $0 + domain } }
  }()

  @Test("The names of a certificate are dismissed, or not, as each by itself is", arguments: [1, 2, 5, 40])
  func certificates(_ size: Int) throws {
    let authority = try TestAuthority()
    var scanner = LookalikeScanner(try Self.index())
    var (hits, total) = (0, 0)
    for start in stride(from: 0, to: Self.names.count, by: size) {
      let group = Array(Self.names[start..<min(start + size, Self.names.count)])
      let certificate = try authority.issue(CertificateRequest(group)).certificate
      let bytes = certificate.span
      var ranges: [NameRange] = []
      guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else {
        Issue.record("unreadable")
        continue
      }
      let isWhole = NameWalk.find(fields, in: bytes, into: &ranges)
      #expect(isWhole)
      let index = try Self.index()
      let expected = group.contains { name in
        var found: [Lookalike] = []
        index.matches(Array(name.utf8).span, source: .dnsName, stringTag: 22, into: &found)
        return !found.isEmpty
      }
      let isFound = scanner.areLookalikes(ranges, in: bytes)
      #expect(isFound == expected, "\(group)")
      hits += expected ? 1 : 0
      total += 1
    }
    #expect(hits > 0 && (hits < total || size == 40))
  }

  @Test(
    "What imitates is stored as that, once however often it is read, and not told as a sighting",
    arguments: LogKind.allCases)
  func following(kind: LogKind) async throws {
    try await World.run { world in
      let watcher = try Watcher(world, watching: ["shop.example"])
      watcher.watched.replace(
        with: WatchIndex([try WatchedItem(parsing: "shop.example")]),
        lookalikes: LookalikeIndex(watching: [
          LookalikeIndex.OwnedDomain(try DomainName("shop.example"), owner: StoredLookalike.configuration)
        ]))
      try world.issue("www.sh0p.example", "sh0p.example")
      try world.issue("www.shop.example", "shop.example.evil.com")
      try world.issue("other.example")
      for _ in 0..<2 { try await watcher.watchOnce(kind.description(in: world)) }
      // The one that is a match as well is told for that.
      #expect(watcher.announcements.map(\.isUpdate) == [false, true])
      let stored = try await watcher.stored()
      #expect(stored.count == 2 && stored.map { $0.matches.isEmpty }.contains(true))
      let database = try SQLiteDatabase(path: watcher.folder.appending(path: "oriel.db").path)
      let records = try await database.read {
        try Lookalikes.page($0, owner: StoredLookalike.configuration, item: "shop.example", limit: 9)
      }
      #expect(records.map(\.lookalike.registrable).sorted() == ["evil.com", "sh0p.example"])
      #expect(records.map(\.lookalike.reason).sorted() == ["confusable", "embedded"])
      #expect(records.map(\.count) == [1, 1])
    }
  }
}
