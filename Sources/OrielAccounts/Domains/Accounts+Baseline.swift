import MerkleTree
import OrielStore

extension Accounts {
  /// Confirms, of what was listed for the beginning, what is the owner's; the rest is struck off the list.
  ///
  /// - Parameters:
  ///   - shown: all that the owner was shown.
  ///   - kept: what of it is the owner's.
  ///   - owners: who runs a CA, by the name that it gives itself, where only the owner knows.
  package func confirmBaseline(
    _ actor: Actor, _ id: DomainID, shown: Set<Int64>, kept: Set<Int64>, owners: [String: String] = [:]
  ) async throws {
    try await run(actor, .write, changing: .settings) { turn in
      let domain = try turn.domain(id)
      let value = SQLValue.integer(id.value)
      let listed = try turn.connection.query(
        "SELECT id FROM baseline WHERE domain_id = ? AND is_confirmed = 0", [value]
      ).compactMap { $0.integer(0) }
      guard Set(listed) == shown else {
        throw AccountError.refused(field: .listed, reason: "the list has changed meanwhile: look at it again")
      }
      for record in shown.subtracting(kept) {
        try turn.connection.execute("DELETE FROM baseline WHERE id = ? AND domain_id = ?", [.integer(record), value])
      }
      for (issuer, owner) in owners {
        let owner = try Words.checked(owner, .owners, most: 200)
        try turn.connection.execute(
          "UPDATE baseline SET owner = ? WHERE domain_id = ? AND is_confirmed = 0 AND issuer_name = ? AND owner IS NULL",
          [.text(owner), value, .text(issuer)])
      }
      try turn.requireBaseline(of: domain)
      try turn.takeUploads(into: domain)
      try turn.connection.execute("UPDATE baseline SET is_confirmed = 1 WHERE domain_id = ?", [value])
      try turn.connection.execute(
        """
        UPDATE domains SET baseline_confirmed_at = coalesce(baseline_confirmed_at, ?1), baseline_changed_at = ?1
        WHERE id = ?2
        """, [.integer(turn.now), value])
      try turn.audit("confirmed the baseline of \(domain.item): \(shown.intersection(kept).count) certificates")
    }
  }
}

extension Accounts {
  /// Whether there is anything that could be confirmed.
  package func mayConfirmBaseline(_ actor: Actor, of domain: DomainID) async throws -> Bool {
    try await look(actor, .read) { try $0.hasBaseline(of: try $0.domain(domain)) }
  }
}

extension Turn {
  /// Whether anything is listed, in the inventory or seen that could be the owner's.
  fileprivate func hasBaseline(of domain: Domain) throws -> Bool {
    let sources = [
      "baseline WHERE domain_id = ?", "inventory WHERE domain_id = ? AND removed_at IS NULL",
      "judgements WHERE domain_id = ? AND state <> 'denied'",
    ]
    return try sources.contains { source in
      try !connection.query("SELECT 1 FROM \(source) LIMIT 1", [.integer(domain.id.value)]).isEmpty
    }
  }

  /// Whoever confirmed nothing would be alerted of each of their own certificates from then on.
  ///
  /// - Throws: ``AccountError/refused(field:reason:)`` if there is nothing to confirm.
  func requireBaseline(of domain: Domain) throws {
    guard try !hasBaseline(of: domain) else { return }
    throw AccountError.refused(
      field: .listed,
      reason: "there is nothing to confirm yet: add the certificates in use, or wait until Oriel has seen one")
  }

  /// Puts what the owner uploaded, and now says is theirs, into the inventory: the key for its names, and the certificate
  /// itself where its identity is known.
  fileprivate func takeUploads(into domain: Domain) throws {
    let rows = try connection.query(
      """
      SELECT names, public_key, issuance, not_after, not_before, issuer_key_hash FROM baseline
      WHERE domain_id = ? AND is_confirmed = 0 AND source = 'upload' AND public_key IS NOT NULL ORDER BY id
      """, [.integer(domain.id.value)])
    let inventory = Inventory(connection: connection, now: now)
    let known = try inventory.entries(of: domain.id)
    guard known.count + 2 * rows.count <= store.limits.inventory else {
      throw AccountError.refused(
        field: .listed, reason: "an inventory has at most \(store.limits.inventory) certificates and keys")
    }
    var names = Dictionary(
      known.filter { $0.kind == .key }.map { ($0.hash, Set($0.names)) }, uniquingKeysWith: { first, _ in first })
    for row in rows {
      guard let key = row.blob(1).flatMap({ SHA256Hash($0) }) else { continue }
      let own = try TextList.decode(row.text(0) ?? "[]")
      // Several certificates may be for one key.
      names[key, default: []].formUnion(own)
      var entries = [
        NewInventoryEntry(
          kind: .key, hash: key, names: names[key, default: []].sorted(), notBefore: row.integer(4),
          notAfter: row.integer(3))
      ]
      if let hash = row.blob(2).flatMap({ SHA256Hash($0) }) {
        entries.append(
          NewInventoryEntry(
            kind: .certificate, hash: hash, names: own, notBefore: row.integer(4), notAfter: row.integer(3),
            issuerKeyHash: row.blob(5).flatMap { SHA256Hash($0) }, publicKey: key))
      }
      for entry in entries { try inventory.add(entry, to: domain.id, source: "first day") }
    }
  }
}
