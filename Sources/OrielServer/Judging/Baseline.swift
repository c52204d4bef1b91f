import MerkleTree
package import OrielAccounts
package import OrielContacts
package import OrielStore
package import OrielVerdicts
import OrielWatchlist

/// The list of what was in use for a domain before Oriel watched. Once the owner confirms the domain's baseline, later
/// certificates are compared with it.
///
/// Whoever calls this has made sure that the domain is the caller's.
package struct Baseline: Sendable {
  private let store: AlertStore
  private let owners: CAOwners?

  package init(_ database: any SQLDatabase, owners: CAOwners?) {
    store = AlertStore(database)
    self.owners = owners
  }

  /// Lists certificates of an upload or a folder.
  package func add(_ certificates: [FoundCredentials.Certificate], to domain: Domain) async throws {
    let isHit = try hit(domain)
    let records = certificates.map { found in
      let owner = owners?.owner(chain: [], keyHash: found.issuerKeyHash)?.name
      return BaselineRecord(found.accepted(where: isHit, owner: owner), source: found.source)
    }
    try await store.addBaseline(records, to: domain.id.value)
  }

  /// Lists what crt.sh knows. It names issuers only; who answers for them is for the owner to say.
  ///
  /// - Parameter owner: by the name that an issuer gives itself.
  package func add(
    _ candidates: [BaselineCandidate], to domain: Domain, owner: (String) -> String? = { _ in nil }
  ) async throws {
    let isHit = try hit(domain)
    let records = candidates.map {
      BaselineRecord($0.accepted(where: isHit, owner: owner($0.issuerName)), source: "crt.sh")
    }
    try await store.addBaseline(records, to: domain.id.value)
  }

  package func list(of domain: Domain) async throws -> [(id: Int64, record: BaselineRecord)] {
    try await store.baseline(of: domain.id.value)
  }

  package func remove(_ id: Int64, of domain: Domain) async throws {
    try await store.removeBaseline(id, of: domain.id.value)
  }

  private func hit(_ domain: Domain) throws -> (String) -> Bool {
    try WatchedItem(parsing: domain.item, allowPublicSuffix: true).isHit
  }
}

extension BaselineRecord {
  init(_ issuance: AcceptedIssuance, source: String) {
    self.init(
      names: issuance.names.sorted(), issuerKeyHash: issuance.issuerKeyHash, owner: issuance.owner,
      publicKey: issuance.publicKey, notBefore: issuance.notBefore, notAfter: issuance.notAfter, source: source)
  }

  /// As the owner confirmed it.
  func accepted(_ owners: CAOwners?) -> AcceptedIssuance {
    AcceptedIssuance(
      names: names, issuerKeyHash: issuerKeyHash,
      owner: owner ?? issuerKeyHash.flatMap { owners?.owner(chain: [], keyHash: $0)?.name }, publicKey: publicKey,
      notBefore: notBefore, notAfter: notAfter, isTold: true)
  }
}
