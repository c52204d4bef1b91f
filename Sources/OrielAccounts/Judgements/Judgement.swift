package import MerkleTree
package import OrielStore

/// What was made of an issuance for a domain, and what people did about it.
package struct Judgement: Hashable, Sendable {
  package enum State: String, Hashable, Sendable, CaseIterable {
    case new, acknowledged
    /// “This was me.”
    case claimed
    /// “This was not me.”
    case denied
  }

  package let domain: DomainID
  package let item: String
  package let issuance: IssuanceSummary
  package let level: VerdictLevel
  package let isProven: Bool
  /// The engine's reasons, as JSON.
  package let reasons: String
  /// When it was judged.
  package let at: Int64
  package let state: State
  package let note: String?
  /// Who set the state, and when.
  package let changedBy: String?
  package let changedAt: Int64?

  /// The verdict as it stands: what the owner claims is known.
  package var standing: VerdictLevel { state == .claimed ? .known : level }
}

/// Which judgements to list; what is empty or nil does not matter.
package struct HistoryFilter: Hashable, Sendable {
  package var levels: Set<VerdictLevel> = []
  package var states: Set<Judgement.State> = []
  package var name: SearchName?
  /// First seen from this millisecond on.
  package var from: Int64?
  /// First seen before this millisecond.
  package var before: Int64?

  package init() {}
}

/// A certificate or key that belongs to the owner of a domain.
package struct InventoryEntry: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// By the hash of its issuance.
    case certificate
    /// By the SHA-256 of its SubjectPublicKeyInfo, for certain names.
    case key
  }

  package let id: InventoryID
  package let kind: Kind
  package let hash: SHA256Hash
  /// For a key: the names that it may be used for.
  package let names: [String]
  /// Where it comes from, in words.
  package let source: String
  package let addedAt: Int64
  package let lastSeen: Int64
  /// Seconds since 1970; of a key, those of a certificate that has it.
  package let notBefore: Int64?
  package let notAfter: Int64?
  /// Of a certificate: SHA-256 of its issuer's and of its own SubjectPublicKeyInfo, where they are known.
  package let issuerKeyHash: SHA256Hash?
  package let publicKey: SHA256Hash?
  /// Since when it no longer counts.
  package let removedAt: Int64?
  /// Whether it is kept for the day that the one in use is lost.
  package let isBackup: Bool
}

/// Something to put into an inventory.
package struct NewInventoryEntry: Hashable, Sendable {
  package var kind: InventoryEntry.Kind
  package var hash: SHA256Hash
  package var names: [String]
  package var notBefore: Int64?
  package var notAfter: Int64?
  package var issuerKeyHash: SHA256Hash?
  package var publicKey: SHA256Hash?
  package var isBackup: Bool

  package init(
    kind: InventoryEntry.Kind, hash: SHA256Hash, names: [String] = [], notBefore: Int64? = nil, notAfter: Int64? = nil,
    issuerKeyHash: SHA256Hash? = nil, publicKey: SHA256Hash? = nil, isBackup: Bool = false
  ) {
    self.kind = kind
    self.hash = hash
    self.names = names
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.issuerKeyHash = issuerKeyHash
    self.publicKey = publicKey
    self.isBackup = isBackup
  }
}

/// Something not to be told of for a while. It is recorded and shown all the same.
package struct Mute: Hashable, Sendable {
  package enum Rule: Hashable, Sendable {
    case domain
    /// What one key issues.
    case issuer(SHA256Hash)
    /// What is issued for a name, or for names below it.
    case name(String)
  }

  package let id: MuteID
  package let rule: Rule
  package let until: Int64
  package let createdAt: Int64
}

/// Something that was done in an account.
package struct AuditEntry: Hashable, Sendable {
  package let id: Int64
  package let who: String
  package let at: Int64
  package let what: String
}
