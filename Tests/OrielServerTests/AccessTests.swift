import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import TestSupport
import Testing

@testable import OrielServer

/// Two accounts with a domain and a certificate each.
private struct Neighbours {
  let dashboard: Dashboard
  let session: Secret
  let stranger: Secret
  let domain: DomainID
  let issuance: IssuanceID
  let paths: [String]

  init() async throws {
    dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    self.session = session
    stranger = try await dashboard.account("Beta").session
    domain = try await dashboard.domain(owner, "alpha.example")
    issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    let (d, i) = ("/domains/\(domain)", "/issuances/\(issuance)")
    paths = [
      d, d + "/public", d + "/settings", d + "/inventory", d + "/first-day", i, i + "?domain=\(domain)",
      i + "/action?domain=\(domain)",
    ]
  }
}

@Suite("Who may see and do what on the pages")
struct AccessTests {
  static let pages = [
    "/", "/history", "/domains", "/search", "/logs", "/alerts", "/certificate", "/settings", "/events",
    "/domains/1", "/domains/1/settings", "/issuances/00",
  ]

  @Test("Every page sends those who are not signed in to sign in", arguments: pages)
  func signedOut(_ path: String) async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve { port in
      for session in [nil, Secret("no-such-session")] {
        let reply = try await Visitor(port: port, session: session?.text).get(path)
        #expect(reply.status == 303)
        // Where they wanted to go is where they get once they are signed in.
        #expect(reply.header("location") == (["/", "/events"].contains(path) ? "/sign-in" : "/sign-in?next=" + path))
      }
    }
  }

  @Test("Every page shows itself to a member, and none is cached, framed, or trusted with foreign scripts")
  func headers() async throws {
    let all = try await Neighbours()
    try await all.dashboard.serve { port in
      let member = await Visitor(port: port, session: all.session.text)
      #expect(try await member.get("/nothing-here").body.contains("There is nothing here"))
      for path in AccessTests.pages.filter({ !$0.hasPrefix("/issuances") && $0 != "/events" }) + all.paths {
        let reply = try await member.get(path)
        #expect(reply.status == 200, "\(path)")
        let policy = try #require(reply.header("content-security-policy"))
        #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("unsafe"))
        #expect(reply.header("x-content-type-options") == "nosniff")
        #expect(reply.header("referrer-policy") == "no-referrer")
        #expect(reply.header("cache-control") == "no-store")
        #expect(reply.header("strict-transport-security") == nil)
        #expect(!reply.body.contains("style=") && !reply.body.contains("onclick"))
        #expect(!reply.body.contains("{{"), "\(path)")
        #expect(reply.body.contains("<h1>"))
      }
    }
  }

  @Test("What belongs to another account is not found, and nothing can be done to it")
  func crossings() async throws {
    let all = try await Neighbours()
    let owner = try await all.dashboard.signIn.actor(session: all.session)
    let accounts = all.dashboard.accounts
    let recipient = try await accounts.addRecipient(owner, to: all.domain, address: "hear@alpha.example").recipient.id
    let member = try await accounts.addMember(owner, address: "second@alpha.example", role: .member).member.id
    let entry = NewInventoryEntry(kind: .key, hash: SHA256Hash.hash([1]), names: ["alpha.example"])
    try await accounts.addInventory(owner, to: all.domain, [entry], source: "test")
    let inventory = try #require(try await accounts.inventory(owner, of: all.domain).first).id
    let mute = try await accounts.mute(owner, all.domain, .domain, until: all.dashboard.now + Dashboard.day).id
    let token = try await accounts.addToken(owner, name: "token", scopes: [.read]).token.id
    let session = try #require(try await all.dashboard.signIn.sessions(all.session).first).id
    let d = "/domains/\(all.domain)"
    let times = [("unexplained", "daily"), ("expected", "daily"), ("known", "daily"), ("no-history", "daily")]
    let forms: [(String, [(String, String)])] = [
      (d + "/on", [("on", "no")]), (d + "/delivery", times), (d + "/baseline", [("confirmed", "no")]),
      (d + "/owners", [("owners", "Evil CA")]), (d + "/caa", [("records", "x")]), (d + "/remove", [("sure", "yes")]),
      (d + "/mutes", [("until", "2030-01-01")]), (d + "/mutes/\(mute)/end", []),
      (d + "/recipients", [("address", "evil@beta.example")]), (d + "/recipients/\(recipient)/again", []),
      (d + "/recipients/\(recipient)/remove", []), (d + "/inventory/\(inventory)/remove", []),
      (d + "/inventory", [("pem", "x")]), (d + "/inventory/complete", [("complete", "yes")]),
      (d + "/first-day/probe", []), (d + "/first-day/upload", [("pem", "x")]), (d + "/first-day/crtsh", []),
      (d + "/first-day/confirm", [("listed", ""), ("all", "yes")]),
      ("/issuances/\(all.issuance)/state", [("state", "claimed"), ("domain", "\(all.domain)")]),
      ("/issuances/\(all.issuance)/action", [("domain", "\(all.domain)")]),
      ("/settings/members/\(member)/role", [("role", "owner")]),
      ("/settings/members/\(member)/lock", [("locked", "yes")]),
      ("/settings/members/\(member)/again", []), ("/settings/members/\(member)/remove", []),
      ("/settings/tokens/\(token)/revoke", []), ("/settings/sessions/\(session)/end", []),
      ("/account", [("account", "1")]),
    ]
    let before = try await snapshot(all, owner)
    try await all.dashboard.serve { port in
      let stranger = await Visitor(port: port, session: all.stranger.text)
      for path in all.paths { #expect(try await stranger.get(path).status == 404, "\(path)") }
      for (path, fields) in forms { #expect(try await stranger.post(path, fields).status == 404, "\(path)") }
      let nobody = Visitor(port: port)
      for (path, fields) in forms {
        let reply = try await nobody.post(path, fields, of: "/sign-in")
        #expect(reply.status == 303 && reply.header("location") == "/sign-in", "\(path)")
      }
    }
    #expect(try await snapshot(all, owner) == before)
  }

  private func snapshot(_ all: Neighbours, _ owner: Actor) async throws -> String {
    let accounts = all.dashboard.accounts
    let parts: [Any] = [
      try await accounts.domains(owner), try await accounts.recipients(owner, of: all.domain),
      try await accounts.inventory(owner, of: all.domain), try await accounts.mutes(owner, of: all.domain),
      try await accounts.members(owner), try await accounts.tokens(owner), try await accounts.history(owner).results,
      try await accounts.audit(owner, limit: 1000), try await all.dashboard.signIn.sessions(all.session).map(\.id),
    ]
    return parts.map { "\($0)" }.joined(separator: "\n")
  }

  @Test("A form without its code, with another's, or from another site is refused")
  func foreignForms() async throws {
    let all = try await Neighbours()
    try await all.dashboard.serve { port in
      let member = await Visitor(port: port, session: all.session.text)
      let tries: [(fields: [(String, String)], headers: [(String, String)], status: Int)] = [
        ([("item", "one.example.org")], [], 403),
        ([("item", "one.example.org"), ("code", SignIn.formCode(all.stranger))], [], 403),
        (
          [("item", "one.example.org"), ("code", SignIn.formCode(all.session))], [("Origin", "https://evil.example")],
          403
        ),
        (
          [("item", "one.example.org"), ("code", SignIn.formCode(all.session))], [("Sec-Fetch-Site", "cross-site")], 403
        ),
        (
          [("item", "one.example.org"), ("code", SignIn.formCode(all.session))],
          [("Origin", "http://127.0.0.1:\(port)"), ("Sec-Fetch-Site", "same-origin")], 303
        ),
        ([("item", "two.example.org"), ("code", SignIn.formCode(all.session))], [("Origin", "null")], 303),
      ]
      for item in tries {
        let reply = try await member.send("/domains", item.fields, headers: item.headers)
        #expect(reply.status == item.status, "\(item)")
      }
      // Nobody is signed in by a page that is not ours, either.
      let nobody = try await Visitor(port: port).send("/sign-in", [("address", "owner@alpha.example")])
      #expect(nobody.status == 403)
    }
  }

  @Test("A viewer sees the pages and can change nothing")
  func viewers() async throws {
    let all = try await Neighbours()
    let owner = try await all.dashboard.signIn.actor(session: all.session)
    _ = try await all.dashboard.accounts.addMember(owner, address: "see@alpha.example", role: .viewer)
    let session = try await all.dashboard.member("see@alpha.example").session
    try await all.dashboard.serve { port in
      let viewer = await Visitor(port: port, session: session.text)
      #expect(try await viewer.get("/domains/\(all.domain)/settings").status == 200)
      for (path, fields) in [
        ("/domains", [("item", "a.example.org")]), ("/domains/\(all.domain)/on", [("on", "no")]),
        ("/domains/\(all.domain)/inventory/complete", [("complete", "yes")]),
        ("/domains/\(all.domain)/first-day/probe", []), ("/domains/\(all.domain)/first-day/upload", [("pem", "x")]),
        ("/domains/\(all.domain)/first-day/crtsh", []), ("/domains/\(all.domain)/first-day/confirm", []),
        ("/issuances/\(all.issuance)/state", [("state", "claimed"), ("domain", "\(all.domain)")]),
        ("/settings/name", [("name", "Mine")]), ("/settings/members", [("address", "x@y.example"), ("role", "owner")]),
      ] {
        let reply = try await viewer.post(path, fields)
        #expect(reply.status == 403 && reply.body.contains("permission"), "\(path)")
      }
    }
  }

  @Test("Behind HTTPS, cookies are for this host alone, and browsers keep to HTTPS")
  func secure() async throws {
    let dashboard = try await Dashboard()
    _ = try await dashboard.account("Alpha")
    try await dashboard.serve({ settings, _ in settings.publicURL = "https://oriel.example" }) { port in
      let visitor = Visitor(port: port)
      let page = try await visitor.get("/sign-in")
      #expect(page.header("strict-transport-security")?.contains("max-age=") == true)
      let cookie = try #require(page.header("set-cookie"))
      #expect(cookie.hasPrefix("__Host-oriel-visit=") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"))
      #expect(cookie.contains("; SameSite=Lax") && cookie.contains("; Path=/") && !cookie.contains("Domain"))
      _ = try await visitor.post("/sign-in", [("address", "owner@alpha.example")], of: "/sign-in")
      let path = try await dashboard.letters.path(to: "owner@alpha.example")
      let signedIn = try await visitor.post(path, of: path)
      #expect(signedIn.headers.contains { $0.name == "set-cookie" && $0.value.hasPrefix("__Host-oriel=") })
      #expect(try await visitor.get("/").status == 200)
    }
  }
}
