package import CertificateTransparency
package import MerkleTree

/// Who answers for a CA certificate.
package struct CAOwner: Hashable, Sendable {
  /// Who runs the CA: CCADB's subordinate CA owner where it names one, else its CA owner.
  package let name: String
  /// All who answer for it, from who runs the CA up to the owner of the root; at least one.
  package let names: [String]
}

/// What CCADB knows of CAs: whose they are, which CAA domains they go by, and how they take reports.
///
/// CAs are found by the SHA-256 of their certificate or key, never by a name that a certificate gives.
package struct CAOwners: Sendable {
  /// When the data were read, or last changed, where they come from a file.
  package let asOf: Timestamp
  /// Fingerprints that are none, rows of too many fields, and owners that two rows disagree on.
  package let malformedCount: Int
  let certificates: HashIndex
  let keys: HashIndex
  let lineages: [[UInt16]]
  let names: [String]
  let ids: [String: UInt16]
  let mechanisms: [UInt16: ReportingMechanism]
  let domains: [UInt16: [String]]

  package var certificateCount: Int { certificates.count }
  package var keyCount: Int { keys.count }

  /// What the look-up tables take: 34 bytes for each certificate and key.
  package var tableBytes: Int { certificates.byteCount + keys.byteCount }

  /// All who run a CA, sorted.
  package var ownerNames: [String] { Set(lineages.compactMap { $0.first.map { names[Int($0)] } }).sorted() }

  package func age(at now: Timestamp) -> Duration {
    .milliseconds(Int64(clamping: now.milliseconds) - Int64(clamping: asOf.milliseconds))
  }

  /// The owner of the CA with this certificate.
  package func owner(ofCertificate fingerprint: SHA256Hash) -> CAOwner? {
    certificates.values(of: fingerprint).first.map(owner)
  }

  /// Who may hold this key (SHA-256 of the SubjectPublicKeyInfo): more than one where certificates for it disagree.
  package func owners(ofKey hash: SHA256Hash) -> [CAOwner] {
    var found: [CAOwner] = []
    for value in keys.values(of: hash) {
      let next = owner(value)
      if !found.contains(where: { $0.name == next.name }) { found.append(next) }
    }
    return found
  }

  /// The owner of an issuance's CA: by the issuer's certificate, by its key, or, where neither is listed, by the
  /// nearest CA above it that is.
  ///
  /// - Parameters:
  ///   - chain: fingerprints of the issuers, the nearest first; that they belong together is for the caller to know.
  ///   - keyHash: SHA-256 of the issuer's SubjectPublicKeyInfo.
  package func owner(chain: [SHA256Hash], keyHash: SHA256Hash?) -> CAOwner? {
    if let direct = chain.first.flatMap(owner(ofCertificate:)) { return direct }
    if let keyHash {
      let holders = owners(ofKey: keyHash)
      if holders.count == 1 { return holders.first }
    }
    return chain.dropFirst().lazy.compactMap(owner(ofCertificate:)).first
  }

  /// How to report to the CA: what those who answer for it say, who runs it first.
  package func mechanisms(of owner: CAOwner) -> [(owner: String, mechanism: ReportingMechanism)] {
    owner.names.compactMap { name in id(of: name).flatMap { mechanisms[$0] }.map { (name, $0) } }
  }

  /// The CAA domains that the owner goes by, sorted; empty where none are known.
  package func caaDomains(of name: String) -> [String] { id(of: name).flatMap { domains[$0] } ?? [] }

  /// The owners that go by a CAA domain, sorted.
  package func owners(ofCAADomain domain: String) -> [String] {
    let domain = domain.lowercased()
    return domains.filter { $0.value.contains(domain) }.map { names[Int($0.key)] }.sorted()
  }

  private func id(of name: String) -> UInt16? { ids[CAOwnersReader.folded(name.cleaned())] }

  private func owner(_ lineage: UInt16) -> CAOwner {
    let all = lineages[Int(lineage)].map { names[Int($0)] }
    return CAOwner(name: all.first ?? "", names: all)
  }
}

/// Hashes with a small number each, in two arrays sorted by hash; a hash may occur more than once.
struct HashIndex: Sendable {
  private var hashes: [SHA256Hash] = []
  private var numbers: [UInt16] = []

  init(_ pairs: [(hash: SHA256Hash, number: UInt16)]) {
    let sorted = pairs.sorted { ($0.hash, $0.number) < ($1.hash, $1.number) }
    hashes.reserveCapacity(sorted.count)
    numbers.reserveCapacity(sorted.count)
    for pair in sorted where hashes.last != pair.hash || numbers.last != pair.number {
      hashes.append(pair.hash)
      numbers.append(pair.number)
    }
  }

  var count: Int { hashes.count }
  var byteCount: Int { hashes.capacity * 32 + numbers.capacity * 2 }

  func values(of hash: SHA256Hash) -> ArraySlice<UInt16> {
    var (low, high) = (0, hashes.count)
    while low < high {
      let middle = (low + high) / 2
      if hashes[middle] < hash { low = middle + 1 } else { high = middle }
    }
    var end = low
    while end < hashes.count, hashes[end] == hash { end += 1 }
    return numbers[low..<end]
  }
}
