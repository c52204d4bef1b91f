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
      try turn.takeUploads(into: domain)
      try turn.connection.execute("UPDATE baseline SET is_confirmed = 1 WHERE domain_id = ?", [value])
      try turn.connection.execute(
        "UPDATE domains SET baseline_confirmed_at = coalesce(baseline_confirmed_at, ?) WHERE id = ?",
        [.integer(turn.now), value])
      try turn.audit("confirmed the baseline of \(domain.item): \(shown.intersection(kept).count) certificates")
    }
  }
}

extension Turn {
  /// Puts what the owner uploaded, and now says is theirs, into the inventory: the key for its names, and the certificate
  /// itself where its identity is known.
  fileprivate func takeUploads(into domain: Domain) throws {
    let rows = try connection.query(
      """
      SELECT names, public_key, issuance, not_after FROM baseline
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
        NewInventoryEntry(kind: .key, hash: key, names: names[key, default: []].sorted(), notAfter: row.integer(3))
      ]
      if let hash = row.blob(2).flatMap({ SHA256Hash($0) }) {
        entries.append(NewInventoryEntry(kind: .certificate, hash: hash, names: own, notAfter: row.integer(3)))
      }
      for entry in entries { try inventory.add(entry, to: domain.id, source: "first day") }
    }
  }
}
