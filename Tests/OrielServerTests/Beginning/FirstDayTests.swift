import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielContacts
import OrielStore
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("A domain's first day")
struct FirstDayTests {
  private static let rows = """
    [{"issuer_ca_id": 1, "issuer_name": "C=US, O=Honest Trust, CN=H1", "common_name": "www.alpha.example",
      "name_value": "alpha.example\\nwww.alpha.example", "id": 1, "entry_timestamp": "2026-08-01T00:00:00.1",
      "not_before": "2026-08-01T00:00:00", "not_after": "2026-10-30T00:00:00", "serial_number": "03AB"},
     {"issuer_name": "C=US, O=Honest Trust, CN=H1", "common_name": "www.alpha.example",
      "name_value": "alpha.example\\nwww.alpha.example", "id": 2,
      "not_before": "2026-10-01T00:00:00", "not_after": "2026-12-30T00:00:00", "serial_number": "03ac"},
     {"issuer_name": "C=DE, O=\\"><script>alert(1)</script>", "common_name": "old.alpha.example",
      "name_value": "old.alpha.example", "id": 3,
      "not_before": "2025-10-01T00:00:00", "not_after": "2025-12-30T00:00:00", "serial_number": "7"},
     {"issuer_name": "O=X", "name_value": "www.beta.example", "not_before": "2026-10-01T00:00:00",
      "not_after": "2026-12-30T00:00:00"}]
    """

  private func records(_ dashboard: Dashboard, _ domain: DomainID) async throws -> [BaselineRecord] {
    try await AlertStore(dashboard.database).baseline(of: domain.value).map(\.record)
  }

