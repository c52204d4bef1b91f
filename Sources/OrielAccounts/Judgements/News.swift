package import OrielStore

/// How an account stands for those who have its pages open.
package struct News: Hashable, Sendable {
  /// How many certificates need somebody.
  package let open: SearchCount
  /// Another one whenever there is something new.
  package let mark: String
}

extension Accounts {
  /// - Parameter ceiling: how far to count.
  package func news(_ actor: Actor, ceiling: Int = 999) async throws -> News {
    try await look(actor, .read) { turn in
      var filter = HistoryFilter()
      (filter.levels, filter.states) = ([.unexplained], [.new])
      let open = try turn.historyCount(of: nil, filter, ceiling: ceiling)
      let newest = try turn.connection.query(
        """
        SELECT issuance, at, coalesce(changed_at, 0) FROM judgements INDEXED BY judgements_by_account
        WHERE account_id = ? ORDER BY first_seen DESC, issuance DESC, domain_id DESC LIMIT 1
        """, [turn.account]
      ).first
      let mark = [Int64(open.value)] + (0..<3).map { newest?.integer($0) ?? 0 }
      return News(open: open, mark: mark.map { "\($0)" }.joined(separator: "-"))
    }
  }
}
