import OrielStore
import Testing

@testable import OrielAccounts

@Suite("Signing in")
struct SignInTests {
  @Test("a link works once, for a quarter of an hour, and for what it was made for")
  func links() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let signIn = registry.signIn
    let link = try #require(try await signIn.requestLink(address: " Owner@alpha.example", client: "c"))
    await #expect(throws: AccountError.signedOut) { try await signIn.confirm(link.secret) }
    for _ in 0..<2 { #expect(try await signIn.look(link.secret).purpose == .signIn) }
    let session = try await signIn.signIn(link.secret, client: "Firefox")
    #expect(session.session.client == "Firefox")
    await #expect(throws: AccountError.signedOut) { try await signIn.signIn(link.secret, client: "c") }
    await #expect(throws: AccountError.signedOut) { try await signIn.look(link.secret) }

    let late = try #require(try await signIn.requestLink(address: "owner@alpha.example", client: "c"))
    registry.pass(SignIn.linkLifetime)
    await #expect(throws: AccountError.signedOut) { try await signIn.signIn(late.secret, client: "c") }
    let confirm = try await registry.accounts.addMember(owner, address: "b@alpha.example", role: .viewer).letter
    await #expect(throws: AccountError.signedOut) { try await signIn.signIn(confirm.secret, client: "c") }
    await #expect(throws: AccountError.signedOut) { try await signIn.signIn(Secret("nothing"), client: "c") }
  }

  @Test("no secret stands in the database")
  func hashes() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let link = try #require(try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c"))
    let session = try await registry.session("owner@alpha.example")
    let token = try await registry.accounts.addToken(owner, name: "t", scopes: [.read]).secret
    let rows = try await registry.database.transaction { connection in
      try ["links", "sessions", "tokens", "audit"].flatMap { try connection.query("SELECT * FROM \($0)") }
    }
    let kept = rows.flatMap(\.values).map { value in
      if case .blob(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { "\(value)" }
    }
    for secret in [link.secret, session, token] {
      #expect(secret.text.count >= 52)
      #expect(!kept.contains { $0.contains(secret.text) })
      #expect("\(secret) \(String(reflecting: secret))" == "*** ***")
    }
  }

  @Test("an address that nobody has gets the same answer, limits included")
  func constantAnswers() async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    registry.pass(SignIn.linkLifetime)
    var outcomes: [[String]] = []
    for address in ["owner@alpha.example", "nobody@alpha.example"] {
      var outcome: [String] = []
      for number in 0..<7 {
        do {
          _ = try await registry.signIn.requestLink(address: address, client: "\(address) \(number)")
          outcome.append("sent")
        } catch { outcome.append("\(error)") }
      }
      outcomes.append(outcome)
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(outcomes[0].filter { $0 == "sent" }.count == 5)
    registry.pass(SignIn.linkLifetime)
    #expect(try await registry.signIn.requestLink(address: "nobody@alpha.example", client: "c") == nil)
    #expect(try await registry.signIn.requestLink(address: "owner@alpha.example", client: "c") != nil)
  }

