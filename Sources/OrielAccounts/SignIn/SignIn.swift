import OrielStore

/// How people and programs show who they are.
package struct SignIn: Sendable {
  package static let linkLifetime: Int64 = 15 * 60_000
  package static let sessionLifetime: Int64 = 30 * 86_400_000
  /// A session's time is noted no more often than this.
  private static let grain: Int64 = 5 * 60_000
  /// What ends later than that after its time was noted by a clock that was ahead, and would last for longer than it may.
  static let sessionSkew: Int64 = 86_400_000

  let store: AccountStore

  package init(_ store: AccountStore) { self.store = store }

  // MARK: Links

  /// Counts an attempt to sign in. Whether anybody has the address is not looked up: the answer can't tell.
  ///
  /// - Parameter client: what attempts are counted by, such as its network address.
  /// - Returns: the address, for ``link(for:)`` once the answer has been sent.
  package func admit(address text: String, client: String) async throws -> String {
    try await store.transaction { [store] connection in
      let (now, address) = (store.now(), try Address.normalised(text))
      let attempts = Attempts(connection: connection, now: now)
      try attempts.add("sign-in from \(client.prefix(100))", most: store.limits.linksPerClient, within: 900_000)
      try attempts.add("sign-in \(address)", most: store.limits.linksPerAddress, within: 900_000)
      return address
    }
  }

  /// A link by which an address that ``admit(address:client:)`` gave signs in; nil if nobody has it.
  package func link(for address: String) async throws -> LinkLetter? {
    try await store.transaction { [store] connection in
      let now = store.now()
      // The same work whoever asks: a link that is told to nobody opens nothing.
      let letter = try Links(connection: connection, store: store, now: now).make(
        .signIn, subject: nil, address: address, lasting: SignIn.linkLifetime)
      let members = try connection.query(
        "SELECT 1 FROM members WHERE address = ? AND locked_at IS NULL LIMIT 1", [.text(address)])
      return members.isEmpty ? nil : letter
    }
  }

  /// ``admit(address:client:)`` and ``link(for:)`` at once, where nobody learns anything from the time that it takes.
  package func requestLink(address: String, client: String) async throws -> LinkLetter? {
    try await link(for: try await admit(address: address, client: client))
  }

  /// What a link is for, and nothing is changed: mail programs open links that nobody clicked.
  package func look(_ link: Secret) async throws -> (purpose: LinkLetter.Purpose, address: String) {
    try await store.read { [store] connection in
      let row = try Links(connection: connection, store: store, now: store.now()).look(link)
      return (row.purpose, row.address)
    }
  }

  /// Signs in by a link. As it came by mail, the address is confirmed as well.
  package func signIn(_ link: Secret, client: String) async throws -> NewSession {
    try await store.transaction(changing: .settings) { [store] connection in
      let now = store.now()
      let row = try Links(connection: connection, store: store, now: now).use(link, for: [.signIn])
      let members = try connection.query(
        """
        UPDATE members SET confirmed_at = coalesce(confirmed_at, ?), suspended_at = NULL, suspended_reason = NULL
        WHERE address = ? AND locked_at IS NULL RETURNING id
        """, [.integer(now), .text(row.address)])
      guard !members.isEmpty else { throw AccountError.signedOut }
      return try Session.begin(connection, store, address: row.address, client: client, now: now)
    }
  }

  /// An address says that it wants to be told, by the link that was sent to it: about this domain, and the others of
  /// the account for which it has been asked.
  package func confirm(_ link: Secret) async throws -> (purpose: LinkLetter.Purpose, address: String) {
    try await store.transaction(changing: .settings) { [store] connection in
      let now = store.now()
      let row = try Links(connection: connection, store: store, now: now).use(
        link, for: [.confirmMember, .confirmRecipient])
      let table = row.purpose == .confirmMember ? "members" : "recipients"
      let rows = try connection.query(
        """
        UPDATE \(table) SET confirmed_at = ?, suspended_at = NULL, suspended_reason = NULL, unsubscribed_at = NULL
        WHERE id = ? AND address = ? RETURNING id
        """, [.integer(now), .optional(row.subject), .text(row.address)])
      guard !rows.isEmpty else { throw AccountError.signedOut }
      if row.purpose == .confirmRecipient {
        try connection.execute(
          """
          UPDATE recipients SET confirmed_at = ? WHERE address = ? AND confirmed_at IS NULL AND unsubscribed_at IS NULL
            AND suspended_at IS NULL AND domain_id IN (SELECT d.id FROM domains d WHERE d.account_id =
              (SELECT o.account_id FROM domains o JOIN recipients r ON r.domain_id = o.id WHERE r.id = ?))
          """, [.integer(now), .text(row.address), .optional(row.subject)])
      }
      return (row.purpose, row.address)
    }
  }

  // MARK: The first start

  /// A link for the terminal of a machine where nobody has an account yet; nil if somebody has. Earlier ones work no
  /// longer.
  package func firstStart() async throws -> LinkLetter? {
    try await store.transaction { [store] connection in
      guard try AccountService.hasNoOwners(connection) else { return nil }
      try connection.execute("DELETE FROM links WHERE purpose = ?", [.text(LinkLetter.Purpose.firstStart.rawValue)])
      return try Links(connection: connection, store: store, now: store.now()).make(
        .firstStart, subject: nil, address: "", lasting: 4 * SignIn.linkLifetime)
    }
  }

  /// Makes the first account by the link from the terminal.
  ///
  /// - Returns: a session, and a letter by which the address confirms that it wants to be told.
  package func begin(
    _ link: Secret, account name: String, address: String, client: String
  ) async throws -> (session: NewSession, letter: LinkLetter) {
    try await store.transaction(changing: .settings) { [store] connection in
      let now = store.now()
      let links = Links(connection: connection, store: store, now: now)
      _ = try links.use(link, for: [.firstStart])
      guard try AccountService.hasNoOwners(connection) else { throw AccountError.signedOut }
      let made = try AccountService.make(connection, store, name: name, owner: address, plan: .enterprise, now: now)
      return (try Session.begin(connection, store, address: made.letter.address, client: client, now: now), made.letter)
    }
  }

  // MARK: Sessions

  /// The session of a cookie, and the accounts that its address belongs to.
  package func session(_ secret: Secret) async throws -> (session: Session, memberships: [Membership]) {
    let now = store.now()
    let (session, memberships) = try await store.read { connection in
      let session = try Session.find(connection, secret, now: now)
      return (session, try Membership.load(connection, session.address))
    }
    if StoredTime.hasPassed(SignIn.grain, since: session.lastUsed, now: now) {
      try await store.noting { connection in
        try connection.execute(
          "UPDATE sessions SET last_used = ?, expires_at = ? WHERE id = ?",
          [.integer(now), .integer(now + SignIn.sessionLifetime), .integer(session.id.value)])
      }
    }
    return (session, memberships)
  }

  /// Who a request is by: the session's address in one of its accounts.
  ///
  /// - Parameter account: nil for the first one.
  package func actor(session secret: Secret, account: AccountID? = nil) async throws -> Actor {
    let (session, memberships) = try await session(secret)
    guard !memberships.isEmpty else { throw AccountError.signedOut }
    guard let membership = memberships.first(where: { account == nil || $0.account.id == account }) else {
      throw AccountError.notFound
    }
    return Actor(
      account: membership.account.id, means: .member(membership.member), name: session.address,
      permissions: membership.role.permissions)
  }

  /// All sessions of the address that is signed in here, the last used first.
  package func sessions(_ secret: Secret) async throws -> [Session] {
    try await store.read { [store] connection in
      let now = store.now()
      let session = try Session.find(connection, secret, now: now)
      return try connection.query(
        Session.select + " WHERE address = ? AND \(Session.isValid) ORDER BY last_used DESC, id DESC LIMIT 1000",
        [.text(session.address)] + Session.validity(now)
      ).map(Session.init(row:))
    }
  }

  /// Ends one session of the address that is signed in here.
  package func revoke(_ id: SessionID, by secret: Secret) async throws {
    try await store.transaction { [store] connection in
      let session = try Session.find(connection, secret, now: store.now())
      let rows = try connection.query(
        "DELETE FROM sessions WHERE id = ? AND address = ? RETURNING id", [.integer(id.value), .text(session.address)])
      guard !rows.isEmpty else { throw AccountError.notFound }
    }
  }

  package func signOut(_ secret: Secret) async throws {
    try await store.transaction { connection in
      try connection.execute("DELETE FROM sessions WHERE hash = ?", [.blob(secret.hash)])
    }
  }

  /// What every form of a session carries, so that no other site can send it.
  package static func formCode(_ secret: Secret) -> String { secret.code(for: "form") }

  package static func isFormCode(_ code: String, of secret: Secret) -> Bool { isSame(code, formCode(secret)) }

  // MARK: Leaving

  /// What a code to unsubscribe belongs to; nothing is changed.
  package func look(unsubscribe code: String) async throws -> UnsubscribeCode.Subject {
    try await store.read { try UnsubscribeCode.find($0, code) }
  }

  /// An address says no more. It can say so again and again, and without being signed in.
  package func unsubscribe(_ code: String) async throws -> UnsubscribeCode.Subject {
    try await store.transaction(changing: .settings) { [store] connection in
      let subject = try UnsubscribeCode.find(connection, code)
      guard !subject.isUnsubscribed else { return subject }
      try connection.execute(
        "UPDATE \(subject.table) SET unsubscribed_at = ? WHERE id = ?",
        [.integer(store.now()), .integer(subject.row)])
      try connection.execute(
        "INSERT INTO audit (account_id, who, at, what) VALUES (?, ?, ?, ?)",
        [
          .integer(subject.account.value), .text(subject.address), .integer(store.now()),
          .text("unsubscribed" + (subject.item.map { " from \($0)" } ?? "")),
        ])
      return try UnsubscribeCode.find(connection, code)
    }
  }
}

