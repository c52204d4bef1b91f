import CertificateTransparency
import MerkleTree

/// What logs may have signed for a certificate: the entries that SCTs are verified over, each made when first needed.
struct SignedEntries {
  /// The issuer's SubjectPublicKeyInfo as it stands; nil if there is no issuer.
  let issuerKey: [UInt8]?
  private let certificate: PresentedCertificate
  private let issuerName: [UInt8]?
  private var rebuilt: LogEntryBody??

  init(_ certificate: PresentedCertificate, _ reading: LeafReading?) {
    self.certificate = certificate
    let leaf = certificate.leaf.span
    issuerName = reading.map { leaf.copy($0.fields.issuer) }
    issuerKey = certificate.issuers.first.flatMap { issuer in
      let bytes = issuer.span
      return LeafReading.publicKeyInfo(of: bytes).map { bytes.copy($0) }
    }
  }

  /// What an SCT of this source is about; nil if that can't be rebuilt.
  mutating func entry(for source: SCTSource) -> LogEntryBody? {
    guard certificate.leaf.count <= PresentedCertificate.maximumByteCount else { return nil }
    return source == .x509 ? precertificate() : .x509(certificate: certificate.leaf)
  }

  private mutating func precertificate() -> LogEntryBody? {
    if let rebuilt { return rebuilt }
    let entry = issuerKey.flatMap { SignedEntries.precertificate(of: certificate.leaf, SHA256Hash.hash($0)) }
    rebuilt = .some(entry)
    return entry
  }

  private static func precertificate(of certificate: [UInt8], _ issuerKeyHash: SHA256Hash) -> LogEntryBody? {
    guard certificate.count <= PresentedCertificate.maximumByteCount,
      let tbs = try? TBSCertificate.withoutSCTs(certificate: certificate)
    else { return nil }
    return .precertificate(issuerKeyHash: issuerKeyHash, tbsCertificate: tbs)
  }

  /// Why a signature of this key over this SCT's entry is wrong.
  mutating func explain(
    _ sct: SignedCertificateTimestamp, of key: LogKey, _ source: SCTSource
  ) -> BadSignatureReason {
    let named = sct.signature.algorithm
    guard certificate.leaf.count <= PresentedCertificate.maximumByteCount else { return .unreadableCertificate }
    if named != key.algorithm { return .algorithm(named: named, expected: key.algorithm) }
    if named != .rsaSHA256, !SignedEntries.isECDSA(sct.signature.signature) { return .notASignature }
    for (position, related) in certificate.related.prefix(8).enumerated()
    where related != certificate.leaf && related.count <= PresentedCertificate.maximumByteCount {
      if key.verify(sct, for: .x509(certificate: related)) { return .otherCertificate(position: position) }
      let entry = issuerKey.flatMap { SignedEntries.precertificate(of: related, SHA256Hash.hash($0)) }
      if let entry, key.verify(sct, for: entry) { return .otherCertificate(position: position) }
    }
    return source == .x509 ? explainEmbedded(sct, of: key) : explainDelivered(sct, of: key)
  }

  private mutating func explainDelivered(_ sct: SignedCertificateTimestamp, of key: LogKey) -> BadSignatureReason {
    if let entry = precertificate(), key.verify(sct, for: entry) { return .wrongEntryType }
    return otherIssuer(sct, of: key) == nil ? .otherCertificate(position: nil) : .wrongEntryType
  }

  private mutating func explainEmbedded(_ sct: SignedCertificateTimestamp, of key: LogKey) -> BadSignatureReason {
    guard let tbs = try? TBSCertificate.withoutSCTs(certificate: certificate.leaf) else {
      return .unreadableCertificate
    }
    if let position = otherIssuer(sct, of: key) { return .wrongIssuer(position: position) }
    // A certificate can't hold its own signature; a log may have been asked to sign its signed part as a certificate.
    if key.verify(sct, for: .x509(certificate: tbs)) { return .wrongEntryType }
    return lastResort(.x509)
  }

  /// What to say where nothing was tried, or nothing fits.
  func lastResort(_ source: SCTSource) -> BadSignatureReason {
    guard source == .x509 else { return .otherCertificate(position: nil) }
    guard let issuerName, !issuerName.isEmpty else { return .unreadableCertificate }
    let isPresent = certificate.issuers.prefix(SignedEntries.chainLimit).contains { issuer in
      let bytes = issuer.span
      guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else { return false }
      return bytes.equals(fields.subject, issuerName)
    }
    return isPresent ? .differsFromPrecertificate : .missingIssuer
  }

  private static let chainLimit = 10

  /// The position of another certificate of the chain with whose key an embedded SCT is right.
  private func otherIssuer(_ sct: SignedCertificateTimestamp, of key: LogKey) -> Int? {
    for (position, issuer) in certificate.issuers.prefix(SignedEntries.chainLimit).enumerated() {
      let bytes = issuer.span
      guard let range = LeafReading.publicKeyInfo(of: bytes), position > 0 else { continue }
      let hash = SHA256Hash.hash(bytes.extracting(range))
      if let entry = SignedEntries.precertificate(of: certificate.leaf, hash), key.verify(sct, for: entry) {
        return position
      }
    }
    return nil
  }

  /// Whether the bytes are a SEQUENCE of two INTEGERs.
  private static func isECDSA(_ signature: [UInt8]) -> Bool {
    let bytes = signature.span
    guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence),
      outer.end == bytes.count, let parts = DERElement.list(bytes, in: outer.content, maximum: 2)
    else { return false }
    return parts.count == 2 && parts.allSatisfy { $0.tag == DERTag.integer }
  }
}
