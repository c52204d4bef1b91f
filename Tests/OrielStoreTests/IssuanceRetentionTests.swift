import CertificateTransparency
import MerkleTree
import OrielStore
import TestSupport
import TestWorld
import Testing

@Suite("Retention")
struct IssuanceRetentionTests {
  @Test("what expired longer ago than asked for is forgotten, all of it, and the rest is left", arguments: [1, 2, 100])
  func forgotten(batch: Int) async throws {
    let shelf = try await Shelf()
    for (index, name) in ["a", "c"].enumerated() { try await shelf.put(name, expired: 31, at: UInt64(index)) }
    let before = try await shelf.rows()
    let both = try await Shelf()
    for (index, (name, days)) in [("b", Int64(31)), ("a", 29), ("c", 30), ("d", 32), ("e", 400), ("z", -90)]
      .enumerated()
    {
      try await both.put(name, expired: days, at: UInt64(index))
    }
    try await both.route()
    try await both.settle(.delivered)
    let retention = IssuanceRetention(both.database, days: 30)
    #expect(try await retention.sweep(now: Shelf.now, batch: batch) == 3)
    #expect(try await both.names() == ["z", "c", "a"])
    let after = try await both.rows()
    // Three are left here and two there: the same of each table for each.
    for (table, count) in before where table != "deliveries" { #expect(after[table] == count / 2 * 3, "\(table)") }
    #expect(after["deliveries"] == 3)
    #expect(try await retention.sweep(now: Shelf.now, batch: batch) == 0)
    #expect(try DatabaseCopy.check(both.path) == Migrations.all.count)
    #expect(try await both.database.read { try $0.query("PRAGMA foreign_key_check").count } == 0)
  }

  @Test("what somebody is still to be told of stays until they have been told")
  func undelivered() async throws {
    let shelf = try await Shelf()
    try await shelf.put("old", expired: 100, at: 0)
    try await shelf.put("new", expired: -1, at: 1)
    let retention = IssuanceRetention(shelf.database, days: 30)
    #expect(try await retention.sweep(now: Shelf.now) == 0)
    try await shelf.route()
    #expect(try await retention.sweep(now: Shelf.now) == 0)
    try await shelf.settle(.givenUp)
    #expect(try await retention.sweep(now: Shelf.now) == 0)
    #expect(try await shelf.alerts.drop(nil) == 2)
    #expect(try await retention.sweep(now: Shelf.now) == 1)
    #expect(try await shelf.names() == ["new"])
  }

  @Test("what waits for a digest stays until the digest was delivered")
  func digested() async throws {
    let shelf = try await Shelf()
    for index in 0..<4 { try await shelf.put("n\(index)", expired: 100, at: UInt64(index)) }
    try await shelf.put("new", expired: -1, at: 4)
    try await shelf.route(burst: 2)
    let retention = IssuanceRetention(shelf.database, days: 30)
    for delivery in try await shelf.alerts.deliveries(in: [.waiting], limit: 9) where delivery.alert.kind != .digest {
      try await shelf.alerts.record(delivery.id, .delivered, words: "so it is", now: Shelf.now, Shelf.policy)
    }
    #expect(try await retention.sweep(now: Shelf.now, batch: 1) == 2)
    #expect(try await shelf.names() == ["new", "n3", "n2"])
    try await shelf.settle(.delivered)
    #expect(try await retention.sweep(now: Shelf.now, batch: 1) == 2)
    #expect(try await shelf.names() == ["new"])
  }

  @Test("what is held for an audience stays until they have been told; what was judged goes along with it")
  func held() async throws {
    let shelf = try await Shelf()
    try await shelf.put("old", expired: 100, at: 0)
    try await shelf.put("new", expired: -1, at: 1)
    try await shelf.database.transaction { connection in
      try connection.execute("INSERT INTO accounts (id, name, plan, created_at) VALUES (1, 'a', 'enterprise', 0)")
      try connection.execute(
        """
        INSERT INTO domains (id, account_id, item, source, unexplained, expected, known, no_history, created_at)
        VALUES (1, 1, 'own.example', 'dashboard', 'never', 'never', 'never', 'never', 0)
        """)
      try connection.execute(
        """
        INSERT INTO judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at)
        SELECT number, 1, 1, first_seen, 'known', 1, '[]', 0 FROM issuances
        """)
      try connection.execute(
        """
        INSERT INTO judgement_events (issuance, domain_id, at, kind, value)
        SELECT number, 1, 0, 'said', 'acknowledged' FROM issuances
        """)
    }
    let held = try await shelf.alerts.unrouted().alerts.map {
      HeldAlert(alert: $0, audience: "owner", kind: .daily, until: Shelf.now)
    }
    try await shelf.alerts.route(
      held.map { RoutedAlert($0.alert, to: []) }, holding: held, burst: BurstLimit(first: 9, window: 1), now: Shelf.now)
    let retention = IssuanceRetention(shelf.database, days: 30)
    #expect(try await retention.sweep(now: Shelf.now) == 0)
    try await shelf.alerts.makeDigest(
      of: held.map { ($0, nil) }, for: [AlertTarget(recipient: "owner", target: "mail:owner@own.example")],
      now: Shelf.now)
    #expect(try await retention.sweep(now: Shelf.now) == 0)
    try await shelf.settle(.delivered)
    #expect(try await retention.sweep(now: Shelf.now) == 1)
    let judged = try await shelf.database.read { try $0.query("SELECT issuance FROM judgements").map { $0.integer(0) } }
    #expect(judged == [2])
    let events = try await shelf.database.read {
      try $0.query("SELECT issuance FROM judgement_events").map { $0.integer(0) }
    }
    #expect(events == [2])
    #expect(try await shelf.names() == ["new"])
  }

  @Test("what nobody explained, and what was denied, stays until somebody says otherwise; inventories stay whole")
  func open() async throws {
    let shelf = try await Shelf()
    for (index, name) in ["open", "denied", "seen", "expected"].enumerated() {
      try await shelf.put(name, expired: 100, at: UInt64(index))
    }
    try await shelf.put("new", expired: -1, at: 4)
    try await shelf.route()
    try await shelf.settle(.delivered)
    try await shelf.database.transaction { connection in
      try connection.execute("INSERT INTO accounts (id, name, plan, created_at) VALUES (1, 'a', 'enterprise', 0)")
      try connection.execute(
        """
        INSERT INTO domains (id, account_id, item, source, unexplained, expected, known, no_history, created_at)
        VALUES (1, 1, 'own.example', 'dashboard', 'daily', 'daily', 'daily', 'daily', 0)
        """)
      for (number, (verdict, state)) in [
        ("unexplained", "new"), ("unexplained", "denied"), ("unexplained", "acknowledged"), ("expected", "new"),
      ].enumerated() {
        try connection.execute(
          """
          INSERT INTO judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, state)
          SELECT number, 1, 1, first_seen, ?, 1, '[]', 0, ? FROM issuances WHERE number = ?
          """, [.text(verdict), .text(state), .integer(Int64(number + 1))])
        try connection.execute(
          """
          INSERT INTO inventory (domain_id, kind, hash, names, source, added_at, last_seen, not_after)
          SELECT 1, 'certificate', id, '[]', 'upload', 0, 0, not_after FROM issuances WHERE number = ?
          """, [.integer(Int64(number + 1))])
      }
    }
    let retention = IssuanceRetention(shelf.database, days: 30)
    #expect(try await retention.sweep(now: Shelf.now) == 2)
    #expect(try await shelf.names() == ["new", "denied", "open"])
    let count = { try await shelf.database.read { try $0.query("SELECT count(*) FROM inventory").first?.integer(0) } }
    #expect(try await count() == 4)
    try await shelf.database.transaction { try $0.execute("UPDATE judgements SET state = 'claimed'") }
    #expect(try await retention.sweep(now: Shelf.now) == 2)
    #expect(try await shelf.names() == ["new"])
    #expect(try await count() == 4)
  }

  @Test("a certificate that was logged under two issuers' keys stays as long as either issuance")
  func sharedCertificate() async throws {
    let shelf = try await Shelf()
    let pair = try await shelf.put("a", expired: 100, at: 0)
    let twin = IssuanceID(.hash(Array("twin".utf8)))
    try await shelf.put(pair, twin, .zero, pair.precertificate, "precert", index: 2)
    try await shelf.put("last", expired: -1, at: 2)
    try await shelf.route()
    // The twin is waited for, the other is not.
    for delivery in try await shelf.alerts.deliveries(limit: 9) where delivery.alert.issuance == pair.issuanceID {
      try await shelf.alerts.record(delivery.id, .delivered, words: "so it is", now: Shelf.now, Shelf.policy)
    }
    let retention = IssuanceRetention(shelf.database, days: 30)
    #expect(try await retention.sweep(now: Shelf.now) == 1)
    let record = try #require(try await IssuanceSearch(shelf.database).record(twin))
    #expect(record.certificates.map(\.der) == [pair.precertificate])
    #expect(try await IssuanceSearch(shelf.database).record(pair.issuanceID) == nil)
    try await shelf.settle(.delivered)
    #expect(try await retention.sweep(now: Shelf.now) == 1)
    #expect(try await shelf.names() == ["last"])
  }

  @Test("no number is given twice, and a span longer than time itself keeps everything")
  func edges() async throws {
    let shelf = try await Shelf()
    for (index, name) in ["a", "b"].enumerated() { try await shelf.put(name, expired: 100, at: UInt64(index)) }
    try await shelf.route()
    try await shelf.settle(.delivered)
    #expect(try await IssuanceRetention(shelf.database, days: .max).sweep(now: Shelf.now) == 0)
    #expect(try await IssuanceRetention(shelf.database, days: 99).sweep(now: .min) == 0)
    #expect(try await IssuanceRetention(shelf.database, days: 0).sweep(now: Shelf.now) == 1)
    try await shelf.put("c", expired: -1, at: 2)
    #expect(try await IssuanceSearch(shelf.database).page(IssuanceQuery()).results.map(\.number) == [3, 2])
    #expect(try await IssuanceRetention(shelf.database, days: 0).sweep(now: Shelf.now) == 1)
    #expect(try await shelf.names() == ["c"])
  }

  @Test("finding and forgetting go by indexes")
  func plans() async throws {
    let shelf = try await Shelf()
    for (table, column) in [
      ("issuances", "not_after"), ("sightings", "certificate"), ("sightings", "issuance_id"),
      ("certificates", "issuance_id"), ("matches", "issuance_id"), ("alerts", "issuance_id"),
      ("deliveries", "alert_id"), ("deliveries", "digest"), ("judgements", "issuance"),
    ] {
      let steps = try await shelf.database.read { connection in
        try connection.query("EXPLAIN QUERY PLAN SELECT 1 FROM \(table) WHERE \(column) = ?", [.blob([])])
          .compactMap { $0.text(3) }
      }
      #expect(steps.allSatisfy { $0.hasPrefix("SEARCH") }, "\(table).\(column): \(steps)")
    }
  }
}