extension Session {
  static let select = "SELECT id, address, client, created_at, last_used, expires_at FROM sessions"
  /// With the arguments that ``validity(_:)`` gives.
  static let isValid = "expires_at > ? AND expires_at <= ?"
  static let isInvalid = "expires_at <= ? OR expires_at > ?"

  static func validity(_ now: Int64) -> [SQLValue] {
    [.integer(now), .integer(now + SignIn.sessionLifetime + SignIn.sessionSkew)]
  }

  init(row: SQLRow) throws {
    guard let id = row.integer(0), let address = row.text(1) else { throw UnreadableRow(table: "sessions") }
    self.init(
      id: SessionID(id), address: address, client: row.text(2) ?? "", createdAt: row.integer(3) ?? 0,
      lastUsed: row.integer(4) ?? 0, expiresAt: row.integer(5) ?? 0)
  }

  static func find(_ connection: any SQLConnection, _ secret: Secret, now: Int64) throws -> Session {
    let rows = try connection.query(
      select + " WHERE hash = ? AND \(isValid)", [.blob(secret.hash)] + validity(now))
    guard let row = rows.first else { throw AccountError.signedOut }
    return try Session(row: row)
  }

  static func begin(
    _ connection: any SQLConnection, _ store: AccountStore, address: String, client: String, now: Int64
  ) throws -> NewSession {
    let secret = store.secret()
    try connection.execute(
      "INSERT INTO sessions (hash, address, client, created_at, last_used, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      [
        .blob(secret.hash), .text(address), .text(String(client.prefix(200))), .integer(now), .integer(now),
        .integer(now + SignIn.sessionLifetime),
      ])
    return NewSession(session: try find(connection, secret, now: now), secret: secret)
  }
}

extension Membership {
  fileprivate static func load(_ connection: any SQLConnection, _ address: String) throws -> [Membership] {
    try connection.query(
      """
      SELECT a.id, a.name, a.plan, a.created_at, m.id, m.role FROM members m JOIN accounts a ON a.id = m.account_id
      WHERE m.address = ? AND m.locked_at IS NULL ORDER BY m.id LIMIT 1000
      """, [.text(address)]
    ).map { row in
      guard let member = row.integer(4), let role = row.text(5).flatMap(Role.init(rawValue:)) else {
        throw UnreadableRow(table: "members")
      }
      return Membership(account: try Account(row: row), member: MemberID(member), role: role)
    }
  }
}
