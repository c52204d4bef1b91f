public import CertificateTransparency
public import MerkleTree

/// One certificate, read for the questions that CT requirements and exemptions ask of it.
public struct ChainCertificate: Hashable, Sendable {
  /// What the X.509v3 name constraints of a CA say about organisations.
  public enum Constraint: Hashable, Sendable {
    case none
    /// A permitted subtree is a directoryName that contains an O.
    case permitsOrganisation
    /// There are name constraints, but no permitted subtree names an organisation.
    case other
    /// The extensions can't be read; no exemption rests on such a CA.
    case unreadable
  }

  /// SHA-256 of the whole certificate.
  public let certificateHash: SHA256Hash
  /// SHA-256 of the SubjectPublicKeyInfo as it stands; nil if there is none to be found.
  public let publicKeyHash: SHA256Hash?
  private let name: DistinguishedName?
  public let constraint: Constraint
  /// Object identifiers of the certificatePolicies extension, dotted.
  public let policies: [String]
  /// Seconds since 1970, UTC.
  public let notBefore: Int64?
  /// Whether issuer and subject are the same bytes, as in a root.
  public let isSelfIssued: Bool

  /// Reads a certificate, leniently: what can't be read is absent.
  public init(_ der: [UInt8]) {
    let bytes = der.span
    let facts = CertificateFacts(certificate: der)
    certificateHash = SHA256Hash.hash(der)
    publicKeyHash = facts.publicKeyHash
    name = facts.subject
    notBefore = facts.notBefore
    let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes)
    let list = fields.flatMap { $0.isComplete ? ExtensionFields.list(bytes, in: $0.extensions) : nil }
    constraint = list.map { ChainCertificate.constraint($0, in: bytes) } ?? .unreadable
    policies = list.map { ChainCertificate.policies($0, in: bytes) } ?? []
    isSelfIssued = fields.map { !$0.subject.isEmpty && bytes.equals($0.issuer, bytes.copy($0.subject)) } ?? false
  }

  /// The subject as text; empty if it is no Name.
  public var subject: String { name?.description ?? "" }
  /// The O attributes of the subject in their order, as they stand; nil if the subject is no Name.
  public var organisations: [OrganisationName]? { name.map(OrganisationName.list) }
  /// The same after the normalisation of RFC 5280, section 7.1; nil also if a value is not what its type says.
  public var normalisedOrganisations: [OrganisationName]? { name.flatMap(OrganisationName.normalisedList) }

  /// How to call it in a message.
  var label: String { subject.isEmpty ? "the certificate \(certificateHash.hex.prefix(16))" : "\"\(subject)\"" }

  /// 2.5.29.30 (RFC 5280, 4.2.1.10).
  private static let nameConstraints: [UInt8] = [0x55, 0x1d, 0x1e]
  /// 2.5.29.32 (RFC 5280, 4.2.1.4).
  private static let certificatePolicies: [UInt8] = [0x55, 0x1d, 0x20]

  private static func constraint(_ list: [ExtensionFields], in bytes: Span<UInt8>) -> Constraint {
    let found = list.filter { bytes.equals($0.identifier, nameConstraints) }
    guard let item = found.first else { return .none }
    guard found.count == 1,
      let outer = DERElement.read(
        bytes, at: item.value.lowerBound, limit: item.value.upperBound, tag: DERTag.sequence),
      outer.end == item.value.upperBound, let parts = DERElement.list(bytes, in: outer.content)
    else { return .unreadable }
    var result = Constraint.other
    for part in parts where part.tag == 0xa0 {
      guard let subtrees = DERElement.list(bytes, in: part.content) else { return .unreadable }
      for subtree in subtrees {
        guard subtree.tag == DERTag.sequence,
          let base = DERElement.read(bytes, at: subtree.contentStart, limit: subtree.end)
        else { return .unreadable }
        guard base.tag == 0xa4 else { continue }
        guard let name = DistinguishedName(base.content, in: bytes) else { return .unreadable }
        if !OrganisationName.list(name).isEmpty { result = .permitsOrganisation }
      }
    }
    return result
  }

  private static func policies(_ list: [ExtensionFields], in bytes: Span<UInt8>) -> [String] {
    guard let item = list.first(where: { bytes.equals($0.identifier, certificatePolicies) }),
      let outer = DERElement.read(
        bytes, at: item.value.lowerBound, limit: item.value.upperBound, tag: DERTag.sequence),
      let infos = DERElement.list(bytes, in: outer.content)
    else { return [] }
    return infos.compactMap { info in
      DERElement.read(bytes, at: info.contentStart, limit: info.end, tag: DERTag.objectIdentifier)
        .flatMap { OID.dotted(bytes.copy($0.content)) }
    }
  }
}

/// The chain that a verifier built and accepted, which need not be the one that the server sent.
public struct VerifiedChain: Hashable, Sendable {
  /// The leaf, then its issuers, the root last.
  public let certificates: [ChainCertificate]
  /// What the server sent besides, or other chains hold. It exempts nothing, but explains why something does not.
  public let others: [ChainCertificate]

  /// The longest chain, and the longest certificate, that is looked into.
  public static let maximumLength = 64
  public static let maximumByteCount = 1 << 20

  /// - Parameter certificates: DER, leaf first, root last.
  /// - Throws: ``CertificateTransparency/FormatError`` if there are none, too many, or one too long.
  public init(_ certificates: [[UInt8]], others: [[UInt8]] = []) throws(FormatError) {
    guard !certificates.isEmpty else { throw FormatError("chain", at: 0, "expected at least the leaf certificate") }
    guard certificates.count + others.count <= VerifiedChain.maximumLength else {
      throw FormatError("chain", at: VerifiedChain.maximumLength, "expected no more certificates than these")
    }
    for (index, certificate) in (certificates + others).enumerated()
    where certificate.count > VerifiedChain.maximumByteCount {
      throw FormatError("chain", at: index, "a certificate of \(certificate.count) bytes is too long to look into")
    }
    let read = certificates.map(ChainCertificate.init)
    self.certificates = read
    self.others = others.map { other in
      certificates.firstIndex(of: other).map { read[$0] } ?? ChainCertificate(other)
    }
  }

  public var leaf: ChainCertificate { certificates[0] }
  public var root: ChainCertificate { certificates[certificates.count - 1] }
  var authorities: ArraySlice<ChainCertificate> { certificates.dropFirst() }
}
