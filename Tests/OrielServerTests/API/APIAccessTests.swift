import Dispatch
import Foundation
import OrielAccounts
import OrielStore
import TestSupport
import Testing

@testable import OrielServer

@Suite("Who may see and do what through the API")
struct APIAccessTests {
  @Test("Another account's things are not found, whatever is asked or sent, and stay as they are")
  func crossings() async throws {
    let dashboard = try await Dashboard()
    let alpha = try await Premises(dashboard)
    let beta = try await Premises(dashboard, "Beta", item: "beta.example")
    let operations = try dashboard.operations()
    let before = try await snapshot(alpha)
    try await dashboard.serve { port in
      let stranger = Program(port, beta.token)
      for operation in operations where !operation.parameters.isEmpty {
        let reply = try await stranger.api(operation.verb, alpha.path(operation), goodBodies[operation.id])
        #expect(reply.status == 404, "\(operation.id): \(reply.body)")
        // A domain of one's own does not open what is below another's.
        guard operation.parameters.count > 1 else { continue }
        let mixed = operation.path.replacing("{domain}", with: "\(beta.domain)")
        let path = alpha.ids.reduce(mixed) { $0.replacing("{\($1.key)}", with: $1.value) }
        let other = try await stranger.api(operation.verb, path, goodBodies[operation.id])
        #expect(other.status == 404, "\(operation.id): \(other.body)")
      }
      for operation in operations where operation.isReading && operation.parameters.isEmpty {
        guard case .json = operation.answer else { continue }
        let reply = try await stranger.api("GET", operation.path)
        #expect(reply.status == 200 && !reply.body.contains("alpha.example"), "\(operation.id)")
      }
      for query in [
        "/issuances?domain=\(alpha.domain)", "/issuances?name=alpha.example", "/search?name=alpha.example",
        "/search?issuance=\(alpha.issuance)",
      ] {
        let reply = try await stranger.api("GET", query)
        #expect(reply.status == 404 || reply.items.isEmpty, "\(query)")
      }
      for path in ["feed.atom", "export.csv"] {
        #expect(try await stranger.get("/domains/\(alpha.domain)/\(path)").status == 404)
      }
      #expect(try await stranger.get("/search.csv?name=alpha.example").whole?.contains("alpha.example") == false)
    }
    #expect(try await snapshot(alpha) == before)
  }

  @Test("What two accounts watch shows each its own items alone")
  func sharedIssuance() async throws {
    let dashboard = try await Dashboard()
    let alpha = try await Premises(dashboard)
    let beta = try await Premises(dashboard, "Beta", item: "beta.example")
    try await dashboard.service.judge(alpha.issuance, for: beta.domain, .unexplained, isProven: false, reasons: "[]")
    try await dashboard.serve { port in
      let reply = try await Program(port, beta.token).api("GET", "/issuances/\(alpha.issuance)")
      #expect(reply.status == 200)
      #expect((reply.object["matches"] as? [Any])?.isEmpty == true)
      let judgements = reply.object["judgements"] as? [[String: Any]]
      #expect(judgements?.map { $0["item"] as? String } == ["beta.example"])
    }
  }

  /// All that the account has, as far as requests could change it.
  private func snapshot(_ all: Premises) async throws -> [String] {
    let accounts = all.dashboard.accounts
    let lists: [any Sendable] = [
      try await accounts.domains(all.owner), try await accounts.recipients(all.owner, of: all.domain),
      try await accounts.members(all.owner), try await accounts.inventory(all.owner, of: all.domain),
      try await accounts.mutes(all.owner, of: all.domain), try await accounts.account(all.owner),
      try await accounts.tokens(all.owner).map(\.revokedAt),
      try await accounts.judgement(all.owner, of: all.domain, all.issuance), try await accounts.audit(all.owner),
    ]
    return lists.map { String(reflecting: $0) }
  }

