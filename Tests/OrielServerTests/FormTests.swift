import CTPolicy
import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("What the pages' forms do")
struct FormTests {
  @Test("One signs in by the link in a letter, which works once; others hear the same and get no letter")
  func signIn() async throws {
    let dashboard = try await Dashboard()
    _ = try await dashboard.account("Alpha")
    try await dashboard.serve { port in
      let visitor = Visitor(port: port)
      let unknown = try await visitor.post("/sign-in", [("address", "nobody@alpha.example")], of: "/sign-in")
      let known = try await visitor.post("/sign-in", [("address", "owner@alpha.example")], of: "/sign-in")
      #expect(known.status == 200)
      #expect(known.body.replacing("owner@", with: "nobody@") == unknown.body)
      let path = try await dashboard.letters.path(to: "owner@alpha.example")
      #expect(dashboard.letters.count == 1)
      // Looking uses nothing up.
      for _ in 0..<2 { #expect(try await visitor.get(path).body.contains("owner@alpha.example")) }
      #expect(try await visitor.get("/").status == 303)
      let reply = try await visitor.post(path, of: path)
      #expect(reply.status == 303 && reply.header("location") == "/")
      #expect(try await visitor.get("/").status == 200)
      #expect(try await visitor.get(path).status == 410)
      #expect(try await visitor.post("/sign-out").header("location") == "/sign-in")
      #expect(try await visitor.get("/").status == 303)
    }
  }

  @Test("Whoever has the link from the terminal begins the first account, and a mistake does not use it up")
  func firstStart() async throws {
    let dashboard = try await Dashboard()
    let letter = try #require(try await dashboard.signIn.firstStart())
    try await dashboard.serve { port in
      let (visitor, path) = (Visitor(port: port), "/link/\(letter.secret.text)")
      let wrong = try await visitor.post(path, [("name", "Kept & shown"), ("address", "nonsense")], of: path)
      #expect(wrong.status == 422)
      #expect(wrong.body.contains(#"value="Kept &amp; shown""#) && wrong.body.contains(#"id="e-address""#))
      let right = try await visitor.post(path, [("name", "Ours"), ("address", "me@ours.example")], of: path)
      #expect(right.status == 303)
      #expect(try await visitor.get("/").body.contains("Begin with a domain"))
      let confirm = try await dashboard.letters.path(to: "me@ours.example")
      #expect(try await visitor.post(confirm, of: confirm).body.contains("gets alerts from now on"))
    }
  }

  @Test("Too many requests for links are told to wait")
  func limited() async throws {
    let dashboard = try await Dashboard()
    try await dashboard.serve { port in
      let visitor = Visitor(port: port)
      var last = try await visitor.post("/sign-in", [("address", "a@alpha.example")], of: "/sign-in")
      for _ in 0..<5 { last = try await visitor.post("/sign-in", [("address", "a@alpha.example")], of: "/sign-in") }
      #expect(last.status == 429)
      #expect(last.header("retry-after").flatMap { Int($0) } ?? 0 > 0)
    }
  }

  @Test("Bad values are refused with the reason beside the field, and what was typed is kept")
  func badValues() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    let d = "/domains/\(domain)"
    let forms: [(String, [(String, String)], String)] = [
      ("/domains", [("item", "co.uk")], "co.uk"), ("/domains", [("item", "not a domain")], "not a domain"),
      ("/domains", [("item", "alpha.example")], "is there already"), ("/domains", [("item", "")], "e-item"),
      (d + "/recipients", [("address", "kept@@x")], "kept@@x"), (d + "/mutes", [("until", "soon")], "write a day"),
      (d + "/mutes", [("until", "2001-01-01")], "mute-until"),
      (d + "/mutes", [("until", "2030-01-01"), ("name", "?")], "?"),
      (d + "/delivery", [("unexplained", "whenever")], "choose when"), (d + "/remove", [], "say that you are sure"),
      (d + "/owners", [("owners", String(repeating: "x\n", count: 60))], "at most 50"),
      (d + "/inventory", [("pem", "no certificate")], "no certificate"),
      (d + "/inventory", [("pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")], "AAAA"),
      (
        "/issuances/\(issuance)/state",
        [("state", "denied"), ("domain", "\(domain)"), ("note", String(repeating: "n", count: 1001))], "at most 1000"
      ),
      ("/settings/name", [("name", "")], "write something"),
      ("/settings/members", [("address", "x"), ("role", "owner")], "e-member"),
      ("/settings/members", [("address", "x@y.example"), ("role", "king")], "choose a role"),
      ("/settings/tokens", [("name", "t")], "choose what it is for"),
      ("/certificate", [("pem", "none")], "no certificate"),
    ]
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      for (path, fields, words) in forms {
        let reply = try await member.post(path, fields)
        #expect(reply.status == 422, "\(path) \(fields)")
        #expect(reply.body.contains(words), "\(path) \(fields)")
        #expect(reply.body.contains(#"class="error""#) || reply.body.contains(#"role="alert""#))
      }
      for query in ["from=yesterday", "hash=12", "serial=xyz", "name=a..b"] {
        let reply = try await member.get("/search?" + query)
        #expect(reply.status == 422 && reply.body.contains(#"aria-invalid="true""#), "\(query)")
      }
      #expect(try await member.get(d + "?name=a..b").status == 422)
      let big = try await member.request("POST", "/domains", [], [UInt8](repeating: 0x61, count: (1 << 20) + 1))
      #expect(big.status == 413)
    }
  }

  @Test("A domain is opted into, told of, and out of again")
  func optIn() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      let added = try await member.post("/domains", [("item", "Alpha.Example")])
      let page = try #require(added.header("location")).prefix { $0 != "?" }
      let id = try #require(DomainID(String(page.split(separator: "/")[1])))
      #expect(try await !dashboard.accounts.domain(owner, id).isOn)
      #expect(try await member.get(String(page)).body.contains("Turn on"))
      for (form, fields) in [
        ("on", [("on", "yes")]), ("owners", [("owners", "One CA\r\nTwo CA\r\n")]),
        (
          "delivery", [("unexplained", "daily"), ("expected", "weekly"), ("known", "weekly"), ("no-history", "weekly")]
        ),
        ("recipients", [("address", "hear@alpha.example")]),
        ("mutes", [("name", "m.alpha.example"), ("until", "2027-01-31")]),
      ] {
        #expect(try await member.post("/domains/\(id)/\(form)", fields).status == 303, "\(form)")
      }
      let domain = try await dashboard.accounts.domain(owner, id)
      #expect(domain.isOn && domain.allowedOwners == ["One CA", "Two CA"])
      #expect(domain.delivery.unexplained == .daily && domain.delivery.known == .weekly)
      #expect(try await dashboard.accounts.mutes(owner, of: id).map(\.rule) == [.name("m.alpha.example")])
      let path = try await dashboard.letters.path(to: "hear@alpha.example")
      let outsider = Visitor(port: port)
      #expect(try await outsider.get(path).body.contains("Yes, send me alerts"))
      #expect(try await dashboard.service.addressees(of: id).isEmpty)
      #expect(try await outsider.post(path, of: path).status == 200)
      let addressee = try #require(try await dashboard.service.addressees(of: id).first)
      // A mail program looks first, then leaves in one step (RFC 8058), without cookies.
      let leave = "/unsubscribe/\(addressee.unsubscribeCode)"
      #expect(try await Visitor(port: port).get(leave).body.contains("Stop these alerts?"))
      #expect(try await dashboard.service.addressees(of: id).count == 1)
      let left = try await Visitor(port: port).send(leave, [("List-Unsubscribe", "One-Click")])
      #expect(left.status == 200 && left.body.contains("No more mail"))
      #expect(try await dashboard.service.addressees(of: id).isEmpty)
      let madeUp = try await Visitor(port: port).send("/unsubscribe/made-up", [])
      #expect(madeUp.status >= 400)
      #expect(
        try await member.post("/domains/\(id)/remove", [("sure", "yes")]).header("location") == "/domains?done=removed")
    }
  }

  @Test("CAA records are confirmed as they were shown, and not if they changed meanwhile")
  func records() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let (one, two) = (#"0 issue "one.example""#, #"0 issue "two.example; a=\"b\"""#)
    _ = try await dashboard.service.foundCAA([one, two], for: domain)
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      let old = try await member.post("/domains/\(domain)/caa", [("records", one)])
      #expect(old.status == 422 && old.body.contains("changed meanwhile"))
      #expect(try await member.post("/domains/\(domain)/caa", [("records", one + "\r\n" + two)]).status == 303)
    }
    #expect(try await dashboard.accounts.domain(owner, domain).confirmedCAA == [one, two])
  }

  @Test("A certificate is claimed, denied and opened again, and what to do is on a page of its own")
  func states() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(
      ["www.alpha.example"], for: domain, item: "alpha.example", .unexplained,
      [.newKey, .newName(["www.alpha.example"])])
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      #expect(try await member.get("/").body.contains("/issuances/\(issuance)?domain=\(domain)"))
      let page = try await member.get("/issuances/\(issuance)").body
      #expect(page.contains(Reason.newKey.sentence.replacing("'", with: "&#39;")) && page.contains("BEGIN CERTIFICATE"))
      #expect(page.contains("proved by the log’s tree") && page.contains("Lighthouse 2026h2"))
      let path = "/issuances/\(issuance)/state"
      let denied = try await member.post(path, [("domain", "\(domain)"), ("state", "denied"), ("note", "Not ours")])
      #expect(denied.header("location") == "/issuances/\(issuance)/action?domain=\(domain)&done=saved")
      let action = try await member.get("/issuances/\(issuance)/action?domain=\(domain)").body
      #expect(action.contains("This is a Certificate Problem Report.") && action.contains("Restrict who may issue"))
      #expect(try await member.post(path, [("domain", "\(domain)"), ("state", "claimed")]).status == 303)
      #expect(try await !member.get("/").body.contains("/issuances/\(issuance)?domain=\(domain)\"></a>"))
      #expect(try await dashboard.accounts.judgement(owner, of: domain, issuance).state == .claimed)
      #expect(try await dashboard.accounts.inventory(owner, of: domain).map(\.kind) == [.certificate, .key])
      #expect(try await member.post(path, [("domain", "\(domain)"), ("state", "made-up")]).status == 404)
    }
  }

  @Test("Pages that are open hear of what is new, and end with the session")
  func live() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    try await dashboard.serve { port in
      let member = await Visitor(port: port, session: session.text)
      let (beginnings, began) = AsyncStream.makeStream(of: Void.self)
      async let reply = member.request("GET", "/events", until: "data: 1\n\n", began: began)
      _ = await beginnings.first { _ in true }
      try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
      let heard = try await reply
      #expect(heard.header("content-type") == "text/event-stream")
      #expect(heard.body.firstMatch(of: /event: news\nid: [0-9-]+\ndata: 1\n\n/) != nil)
      let (others, other) = AsyncStream.makeStream(of: Void.self)
      async let rest = member.request("GET", "/events", began: other)
      _ = await others.first { _ in true }
      try await dashboard.signIn.signOut(session)
      #expect(try await rest.status == 200)
    }
  }

  @Test("What comes between a page and its first question for news is news; what the page shows is none")
  func liveSince() async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    try await dashboard.serve({ settings, _ in settings.liveInterval = .milliseconds(20) }) { port in
      let member = await Visitor(port: port, session: session.text)
      func mark() async throws -> String {
        let page = try await member.get("/").body
        return try #require(page.firstMatch(of: /data-open="\d+" data-mark="([0-9-]+)"/)).1.description
      }
      let before = try await mark()
      try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
      let missed = try await member.request("GET", "/events?since=\(before)", until: "\n\n")
      #expect(missed.body.contains("data: 1\n\n"))
      let after = try await mark()
      #expect(after != before && missed.body.contains("id: \(after)\n"))
      for (path, headers) in [("?since=\(after)", []), ("?since=\(before)", [("Last-Event-ID", after)])] {
        let quiet = try await member.request("GET", "/events\(path)", headers, until: ": \n\n")
        #expect(!quiet.body.contains("data:"), "\(path)")
      }
    }
  }

  @Test("Any certificate can be looked at, with what browsers make of it where the logs are known")
  func viewer() async throws {
    let dashboard = try await Dashboard()
    let session = try await dashboard.account("Alpha").session
    let pair = try dashboard.authority.issue(CertificateRequest(["seen.example", "*.seen.example"]))
    let chain = ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(separator: "\n")
    let logs = LogView([dashboard.log], timestamp: Timestamp(milliseconds: UInt64(dashboard.now)))
    try await dashboard.serve({ _, parts in parts.logs = { _ in PolicyLogs(name: "Chrome", logs) } }) { port in
      let member = await Visitor(port: port, session: session.text)
      let page = try await member.post("/certificate", [("pem", chain)])
      #expect(page.status == 200)
      for words in ["*.seen.example", SHA256Hash.hash(pair.certificate).hex, "Chrome", "Firefox", "CT-LOG-1"] {
        #expect(page.body.contains(words), "\(words)")
      }
      let precertificate = try await member.post("/certificate", [("pem", PEM.encode(pair.precertificate))])
      #expect(precertificate.status == 200 && precertificate.body.contains("Only the precertificate was seen"))
      let damaged = PEM.encode(Array(pair.certificate.prefix(20)))
      #expect(try await member.post("/certificate", [("pem", damaged)]).status == 422)
      // The inventory takes the same: the certificate, as its issuer is there too, and its key.
      let owner = try await dashboard.signIn.actor(session: session)
      let domain = try await dashboard.domain(owner, "seen.example")
      #expect(try await member.post("/domains/\(domain)/inventory", [("pem", chain)]).status == 303)
      let kinds = try await dashboard.accounts.inventory(owner, of: domain).map(\.kind.rawValue)
      #expect(kinds.sorted() == ["certificate", "key"])
    }
  }
}
