package import CertificateTransparency
package import MerkleTree
import OrielStore
package import OrielWatchlist

/// A domain that an item is watched for.
package struct DomainRoute: Hashable, Sendable {
  package let domain: Domain
  package let plan: Plan
}

/// An address that gets mail about a domain now.
package struct Addressee: Hashable, Sendable {
  package let address: String
  /// For the mail's link to unsubscribe.
  package let unsubscribeCode: String
}

/// What the service itself does with accounts, and the operator on the machine: nobody is asked who they are.
package struct AccountService: Sendable {
  let store: AccountStore

  package init(_ store: AccountStore) { self.store = store }

  // MARK: Watching and telling

  /// Everything that is watched for somebody, each item once. Items that no longer can be read are left out.
  ///
  /// - Parameter known: items by their text, which need not be read again.
  package func watchedItems(_ known: [String: WatchedItem] = [:]) async throws -> [WatchedItem] {
    let texts = try await store.read { connection in
      try connection.query("SELECT DISTINCT item FROM domains WHERE is_on = 1 ORDER BY item").compactMap { $0.text(0) }
    }
    return texts.compactMap { try? known[$0] ?? WatchedItem(parsing: $0, allowPublicSuffix: true) }
  }

  /// The domains that an item is watched for now.
  package func routes(for item: String) async throws -> [DomainRoute] {
    try await store.read { connection in
      try connection.query(Domain.select + " WHERE item = ? AND is_on = 1 ORDER BY id", [.text(item)]).map { row in
        let domain = try Domain(row: row)
        return DomainRoute(domain: domain, plan: try Account.load(connection, domain.account).plan)
      }
    }
  }

  /// The addresses that are told about a domain at this moment: none if it is off, and those that the plan names.
  package func addressees(of domain: DomainID) async throws -> [Addressee] {
    let key = try await unsubscribeKey()
    return try await store.read { [store] connection in
      let rows = try connection.query(
        "SELECT a.id, a.plan FROM domains d JOIN accounts a ON a.id = d.account_id WHERE d.id = ? AND d.is_on = 1",
        [.integer(domain.value)])
      guard let row = rows.first, let account = row.integer(0), let plan = row.text(1).flatMap(Plan.init(rawValue:))
      else { return [] }
      let found =
        try plan.hasRecipients
        ? connection.query(
          "SELECT id, address FROM recipients WHERE domain_id = ? AND \(AddressState.isActive) ORDER BY address LIMIT ?",
          [.integer(domain.value), .integer(Int64(store.limits.recipients))])
        : connection.query(
          """
          SELECT id, address FROM members WHERE account_id = ? AND locked_at IS NULL AND \(AddressState.isActive)
          ORDER BY address
          """, [.integer(account)])
      return found.compactMap { row in
        guard let id = row.integer(0), let address = row.text(1) else { return nil }
        let code = UnsubscribeCode.make(key, isMember: !plan.hasRecipients, row: id, address: address)
        return Addressee(address: address, unsubscribeCode: code)
      }
    }
  }

  /// Made when it is needed first.
  private func unsubscribeKey() async throws -> Secret {
    if let key = try await store.read({ try UnsubscribeCode.key($0) }) { return key }
    return try await store.transaction { [store] in try UnsubscribeCode.key($0, store) }
  }

  /// Mail to an address came back: it gets no more, anywhere, until it confirms again.
  ///
  /// - Parameter onlyUnconfirmed: whether it stays where it has been confirmed.
  package func bounced(_ text: String, reason: String, onlyUnconfirmed: Bool = false) async throws {
    try await store.transaction(changing: .settings) { [store] connection in
      let address = try Address.normalised(text)
      for table in ["members", "recipients"] {
        try connection.execute(
          "UPDATE \(table) SET suspended_at = ?, suspended_reason = ? WHERE address = ? AND suspended_at IS NULL"
            + (onlyUnconfirmed ? " AND confirmed_at IS NULL" : ""),
          [.integer(store.now()), .text(String(reason.prefix(500))), .text(address)])
      }
    }
  }

  // MARK: Judging

  /// Keeps what was made of an issuance. What people said about it stays.
  package func judge(
    _ issuance: IssuanceID, for domain: DomainID, _ level: VerdictLevel, isProven: Bool, reasons: String
  ) async throws {
    try await store.transaction { [store] connection in
      let rows = try connection.query(
        "SELECT account_id, source FROM domains WHERE id = ?", [.integer(domain.value)])
      guard let account = rows.first?.integer(0), let place = try IssuanceSearch.number(connection, of: issuance)
      else { throw AccountError.notFound }
      let now = store.now()
      let before = try connection.query(
        "SELECT verdict FROM judgements WHERE issuance = ? AND domain_id = ?",
        [.integer(place.number), .integer(domain.value)]
      ).first?.text(0)
      try Happening.note(level, of: place.number, for: domain, connection, now: now)
      try connection.execute(
        """
        INSERT INTO judgements
          (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at, not_before, not_after)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT not_before FROM issuances WHERE number = ?1),
          (SELECT not_after FROM issuances WHERE number = ?1))
        ON CONFLICT (issuance, domain_id) DO UPDATE SET
          verdict = excluded.verdict, is_proven = excluded.is_proven, reasons = excluded.reasons, at = excluded.at
        """,
        [
          .integer(place.number), .integer(domain.value), .integer(account), .integer(place.firstSeen),
          .text(level.rawValue), .integer(isProven ? 1 : 0), .text(reasons), .integer(now),
        ])
      if before == VerdictLevel.unexplained.rawValue, level == .known {
        let isConfigured = rows.first?.text(1) == Domain.Source.config.rawValue
        try AlertStore.explain(connection, issuance, account: account, isConfigured: isConfigured, now: now)
      }
    }
  }

  /// What counts as the owner's now.
  package func inventory(of domain: DomainID) async throws -> [InventoryEntry] {
    try await store.read { [store] connection in
      try Inventory(connection: connection, now: store.now()).entries(of: domain)
    }
  }

  /// Notes certificates and keys that were found for a domain.
  ///
  /// - Parameter isByProgram: whether a deploy hook found them.
  package func found(
    _ entries: [NewInventoryEntry], for domain: DomainID, source: String, isByProgram: Bool = false
  ) async throws {
    try await store.transaction(changing: .settings) { [store] connection in
      let inventory = Inventory(connection: connection, now: store.now())
      for entry in entries { try inventory.add(entry, to: domain, source: source, isByProgram: isByProgram) }
    }
  }

  /// For so long a program that told of a certificate is taken to tell of the next one as well.
  private static let programSpan: Int64 = 90 * 86_400_000

  /// Whether a program, a deploy hook or a user of the API, told of something in the inventory lately.
  package func hasProgram(for domain: DomainID) async throws -> Bool {
    try await store.read { [store] connection in
      let now = store.now()
      return try !connection.query(
        "SELECT 1 FROM inventory WHERE domain_id = ? AND program_at >= ? AND program_at <= ? LIMIT 1",
        [.integer(domain.value), .integer(now - AccountService.programSpan), .integer(now)]
      ).isEmpty
    }
  }

  /// Notes the CAA records that were found for a domain.
  ///
  /// - Returns: whether they are others than before.
  package func foundCAA(_ records: [String], for domain: DomainID) async throws -> Bool {
    try await store.transaction(changing: .settings) { connection in
      let text = try TextList.encode(records)
      return try !connection.query(
        "UPDATE domains SET caa_seen = ? WHERE id = ? AND (caa_seen IS NULL OR caa_seen <> ?) RETURNING id",
        [.text(text), .integer(domain.value), .text(text)]
      ).isEmpty
    }
  }

  /// Whether an issuance is not to be told of now, and the mute that says so.
  ///
  /// - Parameter issuer: nil where it does not matter who issued.
  package func mute(of domain: DomainID, issuer: SHA256Hash?, names: [String]) async throws -> Mute? {
    try await store.read { [store] connection in
      try Mute.load(connection, domain, now: store.now()).first { $0.rule.covers(issuer: issuer, names: names) }
    }
  }

  // MARK: The operator

  /// All accounts, by number.
  package func accounts(after cursor: AccountID? = nil, limit: Int = 1000) async throws -> [Account] {
    try await store.read { connection in
      try connection.query(
        Account.select + " WHERE id > ? AND removed_at IS NULL ORDER BY id LIMIT ?",
        [.integer(cursor?.value ?? 0), .integer(Int64(max(1, min(limit, 1000))))]
      ).map { try Account(row: $0) }
    }
  }

  package func setPlan(of account: AccountID, to plan: Plan) async throws {
    try await store.transaction(changing: .settings) { connection in
      let rows = try connection.query(
        "UPDATE accounts SET plan = ? WHERE id = ? AND removed_at IS NULL RETURNING id",
        [.text(plan.rawValue), .integer(account.value)])
      guard !rows.isEmpty else { throw AccountError.notFound }
    }
  }

  /// Forgets links, sessions and attempts that are over, and goes on with removing accounts.
  ///
  /// Sessions and attempts that a clock that was ahead dated into the future go too: they would count years later.
  package func sweep() async throws {
    try await continueRemovals()
    try await store.transaction { [store] connection in
      let now = store.now()
      try connection.execute("DELETE FROM links WHERE expires_at < ?", [.integer(now)])
      try connection.execute("DELETE FROM sessions WHERE \(Session.isInvalid)", Session.validity(now))
      try connection.execute(
        "DELETE FROM attempts WHERE at < ? OR at > ?", [.integer(now - 86_400_000), .integer(now + 86_400_000)])
    }
  }
}