  @Test("A token may what its scopes say, for every operation", arguments: Scope.allCases)
  func scopes(_ scope: Scope) async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let token = try await all.token([scope])
    let operations = try dashboard.operations()
    try await dashboard.serve { port in
      let program = Program(port, token)
      for operation in operations {
        guard let permission = operation.permission else { continue }
        if case .events = operation.answer, scope.permissions.contains(permission) { continue }
        // Nobody's things, so that nothing is changed.
        let path = all.ids.keys.reduce(operation.path) { $0.replacing("{\($1)}", with: "888888") }
        let reply = try await program.api(operation.verb, path, operation.body == nil ? nil : "{}")
        #expect((reply.status == 403) == !scope.permissions.contains(permission), "\(operation.id): \(reply.status)")
        #expect([200, 403, 404, 422].contains(reply.status))
      }
    }
  }

  @Test("Without a good token nothing is to be had")
  func noToken() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let revoked = try await dashboard.accounts.addToken(all.owner, name: "revoked", scopes: [.admin])
    try await dashboard.accounts.revokeToken(all.owner, revoked.token.id)
    let letters = ["gone", "locked", "lowered"].map { "\($0)@alpha.example" }
    var secrets: [Secret] = []
    for address in letters {
      let member = try await dashboard.accounts.addMember(all.owner, address: address, role: .member)
      let actor = try await dashboard.member(address).actor
      secrets.append(try await dashboard.accounts.addToken(actor, name: "own", scopes: [.write]).secret)
      switch address.prefix(4) {
      case "gone": try await dashboard.accounts.removeMember(all.owner, member.member.id)
      case "lock": _ = try await dashboard.accounts.change(all.owner, member: member.member.id, isLocked: true)
      default: _ = try await dashboard.accounts.change(all.owner, member: member.member.id, role: .viewer)
      }
    }
    let mistyped = Secret(String(all.token.text.dropLast()) + (all.token.text.hasSuffix("a") ? "b" : "a"))
    let bad = [secrets[0], secrets[1], revoked.secret, mistyped, Secret("x"), Secret("")]
    let lowered = secrets[2]
    try await dashboard.serve { port in
      for token in bad {
        for path in ["/api/v1/account", "/metrics", "/search.csv", "/domains/\(all.domain)/feed.atom"] {
          let reply = try await Program(port, token).get(path)
          #expect(reply.status == 401 && reply.header("www-authenticate") != nil, "\(path)")
        }
      }
      let basic = [("Authorization", "Basic YTpi")]
      #expect(try await Program(port, nil).send("GET", "/api/v1/account", headers: basic).status == 401)
      // Who became a viewer may still look.
      #expect(try await Program(port, lowered).api("GET", "/domains").status == 200)
      #expect(try await Program(port, lowered).api("POST", "/domains", #"{"item": "c.example"}"#).status == 403)
    }
  }

  @Test("A browser that is signed in may look, and can change nothing this way")
  func sessions() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.serve { port in
      let cookie = [("Cookie", "oriel-\(port)=\(all.session.text)")]
      let browser = Program(port, nil)
      #expect(try await browser.send("GET", "/api/v1/domains", headers: cookie).items.count == 1)
      let reply = try await browser.send("POST", "/api/v1/domains", #"{"item": "c.example"}"#, headers: cookie)
      #expect(reply.status == 401)
      #expect(try await browser.send("DELETE", "/api/v1/domains/\(all.domain)", headers: cookie).status == 401)
      // A token that is good for nothing is not made up for by a cookie.
      let both = cookie + [("Authorization", "Bearer nonsense")]
      #expect(try await browser.send("GET", "/api/v1/domains", headers: both).status == 401)
    }
    #expect(try await dashboard.accounts.domainCount(all.owner).all == 1)
  }

  @Test("What is changed of a member is changed as a whole, or not at all")
  func members() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let owner = try #require(try await dashboard.accounts.members(all.owner).first { $0.role == .owner })
    _ = try await dashboard.accounts.addMember(all.owner, address: "third@alpha.example", role: .owner)
    let third = try await dashboard.member("third@alpha.example").actor
    let token = try await dashboard.accounts.addToken(third, name: "own", scopes: [.admin]).secret
    let id = try #require(try await dashboard.accounts.members(third).first { $0.address == "third@alpha.example" }).id
    try await dashboard.serve { port in
      // Half of it would take the caller's right to the other half away.
      let lowered = try await Program(port, token).api(
        "PATCH", "/members/\(id)", #"{"role": "member", "is_locked": false}"#)
      #expect(lowered.status == 200 && lowered.object["role"] as? String == "member", "\(lowered.body)")
      let before = try await dashboard.accounts.audit(all.owner, limit: 1000).count
      let refused = try await Program(port, all.token).api(
        "PATCH", "/members/\(owner.id)", #"{"role": "owner", "is_locked": true}"#)
      #expect(refused.status == 422)
      #expect(try await dashboard.accounts.audit(all.owner, limit: 1000).count == before)
    }
  }

  @Test("Of two who change different delivery times at once, neither undoes the other")
  func deliveries() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      for round in 0..<20 {
        let time = round % 2 == 0 ? "weekly" : "daily"
        try await withThrowingTaskGroup(of: Int.self) { group in
          for level in ["unexplained", "expected", "known", "no_history"] {
            group.addTask {
              let body = "{\"delivery\": {\"\(level)\": \"\(time)\"}}"
              return try await program.api("PATCH", "/domains/\(all.domain)", body).status
            }
          }
          for try await status in group { #expect(status == 200) }
        }
        let delivery = try await dashboard.accounts.domain(all.owner, all.domain).delivery
        #expect(VerdictLevel.allCases.allSatisfy { delivery[$0].rawValue == time }, "\(delivery)")
      }
    }
  }

  @Test("While something else is written for long, those who change something are told when to come again")
  func busy() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let other = try SQLiteDatabase(path: dashboard.folder.path + "/oriel.db", isChecked: false)
    // When a token or a session was last used is to be noted.
    dashboard.pass(2 * 3_600_000)
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    let mayEnd = DispatchSemaphore(value: 0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await other.transaction { _ in
          beginning.yield()
          mayEnd.wait()
        }
      }
      defer { mayEnd.signal() }
      for await _ in begun { break }
      try await dashboard.serve({ settings, _ in settings.writePatience = .milliseconds(20) }) { port in
        let program = Program(port, all.token)
        #expect(try await program.api("GET", "/domains").status == 200)
        let refused = try await program.api("POST", "/domains", #"{"item": "c.example"}"#)
        #expect(refused.status == 503 && refused.header("retry-after") == "5", "\(refused.body)")
        let visitor = Visitor(port: port)
        await visitor.signIn(all.session.text)
        #expect(try await visitor.get("/domains").status == 200)
        let page = try await visitor.post("/domains", [("item", "c.example")])
        #expect(page.status == 503 && page.header("retry-after") == "5" && page.body.contains("Not just now"))
      }
    }
    #expect(try await dashboard.accounts.domainCount(all.owner).all == 1)
  }

  @Test("Letters are not sent without end, and the answer says when to try again")
  func letters() async throws {
    let dashboard = try await Dashboard()
    let all = try await Premises(dashboard)
    let path = "/members/\(all.ids["member"] ?? "")/letter"
    try await dashboard.serve { port in
      let program = Program(port, all.token)
      var reply = try await program.api("POST", path)
      for _ in 0..<10 where reply.status == 202 { reply = try await program.api("POST", path) }
      #expect(reply.status == 429)
      #expect((reply.header("retry-after").flatMap { Int($0) } ?? 0) > 0)
    }
  }
}
