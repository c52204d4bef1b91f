package import OrielStore

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
      try turn.connection.execute("UPDATE baseline SET is_confirmed = 1 WHERE domain_id = ?", [value])
      try turn.connection.execute(
        "UPDATE domains SET baseline_confirmed_at = coalesce(baseline_confirmed_at, ?) WHERE id = ?",
        [.integer(turn.now), value])
      try turn.audit("confirmed the baseline of \(domain.item): \(shown.intersection(kept).count) certificates")
    }
  }
}
