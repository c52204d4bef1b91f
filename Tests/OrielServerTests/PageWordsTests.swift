import CTPolicy
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What the pages say is so")
struct PageWordsTests {
  @Test("Where nothing needs anybody, no number is shown, and nothing is said of certificates that nobody has seen")
  func quiet() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      let empty = try await member.get("/").body
      #expect(empty.contains(#"id="open" title="need you" hidden></span>"#) && !empty.contains("Every certificate"))
      #expect(empty.contains("The log is healthy."))
      let domain = try await dashboard.domain(owner, "alpha.example", isOn: false)
      #expect(try await member.get("/").body.contains("No domain is monitored yet"))
      var change = DomainChange()
      change.isOn = true
      _ = try await dashboard.accounts.change(owner, domain, change)
      let added = try await dashboard.accounts.addRecipient(owner, to: domain, address: "a@alpha.example")
      _ = try await dashboard.signIn.confirm(try #require(added.letter).secret)
      let watching = try await member.get("/").body
      #expect(watching.contains("No certificate has been seen yet for your domains."))
      #expect(watching.contains("1 domain, monitored."))
      try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example", .known)
      #expect(try await member.get("/").body.contains("Every certificate that was seen for your domains is explained"))
      try await dashboard.sight(["x.alpha.example"], for: domain, item: "alpha.example")
      let open = try await member.get("/domains").body
      #expect(open.contains(#"id="open" title="need you">1</span>"#))
    }
  }

  @Test("Sentences begin with a capital, those that say at least how many too")
  func capitals() {
    #expect(Phrase.capitalised(Phrase.plural(SearchCount(value: 999, isExact: false), "c", "cs")) == "At least 999 cs")
    #expect(Phrase.monitored((1, 0)) == "1 domain, 0 monitored.")
    #expect(Phrase.monitored((3, 3)) == "3 domains, all monitored." && Phrase.monitored((0, 0)).hasPrefix("0 domains"))
  }

  @Test("What can't be judged by an old list is no pass")
  func notEnforced() async throws {
    let dashboard = try await Dashboard()
    let session = try await dashboard.account("Alpha").session
    let pair = try dashboard.authority.issue(CertificateRequest(["seen.example"]))
    let chain = ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(separator: "\n")
    for (days, words) in [(Int64(300), "Not enforced"), (1, "Fails")] {
      let time = Timestamp(milliseconds: UInt64(dashboard.now - days * Dashboard.day))
      let logs = LogView([dashboard.log], timestamp: time)
      try await dashboard.serve({ _, parts in parts.logs = { _ in PolicyLogs(name: "list", logs) } }) { port in
        let page = try await Visitor(port: port, session: session.text).post("/certificate", [("pem", chain)]).body
        #expect(page.contains(">\(words)</span>") && !page.contains(">Passes</span>"))
        #expect(page.contains("badge plain\">Not enforced") == (days == 300))
      }
    }
  }

  @Test("Once the owner has claimed a certificate, nothing speaks against it, and what is done is offered no more")
  func claimed() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(
      ["www.alpha.example"], for: domain, item: "alpha.example", .noHistory, [.noBaseline, .newKey, .sameCA(ca: "A")])
    let token = try await dashboard.accounts.addToken(owner, name: "t", scopes: [.write]).secret
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      let (page, path) = ("/issuances/\(issuance)?domain=\(domain)", "/domains/\(domain)/issuances/\(issuance)")
      #expect(try await member.get(page).body.contains("<button name=\"state\" value=\"claimed\">"))
      let answer = try await Program(port, token).api("PATCH", path, #"{"state": "claimed"}"#)
      let verdict = try #require(answer.object["verdict"] as? [String: Any])
      #expect(verdict["level"] as? String == "known" && verdict["is_proven"] as? Bool == true)
      let codes = try #require(verdict["reasons"] as? [[String: Any]]).compactMap { $0["code"] as? String }
      #expect(codes == ["claimed", "same-CA"])
      let claimed = try await member.get(page).body
      #expect(!claimed.contains("What speaks against it") && claimed.contains(Reason.claimed.sentence))
      #expect(!claimed.contains("value=\"claimed\"") && claimed.contains("value=\"denied\""))
      let feed = try await Program(port, token).get("/domains/\(domain)/feed.atom").body
      #expect(!feed.contains("not yet confirmed which certificates"))
      _ = try await Program(port, token).api("PATCH", path, #"{"state": "denied"}"#)
      let denied = try await member.get(page).body
      #expect(denied.contains(Reason.denied.sentence) && !denied.contains("value=\"denied\""))
      #expect(denied.contains("<button class=\"quiet\" name=\"state\" value=\"claimed\">"))
    }
  }

  @Test("A note is saved without an answer, stays with later answers, and is no opening again")
  func note() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      // As a browser sends it when somebody presses Enter.
      let page = "/issuances/\(issuance)"
      let firstButton = #/action="\/issuances\/[0-9a-f]+\/state">(?s:.*?)<button([^>]*)>([^<]*)</#
      let first = try #require(try await member.get(page).body.firstMatch(of: firstButton))
      #expect(first.1 == " class=\"quiet\"" && first.2 == "Save note")
      let saved = try await member.post(
        page + "/state", [("domain", "\(domain)"), ("note", "asking the hosting company")])
      #expect(saved.status == 303 && saved.header("location")?.contains("/action") == false)
      let judgement = try await dashboard.accounts.judgement(owner, of: domain, issuance)
      #expect(judgement.state == .new && judgement.note == "asking the hosting company")
      #expect(try await dashboard.accounts.inventory(owner, of: domain).isEmpty)
      let shown = try await member.get(page).body
      #expect(shown.contains("Note, says") && !shown.contains("Opened again"))
      #expect(shown.contains("value=\"asking the hosting company\""))
    }
  }

  @Test("No form that takes a decision is sent by Enter in one of its fields")
  func enter() throws {
    // What a decision is: to answer, to confirm, to mute, to tell of, to remove.
    let decisions = ["/state", "/confirm", "/mutes", "/inventory", "/remove", "/caa"]
    var found: Set<String> = []
    for (name, template) in Templates.sources {
      for form in template.matches(of: #/<form method="post" action="([^"]*)"[^>]*>(?s:(.*?))<\/form>/#) {
        let (action, content) = (String(form.1), String(form.2))
        guard let decision = decisions.first(where: action.hasSuffix) else { continue }
        let fields = content.matches(of: #/<input ([^>]*)>/#).filter { !$0.1.contains("type=\"hidden\"") }
        guard !fields.isEmpty else { continue }
        found.insert(decision)
        let button =
          content.firstMatch(of: #/<button|{{>guard}}/#).map { String(content[$0.range.lowerBound...]) } ?? ""
        #expect(
          button.hasPrefix("{{>guard}}") || button.hasPrefix("<button class=\"quiet\">Save note</button>"),
          "\(name): \(action)")
      }
    }
    #expect(found == ["/state", "/confirm", "/mutes", "/inventory", "/remove"])
    #expect(guardTemplate.contains("<button disabled"))
  }

  @Test("A certificate that a later one has taken the place of is not due for renewal")
  func renewed() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    func sight(_ names: [String], _ from: Int64, _ to: Int64, _ level: VerdictLevel = .known) async throws {
      try await dashboard.sight(names, for: domain, item: "alpha.example", level) {
        $0.notBefore = Timestamp(milliseconds: UInt64(dashboard.now + from * Dashboard.day))
        $0.notAfter = Timestamp(milliseconds: UInt64(dashboard.now + to * Dashboard.day))
      }
    }
    try await sight(["old.alpha.example"], -80, 10)
    try await sight(["old.alpha.example"], -20, 70)
    try await sight(["due.alpha.example"], -80, 9)
    // One that nothing explains renews nothing, and neither does one that is not valid yet, or for other names.
    try await sight(["due.alpha.example"], -20, 71, .unexplained)
    try await sight(["due.alpha.example"], 2, 90)
    try await sight(["due.alpha.example.other"], -20, 70)
    try await dashboard.serve { port in
      let page = try await Visitor(port: port, session: session.text).get("/domains/\(domain)/current").body
      #expect(page.contains(#"<span class="badge plain">ends in 10 days, renewed</span>"#))
      #expect(page.contains(#"<span class="badge expected">ends in 9 days</span>"#))
      #expect(page.contains("1 ends within 14 days and is not renewed"))
    }
  }
}
