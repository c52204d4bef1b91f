import CertificateTransparency
import MerkleTree

/// A certificate as building a path needs it.
struct ParsedCertificate: Sendable {
  let der: [UInt8]
  let fields: CertificateFields
  /// DER of the names, as they stand: names are compared byte for byte.
  let subject: [UInt8]
  let issuer: [UInt8]
  /// SHA-256 of the SubjectPublicKeyInfo.
  let keyHash: SHA256Hash
  /// Nil if the certificate is signed in a way that is not known here.
  let algorithm: CertificateSignature?
  let signature: [UInt8]

  /// - Throws: a `FormatError` unless the bytes are one certificate whose fields can be told.
  init(_ der: [UInt8]) throws(FormatError) {
    let bytes = der.span
    guard let outer = DERElement.read(bytes, at: 0, limit: bytes.count, tag: DERTag.sequence), outer.end == bytes.count,
      let fields = CertificateFields(certificate: 0..<bytes.count, in: bytes)
    else { throw FormatError("certificate", at: 0, "not one SEQUENCE that holds a TBSCertificate") }
    guard fields.isComplete else {
      throw FormatError("certificate", at: fields.tbs.lowerBound, "the TBSCertificate is not well formed")
    }
    guard let algorithm = DERElement.read(bytes, at: fields.tbs.upperBound, limit: outer.end, tag: DERTag.sequence),
      let value = DERElement.read(bytes, at: algorithm.end, limit: outer.end, tag: DERTag.bitString),
      value.end == outer.end, let unused = value.content.first.map({ bytes[$0] }), unused == 0
    else { throw FormatError("certificate", at: fields.tbs.upperBound, "no signature follows the TBSCertificate") }
    self.der = der
    self.fields = fields
    subject = bytes.copy(fields.subject)
    issuer = bytes.copy(fields.issuer)
    keyHash = SHA256Hash.hash(bytes.extracting(fields.publicKeyInfo))
    // The algorithm stands inside what is signed too, and has to be the same (RFC 5280, 4.1.1.2). Mangled certificates
    // in which it is not are sent along by some servers: of no use, but no reason to refuse the chain.
    let signed = DERElement.read(bytes, at: fields.serialNumber.upperBound, limit: fields.tbs.upperBound)
    let agrees = signed.map { bytes.equals($0.range, bytes.copy(algorithm.range)) } ?? false
    self.algorithm = agrees ? CertificateSignature(algorithm, in: bytes) : nil
    signature = bytes.copy(value.content.dropFirst())
  }

  var publicKeyInfo: [UInt8] { der.span.copy(fields.publicKeyInfo) }

  /// Whether the key made this certificate's signature.
  func isSigned(by key: CertificateKey) -> Bool {
    guard let algorithm else { return false }
    return key.verify(signature, over: der.span.extracting(fields.tbs), as: algorithm)
  }

  /// The extensions with an identifier; nil if the extensions can't be read.
  func extensions(_ identifier: [UInt8]) -> [ExtensionFields]? {
    let bytes = der.span
    return ExtensionFields.list(bytes, in: fields.extensions)?.filter { bytes.equals($0.identifier, identifier) }
  }

  /// Whether it says of itself that it may issue certificates: basicConstraints with cA true.
  var isAuthority: Bool {
    let bytes = der.span
    guard let found = extensions(OID.basicConstraints), found.count == 1, let value = found.first?.value,
      let constraints = DERElement.read(bytes, at: value.lowerBound, limit: value.upperBound, tag: DERTag.sequence),
      let isCA = DERElement.read(bytes, at: constraints.contentStart, limit: constraints.end, tag: DERTag.boolean)
    else { return false }
    return isCA.content.count == 1 && bytes[isCA.contentStart] != 0
  }

  /// Whether its extended key usage leaves it to TLS servers: serverAuth, any usage, or none said.
  var isForServers: Bool {
    let bytes = der.span
    guard let found = extensions(OID.extendedKeyUsage) else { return false }
    guard let value = found.first?.value else { return true }
    guard let usages = DERElement.read(bytes, at: value.lowerBound, limit: value.upperBound, tag: DERTag.sequence),
      let list = DERElement.list(bytes, in: usages.content)
    else { return false }
    let serverAuth: [UInt8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]
    let any: [UInt8] = [0x55, 0x1d, 0x25, 0x00]
    return list.contains { bytes.equals($0.content, serverAuth) || bytes.equals($0.content, any) }
  }

  /// Seconds since 1970; nil where they can't be read.
  var validity: (notBefore: Int64?, notAfter: Int64?) {
    let bytes = der.span
    let range = fields.validity
    guard let first = DERElement.read(bytes, at: range.lowerBound, limit: range.upperBound) else { return (nil, nil) }
    let second = DERElement.read(bytes, at: first.end, limit: range.upperBound)
    return (CertificateTime.seconds(first, in: bytes), second.flatMap { CertificateTime.seconds($0, in: bytes) })
  }

  /// A name for people.
  static func text(ofName der: [UInt8]) -> String {
    guard let name = DistinguishedName(0..<der.count, in: der.span)?.description else { return "an unreadable name" }
    return name.isEmpty ? "(empty name)" : name
  }
}

/// The certificate of an authority, with all that is worth remembering of it.
final class Authority: Sendable {
  let certificate: ParsedCertificate
  let fingerprint: SHA256Hash
  /// Nil if it is of no kind known here.
  let key: CertificateKey?
  let isAuthority: Bool
  let signsPrecertificates: Bool

  init(_ der: [UInt8], fingerprint: SHA256Hash) throws(FormatError) {
    certificate = try ParsedCertificate(der)
    self.fingerprint = fingerprint
    key = CertificateKey(certificate.publicKeyInfo)
    isAuthority = certificate.isAuthority
    signsPrecertificates = TBSCertificate.isPrecertificateSigningCertificate(der)
  }

  convenience init(_ der: [UInt8]) throws(FormatError) { try self.init(der, fingerprint: SHA256Hash.hash(der)) }

  var chained: ChainCertificate { ChainCertificate(fingerprint: fingerprint, der: certificate.der) }
}
