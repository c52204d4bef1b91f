import OrielStore

extension AccountService {
  /// Under what the number of the operator's account is kept.
  private static let note = SQLValue.text("configuration-account")

  /// Makes an account with an owner, who is told of nothing before they have confirmed. The first owner of all gets the
  /// account that has been nobody's, if there is one.
  package func addAccount(
    name: String, owner: String, plan: Plan = .enterprise
  ) async throws -> (account: Account, letter: LinkLetter) {
    try await store.transaction(changing: .settings) { [store] connection in
      try AccountService.make(connection, store, name: name, owner: owner, plan: plan, now: store.now())
    }
  }

  /// The account of whoever runs the service: the first one that there was, or one that is nobody's until it gets an
  /// owner. It stays the same; when it is removed, the next is made anew, as all others are somebody else's.
  package func operatorsAccount() async throws -> AccountID {
    if let known = try await store.read({ try AccountService.noted($0) }) { return known }
    return try await store.transaction(changing: .settings) { [store] connection in
      let now = store.now()
      let known = try AccountService.noted(connection) ?? AccountService.unnoted(connection)
      let id = try known ?? AccountService.insert(connection, name: "Oriel", plan: .enterprise, now: now)
      try connection.execute(
        """
        INSERT INTO alarms (subject, state, since) VALUES (?, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET state = excluded.state, since = excluded.since
        """, [AccountService.note, .text("\(id)"), .integer(now)])
      return id
    }
  }

  /// Gives an account that is nobody's an owner, who is told of nothing before they have confirmed.
  package func give(_ account: AccountID, to owner: String) async throws {
    // Nearly always it is somebody's, and nobody who writes need wait for that.
    guard try await store.read({ try AccountService.isNobodys(account, $0) }) else { return }
    try await store.transaction(changing: .settings) { [store] connection in
      guard try AccountService.isNobodys(account, connection) else { return }
      _ = try AccountService.appoint(
        try Address.normalised(owner), of: account, connection, store, now: store.now())
    }
  }

  /// Whether an account is the one of whoever runs the service.
  package func isOperators(_ account: AccountID) async throws -> Bool {
    try await store.read { connection in
      try (AccountService.noted(connection) ?? AccountService.unnoted(connection)) == account
    }
  }

  static func make(
    _ connection: any SQLConnection, _ store: AccountStore, name: String, owner: String, plan: Plan, now: Int64
  ) throws -> (account: Account, letter: LinkLetter) {
    let (name, address) = (try Words.checked(name, .name), try Address.normalised(owner))
    let id: AccountID
    if try hasNoOwners(connection), let first = try first(connection) {
      try connection.execute(
        "UPDATE accounts SET name = ?, plan = ? WHERE id = ?",
        [.text(name), .text(plan.rawValue), .integer(first.value)])
      id = first
    } else {
      id = try insert(connection, name: name, plan: plan, now: now)
    }
    let letter = try appoint(address, of: id, connection, store, now: now)
    return (try Account.load(connection, id), letter)
  }

  /// Whether nobody can sign in yet.
  static func hasNoOwners(_ connection: any SQLConnection) throws -> Bool {
    try connection.query("SELECT 1 FROM members LIMIT 1").isEmpty
  }

  private static func isNobodys(_ account: AccountID, _ connection: any SQLConnection) throws -> Bool {
    try connection.query("SELECT 1 FROM members WHERE account_id = ? LIMIT 1", [.integer(account.value)]).isEmpty
  }

  static func noted(_ connection: any SQLConnection) throws -> AccountID? {
    try connection.query(
      """
      SELECT id FROM accounts
      WHERE id = (SELECT CAST(state AS INTEGER) FROM alarms WHERE subject = ?) AND removed_at IS NULL
      """, [note]
    ).first?.integer(0).map { AccountID($0) }
  }

  /// What is the operator's as long as nothing is noted.
  private static func unnoted(_ connection: any SQLConnection) throws -> AccountID? {
    guard try connection.query("SELECT 1 FROM alarms WHERE subject = ?", [note]).isEmpty else { return nil }
    return try first(connection)
  }

  private static func first(_ connection: any SQLConnection) throws -> AccountID? {
    try connection.query("SELECT id FROM accounts WHERE removed_at IS NULL ORDER BY id LIMIT 1").first?.integer(0)
      .map { AccountID($0) }
  }

  private static func insert(
    _ connection: any SQLConnection, name: String, plan: Plan, now: Int64
  ) throws -> AccountID {
    let rows = try connection.query(
      """
      INSERT INTO accounts (id, name, plan, created_at) VALUES (\(AccountStore.next("account", in: "accounts")), ?, ?, ?)
      RETURNING id
      """,
      [.text(name), .text(plan.rawValue), .integer(now)])
    guard let id = rows.first?.integer(0) else { throw UnreadableRow(table: "accounts") }
    return AccountID(id)
  }

  private static func appoint(
    _ address: String, of account: AccountID, _ connection: any SQLConnection, _ store: AccountStore, now: Int64
  ) throws -> LinkLetter {
    let members = try connection.query(
      "INSERT INTO members (account_id, address, role, created_at) VALUES (?, ?, 'owner', ?) RETURNING id",
      [.integer(account.value), .text(address), .integer(now)])
    guard let member = members.first?.integer(0) else { throw UnreadableRow(table: "members") }
    let turn = Turn(connection: connection, actor: .machine(account), store: store, now: now)
    try turn.audit("made \(address) the owner of the account \(try turn.ownAccount().name)")
    return try turn.confirmation(.confirmMember, of: member, address: address, item: nil)
  }
}
