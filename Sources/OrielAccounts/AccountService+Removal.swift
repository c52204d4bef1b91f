import OrielStore

/// Removing an account. It is gone for everybody in one transaction; what was in it goes in many, so that nobody waits
/// for long and a removal that was cut short is gone on with.
extension AccountService {
  /// So many rows go in one transaction.
  private static let lot = 1000
  /// So many transactions at each turn of the service's upkeep.
  private static let lotsAtOnce = 100

  /// Removes an account with all that belongs to it; also one whose removal was begun before.
  ///
  /// - Parameter tell: is told how many rows are gone, again and again.
  package func removeAccount(_ account: AccountID, tell: (Int) -> Void = { _ in }) async throws {
    if try await !accountsGoing().contains(where: { $0.id == account }) { try await markGoing(account) }
    var total = 0
    while case let count = try await removeLot(of: account), count > 0 {
      total += count
      tell(total)
    }
  }

  /// Accounts that are being removed.
  package func accountsGoing() async throws -> [Account] {
    try await store.read { connection in
      try connection.query(Account.select + " WHERE removed_at > 0 ORDER BY removed_at, id LIMIT 1000").map {
        try Account(row: $0)
      }
    }
  }

  /// Goes on with removals that were cut short, for a while.
  func continueRemovals() async throws {
    var left = AccountService.lotsAtOnce
    for account in try await accountsGoing() {
      while left > 0, try await removeLot(of: account.id) > 0 { left -= 1 }
    }
  }

  /// From here on nobody can do anything in it, nothing is watched for it, and no alert of it is sent.
  private func markGoing(_ account: AccountID) async throws {
    try await store.transaction(changing: .watch) { [store] connection in
      let id = SQLValue.integer(account.value)
      let rows = try connection.query(
        "UPDATE accounts SET removed_at = ? WHERE id = ? AND removed_at IS NULL RETURNING id",
        [.integer(max(1, store.now())), id])
      guard !rows.isEmpty else { throw AccountError.notFound }
      // With their tokens.
      try connection.execute("DELETE FROM members WHERE account_id = ?", [id])
      try connection.execute(
        "UPDATE domains SET is_on = 0, lookalikes = 0 WHERE account_id = ? AND (is_on = 1 OR lookalikes = 1)", [id])
    }
  }

  /// - Returns: how many rows are gone; 0 if nothing is left.
  private func removeLot(of account: AccountID) async throws -> Int {
    let start = ContinuousClock.now
    let count = try await store.transaction { connection in
      var lot = Lot(connection: connection, room: AccountService.lot)
      try lot.remove(account)
      return AccountService.lot - lot.room
    }
    // As long a pause: others write, too.
    if count > 0 { try await Task.sleep(for: min(.now - start, .seconds(1))) }
    return count
  }

  /// What is deleted in one transaction.
  private struct Lot {
    let connection: any SQLConnection
    /// How many rows there may be yet.
    var room: Int

    mutating func remove(_ account: AccountID) throws {
      let id = SQLValue.integer(account.value)
      try remove(
        "lookalikes", "SELECT id FROM lookalikes WHERE owner = ? ORDER BY item, id LIMIT ?", id,
        parts: [("lookalike_issuances", "lookalike", "lookalike, issuance")])
      try remove(
        "domains", "SELECT id FROM domains WHERE account_id = ? AND is_on = 0 ORDER BY id LIMIT ?", id,
        parts: [("judgements", "domain_id", "issuance, domain_id")]
          + ["judgement_events", "inventory", "baseline", "mutes", "recipients"].map { ($0, "domain_id", "id") })
      try remove("audit", key: "id", "SELECT id FROM audit WHERE account_id = ? LIMIT ?", [id])
      guard room > 0 else { return }
      room -= try connection.query("DELETE FROM accounts WHERE id = ? AND removed_at > 0 RETURNING id", [id]).count
    }

    /// The first rows there are, once all that belongs to them is gone: it would go along otherwise, all at once.
    private mutating func remove(
      _ table: String, _ first: String, _ argument: SQLValue, parts: [(table: String, owner: String, key: String)]
    ) throws {
      for part in parts {
        try remove(
          part.table, key: part.key, "SELECT \(part.key) FROM \(part.table) WHERE \(part.owner) IN (\(first)) LIMIT ?",
          [argument, .integer(Int64(AccountService.lot))])
      }
      try remove(table, key: "id", first, [argument])
    }

    /// - Parameter chosen: the keys of those to delete; its last argument is how many there may be.
    private mutating func remove(_ table: String, key: String, _ chosen: String, _ arguments: [SQLValue]) throws {
      guard room > 0 else { return }
      room -= try connection.query(
        "DELETE FROM \(table) WHERE (\(key)) IN (\(chosen)) RETURNING 1", arguments + [.integer(Int64(room))]
      ).count
    }
  }
}
