import OrielStore

extension Accounts {
  package func account(_ actor: Actor) async throws -> Account {
    try await look(actor, .read) { try $0.ownAccount() }
  }

  package func rename(_ actor: Actor, to name: String) async throws {
    try await run(actor, .manage) { turn in
      let name = try Words.checked(name, .name)
      try turn.connection.execute("UPDATE accounts SET name = ? WHERE id = ?", [.text(name), turn.account])
      try turn.audit("renamed the account to \(name)")
    }
  }

  /// All members, by address.
  package func members(_ actor: Actor) async throws -> [Member] {
    try await look(actor, .read) { turn in
      try turn.connection.query(Member.select + " WHERE account_id = ? ORDER BY address", [turn.account])
        .map(Member.init(row:))
    }
  }

  /// Adds a member, who is told of nothing before the letter's link was used; signing in does as well.
  package func addMember(_ actor: Actor, address: String, role: Role) async throws -> (
    member: Member, letter: LinkLetter
  ) {
    try await run(actor, .manage, changing: .settings) { turn in
      let address = try Address.normalised(address)
      guard try turn.count("SELECT count(*) FROM members WHERE account_id = ?", [turn.account]) < store.limits.members
      else {
        throw AccountError.refused(field: .address, reason: "an account has at most \(store.limits.members) members")
      }
      let rows = try turn.connection.query(
        """
        INSERT INTO members (account_id, address, role, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
        RETURNING id
        """, [turn.account, .text(address), .text(role.rawValue), .integer(turn.now)])
      guard let id = rows.first?.integer(0) else {
        throw AccountError.refused(field: .address, reason: "\(address) is a member already")
      }
      try turn.audit("added \(address) as \(role.rawValue)")
      let member = try turn.member(MemberID(id))
      return (member, try turn.confirmation(.confirmMember, of: id, address: address, item: nil))
    }
  }

  /// A new link for a member who has not confirmed, or whose mail came back.
  package func confirmAgain(_ actor: Actor, member id: MemberID) async throws -> LinkLetter {
    try await run(actor, .manage) { turn in
      let member = try turn.member(id)
      return try turn.confirmation(.confirmMember, of: id.value, address: member.address, item: nil)
    }
  }

  /// Gives a member another role, shuts them out, or lets them in again: what is nil stays. A member who is shut out gets
  /// no mail.
  package func change(
    _ actor: Actor, member id: MemberID, role: Role? = nil, isLocked: Bool? = nil
  ) async throws -> Member {
    try await run(actor, .manage, changing: .settings) { turn in
      if let role { try turn.setRole(of: try turn.member(id), to: role) }
      if let isLocked { try turn.setLocked(try turn.member(id), isLocked) }
      return try turn.member(id)
    }
  }

  /// Removes a member, with their tokens. Everybody may leave.
  package func removeMember(_ actor: Actor, _ id: MemberID) async throws {
    try await run(actor, actor.means == .member(id) ? .read : .manage, changing: .settings) { turn in
      let member = try turn.member(id)
      try turn.requireAnotherOwner(than: id)
      try turn.connection.execute("DELETE FROM members WHERE id = ?", [.integer(id.value)])
      try turn.audit("removed \(member.address)")
    }
  }

  /// What was done in the account, newest first.
  package func audit(_ actor: Actor, before id: Int64? = nil, limit: Int = 50) async throws -> [AuditEntry] {
    try await look(actor, .manage) { turn in
      try turn.connection.query(
        "SELECT id, who, at, what FROM audit WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [turn.account, .integer(id ?? .max), .integer(Int64(max(1, min(limit, 1000))))]
      ).map {
        AuditEntry(
          id: $0.integer(0) ?? 0, who: $0.text(1) ?? "", at: $0.integer(2) ?? 0, what: $0.text(3) ?? "")
      }
    }
  }
}

extension Member {
  static let select = "SELECT id, address, role, locked_at, created_at, \(AddressState.columns) FROM members"

  init(row: SQLRow) throws {
    guard let id = row.integer(0), let address = row.text(1), let role = row.text(2).flatMap(Role.init(rawValue:))
    else { throw UnreadableRow(table: "members") }
    self.init(
      id: MemberID(id), address: address, role: role, mail: AddressState(row: row, at: 5), lockedAt: row.integer(3),
      createdAt: row.integer(4) ?? 0)
  }
}

extension Turn {
  func member(_ id: MemberID) throws -> Member {
    let rows = try connection.query(
      Member.select + " WHERE account_id = ? AND id = ?", [account, .integer(id.value)])
    guard let row = rows.first else { throw AccountError.notFound }
    return try Member(row: row)
  }

  fileprivate func setRole(of member: Member, to role: Role) throws {
    if role != .owner { try requireAnotherOwner(than: member.id) }
    try connection.execute(
      "UPDATE members SET role = ? WHERE id = ?", [.text(role.rawValue), .integer(member.id.value)])
    try audit("made \(member.address) \(role.rawValue)")
  }

  fileprivate func setLocked(_ member: Member, _ isLocked: Bool) throws {
    if isLocked { try requireAnotherOwner(than: member.id) }
    try connection.execute(
      "UPDATE members SET locked_at = ? WHERE id = ?",
      [isLocked ? .integer(member.lockedAt ?? now) : .null, .integer(member.id.value)])
    try audit("\(isLocked ? "shut out" : "let in") \(member.address)")
  }

  /// An account without anybody who may manage it would stay as it is for ever.
  func requireAnotherOwner(than id: MemberID) throws {
    let others = try count(
      "SELECT count(*) FROM members WHERE account_id = ? AND role = 'owner' AND locked_at IS NULL AND id <> ?",
      [account, .integer(id.value)])
    guard others == 0 else { return }
    throw AccountError.refused(field: .role, reason: "an account needs an owner: make somebody else owner first")
  }

  /// A link by which an address says yes; a week for that, as mail may be read late.
  func confirmation(
    _ purpose: LinkLetter.Purpose, of subject: Int64, address: String, item: String?
  ) throws -> LinkLetter {
    let attempts = Attempts(connection: connection, now: now)
    try attempts.add("confirm \(address)", most: store.limits.confirmationsPerAddress, within: 86_400_000)
    try attempts.add("confirm from \(actor.account)", most: store.limits.confirmationsPerAccount, within: 3_600_000)
    return try Links(connection: connection, store: store, now: now).make(
      purpose, subject: subject, address: address, lasting: 7 * 86_400_000, account: try ownAccount().name, item: item)
  }
}
