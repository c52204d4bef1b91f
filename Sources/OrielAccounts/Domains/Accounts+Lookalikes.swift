package import CertificateTransparency
package import OrielStore
package import OrielWatchlist

extension Accounts {
  /// Names that imitate a domain, the newest first.
  package func lookalikes(
    _ actor: Actor, of domain: DomainID, after cursor: Int64? = nil, limit: Int = 50
  ) async throws -> (results: [LookalikeRecord], next: Int64?) {
    try await look(actor, .read) { turn in
      let domain = try turn.domain(domain)
      let limit = max(1, min(limit, IssuanceSearch.longestPage - 1))
      let found = try Lookalikes.page(
        turn.connection, owner: domain.lookalikeOwner, item: domain.item, after: cursor, limit: limit + 1)
      return (Array(found.prefix(limit)), found.count > limit ? found[limit - 1].id : nil)
    }
  }

  /// - Parameter ceiling: how far to count.
  package func lookalikeCount(_ actor: Actor, of domain: DomainID, ceiling: Int = 10_000) async throws -> SearchCount {
    try await look(actor, .read) { turn in
      let domain = try turn.domain(domain)
      return try Lookalikes.count(
        turn.connection, owner: domain.lookalikeOwner, item: domain.item, ceiling: ceiling)
    }
  }

  /// Which domains of the account an issuance imitates, and how.
  package func lookalikes(
    _ actor: Actor, in issuance: IssuanceID
  ) async throws -> [(domain: Domain, record: LookalikeRecord)] {
    try await look(actor, .read) { turn in
      try Lookalikes.records(turn.connection, of: issuance, account: turn.actor.account.value).compactMap { record in
        try turn.domain(item: record.lookalike.item).map { ($0, record) }
      }
    }
  }
}

extension AccountService {
  /// The domains whose look-alikes somebody wants to hear of, with all that those accounts watch.
  package func lookalikeNames() async throws -> LookalikeNames {
    let rows = try await store.read { connection in
      try connection.query(
        """
        SELECT account_id, item, is_on = 1 AND lookalikes = 1 AND source = 'dashboard' FROM domains
        WHERE account_id IN (SELECT account_id FROM domains WHERE lookalikes = 1) ORDER BY id
        """)
    }
    var names = LookalikeNames()
    for row in rows {
      guard let account = row.integer(0), let text = row.text(1),
        let item = try? WatchedItem(parsing: text, allowPublicSuffix: true),
        let domain = LookalikeIndex.OwnedDomain(item, owner: account)
      else { continue }
      if row.integer(2) == 1 { names.watched.append(domain) } else { names.own.append(domain) }
    }
    return names
  }
}

extension Domain {
  /// Under whose number its look-alikes are kept.
  var lookalikeOwner: Int64 { source == .config ? StoredLookalike.configuration : account.value }
}

extension Turn {
  /// The domain of the actor's account that watches an item.
  func domain(item: String) throws -> Domain? {
    try connection.query(Domain.select + " WHERE account_id = ? AND item = ?", [account, .text(item)]).first
      .map(Domain.init(row:))
  }

  /// Forgets what imitated a domain that is no more.
  func forgetLookalikes(of domain: Domain) throws {
    guard domain.source == .dashboard else { return }
    try connection.execute(
      "DELETE FROM lookalikes WHERE owner = ? AND item = ?", [account, .text(domain.item)])
  }

  func apply(lookalikes change: DomainChange, to domain: Domain) throws {
    let id = SQLValue.integer(domain.id.value)
    if let isOn = change.watchesLookalikes, isOn != domain.watchesLookalikes {
      let item = try? domain.watched
      guard !isOn || item.flatMap({ LookalikeIndex.OwnedDomain($0) }) != nil else {
        throw AccountError.refused(field: .domain, reason: "only a name can be imitated; \(domain.item) is none")
      }
      try connection.execute("UPDATE domains SET lookalikes = ? WHERE id = ?", [.integer(isOn ? 1 : 0), id])
      try audit("turned look-alikes of \(domain.item) \(isOn ? "on" : "off")")
    }
    if let time = change.lookalikeDelivery, time != domain.lookalikeDelivery {
      try connection.execute("UPDATE domains SET lookalike_delivery = ? WHERE id = ?", [.text(time.rawValue), id])
      try audit("look-alikes of \(domain.item) are told \(time.rawValue)")
    }
  }
}
