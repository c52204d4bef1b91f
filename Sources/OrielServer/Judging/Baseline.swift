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

  /// What became of what was given.
  package struct Outcome: Hashable, Sendable {
    /// How many certificates are listed now that were not before.
    package var listed = 0
    /// How many a log has shown since, so that Oriel knows more of them than any list tells.
    package var seen = 0
    /// How many are for none of the domain's names.
    package var others = 0
    /// How many there was no room for.
    package var left = 0
  }

  /// Lists certificates of an upload or a folder.
  @discardableResult
  package func add(_ certificates: [FoundCredentials.Certificate], to domain: Domain) async throws -> Outcome {
    let isHit = try hit(domain)
    return try await add(
      certificates.map { found in
        let owner = owners?.owner(chain: [], keyHash: found.issuerKeyHash)?.name
        let entries = found.certificate.entries(issuerKeyHash: found.issuerKeyHash, source: found.source)
        return BaselineRecord(
          found.accepted(where: isHit, owner: owner), source: found.source, issuerName: found.certificate.issuerName,
          serial: found.certificate.serialNumber, issuance: entries.first { $0.kind == .certificate }?.hash)
      }, domain)
  }

  /// Lists what crt.sh knows. It names issuers only; who answers for them is for the owner to say.
  ///
  /// - Parameter owner: by the name that an issuer gives itself.
  @discardableResult
  package func add(
    _ candidates: [BaselineCandidate], to domain: Domain, owner: (String) -> String? = { _ in nil }
  ) async throws -> Outcome {
    let isHit = try hit(domain)
    return try await add(
      candidates.map {
        BaselineRecord(
          $0.accepted(where: isHit, owner: owner($0.issuerName)), source: "crt.sh", issuerName: $0.issuerName,
          serial: $0.serialNumber)
      }, domain)
  }

  private func add(_ records: [BaselineRecord], _ domain: Domain) async throws -> Outcome {
    var outcome = Outcome()
    var seen: Set<[String]> = []
    for record in try await store.judged(for: domain.id.value, item: domain.item) {
      seen.insert(Baseline.identity(record.names, record.notBefore, record.notAfter))
    }
    for record in try await store.baseline(of: domain.id.value).map(\.record) where record.publicKey != nil {
      seen.insert(Baseline.identity(record.names, record.notBefore, record.notAfter))
    }
    let own = records.filter { !$0.names.isEmpty }
    let new = own.filter { !seen.contains(Baseline.identity($0.names, $0.notBefore, $0.notAfter)) }
    (outcome.others, outcome.seen) = (records.count - own.count, own.count - new.count)
    (outcome.listed, outcome.left) = try await store.addBaseline(new, to: domain.id.value)
    return outcome
  }

  private static func identity(_ names: [String], _ notBefore: Int64?, _ notAfter: Int64?) -> [String] {
    Set(names).sorted() + [notBefore, notAfter].map { $0.map(String.init) ?? "" }
  }

  package func list(of domain: Domain) async throws -> [(id: Int64, record: BaselineRecord)] {
    try await store.baseline(of: domain.id.value)
  }

  package func remove(_ id: Int64, of domain: Domain) async throws {
    try await store.removeBaseline(id, of: domain.id.value)
  }

  private func hit(_ domain: Domain) throws -> (String) -> Bool { try domain.watched.isHit }
}

extension BaselineRecord {
  init(
    _ issuance: AcceptedIssuance, source: String, issuerName: String?, serial: String?, issuance id: SHA256Hash? = nil
  ) {
    self.init(
      names: issuance.names.sorted(), issuerKeyHash: issuance.issuerKeyHash, owner: issuance.owner,
      publicKey: issuance.publicKey, notBefore: issuance.notBefore, notAfter: issuance.notAfter, source: source,
      issuerName: issuerName, serial: serial, issuance: id)
  }

  /// As the owner confirmed it.
  func accepted(_ owners: CAOwners?) -> AcceptedIssuance {
    AcceptedIssuance(
      names: names, issuerKeyHash: issuerKeyHash,
      owner: owner ?? issuerKeyHash.flatMap { owners?.owner(chain: [], keyHash: $0)?.name }, publicKey: publicKey,
      notBefore: notBefore, notAfter: notAfter, isTold: true)
  }
}