  @Test("one client can't ask for more than its share")
  func clientLimit() async throws {
    let registry = try await Registry { $0.linksPerClient = 3 }
    for number in 0..<3 { _ = try await registry.signIn.requestLink(address: "a\(number)@b.example", client: "c") }
    await #expect(throws: AccountError.limited(retryAfter: 900_000)) {
      try await registry.signIn.requestLink(address: "z@b.example", client: "c")
    }
    _ = try await registry.signIn.requestLink(address: "z@b.example", client: "d")
  }

  @Test("the first start makes one account, by the newest link alone")
  func firstStart() async throws {
    let registry = try await Registry()
    let old = try #require(try await registry.signIn.firstStart())
    let new = try #require(try await registry.signIn.firstStart())
    await #expect(throws: AccountError.signedOut) {
      try await registry.signIn.begin(old.secret, account: "Home", address: "me@home.example", client: "c")
    }
    await #expect(throws: AccountError.self) {
      try await registry.signIn.begin(new.secret, account: "Home", address: "not an address", client: "c")
    }
    let begun = try await registry.signIn.begin(new.secret, account: "Home", address: "me@home.example", client: "c")
    let actor = try await registry.signIn.actor(session: begun.session.secret)
    #expect(try await registry.accounts.account(actor).plan == .enterprise)
    #expect(try await registry.accounts.members(actor).map(\.mail) == [.unconfirmed])
    _ = try await registry.signIn.confirm(begun.letter.secret)
    #expect(try await registry.accounts.members(actor).map(\.mail) == [.active])
    #expect(try await registry.signIn.firstStart() == nil)
    await #expect(throws: AccountError.signedOut) {
      try await registry.signIn.begin(new.secret, account: "Two", address: "me@home.example", client: "c")
    }
  }

  @Test("a session slides for thirty days, is listed, and can be ended from another")
  func sessions() async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    let (one, two) = (
      try await registry.session("owner@alpha.example", client: "one"),
      try await registry.session("owner@alpha.example", client: "two")
    )
    for _ in 0..<3 {
      registry.pass(29 * Registry.day)
      _ = try await registry.signIn.session(one)
    }
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.actor(session: two) }
    let three = try await registry.session("owner@alpha.example", client: "three")
    #expect(Set(try await registry.signIn.sessions(one).map(\.client)) == ["one", "three"])
    _ = try await registry.account("beta")
    let stranger = try await registry.session("owner@beta.example")
    let id = try await registry.signIn.session(three).session.id
    await #expect(throws: AccountError.notFound) { try await registry.signIn.revoke(id, by: stranger) }
    try await registry.signIn.revoke(id, by: one)
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.session(three) }
    try await registry.signIn.signOut(one)
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.session(one) }
  }

  @Test("somebody in two accounts acts in the one they name, and in none that is not theirs")
  func severalAccounts() async throws {
    let registry = try await Registry()
    let (alpha, beta) = (try await registry.account("alpha"), try await registry.account("beta"))
    let gamma = try await registry.account("gamma")
    _ = try await registry.member(beta, "owner@alpha.example", .viewer)
    let session = try await registry.session("owner@alpha.example")
    #expect(try await registry.signIn.actor(session: session).account == alpha.account)
    let viewer = try await registry.signIn.actor(session: session, account: beta.account)
    #expect(viewer.may(.read) && !viewer.may(.write))
    await #expect(throws: AccountError.notFound) {
      try await registry.signIn.actor(session: session, account: gamma.account)
    }
  }

  @Test("a form's code is its session's alone")
  func formCodes() async throws {
    let (one, two) = (Secret("one"), Secret("two"))
    let code = SignIn.formCode(one)
    #expect(SignIn.isFormCode(code, of: one))
    for wrong in ["", String(code.dropLast()), code + "a", SignIn.formCode(two)] {
      #expect(!SignIn.isFormCode(wrong, of: one))
    }
    #expect(!code.contains("one"))
  }

  @Test("a token is told by its checksum, notes its use, and ends when revoked")
  func tokens() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let made = try await registry.accounts.addToken(owner, name: "script", scopes: [.read, .metrics])
    #expect(made.secret.text.hasPrefix("oriel_"))
    #expect(try await registry.signIn.actor(token: made.secret).permissions == [.read, .metrics])
    #expect(try await registry.accounts.tokens(owner).map(\.lastUsed) == [registry.now])
    var damaged = Array(made.secret.text.utf8)
    for index in damaged.indices.dropFirst(6) {
      let kept = damaged[index]
      damaged[index] = kept == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
      #expect(!TokenText.isWellFormed(Secret(String(decoding: damaged, as: UTF8.self))))
      damaged[index] = kept
    }
    try await registry.accounts.revokeToken(owner, made.token.id)
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.actor(token: made.secret) }
    #expect(try await registry.accounts.tokens(owner).map(\.revokedAt) == [registry.now])
  }

  @Test("an account keeps an owner, and signing in confirms an invitation")
  func owners() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let id = try #require(try await registry.accounts.members(owner).first).id
    await #expect(throws: AccountError.self) { try await registry.accounts.change(owner, member: id, role: .viewer) }
    await #expect(throws: AccountError.self) { try await registry.accounts.removeMember(owner, id) }
    await #expect(throws: AccountError.self) { try await registry.accounts.change(owner, member: id, isLocked: true) }
    let second = try await registry.member(owner, "second@alpha.example", .owner)
    #expect(try await registry.accounts.members(second).map(\.mail) == [.active, .active])
    try await registry.accounts.removeMember(owner, id)
    await #expect(throws: AccountError.signedOut) { try await registry.accounts.members(owner) }
  }

  @Test("what is over is swept away")
  func sweeping() async throws {
    let registry = try await Registry()
    _ = try await registry.account("alpha")
    registry.pass(31 * Registry.day)
    try await registry.service.sweep()
    for table in ["links", "sessions", "attempts"] {
      let count = try await registry.database.transaction { try $0.query("SELECT count(*) FROM \(table)") }
      #expect(count.first?.integer(0) == 0)
    }
  }

  @Test(
    "base 32 is as RFC 4648 has it", arguments: [("", ""), ("f", "my"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")])
  func base32(text: String, encoded: String) { #expect(Base32.encode(Array(text.utf8)) == encoded) }
}
