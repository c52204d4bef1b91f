import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielStore
import OrielVerdicts
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What to do, with whom to turn to")
struct ActionTests {
  private static let list =
    #"{"version":"1.0","publication":"2026-01-01T00:00:00Z","services":[[["example"],["https://rdap.registry.example/"]]]}"#

  private static func answer(_ domain: String, card: String) -> String {
    """
    {"objectClassName": "domain", "ldhName": "\(domain)", "entities": [{"objectClassName": "entity",
      "roles": ["registrar"], "publicIds": [{"type": "IANA Registrar ID", "identifier": "9999"}],
      "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Honest Names <b>Ltd"]]],
      "entities": [{"objectClassName": "entity", "roles": ["abuse"], "vcardArray": \(card)}]}]}
    """
  }

  static let cards: [(card: String, shown: String)] = [
    (
      #"["vcard", [["email", {}, "text", "abuse@names.example"], ["tel", {}, "uri", "tel:+1.555"]]]"#,
      "abuse@names.example"
    ),
    (
      #"["vcard", [["email", {}, "text", ["mailto:abuse@names.example"]], ["email"], 7, [[]], ["fn", {}, "text"]]]"#,
      "abuse@names.example"
    ),
    (
      #"["vcard", [["email", {}, "text", "\"><script>alert(1)</script>"]]]"#,
      "The registrar&#39;s data name no address."
    ),
    (#"["vcard"]"#, "The registrar&#39;s data name no address."),
    (#"{"email": 1}"#, "The registrar&#39;s data name no address."),
  ]

  /// Serves IANA's list and a registry on loopback; what goes to their addresses goes there.
  private func withRegistry(
    _ respond: @escaping @Sendable (String) -> TestResponse, _ dashboard: Dashboard,
    _ body: @escaping @Sendable (Int, TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run { request in
      respond(request.target)
    } _: { server in
      let fetch = PublicFetch(limit: 1 << 20, timeout: .seconds(20), allowsPrivate: true)
      let url = server.url
      let directory = RegistrarDirectory(
        "https://data.iana.example/dns.json", suffixes: .system,
        now: { Timestamp(milliseconds: UInt64(dashboard.now)) }
      ) { address in
        try await fetch.bytes(at: url + address.dropFirst("https://".count))
      }
      try await dashboard.serve({ $1.registrar = { await directory.registrar(of: $0) } }) { (port: Int) async throws in
        try await body(port, server)
      }
    }
  }

  @Test("A registrar is looked up when somebody asks, and not before; bad cards give what can be had", arguments: cards)
  func registrar(_ item: (card: String, shown: String)) async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    try await withRegistry(
      { target in
        target.hasSuffix("dns.json")
          ? .json(Array(Self.list.utf8)) : .json(Array(Self.answer("alpha.example", card: item.card).utf8))
      }, dashboard
    ) { port, server in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/issuances/\(issuance)/action"
      let before = try await member.get(path + "?domain=\(domain)").body
      #expect(before.contains("Look up <bdi>alpha.example</bdi>") && before.contains("Not here"))
      #expect(server.targets.isEmpty)
      let after = try await member.post(path, [("domain", "\(domain)")])
      #expect(after.status == 200 && after.body.contains("Turn to your registrar"))
      #expect(after.body.contains("Honest Names &lt;b&gt;Ltd (IANA registrar 9999)") && after.body.contains(item.shown))
      #expect(!after.body.contains("Look up <bdi>"))
      HostileTextTests.check(after.body, path)
      #expect(server.targets == ["/data.iana.example/dns.json", "/rdap.registry.example/domain/alpha.example"])
      // What was answered within the hour is not asked for again, nor is the list within the day.
      _ = try await member.post(path, [("domain", "\(domain)")])
      #expect(server.requestCount == 2)
      dashboard.pass(2 * 3_600_000)
      _ = try await member.post(path, [("domain", "\(domain)")])
      #expect(server.targets.count == 3 && server.requestCount(containing: "dns.json") == 1)
    }
  }

  static let failures: [(status: Int, list: String, answer: String, words: String)] = [
    (404, "", "", "IANA&#39;s list of registries (https://data.iana.example/dns.json) can&#39;t be had"),
    (200, "{}", "", "not a bootstrap file for RDAP"),
    (200, #"{"services":[[["test"],["https://x.example/"]]]}"#, "", "IANA lists no RDAP service for it"),
    (200, ActionTests.list, "<html>", "the answer is no RDAP answer about a domain"),
    (
      200, ActionTests.list, #"{"errorCode": 404, "title": "<b>Not Found"}"#,
      "answered with an error: &lt;b&gt;Not Found"
    ),
    (200, ActionTests.list, ActionTests.answer("beta.example", card: "[]"), "about another domain: beta.example"),
  ]

  @Test("A look-up that fails says why, and the rest of the way out stays", arguments: failures)
  func failing(_ item: (status: Int, list: String, answer: String, words: String)) async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    try await withRegistry(
      { target in
        var response = TestResponse.json(Array((target.hasSuffix("dns.json") ? item.list : item.answer).utf8))
        response.status = item.status
        return response
      }, dashboard
    ) { port, _ in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let reply = try await member.post("/issuances/\(issuance)/action", [("domain", "\(domain)")])
      #expect(reply.status == 200 && reply.body.contains(item.words), "\(item.words)")
      #expect(reply.body.contains("This is a Certificate Problem Report."))
      HostileTextTests.check(reply.body, "action")
    }
  }

  @Test("For a name that imitates, its own registrar is asked, and the report is about it; strangers see nothing of it")
  func imitation() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let stranger = try await dashboard.account("Beta").session
    var change = DomainChange()
    change.watchesLookalikes = true
    _ = try await dashboard.accounts.change(owner, try await dashboard.domain(owner, "alpha.example"), change)
    let pair = try dashboard.authority.issue(CertificateRequest(["www.a1pha.example"]))
    var sighting = NewSighting(
      index: 0, timestamp: UInt64(dashboard.now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate), matches: [], problems: [])
    sighting.lookalikes = [
      StoredLookalike(
        owner: owner.account.value, item: "alpha.example", registrable: "a1pha.example", name: "www.a1pha.example",
        unicode: nil, reason: "confusable", sentence: "A digit passes for a letter.", rating: 85)
    ]
    var frontier = Frontier()
    try frontier.append(.zero)
    try await FollowingStore(dashboard.database).commit(
      [sighting], of: dashboard.log.logID, downloaded: LogPosition(index: 1, frontier: frontier),
      verified: nil, unreadable: 0, now: dashboard.now)
    let card = ActionTests.cards[0].card
    try await withRegistry(
      { target in
        let body = target.hasSuffix("dns.json") ? Self.list : Self.answer("a1pha.example", card: card)
        return .json(Array(body.utf8))
      }, dashboard
    ) { port, server in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/issuances/\(pair.issuanceID)"
      #expect(try await member.get(path).body.contains("looks like <bdi>alpha.example</bdi>"))
      let page = try await member.get(path + "/action").body
      let id = try #require(page.firstMatch(of: #/name="lookalike" value="([0-9]+)"/#)).1
      #expect(page.contains("has not been looked up yet") && server.targets.isEmpty)
      let reply = try await member.post(path + "/action", [("lookalike", String(id))])
      #expect(reply.body.contains("abuse@names.example") && reply.body.contains("a1pha.example imitates alpha.example"))
      #expect(server.targets.last == "/rdap.registry.example/domain/a1pha.example")
      #expect(try await member.get(path + "/action?lookalike=999").status == 404)
      let other = Visitor(port: port)
      await other.signIn(stranger.text)
      for address in [path, path + "/action", path + "/action?lookalike=\(id)"] {
        #expect(try await other.get(address).status == 404)
      }
      #expect(try await other.post(path + "/action", [("lookalike", String(id))]).status == 404)
    }
  }

  @Test("Where nothing says whom to ask, nobody is asked; viewers ask nobody")
  func nobody() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    let path = "/issuances/\(issuance)/action"
    try await dashboard.serve { (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      #expect(try await !member.get(path).body.contains("Look up <bdi>"))
      #expect(try await member.post(path, [("domain", "\(domain)")]).status == 404)
    }
    _ = try await dashboard.accounts.addMember(owner, address: "see@alpha.example", role: .viewer)
    let viewer = try await dashboard.member("see@alpha.example").session
    try await dashboard.serve({ $1.caa = { _ in .noRecords } }) { (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(viewer.text)
      #expect(try await !member.get(path).body.contains("Look up <bdi>"))
      #expect(try await member.post(path, [("domain", "\(domain)")]).status == 403)
    }
  }
}

@Suite("What browsers make of a certificate")
struct IssuancePolicyTests {
  @Test("The page tells each browser's verdict of the certificate that was seen, by the logs that are followed")
  func verdicts() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let time = Timestamp(milliseconds: UInt64(dashboard.now))
    let logs = try [("One", TestLog.Kind.rfc6962), ("Two", .staticCT)].map { name, kind in
      try TestLog(kind, name: name, now: { time })
    }
    let descriptions = logs.map {
      $0.description(url: "https://\($0.name.lowercased()).example/", operatorName: $0.name)
    }
    let issue = { (names: [String], isLogged: Bool) throws -> IssuedPair in
      let pending = try dashboard.authority.begin(CertificateRequest(names))
      return try isLogged ? pending.finish(logs.map { try $0.sct(at: try $0.append(pending.entry)) }) : pending.finish()
    }
    let good = try issue(["good.alpha.example"], true)
    let bad = try issue(["bad.alpha.example"], false)
    let ids = try await [good, bad].asyncMap { try await dashboard.store($0, for: domain, item: "alpha.example") }
    let precertificate = try await dashboard.store(
      try issue(["pre.alpha.example"], true), for: domain, item: "alpha.example", isFinal: false)
    let view = LogView(descriptions, timestamp: time)
    let lists = ["Chrome", "Apple"].map { PolicyLogs(name: $0, $0 == "Apple" ? LogView([], timestamp: nil) : view) }
    try await dashboard.serve({ $1.logs = { lists[$0.identifier.hasPrefix("apple") ? 1 : 0] } }) {
      (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let page = try await member.get("/issuances/\(ids[0])").body
      for policy in BrowserPolicy.current { #expect(page.contains(">\(policy)</td>"), "\(policy)") }
      // Each by the list of its own browser; Apple's here knows no log.
      let count = BrowserPolicy.current.count { $0.identifier.hasPrefix("apple") }
      #expect(count > 0 && page.components(separatedBy: ">Fails<").count == count + 1)
      #expect(page.components(separatedBy: ">Passes<").count == BrowserPolicy.current.count - count + 1)
      #expect(page.contains("2 of 2") && page.contains("<bdi>Chrome</bdi>, <span class=\"date\">2026-11-"))
      #expect(page.components(separatedBy: "<bdi>Apple</bdi></td>").count == count + 1)
      let failing = try await member.get("/issuances/\(ids[1])").body
      #expect(failing.components(separatedBy: ">Fails<").count == BrowserPolicy.current.count + 1)
      #expect(failing.contains("SCTs are of logs that the list does not know"))
      let unseen = try await member.get("/issuances/\(precertificate)").body
      #expect(unseen.contains("Only the precertificate was seen") && !unseen.contains(">Passes<"))
    }
    try await dashboard.serve { (port: Int) async throws in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      #expect(try await member.get("/issuances/\(ids[0])").body.contains("No list of logs has been read"))
    }
  }
}

extension Array {
  fileprivate func asyncMap<Value>(_ change: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await change(element)) }
    return values
  }
}
