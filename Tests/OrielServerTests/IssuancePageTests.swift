import CTLogClient
import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What the pages show of certificates")
struct IssuancePageTests {
  private static func text(_ html: String) -> String {
    html.replacing(#/<[^>]*>/#, with: "").replacing("&#39;", with: "'")
  }

  @Test("All that was said about a certificate is on its page and in the API, in order")
  func history() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    for (state, note) in [(Judgement.State.denied, "first <b>note"), (.claimed, nil), (.denied, "second note")] {
      dashboard.pass(60_000)
      _ = try await dashboard.accounts.setState(owner, of: domain, issuance, to: state, note: note)
    }
    try await dashboard.service.judge(issuance, for: domain, .expected, isProven: true, reasons: "[]")
    let token = try await dashboard.accounts.addToken(owner, name: "t", scopes: [.read]).secret
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let page = try await member.get("/issuances/\(issuance)").body
      HostileTextTests.check(page, "issuance")
      let text = Self.text(page.components(separatedBy: "What happened").last ?? "")
      let said = [
        "Seen in a log", "Judged: Unexplained", "This was not us, says owner@alpha.example: first &lt;b&gt;note",
        "This was us, says owner@alpha.example", "says owner@alpha.example: second note", "Judged again: Expected",
      ].map { text.range(of: $0)?.lowerBound }
      #expect(said.allSatisfy { $0 != nil })
      #expect(said.compactMap { $0 } == said.compactMap { $0 }.sorted())
      let reply = try await RawClient(port: port).request(
        "GET", "/api/v1/issuances/\(issuance)", headers: [("Authorization", "Bearer \(token.text)")])
      let json = try #require(try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any])
      let history = try #require(json["history"] as? [[String: Any]])
      #expect(history.compactMap { $0["what"] as? String } == ["judged", "said", "said", "said", "judged"])
      #expect(history.compactMap { $0["note"] as? String } == ["first <b>note", "second note"])
      #expect(history.compactMap { $0["by"] as? String } == Array(repeating: "owner@alpha.example", count: 3))
    }
  }

  @Test("What hit comes first and common names last, counted, on every list")
  func names() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let many = ["other.example"] + (0..<299).map { "h\($0).alpha.example" }
    let issuance = try await dashboard.store(
      try dashboard.authority.issue(
        {
          var request = CertificateRequest(many)
          request.commonNames = ["<b>bold</b>.alpha.example"]
          return request
        }()), for: domain, item: "alpha.example", name: "h0.alpha.example")
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let page = try await member.get("/issuances/\(issuance)").body
      #expect(page.contains("<h1><bdi>h0.alpha.example</bdi> and 300 more</h1>"))
      #expect(page.contains("<bdi>h0.alpha.example</bdi><br><bdi>other.example</bdi>"))
      for path in ["/", "/domains/\(domain)", "/search?name=alpha.example", "/domains/\(domain)/current"] {
        let page = try await member.get(path).body
        #expect(page.contains("\"><bdi>h0.alpha.example</bdi>, <bdi>other.example</bdi>"), "\(path)")
        #expect(page.contains("and 297 more</small>") && !page.contains("or more"), "\(path)")
        #expect(page.contains("<span class=\"badge unexplained\">Unexplained</span>"), "\(path)")
        HostileTextTests.check(page, path)
      }
      let seen = try await member.get("/domains/\(domain)/public").body
      #expect(Self.text(seen).contains("301 names."))
      let order = ["h0.alpha.example", "h1.alpha.example", "h298.alpha.example", "other.example"].map {
        seen.range(of: "<bdi class=\"names\">\($0)</bdi>")?.lowerBound
      }
      #expect(order.allSatisfy { $0 != nil } && order.compactMap { $0 } == order.compactMap { $0 }.sorted())
    }
  }

  @Test("A certificate with a common name alone says so")
  func commonName() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example") {
      $0.commonNames = ["cn.beta.example"]
    }
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let shown = "<bdi>cn.beta.example</bdi> <small>(common name)</small>"
      for path in ["/", "/issuances/\(issuance)"] {
        let reply1 = try await member.get(path).body
        #expect(reply1.contains(shown), "\(path)")
      }
    }
  }

  @Test("What is valid now is listed by its end, and what ends soon is marked")
  func current() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    for (name, days) in [("over", -1), ("long", 60), ("soon", 5)] {
      try await dashboard.sight(["\(name).alpha.example"], for: domain, item: "alpha.example", .known) {
        let start = dashboard.now - 70 * Dashboard.day
        $0.notBefore = Timestamp(milliseconds: UInt64(start))
        $0.notAfter = Timestamp(milliseconds: UInt64(dashboard.now + Int64(days) * Dashboard.day))
      }
    }
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let page = try await member.get("/domains/\(domain)/current").body
      #expect(
        page.contains("2 certificates, what ends first at the top.")
          && page.contains("1 ends within 14 days and is not renewed"))
      #expect(page.contains("<span class=\"badge expected\">ends in 5 days</span>"))
      #expect(page.contains("<span class=\"badge plain\">ends in 60 days</span>"))
      #expect(!page.contains("over.alpha.example"))
      let places = ["soon.alpha.example", "long.alpha.example"].map { page.range(of: $0)?.lowerBound }
      #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted() && places.allSatisfy { $0 != nil })
      #expect(try await member.get("/domains/\(domain)/current?after=x").status == 200)
    }
  }

  @Test("An internationalised item and its certificates are shown as they are meant, beside what they are")
  func unicode() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "münchen.example")
    let issuance = try await dashboard.sight(
      ["www.xn--mnchen-3ya.example"], for: domain, item: "xn--mnchen-3ya.example")
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let both = "www.xn--mnchen-3ya.example (www.münchen.example)"
      for path in ["/", "/issuances/\(issuance)", "/domains/\(domain)/public"] {
        let reply2 = try await member.get(path).body
        #expect(reply2.contains(both), "\(path)")
      }
      let heading = "<h1><bdi>xn--mnchen-3ya.example</bdi> <small>(<bdi>münchen.example</bdi>)</small></h1>"
      let reply3 = try await member.get("/domains/\(domain)").body
      #expect(reply3.contains(heading))
      let reply4 = try await member.get("/domains").body
      #expect(reply4.contains("<bdi>(münchen.example)</bdi>"))
    }
  }
}
