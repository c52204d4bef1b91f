package import OrielStore

/// What waits for somebody in an account, beside unexplained certificates; the first ones of each kind.
package struct Waiting: Hashable, Sendable {
  package struct Beginning: Hashable, Sendable {
    package let domain: Domain
    /// How many certificates have been seen for it, and nobody has said anything of them.
    package let count: SearchCount
  }

  package struct Bounce: Hashable, Sendable {
    package let address: String
    package let reason: String
    /// The domain that it is told of; nil for a member.
    package let domain: DomainID?
    package let item: String?
  }

  /// Domains whose beginning has not been confirmed, and of which certificates have been seen.
  package var beginnings: [Beginning] = []
  /// Domains with CAA records that nobody has confirmed.
  package var changedCAA: [Domain] = []
  /// Domains that are on, and of which nobody is told.
  package var unreached: [Domain] = []
  /// Addresses that mail came back from.
  package var bounced: [Bounce] = []

  package var isEmpty: Bool { beginnings.isEmpty && changedCAA.isEmpty && unreached.isEmpty && bounced.isEmpty }
}

extension Accounts {
  /// - Parameter limit: how many of each kind.
  package func waiting(_ actor: Actor, limit: Int = 20) async throws -> Waiting {
    try await look(actor, .read) { turn in
      var waiting = Waiting()
      for domain in try turn.domains(where: Turn.hasBeginning, limit: limit) {
        // Not all that is counted by month is still new.
        let count = try turn.count(
          """
          SELECT count(*) FROM (SELECT 1 FROM judgements
            WHERE domain_id = ? AND verdict = 'no-history' AND state = 'new' LIMIT 1001)
          """, [.integer(domain.id.value)])
        guard count > 0 else { continue }
        waiting.beginnings.append(
          Waiting.Beginning(domain: domain, count: SearchCount(value: min(count, 1000), isExact: count <= 1000)))
      }
      waiting.changedCAA = try turn.domains(where: Turn.hasNewCAA, limit: limit)
      if let condition = try turn.isUnreached() {
        waiting.unreached = try turn.domains(where: condition, limit: limit)
      }
      waiting.bounced = try turn.bounced(limit: limit)
      return waiting
    }
  }

  /// Those of some domains that are on, and of which nobody is told. Whom the configuration file names is not known here.
  package func unreached(_ actor: Actor, of domains: [DomainID]) async throws -> Set<DomainID> {
    try await look(actor, .read) { turn in
      guard let condition = try turn.isUnreached() else { return [] }
      let ids = "[" + domains.map { "\($0.value)" }.joined(separator: ",") + "]"
      let rows = try turn.connection.query(
        """
        SELECT id FROM domains
        WHERE id IN (SELECT value FROM json_each(?)) AND account_id = ? AND \(condition)
        """, [.text(ids), turn.account])
      return Set(rows.compactMap { $0.integer(0) }.map { DomainID($0) })
    }
  }
}

extension Turn {
  fileprivate static let hasBeginning = """
    is_on = 1 AND baseline_confirmed_at IS NULL AND EXISTS
      (SELECT 1 FROM judgements j WHERE j.domain_id = domains.id AND j.verdict = 'no-history' AND j.state = 'new')
    """
  /// The same as ``Domain/hasNewCAA``, of domains that are on.
  fileprivate static let hasNewCAA = """
    is_on = 1 AND caa_seen IS NOT NULL AND caa_seen IS NOT caa AND (caa IS NOT NULL OR caa_seen <> '[]')
    """

  /// What is so of a domain of which nobody is told; nil if it is so of none.
  fileprivate func isUnreached() throws -> String? {
    let isOwn = "is_on = 1 AND source = 'dashboard'"
    guard try ownAccount().plan.hasRecipients else {
      let members = try count(
        "SELECT count(*) FROM members WHERE account_id = ? AND locked_at IS NULL AND \(AddressState.isActive)",
        [account])
      return members == 0 ? isOwn : nil
    }
    return isOwn
      + " AND NOT EXISTS (SELECT 1 FROM recipients r WHERE r.domain_id = domains.id AND \(AddressState.isActive))"
  }

  fileprivate func domains(where condition: String, limit: Int) throws -> [Domain] {
    try connection.query(
      Domain.select + " WHERE account_id = ? AND \(condition) ORDER BY item LIMIT ?", [account, .integer(Int64(limit))]
    ).map(Domain.init(row:))
  }

  fileprivate func bounced(limit: Int) throws -> [Waiting.Bounce] {
    let rows = try connection.query(
      """
      SELECT address, suspended_reason, NULL, NULL FROM members
      WHERE account_id = ?1 AND suspended_at IS NOT NULL AND unsubscribed_at IS NULL
      UNION ALL SELECT r.address, r.suspended_reason, d.id, d.item
      FROM domains d JOIN recipients r INDEXED BY recipients_suspended ON r.domain_id = d.id
      WHERE d.account_id = ?1 AND r.suspended_at IS NOT NULL AND r.unsubscribed_at IS NULL LIMIT ?2
      """, [account, .integer(Int64(limit))])
    return rows.map { row in
      Waiting.Bounce(
        address: row.text(0) ?? "", reason: row.text(1) ?? "", domain: row.integer(2).map { DomainID($0) },
        item: row.text(3))
    }
  }
}
