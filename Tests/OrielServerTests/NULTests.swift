import OrielAccounts
import OrielVerdicts
import TestSupport
import Testing

@testable import OrielServer

@Suite("NUL in forms")
struct NULTests {
  @Test(
    "is taken or refused, as any other text is",
    arguments: [
      ("/domains", "item"), ("/certificate", "pem"), ("/settings/members", "address"), ("/settings/tokens", "name"),
      ("/settings/name", "name"), ("/sign-in", "address"),
    ], ["\0", "a\0b", "a\0b.alpha.example", "me\0@alpha.example"])
  func forms(_ place: (path: String, field: String), _ text: String) async throws {
    let dashboard = try await Dashboard()
    let session = try await dashboard.account("Alpha").session
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let reply = try await member.post(place.path, [(place.field, text), ("role", text), ("note", text)])
      #expect(reply.status < 500 && reply.status != 400, "\(reply.status)")
      for path in ["/", "/settings", "/domains", "/search?name=a%00b.alpha.example"] {
        #expect(try await member.get(path).status == 200, "\(path)")
      }
    }
  }

  @Test("in a note is kept, as is all that stands behind it")
  func note() async throws {
    let dashboard = try await Dashboard()
    let (owner, _) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(
      ["a\0b.alpha.example"], for: domain, item: "alpha.example", .unexplained, [.newName(["a\0b.alpha.example"])])
    for note in ["a\0b", #"a\u{0}b"#] {
      do {
        _ = try await dashboard.accounts.setState(owner, of: domain, issuance, to: .new, note: note)
      } catch AccountError.refused(field: .note, _) {
        continue
      }
      let judgement = try await dashboard.accounts.judgement(owner, of: domain, issuance)
      #expect(judgement.note == note)
    }
  }
}
