/// How much there is of everything.
package struct ServiceFigures: Hashable, Sendable {
  package struct Deliveries: Hashable, Sendable {
    /// `mail`, `webhook`, `command` or `ping`.
    package let channel: String
    package let state: String
    package let count: Int64
  }

  package var accounts: Int64 = 0
  package var members: Int64 = 0
  package var domainsOn: Int64 = 0
  package var domainsOff: Int64 = 0
  /// By verdict.
  package var judgements: [String: Int64] = [:]
  package var deliveries: [Deliveries] = []
}

extension AlertStore {
  /// Counts all there is: not to be asked for at every turn.
  package func figures() async throws -> ServiceFigures {
    try await database.read { connection in
      func count(_ sql: String) throws -> Int64 { try connection.query(sql).first?.integer(0) ?? 0 }
      var figures = ServiceFigures()
      figures.accounts = try count("SELECT count(*) FROM accounts WHERE removed_at IS NULL")
      figures.members = try count("SELECT count(*) FROM members")
      figures.domainsOn = try count("SELECT count(*) FROM domains WHERE is_on = 1")
      figures.domainsOff = try count("SELECT count(*) FROM domains WHERE is_on <> 1")
      for row in try connection.query("SELECT verdict, count FROM judgement_months WHERE domain_id = 0") {
        figures.judgements[row.text(0) ?? ""] = row.integer(1) ?? 0
      }
      figures.deliveries = try connection.query(
        """
        SELECT CASE substr(target, 1, 12) WHEN 'domain-mail:' THEN 'mail'
          ELSE substr(target, 1, instr(target, ':') - 1) END AS channel, state, count(*)
        FROM deliveries GROUP BY channel, state ORDER BY channel, state
        """
      ).map {
        ServiceFigures.Deliveries(channel: $0.text(0) ?? "", state: $0.text(1) ?? "", count: $0.integer(2) ?? 0)
      }
      return figures
    }
  }
}
