import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore
import OrielVerdicts
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What the pages say of what waits, and of whom it reaches")
struct NoticeTests {
  private static let quiet = "Nothing. No certificate has been seen yet for your domains."

  private func run(
    _ change: @escaping @Sendable (inout WebServer.Parts) -> Void = { _ in },
    _ body: @escaping @Sendable (Dashboard, Actor, Visitor) async throws -> Void
  ) async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    try await dashboard.serve({ change(&$1) }) { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      try await body(dashboard, owner, member)
    }
  }

  @Test("The overview says what waits beside unexplained certificates, and leads there")
  func overview() async throws {
    try await run { dashboard, owner, member in
      #expect(!(try await member.get("/").body.contains("Nothing.")))
      let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
      let letter = try #require(
        try await dashboard.accounts.addRecipient(owner, to: domain, address: "a@alpha.example").letter)
      _ = try await dashboard.signIn.confirm(letter.secret)
      #expect(try await member.get("/").body.contains(Self.quiet))
      try await dashboard.sight(["x.alpha.example"], for: domain, item: "alpha.example", .noHistory)
      _ = try await dashboard.service.foundCAA([#"0 issue "ca.example""#], for: domain)
      try await dashboard.service.bounced("a@alpha.example", reason: "550 5.1.1 <b>gone")
      let page = try await member.get("/").body
      #expect(!page.contains(Self.quiet))
      for words in [
        "1 certificate for <bdi>alpha.example</bdi>", "/domains/\(domain)/first-day\">",
        "/domains/\(domain)/settings#caa",
        "Mail came back", "a@alpha.example", "550 5.1.1 &lt;b&gt;gone", "Nobody is told",
      ] {
        #expect(page.contains(words), "\(words)")
      }
      HostileTextTests.check(page, "/")
      #expect(try await member.get("/domains").body.contains("Nobody is told"))
      #expect(try await member.get("/domains/\(domain)").body.contains("its alerts go nowhere"))
    }
  }

  @Test("Of a domain of the configuration file, those are named whom the file names", arguments: [0, 1, 2])
  func configured(_ kind: Int) async throws {
    let targets: [AlertTarget]? =
      switch kind {
      case 0: nil
      case 1: []
      default: [AlertTarget(recipient: "team", target: "mail:team@alpha.example")]
      }
    try await run {
      $0.recipients = { _ in targets }
    } _: { dashboard, owner, member in
      try await dashboard.service.mirror(
        [ConfiguredDomain(try WatchedItem(parsing: "alpha.example"))], in: owner.account)
      let id = try #require(try await dashboard.accounts.domains(owner).first).id
      let page = try await member.get("/domains/\(id)/settings").body
      #expect(!page.contains("Add an address"))
      #expect(page.contains("Those whom the configuration file names") == (kind != 1))
      #expect(page.contains("team@alpha.example") == (kind == 2))
      #expect(page.contains("the configuration file names no recipients") == (kind == 1))
      #expect(page.contains("certificates are told of at once") && !page.contains("once a day"))
      #expect(try await member.get("/domains").body.contains("Nobody is told") == (kind == 1))
    }
  }

  @Test("Deliveries say what they are about; what the file's recipients hear is the operator's alone")
  func deliveries() async throws {
    try await run { dashboard, owner, member in
      let domain = try await dashboard.domain(owner, "alpha.example")
      let stranger = try await dashboard.account("Beta").session
      let issuance = try await dashboard.sight(["shop.alpha.example"], for: domain, item: "alpha.example")
      let store = AlertStore(dashboard.database)
      try await dashboard.database.transaction { connection in
        try connection.execute(
          "INSERT INTO alerts (key, kind, issuance_id, item, created_at) VALUES ('a', 'certificate', ?, ?, 1)",
          [.blob(issuance.hash.bytes), .text("alpha.example")])
      }
      let alert = try #require(try await store.unrouted().alerts.first)
      let targets = [
        AlertTarget(recipient: "domain:\(domain)", target: "domain-mail:r1@alpha.example"),
        AlertTarget(recipient: "team", target: "mail:team@alpha.example"),
        AlertTarget(recipient: "team", target: "webhook:team"),
      ]
      let burst = BurstLimit(first: 10, window: 1000)
      let routed = RoutedAlert(alert, to: targets.map { RoutedTarget($0) })
      try await store.route([routed], burst: burst, now: dashboard.now)
      let page = try await member.get("/alerts").body
      for words in [
        "Unexplained", "<bdi>shop.alpha.example</bdi></a>", "<bdi>r1@alpha.example</bdi>",
        "<bdi>team@alpha.example</bdi>",
        "webhook of team", "/issuances/\(issuance)?domain=\(domain)", "data-label=\"State\"",
      ] {
        #expect(page.contains(words), "\(words)")
      }
      #expect(!page.contains("domain-mail:"))
      let other = Visitor(port: member.client.port)
      await other.signIn(stranger.text)
      #expect(try await other.get("/alerts").body.contains("Nothing has been sent yet"))
    }
  }

  @Test("What the owner uploads on the first day and says is theirs is known when a log shows it, and in the inventory")
  func uploaded() async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let (ours, others) = (try court.issue(["www.shop.example"]), try court.issue(["odd.shop.example"]))
    let before = try await court.sight(try court.issue(["old.shop.example"]))
    try await court.settle()
    #expect(try await court.judgement(before, of: domain).level == .noHistory)
    let baseline = Baseline(court.database, owners: nil)
    for (pair, source) in [(ours, "upload"), (others, "seen at odd.shop.example:443")] {
      let found = FoundCredentials(upload: Array(pair.bundle.utf8), source: source).certificates
      #expect(try await baseline.add(found, to: domain).listed == 1)
    }
    let shown = Set(try await baseline.list(of: domain).map(\.id))
    try await court.accounts.confirmBaseline(account, domain.id, shown: shown, kept: shown)
    let entries = try await court.accounts.inventory(account, of: domain.id)
    #expect(Set(entries.map(\.kind)) == [.certificate, .key] && entries.allSatisfy { $0.source == "first day" })
    #expect(entries.allSatisfy { $0.names == ["www.shop.example"] })
    #expect(entries.contains { $0.hash == ours.issuanceID.hash })
    let logged = try await court.sight(ours)
    try await court.settle()
    #expect(try await court.judgement(logged, of: domain).level == .known)
    // What was seen before is the owner's by their own word.
    try await court.router.reconsider()
    let judgement = try await court.judgement(before, of: domain)
    #expect(judgement.level == .known && judgement.reasons.contains("claimed"))
  }

  @Test("A key that was claimed is in the inventory, and counts no more once it is taken out there")
  func claimedKey() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let first = try await court.sight(try court.issue(key: Courtroom.key))
    try await court.settle()
    _ = try await court.accounts.setState(account, of: domain.id, first, to: .claimed)
    let key = try #require(try await court.accounts.inventory(account, of: domain.id).first { $0.kind == .key })
    #expect(key.source == "this was me")
    try await court.accounts.removeInventory(account, key.id, of: domain.id)
    let renewal = try await court.sight(try court.issue(days: 91, key: Courtroom.key))
    try await court.settle()
    #expect(try await court.judgement(renewal, of: domain).level != .known)
  }

  @Test("Files of the inventory that can't be read are told of once, and shown to the operator alone")
  func unreadFiles() async throws {
    let file = "/etc/certificates/<b>.pem"
    try await run {
      $0.unreadFiles = { _ in [file: "is no certificate"] }
    } _: { dashboard, owner, member in
      let own = try await dashboard.domain(owner, "alpha.example")
      let page = try await member.get("/domains/\(own)/inventory").body
      #expect(page.contains("/etc/certificates/&lt;b&gt;.pem</bdi>: <bdi>is no certificate"))
      let (stranger, session) = try await dashboard.account("Beta")
      let foreign = try await dashboard.domain(stranger, "beta.example")
      let other = Visitor(port: member.client.port)
      await other.signIn(session.text)
      #expect(try await !other.get("/domains/\(foreign)/inventory").body.contains("/etc/certificates"))
    }
  }

  private static func owners(_ names: [String]) throws -> CAOwners {
    var reader = CAOwnersReader()
    var text = "\"CA Owner\",\"SHA-256 Fingerprint\",\"Parent SHA-256 Fingerprint\"\n"
    for name in names { text += "\"\(name)\",\"\(SHA256Hash.hash(Array(name.utf8)).hex)\",\"\"\n" }
    try reader.addRecords(Array(text.utf8))
    return reader.finish(asOf: Timestamp(milliseconds: 1_795_000_000_000))
  }

  @Test("Names of CA owners that CCADB does not have are refused, with those that are meant perhaps")
  func ownerNames() async throws {
    let owners = try Self.owners(["Internet Security Research Group", "Honest Trust", "Harbour Trust"])
    try await run {
      $0.owners = { owners }
    } _: { dashboard, owner, member in
      let domain = try await dashboard.domain(owner, "alpha.example")
      let path = "/domains/\(domain)/owners"
      for (typed, words) in [
        ("Nope <b>", "CCADB has no CA owner “Nope &lt;b&gt;”"), ("Honest Trst", "do you mean “Honest Trust”"),
        ("Security Research", "“Internet Security Research Group”"),
      ] {
        let reply = try await member.post(path, [("owners", typed)])
        #expect(reply.status == 422 && reply.body.contains(words), "\(typed)")
        #expect(reply.body.contains(##"see <a href="#e-owners">what is wrong</a>"##))
      }
      #expect(try await member.post(path, [("owners", " honest trust \n\nHarbour Trust")]).status == 303)
      let kept = try await dashboard.accounts.domain(owner, domain).allowedOwners
      #expect(kept == ["Honest Trust", "Harbour Trust"])
      let token = try await dashboard.accounts.addToken(owner, name: "t", scopes: [.write]).secret
      let program = Program(member.client.port, token)
      let refused = try await program.api("PATCH", "/domains/\(domain)", #"{"allowed_owners": ["Nope"]}"#)
      #expect(refused.status == 422 && refused.body.contains("allowed_owners") && refused.body.contains("CCADB"))
    }
    // Without data, whatever is said is taken; and what was said before may stay.
    #expect(try OwnerNames(owners: nil).checked(["Nope"]) == ["Nope"])
    #expect(try OwnerNames(owners: owners).checked(["Nope"], besides: ["Nope"]) == ["Nope"])
  }

  @Test("What to do shows the CAA records that were found, and names the CAs that are allowed")
  func action() async throws {
    try await run { dashboard, owner, member in
      let domain = try await dashboard.domain(owner, "alpha.example")
      let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
      let path = "/issuances/\(issuance)/action?domain=\(domain)"
      #expect(try await member.get(path).body.contains("It has not been looked up whether you have one"))
      _ = try await dashboard.service.foundCAA([#"0 issue "good.example""#], for: domain)
      let page = try await member.get(path).body
      #expect(page.contains("There is: alpha.example. IN CAA 0 issue &quot;good.example&quot;"))
      #expect(!page.contains("ca.example") && !page.contains("has not been looked up whether"))
    }
  }

  @Test("What is wrong with a form is said once, at its field, and a line on top leads there")
  func refusals() throws {
    let templates = try Templates()
    let lone = [("inventory", "inventory", "file", "e-file"), ("link", "link", "name", "e-name")]
    for (template, form, field, place) in lone {
      let refusal = Visit.Refusal(form: form, field: field, reason: "x")
      #expect(templates.place(of: refusal, in: template) == place)
    }
    let nowhere = Visit.Refusal(form: "", field: "domain", reason: "x")
    #expect(templates.place(of: nowhere, in: "domain-settings") == nil)
    // Every reason that a page shows has a place.
    for (name, source) in Templates.sources {
      let unnamed = source.matches(of: #/{{#refused\.[a-z.-]+}}<p class="error">/#)
      #expect(unnamed.isEmpty, "\(name)")
    }
  }

  @Test("A range of days that ends before it begins is refused; so is a first account without a name, at the field")
  func smallThings() async throws {
    try await run { dashboard, owner, member in
      let reply = try await member.get("/search?from=2026-02-01&to=2026-01-31")
      #expect(reply.status == 422 && reply.body.contains("that is before the first day"))
      #expect(try await member.get("/search?from=2026-02-01&to=2026-02-01").status == 200)
      let bad = try await member.get("/unsubscribe/r1-nonsense")
      #expect(bad.status == 410 && !bad.body.contains("Ask for another one"))
      let domain = try await dashboard.domain(owner, "alpha.example")
      let letter = try #require(
        try await dashboard.accounts.addRecipient(owner, to: domain, address: "a@alpha.example").letter)
      let confirm = try await member.get("/link/\(letter.secret.text)").body
      #expect(confirm.contains("Alpha") && confirm.contains("alpha.example</bdi></strong>"))
      let (role, address) = (Role.viewer, "v@alpha.example")
      _ = try await dashboard.accounts.addMember(owner, address: address, role: role)
      let viewer = Visitor(port: member.client.port)
      await viewer.signIn(try await dashboard.member(address).session.text)
      let settings = try await viewer.get("/settings").body
      #expect(settings.contains(#"value="read""#) && !settings.contains(#"value="admin""#))
      let refused = try await viewer.post("/domains", [("item", "b.example")])
      #expect(refused.status == 403 && refused.body.contains("This needs the permission to change what is watched."))
      #expect(try await viewer.cookie("oriel-\(member.client.port)") != nil)
    }
    let dashboard = try await Dashboard()
    let letter = try #require(try await dashboard.signIn.firstStart())
    try await dashboard.serve { (port: Int) async throws in
      let path = "/link/\(letter.secret.text)"
      let reply = try await Visitor(port: port).post(path, [("name", ""), ("address", "a@b.example")], of: path)
      #expect(reply.status == 422 && reply.body.contains(#"id="e-name">write something here"#))
    }
  }

  @Test("Services on one host keep their own sessions, as long as no public address tells them apart")
  func cookies() {
    let (first, second) = (PublicAddress(nil), PublicAddress(nil))
    first.listening(host: "127.0.0.1", port: 8641)
    second.listening(host: "127.0.0.1", port: 8642)
    #expect(first.sessionCookie == "oriel-8641" && second.sessionCookie == "oriel-8642")
    let named = PublicAddress("https://oriel.example")
    named.listening(host: "127.0.0.1", port: 8641)
    #expect(named.sessionCookie == "__Host-oriel" && named.visitorCookie == "__Host-oriel-visit")
  }
}
