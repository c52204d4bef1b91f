package import CertificateTransparency
package import MerkleTree

/// All that is known of a watched item when an issuance for it is judged.
///
/// Making one sorts the history; keep it while several issuances are judged.
package struct DomainKnowledge: Sendable {
  /// The watched item, as its owner wrote it.
  package let item: String
  package let inventory: KnownInventory
  /// The CA owners that the owner of the domain allows; empty where no list was given.
  package let allowedOwners: Set<String>
  package let caa: CAAKnowledge
  /// Whether the owner has confirmed what was in use at the start.
  package let hasBaseline: Bool
  package let answers: OwnerAnswers
  let history: AcceptedHistory

  package init(
    item: String, inventory: KnownInventory = KnownInventory(), allowedOwners: Set<String> = [],
    caa: CAAKnowledge = CAAKnowledge(), hasBaseline: Bool, accepted: [AcceptedIssuance] = [],
    answers: OwnerAnswers = OwnerAnswers()
  ) {
    self.item = item
    self.inventory = inventory
    self.allowedOwners = allowedOwners
    self.caa = caa
    self.hasBaseline = hasBaseline
    self.answers = answers
    history = AcceptedHistory(accepted)
  }
}

/// An earlier issuance that the owner has no quarrel with.
package struct AcceptedIssuance: Hashable, Sendable {
  /// The names that hit the watched item.
  package var names: Set<String>
  package var issuerKeyHash: SHA256Hash?
  package var owner: String?
  package var publicKey: SHA256Hash?
  package var notBefore: Int64?
  package var notAfter: Int64?
  /// Whether the owner's word stands behind it (known, confirmed with the baseline, or "this was me"), as opposed to
  /// Oriel having expected it.
  package var isTold: Bool

  package init(
    names: some Sequence<String>, issuerKeyHash: SHA256Hash?, owner: String?, publicKey: SHA256Hash?,
    notBefore: Int64?, notAfter: Int64?, isTold: Bool
  ) {
    self.names = Set(names.map(CertificateName.normalised))
    self.issuerKeyHash = issuerKeyHash == .zero ? nil : issuerKeyHash
    self.owner = owner
    self.publicKey = publicKey
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.isTold = isTold
  }
}

/// What the owner answered about single issuances. The last answer is the one to give.
package struct OwnerAnswers: Hashable, Sendable {
  /// "This was me."
  package var claimed: Set<IssuanceID>
  /// "This was not me."
  package var denied: Set<IssuanceID>
  /// The keys of the denied ones.
  package var deniedKeys: Set<SHA256Hash>

  package init(
    claimed: Set<IssuanceID> = [], denied: Set<IssuanceID> = [], deniedKeys: Set<SHA256Hash> = []
  ) {
    self.claimed = claimed
    self.denied = denied
    self.deniedKeys = deniedKeys
  }
}

/// The certificates and keys that the owner told Oriel of.
package struct KnownInventory: Hashable, Sendable {
  /// A key, and the names that it may be certified for.
  package struct BoundKey: Hashable, Sendable {
    package var names: Set<String>
    package var source: String

    package init(names: some Sequence<String>, source: String) {
      self.names = Set(names.map(CertificateName.normalised))
      self.source = source
    }
  }

  /// Whether the owner undertook to tell of everything: whatever is not in here is then unexplained.
  package var isGiven: Bool
  /// Where each certificate was told of.
  package private(set) var certificates: [IssuanceID: String] = [:]
  package private(set) var keys: [SHA256Hash: BoundKey] = [:]

  package init(_ entries: some Sequence<InventoryEntry> = [], isGiven: Bool = false) {
    self.isGiven = isGiven
    for entry in entries { add(entry) }
  }

  package mutating func add(_ entry: InventoryEntry) {
    switch entry.kind {
    case .certificate: certificates[IssuanceID(entry.hash)] = entry.source
    case .key: keys[entry.hash, default: BoundKey(names: [], source: entry.source)].names.formUnion(entry.names)
    }
  }
}

/// One thing that the owner told Oriel of: a certificate, or a key with the names that it is for.
package struct InventoryEntry: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, Codable { case certificate, key }

  package var kind: Kind
  /// The issuance's id, or SHA-256 of the key's SubjectPublicKeyInfo.
  package var hash: SHA256Hash
  /// Of a key: what it is bound to. Of a certificate: what it is for, to show.
  package var names: [String]
  /// Seconds since 1970; of a key, those of a certificate that has it.
  package var notBefore: Int64?
  package var notAfter: Int64?
  /// Of a certificate: SHA-256 of its issuer's and of its own SubjectPublicKeyInfo, where they are known.
  package var issuerKeyHash: SHA256Hash?
  package var publicKey: SHA256Hash?
  /// Where it was found, for people: `certbot: /etc/letsencrypt/archive/example.com/fullchain3.pem`.
  package var source: String

  package init(
    kind: Kind, hash: SHA256Hash, names: [String], notBefore: Int64? = nil, notAfter: Int64?,
    issuerKeyHash: SHA256Hash? = nil, publicKey: SHA256Hash? = nil, source: String
  ) {
    self.kind = kind
    self.hash = hash
    self.names = names.map(CertificateName.normalised)
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.issuerKeyHash = issuerKeyHash
    self.publicKey = publicKey
    self.source = source
  }
}
