package import Crypto
package import MerkleTree

/// A CA certificate with its key.
package struct CertificateIssuer: Sendable {
  package let key: P256.Signing.PrivateKey
  /// DER of the subject.
  package let name: [UInt8]
  package let subjectPublicKeyInfo: [UInt8]
  /// SHA-256 of the SubjectPublicKeyInfo.
  package let keyHash: SHA256Hash
  /// The certificate, then those that certify it, the root last.
  package let chain: [[UInt8]]
  let authorityKeyIdentifier: [UInt8]
  /// The extensions that all certificates of this issuer share.
  let locations: [UInt8]

  /// Makes a CA, self-signed if `parent` is nil.
  init(
    _ commonName: String, organisation: String, key: P256.Signing.PrivateKey, parent: CertificateIssuer?,
    usage: [UInt8] = CertificateExtension.authorityUsage, validity: [UInt8], signer: CertificateSigner
  ) throws {
    self.key = key
    name = DERWriter.name(country: "CH", organisation: organisation, commonNames: [commonName])
    subjectPublicKeyInfo = [UInt8](key.publicKey.derRepresentation)
    keyHash = SHA256Hash.hash(subjectPublicKeyInfo)
    let keyIdentifier = Array(keyHash.bytes.prefix(20))
    authorityKeyIdentifier = CertificateExtension.authorityKeyIdentifier(keyIdentifier)
    let host = organisation.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) } + ".example"
    locations = CertificateExtension.issuerLocations(host) + CertificateExtension.policies(host)
    let body = CertificateBody(
      serial: DERWriter.unsigned(SHA256Hash.hash(subjectPublicKeyInfo + name).bytes.prefix(16)),
      issuer: parent?.name ?? name,
      validity: validity, subject: name, subjectPublicKeyInfo: subjectPublicKeyInfo)
    let tbs = body.encoded {
      $0.raw(usage)
      $0.raw(CertificateExtension.subjectKeyIdentifier(keyIdentifier))
      if let parent { $0.raw(parent.authorityKeyIdentifier) }
    }
    var generator = SeededGenerator(seed: 0)
    chain = [try signer.certificate(tbs, key: parent?.key ?? key, &generator)] + (parent?.chain ?? [])
  }
}

/// The fields of a TBSCertificate before its extensions; all but the serial number are DER.
struct CertificateBody: Sendable {
  /// The content octets of the INTEGER.
  var serial: [UInt8]
  var issuer: [UInt8]
  var validity: [UInt8]
  var subject: [UInt8]
  var subjectPublicKeyInfo: [UInt8]

  /// DER of the TBSCertificate.
  func encoded(extensions: (inout DERWriter) -> Void) -> [UInt8] {
    var writer = DERWriter()
    writer.reserve(2048)
    writer.sequence { tbs in
      tbs.context(0) { $0.integer(2) }
      tbs.element(0x02, serial)
      tbs.raw(CertificateSigner.algorithm)
      tbs.raw(issuer)
      tbs.raw(validity)
      tbs.raw(subject)
      tbs.raw(subjectPublicKeyInfo)
      tbs.context(3) { $0.sequence(extensions) }
    }
    return writer.bytes
  }
}

/// Makes certificates of TBSCertificates.
struct CertificateSigner: Sendable {
  let mode: TestAuthority.SignatureMode

  /// ecdsa-with-SHA256.
  static let algorithm = DERWriter.build { der in der.sequence { $0.identifier("1.2.840.10045.4.3.2") } }

  func certificate(
    _ tbs: [UInt8], key: P256.Signing.PrivateKey, _ generator: inout SeededGenerator
  ) throws -> [UInt8] {
    let signature =
      mode == .real ? [UInt8](try key.signature(for: tbs).derRepresentation) : CertificateSigner.filler(&generator)
    var writer = DERWriter()
    writer.reserve(tbs.count + 128)
    writer.sequence {
      $0.raw(tbs)
      $0.raw(CertificateSigner.algorithm)
      $0.bitString(signature)
    }
    return writer.bytes
  }

  private static func filler(_ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = [0x30, 0x44, 0x02, 0x20] + generator.bytes(32) + [0x02, 0x20] + generator.bytes(32)
    for start in [4, 38] { bytes[start] = bytes[start] & 0x7f | 0x40 }
    return bytes
  }
}
