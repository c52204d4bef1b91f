import OrielStore

/// What people and their programs do with an account. Everything takes an ``Actor``, and sees and changes the actor's
/// account alone: what is another's is not found.
package struct Accounts: Sendable {
  let store: AccountStore

  package init(_ store: AccountStore) { self.store = store }

  /// Runs `body`, which changes nothing, if the actor has the permission at that moment; nobody who writes is waited for.
  func look<Value: Sendable>(
    _ actor: Actor, _ permission: Permission, _ body: @escaping @Sendable (Turn) throws -> Value
  ) async throws -> Value {
    try await store.read { connection in
      let turn = Turn(connection: connection, actor: actor, store: store, now: store.now())
      try turn.require(permission)
      return try body(turn)
    }
  }

  /// Runs `body` in a transaction, if the actor has the permission at that moment.
  func run<Value: Sendable>(
    _ actor: Actor, _ permission: Permission, changing change: SettingsChange = .nothing,
    _ body: @escaping @Sendable (Turn) throws -> Value
  ) async throws -> Value {
    try await store.transaction(changing: change) { connection in
      let turn = Turn(connection: connection, actor: actor, store: store, now: store.now())
      try turn.require(permission)
      return try body(turn)
    }
  }
}

/// One actor's turn: a transaction, and what it may see of it.
struct Turn {
  let connection: any SQLConnection
  let actor: Actor
  let store: AccountStore
  let now: Int64

  var account: SQLValue { .integer(actor.account.value) }

  /// What the actor may do now; nothing if it no longer stands.
  func permissions() throws -> Set<Permission> {
    switch actor.means {
    case .machine: return Set(Permission.allCases)
    case .member(let id):
      let rows = try connection.query(
        "SELECT role FROM members WHERE id = ? AND account_id = ? AND locked_at IS NULL",
        [.integer(id.value), account])
      guard let role = rows.first?.text(0).flatMap(Role.init(rawValue:)) else { throw AccountError.signedOut }
      return role.permissions
    case .token(let id):
      let rows = try connection.query(
        """
        SELECT t.scopes, m.role FROM tokens t JOIN members m ON m.id = t.member_id
        WHERE t.id = ? AND t.account_id = ? AND t.revoked_at IS NULL AND m.locked_at IS NULL
        """, [.integer(id.value), account])
      guard let row = rows.first, let role = row.text(1).flatMap(Role.init(rawValue:)) else {
        throw AccountError.signedOut
      }
      // A token never may more than who made it.
      return Scope.read(row.text(0)).permissions.intersection(role.permissions)
    }
  }

  func require(_ permission: Permission) throws {
    guard try permissions().contains(permission) else { throw AccountError.forbidden(permission) }
  }

  func audit(_ what: String) throws {
    try connection.execute(
      "INSERT INTO audit (account_id, who, at, what) VALUES (?, ?, ?, ?)",
      [account, .text(actor.name), .integer(now), .text(String(what.prefix(500)))])
  }

  func count(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
    Int(clamping: try connection.query(sql, arguments).first?.integer(0) ?? 0)
  }

  /// A domain of the actor's account.
  func domain(_ id: DomainID) throws -> Domain {
    let rows = try connection.query(
      Domain.select + " WHERE account_id = ? AND id = ?", [account, .integer(id.value)])
    guard let row = rows.first else { throw AccountError.notFound }
    return try Domain(row: row)
  }

  func ownAccount() throws -> Account { try Account.load(connection, actor.account) }
}

extension Set<Scope> {
  var permissions: Set<Permission> { reduce(into: []) { $0.formUnion($1.permissions) } }
  var text: String { map(\.rawValue).sorted().joined(separator: " ") }
}

extension Scope {
  static func read(_ text: String?) -> Set<Scope> {
    Set((text ?? "").split(separator: " ").compactMap { Scope(rawValue: String($0)) })
  }
}

/// A row that says what no row of ours says.
struct UnreadableRow: Error, CustomStringConvertible {
  let table: String
  var description: String { "a row of the table \(table) can't be read" }
}

extension Account {
  static let select = "SELECT id, name, plan, created_at FROM accounts"

  static func load(_ connection: any SQLConnection, _ id: AccountID) throws -> Account {
    guard let row = try connection.query(select + " WHERE id = ? AND removed_at IS NULL", [.integer(id.value)]).first
    else {
      throw AccountError.notFound
    }
    return try Account(row: row)
  }

  init(row: SQLRow, at column: Int = 0) throws {
    guard let id = row.integer(column), let plan = row.text(column + 2).flatMap(Plan.init(rawValue:)) else {
      throw UnreadableRow(table: "accounts")
    }
    self.init(
      id: AccountID(id), name: row.text(column + 1) ?? "", plan: plan, createdAt: row.integer(column + 3) ?? 0)
  }
}

extension AddressState {
  static let columns = "confirmed_at, suspended_at, suspended_reason, unsubscribed_at"
  /// What an address that gets mail has in its columns.
  static let isActive = "confirmed_at IS NOT NULL AND suspended_at IS NULL AND unsubscribed_at IS NULL"

  init(row: SQLRow, at column: Int) {
    if let since = row.integer(column + 3) {
      self = .unsubscribed(since: since)
    } else if let since = row.integer(column + 1) {
      self = .suspended(since: since, reason: row.text(column + 2) ?? "")
    } else {
      self = row.integer(column) == nil ? .unconfirmed : .active
    }
  }
}

/// Texts that people write.
enum Words {
  /// - Throws: ``AccountError/refused(field:reason:)`` for what is empty, too long or has control characters in it.
  static func checked(_ text: String, _ field: AccountError.Field, most: Int = 100) throws -> String {
    let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
    let words = String(trimmed)
    guard !words.isEmpty else { throw AccountError.refused(field: field, reason: "write something here") }
    guard words.utf8.count <= most * 4, words.count <= most else {
      throw AccountError.refused(field: field, reason: "at most \(most) characters, please")
    }
    guard !words.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw AccountError.refused(field: field, reason: "there are control characters in it")
    }
    return words
  }
}
