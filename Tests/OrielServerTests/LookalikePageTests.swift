import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("The page of look-alikes")
struct LookalikePageTests {
  private func dashboard(
    _ names: [(name: String, unicode: String?)], isSought: Bool = true
  ) async throws -> (dashboard: Dashboard, session: String, code: String, domain: DomainID, issuances: [String]) {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    var change = DomainChange()
    change.watchesLookalikes = true
    _ = try await dashboard.accounts.change(owner, domain, change)
    var issuances: [String] = []
    for (name, unicode) in names {
      let lookalike = StoredLookalike(
        owner: owner.account.value, item: "alpha.example", registrable: name, name: "www." + name, unicode: unicode,
        reason: "confusable", sentence: "www.\(name) has characters that pass for those of alpha.example.", rating: 85)
      issuances.append(try await sight(lookalike, on: dashboard, at: UInt64(issuances.count)))
    }
    change.watchesLookalikes = isSought
    _ = try await dashboard.accounts.change(owner, domain, change)
    return (dashboard, session.text, SignIn.formCode(session), domain, issuances)
  }

  private func sight(_ lookalike: StoredLookalike, on dashboard: Dashboard, at index: UInt64) async throws -> String {
    let pair = try dashboard.authority.issue(CertificateRequest([lookalike.name]))
    var sighting = NewSighting(
      index: index, timestamp: UInt64(dashboard.now), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      entryType: "x509", certificate: pair.certificate, chain: [], issuers: [],
      facts: CertificateFacts(certificate: pair.certificate), matches: [], problems: [])
    sighting.lookalikes = [lookalike]
    var frontier = Frontier()
    for _ in 0...index { try frontier.append(.zero) }
    let position = LogPosition(index: index + 1, frontier: frontier)
    try await FollowingStore(dashboard.database).commit(
      [sighting], of: dashboard.log.logID, downloaded: position, verified: position, unreadable: 0, now: dashboard.now)
    return "\(pair.issuanceID)"
  }

  @Test("It lists names with what they look like, why, since when and whose certificate; the newest first")
  func list() async throws {
    let (dashboard, session, _, domain, issuances) = try await dashboard([
      ("a1pha.example", nil), ("xn--lpha-43d.example", "www.аlpha.example"),
    ])
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session)
      let page = try await member.get("/domains/\(domain)/lookalikes")
      #expect(page.status == 200)
      for words in [
        "2 names", "<bdi>www.a1pha.example</bdi>", "<bdi>www.xn--lpha-43d.example</bdi>",
        "<bdi>www.аlpha.example</bdi>",
        "Likely to deceive", "has characters that pass for", "Harbour Trust Services", "first seen",
        "/issuances/\(issuances[0])", "/issuances/\(issuances[1])",
      ] { #expect(page.body.contains(words), "\(words)") }
      let places = ["xn--lpha-43d", "a1pha"].map { page.body.range(of: $0)?.lowerBound }
      #expect(places[0] ?? page.body.endIndex < places[1] ?? page.body.startIndex)
      // None of it is a certificate of the domain's.
      let history = try await member.get("/domains/\(domain)")
      #expect(!history.body.contains("a1pha") && history.body.contains("0 certificates"))
      #expect(try await member.get("/issuances/\(issuances[0])").status == 200)
      let muted = try await member.post(
        "/domains/\(domain)/mutes",
        [("name", "a1pha.example"), ("until", Phrase.day(dashboard.now + 5 * Dashboard.day))])
      #expect(muted.status == 303)
    }
  }

  @Test("The switch is on the page of settings")
  func settings() async throws {
    let (dashboard, session, _, domain, _) = try await dashboard([], isSought: false)
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session)
      let path = "/domains/\(domain)/lookalikes"
      for (fields, isOn, time) in [
        ([("on", "yes")], true, DeliveryTime.daily), ([("on", "yes"), ("time", "weekly")], true, .weekly),
        ([("on", "no")], false, .weekly),
      ] {
        #expect(try await member.post(path, fields).status == 303)
        let owner = try await dashboard.service.lookalikeNames()
        #expect(owner.watched.count == (isOn ? 1 : 0))
        let page = try await member.get("/domains/\(domain)/settings").body
        #expect(page.contains("Off: names that imitate") != isOn)
        #expect(page.contains("<option value=\"\(time.rawValue)\" selected>") || !isOn)
      }
      #expect(try await member.post(path, [("on", "yes"), ("time", "never ever")]).status == 422)
    }
  }

  @Test(
    "Hostile names can't break out of the page or turn it around", arguments: HostileTextTests.texts + ["אבג.example"])
  func hostile(_ text: String) async throws {
    let (dashboard, session, code, domain, issuances) = try await dashboard([(text, text)])
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session)
      for path in [
        "/domains/\(domain)/lookalikes", "/domains/\(domain)/settings", "/issuances/\(issuances[0])",
        "/issuances/\(issuances[0])/action",
      ] {
        let reply = try await member.get(path)
        #expect(reply.status == 200, "\(path)")
        HostileTextTests.check(reply.body, path)
        #expect(
          reply.body.components(separatedBy: code).count
            == reply.body.components(separatedBy: "value=\"\(code)\"").count)
      }
    }
  }
}
