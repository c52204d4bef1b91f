import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestWorld

/// A year in the life of an account, as the pages are to show it.
struct Story: Sendable {
  let session: Secret
  let owner: Actor
  let domain: DomainID
  /// One whose beginning has not been confirmed.
  let second: DomainID
  /// One that nobody has explained.
  let open: IssuanceID

  init(_ dashboard: Dashboard) async throws {
    let now = dashboard.now
    dashboard.pass(-350 * Dashboard.day)
    let made = try await dashboard.account("Harbour Books")
    owner = made.actor
    domain = try await dashboard.domain(owner, "harbour-books.example")
    second = try await dashboard.domain(owner, "tidetable.example", isConfirmed: false)
    _ = try await dashboard.domain(owner, "=cdn.harbour-books.example", isOn: false)
    var change = DomainChange()
    change.allowedOwners = ["Harbour Trust Services"]
    _ = try await dashboard.accounts.change(owner, domain, change)
    let ca = "Harbour Trust Services"
    let hosts = ["www", "shop", "mail", "api", "intranet-staging"].map { "\($0).harbour-books.example" }
    for month in 0..<12 {
      for (index, host) in hosts.enumerated() where (month + index) % 2 == 0 {
        let isTold = index < 2
        try await dashboard.sight(
          index == 0 ? [host, "harbour-books.example"] : [host], for: domain, item: "harbour-books.example",
          isTold ? .known : .expected, isProven: isTold,
          isTold
            ? [.keyBoundToNames([host], source: "certbot: /etc/letsencrypt/live/\(host)/fullchain.pem")]
            : [.sameCA(ca: ca), .usualRhythm(previousEnds: dashboard.now / 1000 + 2_500_000, daysLeft: 29), .newKey])
        dashboard.pass(3 * Dashboard.day)
      }
      if month == 4 {
        let strange = try await dashboard.sight(
          ["old-blog.harbour-books.example"], for: domain, item: "harbour-books.example", .unexplained,
          [.newName(["old-blog.harbour-books.example"])]
        ) { $0.issuerOrganisation = "Lagoon Certificates" }
        _ = try await dashboard.accounts.setState(owner, of: domain, strange, to: .claimed, note: "The agency's test")
      }
      dashboard.pass((30 * Dashboard.day) - 3 * Dashboard.day * Int64(hosts.indices.count { (month + $0) % 2 == 0 }))
    }
    dashboard.pass(now - dashboard.now - 40 * 3_600_000)
    try await dashboard.sight(
      ["www.tidetable.example", "tidetable.example"], for: second, item: "tidetable.example", .noHistory, [.noBaseline])
    dashboard.pass(30 * 3_600_000)
    try await dashboard.sight(
      [
        "*.harbour-books.example",
        "login-harbour-books.very-long-name-that-somebody-made-up-to-break-pages-\(String(repeating: "x", count: 60)).harbour-books.example",
      ],
      for: domain, item: "harbour-books.example", .unexplained,
      [
        .wildcardWhereNone(["*.harbour-books.example"]), .caNotAllowed(ca: "Lagoon Certificates", allowed: [ca]),
        .newKey,
      ]
    ) { $0.issuerOrganisation = "Lagoon Certificates" }
    dashboard.pass(9 * 3_600_000)
    open = try await dashboard.sight(
      ["admin.harbour-books.example"], for: domain, item: "harbour-books.example", .unexplained,
      [.newName(["admin.harbour-books.example"]), .newKey, .caAllowed(ca: ca)])
    dashboard.pass(3_600_000)
    session = try await dashboard.member(made.actor.name).session
    let accounts = dashboard.accounts
    if let letter = try await accounts.addRecipient(owner, to: domain, address: "security@harbour-books.example").letter
    {
      _ = try await dashboard.signIn.confirm(letter.secret)
    }
    _ = try await accounts.addRecipient(owner, to: domain, address: "it@harbour-books.example")
    _ = try await accounts.addMember(owner, address: "mira@harbour-books.example", role: .member)
    _ = try await accounts.mute(
      owner, domain, .name("intranet-staging.harbour-books.example"), until: dashboard.now + 20 * Dashboard.day)
    let key = NewInventoryEntry(
      kind: .key, hash: SHA256Hash.hash([7]), names: ["harbour-books.example", "*.harbour-books.example"],
      notAfter: dashboard.now / 1000 + 90 * 86_400, isBackup: true)
    try await accounts.addInventory(owner, to: domain, [key], source: "the safe")
    _ = try await dashboard.service.foundCAA(
      [#"0 issue "trust.harbour.example""#, #"0 iodef "mailto:security@harbour-books.example""#], for: domain)
    _ = try await accounts.addToken(owner, name: "deploy hook", scopes: [.write])
    try await tellOfDeliveries(dashboard)
    try await tellOfBeginnings(dashboard)
    try await tellOfLogs(dashboard)
  }

  private func tellOfDeliveries(_ dashboard: Dashboard) async throws {
    let (store, item, issuance, now) = (AlertStore(dashboard.database), "harbour-books.example", open, dashboard.now)
    try await dashboard.database.transaction { connection in
      try connection.execute(
        "INSERT INTO alerts (key, kind, issuance_id, item, created_at) VALUES ('a', 'certificate', ?, ?, ?)",
        [.blob(issuance.hash.bytes), .text(item), .integer(now)])
    }
    try await store.add(.heartbeat, key: "b", content: [], now: now)
    let targets = [
      AlertTarget(recipient: "domain:\(domain)", target: "domain-mail:security@harbour-books.example"),
      AlertTarget(recipient: "team", target: "webhook:team"),
    ]
    let routed = try await store.unrouted().alerts.map { RoutedAlert($0, to: targets.map { RoutedTarget($0) }) }
    try await store.route(routed, burst: BurstLimit(first: 10, window: 1000), now: now)
    let policy = RetryPolicy(longest: 1000, giveUpAfter: 1000, window: 1000) { _ in 1 }
    for (number, words) in [(Int64(1), "550 5.7.1 \(String(repeating: "refused-", count: 20))"), (2, "200")] {
      try await store.record(number, number == 1 ? .givenUp : .delivered, words: words, now: now, policy)
    }
  }

  private func tellOfBeginnings(_ dashboard: Dashboard) async throws {
    let second = try await dashboard.accounts.domain(owner, second)
    let start = dashboard.now / 1000 - 200 * 86_400
    var records = (0..<4).map { number in
      BaselineRecord(
        names: ["tidetable.example", "www.tidetable.example"], issuerKeyHash: nil, owner: nil, publicKey: nil,
        notBefore: start + Int64(number) * 5_184_000, notAfter: start + Int64(number) * 5_184_000 + 7_776_000,
        source: "crt.sh", issuerName: "C=US, O=Harbour Trust Services, CN=Harbour Trust Services Issuing CA E1")
    }
    records.append(
      BaselineRecord(
        names: ["mail.tidetable.example"], issuerKeyHash: .hash([1]), owner: "Harbour Trust Services",
        publicKey: .hash([2]), notBefore: start, notAfter: start + 31_536_000,
        source: "seen at mail.tidetable.example:25",
        issuerName: "O=Harbour Trust Services"))
    records.append(
      BaselineRecord(
        names: ["\(String(repeating: "long-", count: 30)).tidetable.example"], issuerKeyHash: nil, owner: nil,
        publicKey: nil, notBefore: start, notAfter: start + 31_536_000, source: "crt.sh",
        issuerName:
          "C=DE, ST=Somewhere, O=An Organisation Whose Name Goes On And On \(String(repeating: "x", count: 80))"))
    try await AlertStore(dashboard.database).addBaseline(records, to: second.id.value)
  }

  private func tellOfLogs(_ dashboard: Dashboard) async throws {
    let following = FollowingStore(dashboard.database)
    let others: [(String, LogState, String?)] = [
      ("Breakwater 2026h2", .behind, nil), ("Foghorn 2027h1", .unreachable, "no answer for 3 h: connection refused"),
      ("Old Pier 2026", .lying, "a head of 120 004 entries has another root than the entries read give"),
    ]
    for (name, state, reason) in others {
      let log = try TestLog(.rfc6962, name: name).description(
        url: "https://\(name.filter(\.isLetter).lowercased()).example/", operatorName: "Coast Watch")
      _ = try await following.register([log], start: "start", now: dashboard.now - 200 * Dashboard.day)
      try await following.begin(log.logID, at: LogPosition(index: 0, frontier: Frontier()), head: nil)
      try await following.setState(
        state, of: log.logID, reason: reason, now: dashboard.now - 3 * 3_600_000, answered: state != .unreachable)
      guard state == .lying else { continue }
      let evidence = Evidence(kind: .rootMismatch, detail: reason ?? "", material: [])
      try await following.lied(log.logID, evidence, now: dashboard.now - 3 * 3_600_000, rewind: false)
    }
  }
}
