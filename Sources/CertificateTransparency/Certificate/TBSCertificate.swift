public import MerkleTree

/// The TBSCertificate that a log signs for, rebuilt from a certificate or precertificate (RFC 6962, 3.2).
///
/// The original DER is spliced, never re-encoded: odd encodings survive, and a precertificate and the certificate
/// issued from it yield the same bytes.
public enum TBSCertificate {
  /// The TBSCertificate of a final certificate without its SCT list.
  ///
  /// - Throws: ``FormatError`` if the fields can't be told or the extensions can't be read.
  public static func withoutSCTs(certificate: [UInt8]) throws(FormatError) -> [UInt8] {
    let bytes = certificate.span
    let fields = try fields(of: bytes)
    return try splice(fields, in: bytes, removing: OID.sctList, replacingIssuer: nil)
  }

  /// The TBSCertificate of a precertificate without its poison.
  ///
  /// - Parameter signingCertificate: the precertificate signing certificate, where one signed the precertificate: its
  ///   issuer and authority key identifier take the place of the precertificate's.
  /// - Throws: ``FormatError`` if the fields can't be told, the extensions can't be read, or there is not exactly one
  ///   poison.
  public static func withoutPoison(
    precertificate: [UInt8], signingCertificate: [UInt8]? = nil
  ) throws(FormatError) -> [UInt8] {
    let bytes = precertificate.span
    let fields = try fields(of: bytes)
    var replacement: Issuer?
    if let signingCertificate { replacement = try Issuer(signingCertificate) }
    let extensions = try extensions(fields, in: bytes)
    let poison = extensions.filter { bytes.equals($0.identifier, OID.poison) }
    guard poison.count == 1, let only = poison.first else {
      throw FormatError(
        "precertificate", at: fields.extensions.lowerBound,
        "expected exactly one poison extension, found \(poison.count)")
    }
    guard only.isCritical, bytes.equals(only.value, [DERTag.null, 0]) else {
      throw FormatError("precertificate", at: only.element.lowerBound, "the poison must be critical and hold NULL")
    }
    return try splice(fields, in: bytes, removing: OID.poison, replacingIssuer: replacement)
  }

