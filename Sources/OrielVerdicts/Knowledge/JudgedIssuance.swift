package import CertificateTransparency
package import MerkleTree

/// Who answers for an issuer's key, as CCADB's certificate records have it. The issuer's name never decides this.
package struct CAOwner: Hashable, Sendable {
  package let name: String
  /// What CAA records call this owner (`letsencrypt.org`), in lower case.
  package let caaDomains: Set<String>

  package init(_ name: String, caaDomains: some Sequence<String> = []) {
    self.name = name
    self.caaDomains = Set(caaDomains.map(CertificateName.normalised))
  }
}

/// One issuance, with all that a verdict takes into account.
package struct JudgedIssuance: Hashable, Sendable {
  package var id: IssuanceID
  /// Every name of the certificate.
  package var names: [String]
  /// Those that hit the watched item.
  package var matchedNames: [String]
  /// Nil where the issuer is not known.
  package var issuerKeyHash: SHA256Hash?
  /// The issuer's distinguished name: shown to people, and nothing else.
  package var issuerName: String?
  /// Nil where it could not be resolved.
  package var owner: CAOwner?
  /// SHA-256 of the certified key's SubjectPublicKeyInfo.
  package var publicKey: SHA256Hash?
  /// Seconds since 1970.
  package var notBefore: Int64?
  package var notAfter: Int64?
  package var firstSeen: Int64
  /// Whether all that may hold names could be read.
  package var isReadable: Bool
  package var problems: [String]

  package init(
    id: IssuanceID, names: [String], matchedNames: [String], issuerKeyHash: SHA256Hash?, issuerName: String?,
    owner: CAOwner?, publicKey: SHA256Hash?, notBefore: Int64?, notAfter: Int64?, firstSeen: Int64,
    isReadable: Bool = true, problems: [String] = []
  ) {
    self.id = id
    self.names = names
    self.matchedNames = matchedNames
    // Oriel's wire form of "not known".
    self.issuerKeyHash = issuerKeyHash == .zero ? nil : issuerKeyHash
    self.issuerName = issuerName
    self.owner = owner
    self.publicKey = publicKey
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.firstSeen = firstSeen
    self.isReadable = isReadable
    self.problems = problems
  }

  /// As the owner's history keeps it, once it is accepted.
  package func accepted(isTold: Bool) -> AcceptedIssuance {
    AcceptedIssuance(
      names: judgedNames, issuerKeyHash: issuerKeyHash, owner: owner?.name, publicKey: publicKey, notBefore: notBefore,
      notAfter: notAfter, isTold: isTold)
  }

  /// The names to account for: those that hit the item. Items about keys are not hit by names; then it is all of them.
  var judgedNames: [String] { matchedNames.isEmpty ? names : matchedNames }
}

/// How names are compared: in lower case, without a dot at the end.
package enum CertificateName {
  package static func normalised(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy { $0 < 0x80 && !(0x41...0x5a).contains($0) }
    let lower = isPlain ? name : name.lowercased()
    return lower.utf8.last == UInt8(ascii: ".") ? String(lower.dropLast()) : lower
  }

  /// Whether a name stands for others: `*.example.com`, `f*.example.com`, and redacted `?.example.com`.
  static func isWildcard(_ name: String) -> Bool {
    name.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  /// Whether it has control characters, such as the zero byte that ends a name for careless programs.
  static func hasControls(_ name: String) -> Bool { name.utf8.contains { $0 < 0x20 || $0 == 0x7f } }

  /// Whether a host, a mailbox, a page or an address can be called that; names in other scripts as people read them.
  static func isPossible(_ name: String) -> Bool {
    if name.utf8.allSatisfy(isHosts) { return true }
    if hasControls(name) || name.unicodeScalars.contains(where: \.isDeceptive) { return false }
    // Mailboxes, pages and addresses have marks that hosts have not.
    if name.utf8.contains(where: "@:/".utf8.contains) { return true }
    return name.utf8.allSatisfy { $0 >= 0x80 || isHosts($0) }
  }

  /// Whether it stands in names of hosts, as they are or as patterns.
  private static func isHosts(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "*"), UInt8(ascii: "?"):
      true
    default: false
    }
  }

  /// Whether being told of `names` is being told of `name`: it is among them, or takes the asterisk's place in one.
  static func covers(_ names: Set<String>, _ name: String) -> Bool {
    if names.contains(name) { return true }
    guard !isWildcard(name), let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")), dot > name.startIndex
    else { return false }
    return names.contains("*" + name[dot...])
  }
}
