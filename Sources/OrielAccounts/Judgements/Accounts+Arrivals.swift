package import CertificateTransparency
import MerkleTree
import OrielStore

/// What was judged for an account, in the order in which that was done.
package struct Arrivals: Sendable {
  package let judgements: [(place: Int64, judgement: Judgement)]
  /// Where to go on.
  package let next: Int64
  /// Whether more may be there already.
  package let hasMore: Bool
}

extension Accounts {
  /// What was made of an issuance, for each domain of the account that it hits; a hundred at most.
  package func judgements(_ actor: Actor, of issuance: IssuanceID) async throws -> [Judgement] {
    try await look(actor, .read) { turn in
      try turn.connection.query(
        """
        SELECT j.domain_id FROM judgements j JOIN issuances i ON i.number = j.issuance
        WHERE i.id = ? AND +j.account_id = ? ORDER BY j.domain_id LIMIT 100
        """, [.blob(issuance.hash.bytes), turn.account]
      ).compactMap { $0.integer(0) }.map { try turn.judgement(issuance, of: DomainID($0)) }
    }
  }

  /// What was judged behind a place; nil for nothing, and the place where it goes on from now. What is further back than
  /// a million judgements, of all accounts together, is left out.
  package func arrivals(_ actor: Actor, after place: Int64?, limit: Int = 100) async throws -> Arrivals {
    try await look(actor, .read) { turn in
      let newest = try turn.connection.query("SELECT max(rowid) FROM judgements").first?.integer(0) ?? 0
      guard let place else { return Arrivals(judgements: [], next: newest, hasMore: false) }
      // The last ones may have been removed with their domain, and their places be others' soon.
      let start = max(0, newest - 1_000_000, min(place, newest))
      // Others' judgements are passed over: not too many of them in one go.
      let end = min(newest, start + 20_000)
      let rows = try turn.connection.query(
        """
        SELECT j.rowid, i.id, j.domain_id FROM judgements j NOT INDEXED JOIN issuances i ON i.number = j.issuance
        WHERE j.rowid > ? AND j.rowid <= ? AND j.account_id = ? ORDER BY j.rowid LIMIT ?
        """, [.integer(start), .integer(end), turn.account, .integer(Int64(limit))])
      let judgements = try rows.map { row -> (place: Int64, judgement: Judgement) in
        guard let place = row.integer(0), let id = row.blob(1).flatMap({ SHA256Hash($0) }),
          let domain = row.integer(2)
        else { throw UnreadableRow(table: "judgements") }
        return (place, try turn.judgement(IssuanceID(id), of: DomainID(domain)))
      }
      let next = judgements.count < limit ? end : judgements.last?.place ?? end
      return Arrivals(judgements: judgements, next: next, hasMore: next < newest)
    }
  }
}

extension SignIn {
  /// Whether a token is good for reading and nothing else, whatever its member may.
  package func isReadOnly(_ token: Secret) async throws -> Bool {
    try await store.read { connection in
      let rows = try connection.query("SELECT scopes FROM tokens WHERE hash = ?", [.blob(token.hash)])
      return Scope.read(rows.first?.text(0)) == [.read]
    }
  }
}