  private func fields(_ page: String) -> (listed: String, ours: [String]) {
    (
      page.firstMatch(of: #/name="listed" value="([0-9,]*)"/#).map { String($0.1) } ?? "",
      page.matches(of: #/name="ours" value="([0-9,]*)"/#).map { String($0.1) }
    )
  }

  @Test("What was found is listed, counts for nothing before it is confirmed, and what is not ticked is struck off")
  func confirming() async throws {
    try await UploadTests.run { dashboard, owner, domain, member in
      let path = "/domains/\(domain)/first-day"
      #expect(try await member.get("/domains/\(domain)").body.contains("Say which ones are yours"))
      let pair = try dashboard.authority.issue(CertificateRequest(["shop.alpha.example"]))
      let uploaded = try await member.upload(path + "/upload", files: [("file", SentFile("a.pem", pair.bundle))])
      #expect(uploaded.header("location") == path + "?listed=1")
      let imported = try await member.upload(path + "/crtsh", files: [("file", SentFile("c.json", Self.rows))])
      #expect(imported.header("location") == path + "?listed=3&others=1")
      // The same again is nothing new.
      let again = try await member.upload(path + "/crtsh", files: [("file", SentFile("c.json", Self.rows))])
      #expect(again.header("location") == path + "?listed=0&others=1")
      let page = try await member.get(path + "?listed=3&others=1").body
      for words in [
        "3 certificates are listed below.", "1 for none of this domain’s names were left out.", "4 certificates listed",
        "shop.alpha.example", "Honest Trust (H1)", "crt.sh", "upload",
        "2 certificates, <span class=\"date\">2026-08-01</span> to <span class=\"date\">2026-12-30</span>",
      ] {
        #expect(page.contains(words), "\(words)")
      }
      HostileTextTests.check(page, path)
      let (listed, ours) = fields(page)
      #expect(ours.count == 3 && page.components(separatedBy: " checked").count == 4)
      #expect(try await dashboard.accounts.domain(owner, domain).baselineConfirmedAt == nil)
      #expect(try await records(dashboard, domain).allSatisfy { !$0.isConfirmed })

      // A list that has changed since it was shown is shown again.
      let stale = try await member.post(path + "/confirm", [("listed", "1"), ("ours", "1")])
      #expect(stale.status == 422 && stale.body.contains("the list has changed meanwhile"))
      let old = try #require(ours.last)
      let issuers = page.matches(of: #/name="issuer" value="([^"]*)"/#).map { String($0.1) }
      #expect(issuers.count == 2)
      let form = [("listed", listed), ("issuer", "C=US, O=Honest Trust, CN=H1"), ("ca", "Honest Trust")]
      let reply = try await member.post(path + "/confirm", form + ours.dropLast().map { ("ours", $0) })
      #expect(reply.header("location") == "/domains/\(domain)?done=confirmed", "\(old)")
      let kept = try await records(dashboard, domain)
      #expect(kept.count == 3 && kept.allSatisfy(\.isConfirmed) && !kept.contains { $0.names == ["old.alpha.example"] })
      #expect(kept.filter { $0.source == "crt.sh" }.allSatisfy { $0.owner == "Honest Trust" && $0.publicKey == nil })
      #expect(try await dashboard.accounts.domain(owner, domain).baselineConfirmedAt == dashboard.now)
      #expect(try await !member.get("/domains/\(domain)").body.contains("Say which ones are yours"))

      // What is found later waits for a word of its own, and the rest can be taken back.
      let later = try dashboard.authority.issue(CertificateRequest(["later.alpha.example"]))
      _ = try await member.upload(path + "/upload", files: [("file", SentFile("a.pem", later.bundle))])
      #expect(try await records(dashboard, domain).count { $0.isConfirmed } == 3)
      #expect(try await member.get(path).body.contains("later.alpha.example"))
      #expect(try await member.post("/domains/\(domain)/baseline", [("confirmed", "no")]).status == 303)
      let all = fields(try await member.get(path).body).listed
      #expect(try await member.post(path + "/confirm", [("listed", all), ("all", "yes")]).status == 303)
      #expect(try await records(dashboard, domain).count { $0.isConfirmed } == 4)
      let audit = try await dashboard.accounts.audit(owner, limit: 10).map(\.what)
      #expect(audit.first == "confirmed the baseline of alpha.example: 4 certificates")
    }
  }

  @Test("CA owners are those that CCADB has, where its data are at hand")
  func owners() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    var reader = CAOwnersReader()
    let fingerprint = SHA256Hash.hash(try dashboard.authority.intermediate().chain[0]).hex
    try reader.addRecords(
      Array(
        "\"CA Owner\",\"SHA-256 Fingerprint\",\"Parent SHA-256 Fingerprint\"\n\"Honest Trust\",\"\(fingerprint)\",\"\"\n"
          .utf8))
    let owners = reader.finish(asOf: Timestamp(milliseconds: UInt64(dashboard.now)))
    try await dashboard.serve({ _, parts in parts.owners = { owners } }) { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/first-day"
      _ = try await member.upload(path + "/crtsh", files: [("file", SentFile("c.json", Self.rows))])
      let page = try await member.get(path).body
      // The organisation is the name of a CA owner: proposed, and no more than that.
      #expect(page.contains(#"value="Honest Trust" maxlength"#) && page.contains(#"<option value="Honest Trust">"#))
      let (listed, ours) = fields(page)
      let form = [("listed", listed), ("issuer", "C=US, O=Honest Trust, CN=H1"), ("ca", "Dishonest Trust")]
      let wrong = try await member.post(path + "/confirm", form + [("ours", ours[1])])
      #expect(wrong.status == 422 && wrong.body.contains("CCADB has no CA owner “Dishonest Trust”"))
      // What was ticked stays ticked.
      #expect(
        wrong.body.components(separatedBy: " checked").count == 2 && wrong.body.contains("Dishonest Trust\" maxlength"))
      #expect(try await records(dashboard, domain).allSatisfy { !$0.isConfirmed })
    }
  }

  @Test("What a log has shown already is not listed as well")
  func seen() async throws {
    try await UploadTests.run { dashboard, _, domain, member in
      var request = CertificateRequest(["www.alpha.example"])
      let (from, to) = (Timestamp(milliseconds: 1_794_000_000_000), Timestamp(milliseconds: 1_796_000_000_000))
      (request.notBefore, request.notAfter) = (from, to)
      _ = try await dashboard.sight(
        ["www.alpha.example"], for: domain, item: "alpha.example", .noHistory, [.noBaseline]
      ) { ($0.notBefore, $0.notAfter) = (from, to) }
      let pair = try dashboard.authority.issue(request)
      let path = "/domains/\(domain)/first-day"
      let reply = try await member.upload(path + "/upload", files: [("file", SentFile("a.pem", pair.bundle))])
      #expect(reply.header("location") == path + "?listed=0&seen=1")
      let page = try await member.get(path).body
      #expect(page.contains("/domains/\(domain)?state=new\">1 certificate</a> in the logs"))
    }
  }

  @Test("With a confirmed beginning, the first renewal is expected and not a cry of wolf; without, there is no history")
  func firstRenewal() async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let before = try court.issue(from: -60)
    let stranger = try await court.sight(try court.issue(["new.shop.example"]))
    try await court.settle()
    #expect(try await court.judgement(stranger, of: domain).level == .noHistory)
    let found = FoundCredentials(upload: Array(before.bundle.utf8)).certificates
    let baseline = Baseline(court.database, owners: nil)
    #expect(try await baseline.add(found, to: domain).listed == 1)
    let shown = Set(try await baseline.list(of: domain).map(\.id))
    try await court.accounts.confirmBaseline(account, domain.id, shown: shown, kept: shown)
    let renewal = try await court.sight(try court.issue())
    let odd = try await court.sight(try court.issue(["odd.shop.example"]))
    try await court.settle()
    #expect(try await court.judgement(renewal, of: domain).level == .expected)
    #expect(try await court.judgement(odd, of: domain).level == .unexplained)
  }

