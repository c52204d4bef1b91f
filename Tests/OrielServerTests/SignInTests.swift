import Foundation
import OrielAccounts
import OrielStore
import TestSupport
import Testing

@testable import OrielServer

@Suite("Signing in on the pages")
struct SignInTests {
  @Test("Whoever wanted a page gets there once they are signed in, in whatever browser the mail is opened")
  func returning() async throws {
    let dashboard = try await Dashboard()
    let (owner, _) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(["www.alpha.example"], for: domain, item: "alpha.example")
    let wanted = "/issuances/\(issuance)?domain=\(domain)"
    try await dashboard.serve { port in
      let visitor = Visitor(port: port)
      let start = try #require(try await visitor.get(wanted).header("location"))
      #expect(start == "/sign-in?next=/issuances/\(issuance)%3Fdomain%3D\(domain)")
      let page = try await visitor.get(start).body
      let next = try #require(page.firstMatch(of: #/name="next" value="([^"]*)"/#)).1
      #expect(next == wanted)
      // A mistake does not lose it.
      let wrong = try await visitor.post("/sign-in", [("address", "x"), ("next", String(next))], of: start)
      #expect(wrong.status == 422 && wrong.body.contains("name=\"next\" value=\"\(wanted)\""))
      let sent = try await visitor.post(
        "/sign-in", [("address", "owner@alpha.example"), ("next", String(next))], of: start)
      #expect(sent.status == 200 && sent.body.contains("href=\"\(start)\""))
      let link = try await dashboard.letters.path(to: "owner@alpha.example")
      let reader = Visitor(port: port)
      let shown = try await reader.get(link).body
      #expect(shown.contains("name=\"next\" value=\"\(wanted)\""))
      let reply = try await reader.post(String(link.prefix { $0 != "?" }), [("next", wanted)], of: link)
      #expect(reply.status == 303 && reply.header("location") == wanted)
      #expect(try await reader.get(wanted).body.contains("www.alpha.example"))
    }
  }

  private static let hash = String(repeating: "0a", count: 32)

  @Test(
    "Nobody is sent anywhere but to a page of ours, and no text goes with it",
    arguments: [
      "https://evil.example/", "//evil.example", "/\\evil.example", "/domains//evil", "/domains/../x", "/sign-out",
      "/domains/1?q=buy", "/issuances/\(hash)?domain=1&done=saved", "/visit-evil.example", "/domains/1#x", "domains",
      "/domains/1\r\nSet-Cookie: a=b", "/domains/" + String(repeating: "1", count: 400), "", "/",
    ])
  func foreign(_ text: String) { #expect(ReturnPath(text) == nil) }

  @Test(
    "Pages of ours are kept",
    arguments: [
      "/domains", "/domains/12", "/domains/12/first-day", "/issuances/\(hash)", "/issuances/\(hash)?domain=12",
      "/issuances/\(hash)/action?domain=12&lookalike=3", "/logs/\(hash)", "/alerts",
    ])
  func own(_ text: String) { #expect(ReturnPath(text)?.text == text) }

  @Test("The answer is there before anybody has looked whether the address is known")
  func timing() async throws {
    let dashboard = try await Dashboard()
    _ = try await dashboard.account("Alpha")
    let count = { @Sendable in
      try await dashboard.database.read { try $0.query("SELECT count(*) FROM links").first?.integer(0) ?? 0 }
    }
    let before = try await count()
    try await dashboard.serve({ settings, _ in settings.linkDelay = .seconds(1_000_000_000) }) { port in
      for address in ["owner@alpha.example", "nobody@alpha.example"] {
        let reply = try await Visitor(port: port).post("/sign-in", [("address", address)], of: "/sign-in")
        #expect(reply.status == 200)
      }
      #expect(try await count() == before && dashboard.letters.count == 0)
    }
  }

  @Test("What is looked up afterwards leaves as many traces for an unknown address as for a known one")
  func afterwards() async throws {
    let dashboard = try await Dashboard()
    _ = try await dashboard.account("Alpha")
    let links = { @Sendable in
      try await dashboard.database.read {
        try $0.query("SELECT address FROM links WHERE purpose = 'sign-in' AND used_at IS NULL").compactMap {
          $0.text(0)
        }
      }
    }
    try await dashboard.serve { port in
      for address in ["owner@alpha.example", "nobody@alpha.example"] {
        _ = try await Visitor(port: port).post("/sign-in", [("address", address)], of: "/sign-in")
      }
      _ = try await dashboard.letters.path(to: "owner@alpha.example")
      while try await Set(links()).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(dashboard.letters.count == 1)
    }
  }
}
