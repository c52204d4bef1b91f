import OrielStore

extension Accounts {
  /// The addresses given for a domain, whether they get mail or not.
  package func recipients(_ actor: Actor, of domain: DomainID) async throws -> [Recipient] {
    try await look(actor, .read) { turn in
      _ = try turn.domain(domain)
      return try turn.connection.query(
        Recipient.select + " WHERE domain_id = ? ORDER BY address", [.integer(domain.value)]
      ).map(Recipient.init(row:))
    }
  }

  /// Adds an address, which is told of nothing before it has confirmed.
  ///
  /// - Returns: a letter to it; nil if it has confirmed for another domain of this account, or has enough letters.
  package func addRecipient(
    _ actor: Actor, to domain: DomainID, address: String
  ) async throws -> (recipient: Recipient, letter: LinkLetter?) {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.editableDomain(domain)
      guard try turn.ownAccount().plan.hasRecipients else {
        throw AccountError.refused(field: .recipients, reason: "on this plan, the members of the account are told")
      }
      let address = try Address.normalised(address)
      let id = SQLValue.integer(domain.id.value)
      let most = store.limits.recipients
      guard try turn.count("SELECT count(*) FROM recipients WHERE domain_id = ?", [id]) < most else {
        throw AccountError.refused(field: .recipients, reason: "a domain has at most \(most) addresses")
      }
      let rows = try turn.connection.query(
        """
        INSERT INTO recipients (domain_id, address, created_at, confirmed_at) VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING RETURNING id
        """, [id, .text(address), .integer(turn.now), try turn.hasConfirmed(address) ? .integer(turn.now) : .null])
      guard let added = rows.first?.integer(0) else {
        throw AccountError.refused(field: .address, reason: "\(address) is there already")
      }
      try turn.audit("added \(address) for \(domain.item)")
      let recipient = try turn.recipient(RecipientID(added), of: domain.id)
      guard recipient.mail != .active else { return (recipient, nil) }
      return (recipient, try turn.firstConfirmation(of: recipient, domain))
    }
  }

  /// A new link for an address that has not confirmed, whose mail came back, or that had said no more.
  package func confirmAgain(_ actor: Actor, recipient: RecipientID, of domain: DomainID) async throws -> LinkLetter {
    try await run(actor, .write) { turn in
      let domain = try turn.editableDomain(domain)
      let address = try turn.recipient(recipient, of: domain.id).address
      return try turn.confirmation(.confirmRecipient, of: recipient.value, address: address, item: domain.item)
    }
  }

  package func removeRecipient(_ actor: Actor, _ recipient: RecipientID, of domain: DomainID) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.editableDomain(domain)
      let address = try turn.recipient(recipient, of: domain.id).address
      try turn.connection.execute("DELETE FROM recipients WHERE id = ?", [.integer(recipient.value)])
      try turn.audit("removed \(address) from \(domain.item)")
    }
  }
}

extension Recipient {
  static let select = "SELECT id, address, created_at, \(AddressState.columns) FROM recipients"

  init(row: SQLRow) throws {
    guard let id = row.integer(0), let address = row.text(1) else { throw UnreadableRow(table: "recipients") }
    self.init(
      id: RecipientID(id), address: address, mail: AddressState(row: row, at: 3), createdAt: row.integer(2) ?? 0)
  }
}

extension Turn {
  fileprivate func recipient(_ id: RecipientID, of domain: DomainID) throws -> Recipient {
    let rows = try connection.query(
      Recipient.select + " WHERE id = ? AND domain_id = ?", [.integer(id.value), .integer(domain.value)])
    guard let row = rows.first else { throw AccountError.notFound }
    return try Recipient(row: row)
  }

  /// One letter is enough for any number of domains, so that there may be no more of them is no reason to refuse.
  fileprivate func firstConfirmation(of recipient: Recipient, _ domain: Domain) throws -> LinkLetter? {
    do {
      return try confirmation(
        .confirmRecipient, of: recipient.id.value, address: recipient.address, item: domain.item)
    } catch AccountError.limited {
      return nil
    }
  }

  /// Whether an address gets mail of this account now, and has never said no more to any of it.
  fileprivate func hasConfirmed(_ address: String) throws -> Bool {
    let rows = try connection.query(
      """
      SELECT r.confirmed_at, r.suspended_at, r.suspended_reason, r.unsubscribed_at
      FROM recipients r JOIN domains d ON d.id = r.domain_id WHERE r.address = ? AND d.account_id = ?
      UNION ALL SELECT \(AddressState.columns) FROM members WHERE account_id = ? AND address = ?
      """, [.text(address), account, account, .text(address)])
    let states = rows.map { AddressState(row: $0, at: 0) }
    return states.contains(.active) && states.allSatisfy { $0 == .active || $0 == .unconfirmed }
  }
}