  @Test(
    "What crt.sh tells seeds names, and renewals once the owner has said whose the CA is; never a key",
    arguments: [true, false])
  func crtShContinuity(isNamed: Bool) async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let day = { (days: Int64) in
      Timestamp(milliseconds: UInt64(court.now + days * Courtroom.day)).description.prefix(19)
    }
    let json = """
      [{"issuer_name": "O=Whoever", "name_value": "www.shop.example", "not_before": "\(day(-60))", "not_after": "\(day(30))"}]
      """
    let baseline = Baseline(court.database, owners: nil)
    _ = try await baseline.add(try CrtShImport.read(Array(json.utf8)).candidates, to: domain)
    let shown = Set(try await baseline.list(of: domain).map(\.id))
    try await court.accounts.confirmBaseline(
      account, domain.id, shown: shown, kept: shown, owners: isNamed ? ["O=Whoever": "Honest Trust"] : [:])
    let renewal = try await court.sight(try court.issue())
    try await court.settle()
    let judgement = try await court.judgement(renewal, of: domain)
    #expect(judgement.level == (isNamed ? .expected : .unexplained) && !judgement.isProven)
    #expect(judgement.reasons.contains(isNamed ? "usual-rhythm" : "other-CA"))
    #expect(!judgement.reasons.contains("new-name"))
  }

  @Test("Where there is nothing to confirm, nothing can be confirmed: not on the page, not by the API")
  func nothing() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example", isConfirmed: false)
    let token = try await dashboard.accounts.addToken(owner, name: "t", scopes: [.write]).secret
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/first-day"
      let page = try await member.get(path).body
      #expect(page.contains("Nothing found yet") && !page.contains("<button>Confirm</button>"))
      let refused = try await member.post(path + "/confirm", [("listed", "")])
      #expect(refused.status == 422 && refused.body.contains("there is nothing to confirm yet"))
      let program = Program(port, token)
      let patch = try await program.api("PATCH", "/domains/\(domain)", #"{"is_baseline_confirmed": true}"#)
      #expect(patch.status == 422 && patch.refusedFields == ["is_baseline_confirmed"])
      #expect(try await dashboard.accounts.domain(owner, domain).baselineConfirmedAt == nil)
      // A list of which nothing is kept is as good as none.
      let pair = try dashboard.authority.issue(CertificateRequest(["shop.alpha.example"]))
      _ = try await member.upload(path + "/upload", files: [("file", SentFile("a.pem", pair.bundle))])
      let listed = fields(try await member.get(path).body).listed
      #expect(try await member.post(path + "/confirm", [("listed", listed)]).status == 422)
      #expect(try await member.post(path + "/confirm", [("listed", listed), ("all", "yes")]).status == 303)
    }
  }

  @Test("Whoever takes the confirmation back and confirms again has all that was seen judged again, and accepted")
  func again() async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    // Confirmed before anything was there: every ordinary renewal is unexplained.
    let domain = try await court.domain(account)
    var seen: [IssuanceID] = []
    for name in ["www", "mail", "api"] { seen.append(try await court.sight(try court.issue([name + ".shop.example"]))) }
    try await court.settle()
    for issuance in seen { #expect(try await court.judgement(issuance, of: domain).level == .unexplained) }
    let denied = try await court.sight(try court.issue(["evil.shop.example"], by: "Lagoon Certificates"))
    try await court.settle()
    _ = try await court.accounts.setState(account, of: domain.id, denied, to: .denied)
    court.pass(Courtroom.hour)

    var change = DomainChange()
    change.isBaselineConfirmed = false
    let open = try await court.accounts.change(account, domain.id, change)
    let judge = Judge(court.store, court.database, owners: { nil })
    try await judge.judgeAgain(open)
    for issuance in seen { #expect(try await court.judgement(issuance, of: domain).level == .noHistory) }

    court.pass(Courtroom.hour)
    try await court.accounts.confirmBaseline(account, domain.id, shown: [], kept: [])
    // The service sees it, without anybody asking for each.
    try await court.router.reconsider()
    for issuance in seen { #expect(try await court.judgement(issuance, of: domain).level == .known) }
    #expect(try await court.judgement(denied, of: domain).level == .unexplained)
    court.pass(70 * Courtroom.day)
    let renewal = try await court.sight(try court.issue(["www.shop.example"]))
    let stranger = try await court.sight(try court.issue(["www.shop.example"], by: "Lagoon Certificates"))
    try await court.settle()
    #expect(try await court.judgement(renewal, of: domain).level == .expected)
    #expect(try await court.judgement(stranger, of: domain).level == .unexplained)
    // What was judged by the new settings is not judged for ever.
    let left = try await court.alerts.judgedBeforeBaseline(of: domain.id.value, now: court.now, limit: 100)
    #expect(left.isEmpty)
  }

  @Test("On the page, the certificates that confirming would accept are counted as soon as the confirmation is gone")
  func takenBack() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    var seen: [IssuanceID] = []
    for number in 0..<4 {
      seen.append(
        try await dashboard.sight(
          ["n\(number).alpha.example"], for: domain, item: "alpha.example", .unexplained, [.newName(["n"])]))
    }
    try await dashboard.serve { [issuances = seen] port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let path = "/domains/\(domain)/first-day"
      dashboard.pass(1000)
      let back = try await member.post("/domains/\(domain)/baseline")
      #expect(back.status == 303)
      #expect(try await member.get(path).body.contains("?state=new\">4 certificates</a> in the logs"))
      dashboard.pass(1000)
      #expect(try await member.post(path + "/confirm", [("listed", "")]).status == 303)
      for issuance in issuances {
        #expect(try await dashboard.accounts.judgement(owner, of: domain, issuance).level == .known)
      }
    }
  }
}
