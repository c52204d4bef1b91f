/// An entry of a policy that spares a certificate CT, and why it does.
public struct Exemption: Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The entry covers the host.
    case host(String)
    /// The key of the certificate itself is listed.
    case leafKey
    /// A listed CA may, by its name constraints, certify named organisations only.
    case constrainedAuthority(subject: String)
    /// A listed CA and the certificate name the same organisation.
    case sameOrganisation(subject: String)
    /// The key is of some certificate of the chain, which is all that is asked.
    case anyKey(subject: String)
    /// The key is of a legacy CA, at a time when that was enough.
    case legacyAuthority(subject: String)
  }

  public let entry: PolicyEntry
  public let reason: Reason

  /// A stable name of the reason, for machines.
  public var code: String {
    switch reason {
    case .host: "exempt-host"
    case .leafKey: "exempt-leaf-key"
    case .constrainedAuthority: "exempt-constrained-ca"
    case .sameOrganisation: "exempt-same-organisation"
    case .anyKey: "exempt-chain-key"
    case .legacyAuthority: "exempt-legacy-ca"
    }
  }

  public var description: String {
    switch reason {
    case .host(let host): "\(entry) covers \(host)"
    case .leafKey: "\(entry) is the key of the certificate itself"
    case .constrainedAuthority(let subject):
      "\(entry) is the key of \(subject), whose name constraints permit named organisations only"
    case .sameOrganisation(let subject):
      "\(entry) is the key of \(subject), which names the same organisation as the certificate"
    case .anyKey(let subject): "\(entry) is the key of \(subject), in the chain"
    case .legacyAuthority(let subject): "\(entry) is the key of the legacy CA \(subject)"
    }
  }
}

/// An entry of a policy that nearly spares a certificate CT, and what is missing.
public struct NearestMiss: Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    case hostNotCovered = "host-not-covered"
    case leafWithoutOrganisation = "leaf-without-organisation"
    case organisationDiffers = "organisation-differs"
    case notInVerifiedChain = "not-in-verified-chain"
    case unreadableCertificate = "unreadable-certificate"
    case legacyNotHonoured = "legacy-not-honoured"
  }

  public let entry: PolicyEntry
  public let code: Code
  public let reason: String

  public var description: String { "\(entry.list.rawValue): \(reason)" }
}

/// What the policies of one platform make of a connection.
public struct ExemptionFinding: Hashable, Sendable {
  /// The first entry that exempts it; nil if CT stays required.
  public internal(set) var exemption: Exemption?
  /// The entries that nearly would have, in the order of the files; empty where one does.
  public internal(set) var nearestMisses: [NearestMiss] = []

  /// More are not listed.
  public static let maximumMisses = 32
}

extension EnterprisePolicies {
  /// Looks for an entry that exempts a connection from CT on a platform.
  ///
  /// - Parameters:
  ///   - host: the name or address that the client asked for.
  ///   - chain: the chain that its verifier accepted.
  ///   - legacyRoots: the roots whose `legacy` mark lets the obsolete list of legacy CAs count; nil, as in every browser
  ///     of today, where it does not.
  public func exemption(
    on platform: PolicyPlatform, host: String, chain: VerifiedChain, legacyRoots: RootStores? = nil
  ) -> ExemptionFinding {
    var finding = ExemptionFinding()
    let own = entries.filter { $0.list.platform == platform }
    // Hosts go first, as in the browsers; then keys, of the leaf before those of CAs.
    finding.exemption =
      hostExemption(own, host)
      ?? keyExemption(own, chain, platform)
      ?? legacyRoots.flatMap { legacyExemption(own, chain, $0) }
    guard finding.exemption == nil else { return finding }
    let organisations = OrganisationRule(platform: platform, leaf: chain.leaf)
    for entry in own where finding.nearestMisses.count < ExemptionFinding.maximumMisses {
      if let miss = nearestMiss(entry, host: host, chain: chain, rule: organisations) {
        finding.nearestMisses.append(miss)
      }
    }
    return finding
  }

  private func hostExemption(_ entries: [PolicyEntry], _ host: String) -> Exemption? {
    let entry = entries.first { entry in
      if case .hosts(let filter) = entry.meaning { filter.covers(host) } else { false }
    }
    return entry.map { Exemption(entry: $0, reason: .host(host)) }
  }

  private func keyExemption(
    _ entries: [PolicyEntry], _ chain: VerifiedChain, _ platform: PolicyPlatform
  ) -> Exemption? {
    let keys = entries.filter { $0.list != .chromeLegacyCAs }
    func entry(for certificate: ChainCertificate) -> PolicyEntry? {
      certificate.publicKeyHash.flatMap { hash in keys.first { $0.meaning == .key(hash) } }
    }
    if platform == .firefox {
      // Firefox stops looking at the first certificate that it can't read.
      for certificate in chain.certificates.prefix(while: { $0.publicKeyHash != nil }) {
        if let entry = entry(for: certificate) {
          return Exemption(entry: entry, reason: .anyKey(subject: certificate.label))
        }
      }
      return nil
    }
    if let entry = entry(for: chain.leaf) { return Exemption(entry: entry, reason: .leafKey) }
    let rule = OrganisationRule(platform: platform, leaf: chain.leaf)
    for authority in chain.authorities {
      guard let entry = entry(for: authority) else { continue }
      if let reason = rule.exemption(below: authority) { return Exemption(entry: entry, reason: reason) }
    }
    return nil
  }

  private func legacyExemption(
    _ entries: [PolicyEntry], _ chain: VerifiedChain, _ roots: RootStores
  ) -> Exemption? {
    for certificate in chain.certificates {
      guard let hash = certificate.publicKeyHash, roots.root(certificate)?.isLegacy == true,
        let entry = entries.first(where: { $0.list == .chromeLegacyCAs && $0.meaning == .key(hash) })
      else { continue }
      return Exemption(entry: entry, reason: .legacyAuthority(subject: certificate.label))
    }
    return nil
  }

  private func nearestMiss(
    _ entry: PolicyEntry, host: String, chain: VerifiedChain, rule: OrganisationRule
  ) -> NearestMiss? {
    switch entry.meaning {
    case .ignored: return nil
    case .hosts(let filter):
      return filter.nearMiss(host).map { NearestMiss(entry: entry, code: .hostNotCovered, reason: $0) }
    case .key(let hash):
      let listed = chain.certificates.first { $0.publicKeyHash == hash }
      if entry.list == .chromeLegacyCAs {
        return listed.map {
          NearestMiss(
            entry: entry, code: .legacyNotHonoured,
            reason: "the key of \($0.label) is listed, but browsers ignore this list since Chrome and Edge 131")
        }
      }
      if let listed, listed != chain.leaf {
        let (code, reason) = rule.miss(below: listed)
        return NearestMiss(entry: entry, code: code, reason: reason)
      }
      return chain.others.first { $0.publicKeyHash == hash }.map { other in
        NearestMiss(
          entry: entry, code: .notInVerifiedChain,
          reason: "the listed key is of \(other.label), but the chain was verified through another: "
            + chain.authorities.map(\.label).joined(separator: ", "))
      }
    }
  }
}
