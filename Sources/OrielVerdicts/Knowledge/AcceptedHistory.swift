import MerkleTree

/// A CA as far as one can tell it from another: by its owner, else by the key that it signs with.
enum CAIdentity: Hashable, Sendable {
  case owner(String)
  case key(SHA256Hash)
  /// Of an accepted issuance that neither is known of.
  case unknown
}

/// The accepted issuances of a domain, laid out for a verdict to look things up in.
struct AcceptedHistory: Sendable {
  /// What a key was accepted for.
  struct KeyUse: Sendable {
    var names: Set<String> = []
    /// Those of `names` that the owner's word stands behind.
    var toldNames: Set<String> = []
    var cas: Set<CAIdentity> = []
    var since = Int64.max
  }

  private(set) var names: Set<String> = []
  /// The names of each.
  private(set) var sets: Set<Set<String>> = []
  private(set) var cas: Set<CAIdentity> = []
  private(set) var issuerKeys: Set<SHA256Hash> = []
  private(set) var keys: [SHA256Hash: KeyUse] = [:]
  /// The renewals of each set of names, by CA.
  private(set) var lineages: [Set<String>: [CAIdentity: Lineage]] = [:]
  /// Owners by issuing key, so that a look-up that fails today does not make a CA another one.
  private var ownerOfKey: [SHA256Hash: String] = [:]

  init(_ accepted: [AcceptedIssuance]) {
    for issuance in accepted {
      if let key = issuance.issuerKeyHash, let owner = issuance.owner { ownerOfKey[key] = owner }
    }
    let sorted = accepted.enumerated().sorted {
      ($0.element.notBefore ?? .min, $0.offset) < ($1.element.notBefore ?? .min, $1.offset)
    }
    for (_, issuance) in sorted { add(issuance) }
  }

  /// Nil where neither the owner nor the key is known.
  func identity(owner: String?, issuerKey: SHA256Hash?) -> CAIdentity? {
    if let owner = owner ?? issuerKey.flatMap({ ownerOfKey[$0] }) { return .owner(owner) }
    return issuerKey.map { .key($0) }
  }

  /// The owners among several CAs.
  static func ownerNames(of cas: some Sequence<CAIdentity>) -> [String] {
    cas.compactMap { if case .owner(let name) = $0 { name } else { nil } }.sorted()
  }

  private mutating func add(_ issuance: AcceptedIssuance) {
    names.formUnion(issuance.names)
    sets.insert(issuance.names)
    if let key = issuance.issuerKeyHash { issuerKeys.insert(key) }
    let ca = identity(owner: issuance.owner, issuerKey: issuance.issuerKeyHash)
    if let ca { cas.insert(ca) }
    if let key = issuance.publicKey {
      var use = keys[key] ?? KeyUse()
      use.names.formUnion(issuance.names)
      if issuance.isTold { use.toldNames.formUnion(issuance.names) }
      if let ca { use.cas.insert(ca) }
      use.since = min(use.since, issuance.notBefore ?? .max)
      keys[key] = use
    }
    if let span = ValiditySpan(issuance.notBefore, issuance.notAfter) {
      lineages[issuance.names, default: [:]][ca ?? .unknown, default: Lineage()].add(span)
    }
  }
}
