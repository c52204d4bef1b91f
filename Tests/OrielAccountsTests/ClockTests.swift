import OrielStore
import Testing

@testable import OrielAccounts

@Suite("A clock that was ahead, and was set right")
struct ClockTests {
  static let spans: [Int64] = [2 * Registry.day, 3650 * Registry.day]

  @Test("a link and a session made then work no longer, then or later", arguments: spans)
  func signIn(ahead: Int64) async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    registry.pass(ahead)
    let session = try await registry.session("owner@alpha.example")
    let link = try #require(try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c"))
    registry.pass(-ahead)
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.look(link.secret) }
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.session(session) }
    try await registry.service.sweep()
    registry.pass(ahead)
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.session(session) }
  }

  @Test("by a minute, it signs nobody out")
  func minute() async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    registry.pass(60_000)
    let session = try await registry.session("owner@alpha.example")
    let link = try #require(try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c"))
    registry.pass(-60_000)
    try await registry.service.sweep()
    #expect(try await registry.signIn.look(link.secret).purpose == .signIn)
    #expect(try await registry.signIn.session(session).memberships.count == 1)
  }

  @Test("attempts made then lock nobody out, and are forgotten", arguments: spans)
  func attempts(ahead: Int64) async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    let ask = { try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c") }
    let count = { try await registry.database.read { try $0.query("SELECT 1 FROM attempts").count } }
    let before = try await count()
    registry.pass(ahead)
    for _ in 0..<registry.store.limits.linksPerAddress { _ = try await ask() }
    await #expect(throws: AccountError.limited(retryAfter: 900_000)) { try await ask() }
    registry.pass(-ahead)
    #expect(try await ask() != nil)
    try await registry.service.sweep()
    #expect(try await count() == before + 2)
  }

  @Test("attempts that are to come within their window count, and nobody waits longer than it")
  func nearAttempts() async throws {
    let registry = try await Registry()
    let ask = { try await registry.signIn.requestLink(address: "a@alpha.example", client: "c") }
    registry.pass(600_000)
    for _ in 0..<registry.store.limits.linksPerAddress { _ = try await ask() }
    registry.pass(-600_000)
    await #expect(throws: AccountError.limited(retryAfter: 900_000)) { try await ask() }
  }

  @Test("when a token was used last is noted again", arguments: spans)
  func tokens(ahead: Int64) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let secret = try await registry.accounts.addToken(owner, name: "t", scopes: [.read]).secret
    registry.pass(ahead)
    _ = try await registry.signIn.actor(token: secret)
    registry.pass(-ahead)
    _ = try await registry.signIn.actor(token: secret)
    #expect(try await registry.accounts.tokens(owner).first?.lastUsed == registry.now)
  }

  @Test("a mute that was set then ends a year from now at the latest")
  func mutes() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "shop.example")
    registry.pass(3650 * Registry.day)
    _ = try await registry.accounts.mute(owner, domain, .domain, until: registry.now + 30 * Registry.day)
    registry.pass(-3650 * Registry.day)
    #expect(try await registry.accounts.mutes(owner, of: domain).isEmpty)
    #expect(try await registry.service.mute(of: domain, issuer: nil, names: ["www.shop.example"]) == nil)
  }
}