  /// Whether a certificate has the extended key usage of a precertificate signing certificate.
  public static func isPrecertificateSigningCertificate(_ certificate: [UInt8]) -> Bool {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes),
      let list = ExtensionFields.list(bytes, in: fields.extensions)
    else { return false }
    return list.contains { item in
      guard bytes.equals(item.identifier, OID.extendedKeyUsage),
        let usages = DERElement.read(
          bytes, at: item.value.lowerBound, limit: item.value.upperBound, tag: DERTag.sequence),
        let oids = DERElement.list(bytes, in: usages.content)
      else { return false }
      return oids.contains { bytes.equals($0.content, OID.precertificateSigning) }
    }
  }

  /// Whether a certificate carries the poison extension.
  public static func isPrecertificate(_ certificate: [UInt8]) -> Bool {
    let bytes = certificate.span
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes),
      let list = ExtensionFields.list(bytes, in: fields.extensions)
    else { return false }
    return list.contains { bytes.equals($0.identifier, OID.poison) }
  }

  /// What a precertificate signing certificate contributes: the DER of its issuer, and the value of its authority key identifier.
  private struct Issuer {
    let name: [UInt8]
    let authorityKeyIdentifier: [UInt8]?

    init(_ certificate: [UInt8]) throws(FormatError) {
      let bytes = certificate.span
      let fields = try TBSCertificate.fields(of: bytes)
      name = bytes.copy(fields.issuer)
      let own = try TBSCertificate.extensions(fields, in: bytes)
        .first { bytes.equals($0.identifier, OID.authorityKeyIdentifier) }
      authorityKeyIdentifier = own.map { bytes.copy($0.value) }
    }
  }

  private static func fields(of bytes: Span<UInt8>) throws(FormatError) -> CertificateFields {
    guard let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes) else {
      throw FormatError("certificate", at: 0, "expected a SEQUENCE that holds a TBSCertificate")
    }
    guard fields.isComplete else {
      throw FormatError("certificate", at: fields.tbs.lowerBound, "the TBSCertificate is not well formed")
    }
    return fields
  }

  private static func extensions(
    _ fields: CertificateFields, in bytes: Span<UInt8>
  ) throws(FormatError) -> [ExtensionFields] {
    guard let list = ExtensionFields.list(bytes, in: fields.extensions) else {
      throw FormatError("certificate", at: fields.extensions.lowerBound, "the extensions can't be read")
    }
    return list
  }

  private static func splice(
    _ fields: CertificateFields, in bytes: Span<UInt8>, removing oid: [UInt8], replacingIssuer issuer: Issuer?
  ) throws(FormatError) -> [UInt8] {
    let list = try extensions(fields, in: bytes)
    var kept: [UInt8] = []
    var changed = issuer != nil
    var hasKeyIdentifier = false
    for item in list {
      if bytes.equals(item.identifier, oid) {
        changed = true
      } else if let issuer, bytes.equals(item.identifier, OID.authorityKeyIdentifier) {
        hasKeyIdentifier = true
        guard let value = issuer.authorityKeyIdentifier else { continue }
        kept += keyIdentifierExtension(value, isCritical: item.isCritical)
      } else {
        kept += bytes.copy(item.element)
      }
    }
    guard changed else { return bytes.copy(fields.tbs) }
    if let value = issuer?.authorityKeyIdentifier, !hasKeyIdentifier {
      kept += keyIdentifierExtension(value, isCritical: false)
    }
    guard let outer = DERElement.read(bytes, at: fields.tbs.lowerBound, limit: fields.tbs.upperBound) else {
      throw FormatError("certificate", at: fields.tbs.lowerBound, "the TBSCertificate is not well formed")
    }
    var content = bytes.copy(outer.contentStart..<fields.issuer.lowerBound)
    content += issuer?.name ?? bytes.copy(fields.issuer)
    let wrapper = fields.extensionsWrapper
    content += bytes.copy(fields.issuer.upperBound..<(wrapper.isEmpty ? outer.end : wrapper.lowerBound))
    if !kept.isEmpty {
      content += DEREncoder.element(tag: 0xa3, DEREncoder.element(tag: DERTag.sequence, kept))
    }
    if !wrapper.isEmpty { content += bytes.copy(wrapper.upperBound..<outer.end) }
    return DEREncoder.element(tag: DERTag.sequence, content)
  }

  private static func keyIdentifierExtension(_ value: [UInt8], isCritical: Bool) -> [UInt8] {
    let identifier = DEREncoder.element(tag: DERTag.objectIdentifier, OID.authorityKeyIdentifier)
    let critical: [UInt8] = isCritical ? [DERTag.boolean, 1, 0xff] : []
    return DEREncoder.element(
      tag: DERTag.sequence, identifier + critical + DEREncoder.element(tag: DERTag.octetString, value))
  }
}

/// One act of issuing: a precertificate, its certificate, and every log entry of either, are one issuance.
///
/// Its identity is SHA-256 over the issuer's key hash and the TBSCertificate without poison and SCT list, so that nothing
/// an issuer could repeat (serial number, subject key identifier, issuer name) stands in for it.
public struct IssuanceID: Hashable, Sendable, CustomStringConvertible {
  public let hash: SHA256Hash

  public init(_ hash: SHA256Hash) { self.hash = hash }

  /// - Parameters:
  ///   - issuerKeyHash: SHA-256 of the issuer's SubjectPublicKeyInfo; all zero where the issuer is not known.
  ///   - tbsCertificate: as the log signs for it, without poison and SCT list.
  public init(issuerKeyHash: SHA256Hash, tbsCertificate: [UInt8]) {
    hash = SHA256Hash.hash(issuerKeyHash.bytes + tbsCertificate)
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { hash.hex }
}
