import CertificateTransparency
import MerkleTree
import OrielStore
import TestWorld
import Testing

@Suite("A certificate that matches more than anybody could read")
struct WideMatchTests {
  private static let own = AlertTarget(recipient: "owner", target: "mail:owner@own.example")
  private static let other = AlertTarget(recipient: "other", target: "mail:other@own.example")

  @Test("is kept for 5,000 items of each owner, and counted for the rest")
  func shares() async throws {
    let shelf = try await Shelf()
    let following = FollowingStore(shelf.database, writesAlerts: true) { item in
      [item == "z.example" ? Self.other : Self.own]
    }
    let items = (10_000..<15_200).map { "i\($0).example" } + ["z.example"]
    // An account watches what lies behind the first target's share.
    let domains = try await shelf.database.transaction { connection in
      try connection.execute("INSERT INTO accounts (id, name, plan, created_at) VALUES (7, 'seven', '', 0)", [])
      return try items[5100..<5110].map { item in
        try connection.query(
          """
          INSERT INTO domains (account_id, item, source, is_on, unexplained, expected, known, no_history, created_at)
          VALUES (7, ?, 'account', 1, 'at-once', 'daily', 'never', 'daily', 0) RETURNING id
          """, [.text(item)]
        ).first?.integer(0)
      }
    }
    let pair = try TestAuthority().issue(CertificateRequest(["*.example"]))
    let facts = CertificateFacts(certificate: pair.certificate)
    for index in 0..<2 {
      let sighting = NewSighting(
        index: UInt64(index), timestamp: UInt64(Shelf.now), issuance: pair.issuanceID,
        issuerKeyHash: pair.issuerKeyHash, entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
        facts: facts, matches: items.shuffled().map { StoredMatch(item: $0, name: "*.example") }, problems: [])
      try await following.commit(
        [sighting], of: shelf.log.logID, downloaded: LogPosition(index: 0, frontier: Frontier()), verified: nil,
        unreadable: 0, now: Shelf.now)
    }
    let kept = Array(items[..<5000] + items[5100..<5110] + ["z.example"])
    let record = try #require(try await following.issuances().first)
    #expect(record.matches.map(\.item) == kept && record.matchCount == items.count)
    let rows = try await shelf.rows()
    #expect(rows["alerts"] == Int64(kept.count) && rows["omitted_matches"] == 2)
    let domain = AlertTarget(recipient: "domain:\(try #require(domains[0]))", target: "domain-mail:a@own.example")
    for (target, count, others) in [(Self.own, 5010, 190), (Self.other, 1, 0), (domain, 10, 0)] {
      let found = try await shelf.alerts.items(matchedBy: pair.issuanceID, for: target) { item in
        (item == "z.example") == (target == Self.other)
      }
      #expect(found.kept.count == count && found.others == others)
    }
  }
}
