package import CertificateTransparency
import Crypto
import MerkleTree
import Synchronization

/// A certification authority to throw away: a root, intermediates, and certificates of the usual look.
///
/// Keys and serial numbers come from the seed. Real signatures do not, since ECDSA draws its own nonces.
package final class TestAuthority: Sendable {
  package enum SignatureMode: Sendable {
    case real
    /// Random bytes in the form of a signature (and of a fresh key): for corpora, where only speed and shape count.
    case filler
  }

  package let seed: UInt64
  package let organisation: String
  package let root: CertificateIssuer
  private let signer: CertificateSigner
  private let now: @Sendable () -> Timestamp
  private let authorityValidity: [UInt8]
  private let state = Mutex((issued: UInt64(0), issuers: [String: CertificateIssuer]()))

  /// - Parameter now: what the dates of certificates count from; the start of a ``HeldClock`` by default.
  package init(
    seed: UInt64 = 1, organisation: String = "Oriel Test Trust Services", signatureMode: SignatureMode = .real,
    now: @escaping @Sendable () -> Timestamp = { HeldClock().start }
  ) throws {
    self.seed = seed
    self.organisation = organisation
    self.now = now
    signer = CertificateSigner(mode: signatureMode)
    let year: UInt64 = 365 * 86_400_000
    authorityValidity = TestAuthority.validity(
      Timestamp(milliseconds: now().milliseconds - year), Timestamp(milliseconds: now().milliseconds + 10 * year))
    root = try CertificateIssuer(
      "\(organisation) Root R1", organisation: organisation, key: P256.Signing.PrivateKey(seed: seed, label: "root"),
      parent: nil, validity: authorityValidity, signer: signer)
  }

  private static func validity(_ notBefore: Timestamp, _ notAfter: Timestamp) -> [UInt8] {
    DERWriter.build { der in
      der.sequence {
        $0.time(notBefore)
        $0.time(notAfter)
      }
    }
  }

  /// The intermediate that issues in the name of an organisation, by default the authority's own.
  package func intermediate(_ organisation: String? = nil) throws -> CertificateIssuer {
    try issuer("Issuing CA E1", organisation ?? self.organisation, parent: root)
  }

  /// The precertificate signing certificate of an intermediate.
  package func signingCertificate(_ organisation: String? = nil) throws -> CertificateIssuer {
    try issuer(
      "Precertificate Signing P1", organisation ?? self.organisation, parent: try intermediate(organisation),
      usage: CertificateExtension.authorityUsage + CertificateExtension.precertificateSigning)
  }

  private func issuer(
    _ title: String, _ organisation: String, parent: CertificateIssuer,
    usage: [UInt8] = CertificateExtension.authorityUsage
  ) throws -> CertificateIssuer {
    let commonName = "\(organisation) \(title)"
    if let known = state.withLock({ $0.issuers[commonName] }) { return known }
    let made = try CertificateIssuer(
      commonName, organisation: organisation, key: P256.Signing.PrivateKey(seed: seed, label: commonName),
      parent: parent, usage: usage, validity: authorityValidity, signer: signer)
    return state.withLock { state in
      let issuer = state.issuers[commonName] ?? made
      state.issuers[commonName] = issuer
      return issuer
    }
  }

  /// Issues the precertificate; ``PendingIssuance/finish(sctList:)`` then issues the certificate.
  package func begin(_ request: CertificateRequest) throws -> PendingIssuance {
    let number = state.withLock { state in
      state.issued += 1
      return state.issued
    }
    var generator = SeededGenerator(seed: seed &* 0x2545_f491_4f6c_dd1d ^ number)
    let issuer = try intermediate(request.issuerOrganisation)
    let precertificateIssuer =
      request.usesSigningCertificate ? try signingCertificate(request.issuerOrganisation) : issuer
    let serial = request.serial ?? [UInt8(truncatingIfNeeded: number) & 0x3f | 0x40] + generator.bytes(15)
    let (subjectPublicKeyInfo, key) = subjectKey(request, number, &generator)
    let time = now().milliseconds
    let validity = TestAuthority.validity(
      request.notBefore ?? Timestamp(milliseconds: time - 3_600_000),
      request.notAfter ?? Timestamp(milliseconds: time + 90 * 86_400_000))
    let draft = CertificateDraft(
      request: request,
      body: CertificateBody(
        serial: serial, issuer: issuer.name, validity: validity, subject: request.subjectDER,
        subjectPublicKeyInfo: subjectPublicKeyInfo))
    let precertificate = try signer.certificate(
      draft.encoded(issuer: precertificateIssuer, last: CertificateExtension.poison), key: precertificateIssuer.key,
      &generator)
    return PendingIssuance(
      precertificate: precertificate, tbsWithoutPoison: draft.encoded(issuer: issuer, last: []),
      precertificateChain: precertificateIssuer.chain, issuer: issuer, privateKey: key, draft: draft, signer: signer,
      generator: generator)
  }

  private func subjectKey(
    _ request: CertificateRequest, _ number: UInt64, _ generator: inout SeededGenerator
  ) -> ([UInt8], P256.Signing.PrivateKey?) {
    if let given = request.subjectPublicKeyInfo { return (given, nil) }
    if signer.mode == .filler { return (root.subjectPublicKeyInfo.prefix(27) + generator.bytes(64), nil) }
    let key = P256.Signing.PrivateKey(seed: seed, label: "subject \(number)")
    return ([UInt8](key.publicKey.derRepresentation), key)
  }

  /// Issues a precertificate and its certificate.
  ///
  /// - Parameter sctList: the TLS encoding of an `SCTList`; by default one of two SCTs that no log issued.
  package func issue(_ request: CertificateRequest, sctList: [UInt8]? = nil) throws -> IssuedPair {
    try begin(request).finish(sctList: sctList)
  }
}

/// What a precertificate and its certificate have in common.
struct CertificateDraft: Sendable {
  let request: CertificateRequest
  let body: CertificateBody

  /// The TBSCertificate that `issuer` signs, with an extension to end it.
  func encoded(issuer: CertificateIssuer, last: [UInt8]) -> [UInt8] {
    var body = body
    body.issuer = issuer.name
    return body.encoded { extensions in
      extensions.raw(CertificateExtension.leafUsage)
      extensions.raw(
        CertificateExtension.subjectKeyIdentifier(Array(SHA256Hash.hash(body.subjectPublicKeyInfo).bytes.prefix(20))))
      extensions.raw(issuer.authorityKeyIdentifier)
      extensions.certificateExtension(OID.subjectAltName) { request.writeAlternativeNames(to: &$0) }
      extensions.raw(issuer.locations)
      for extra in request.extraExtensions { extensions.raw(extra) }
      extensions.raw(last)
    }
  }
}
