package import CertificateTransparency
package import Crypto
package import MerkleTree

/// A precertificate whose certificate waits for its SCTs.
package struct PendingIssuance: Sendable {
  /// DER, with the poison.
  package let precertificate: [UInt8]
  /// What logs sign for the precertificate.
  package let tbsWithoutPoison: [UInt8]
  /// What certifies the precertificate, nearest first, the root last.
  package let precertificateChain: [[UInt8]]
  package let issuer: CertificateIssuer
  /// Nil if the key was given, or is a filler.
  package let privateKey: P256.Signing.PrivateKey?
  let draft: CertificateDraft
  let signer: CertificateSigner
  let generator: SeededGenerator

  package var entry: TestEntry {
    TestEntry(
      body: .precertificate(issuerKeyHash: issuer.keyHash, tbsCertificate: tbsWithoutPoison),
      precertificate: precertificate, chain: precertificateChain)
  }

  /// Issues the certificate with an SCT list, by default one of two SCTs that no log issued.
  package func finish(sctList: [UInt8]? = nil) throws -> IssuedPair {
    var generator = generator
    let list = try sctList ?? PendingIssuance.placeholderList(&generator)
    let extensionDER = CertificateExtension.build(OID.sctList) { $0.octetString(list) }
    let tbs = draft.encoded(issuer: issuer, last: extensionDER)
    return IssuedPair(
      pending: self, certificate: try signer.certificate(tbs, key: issuer.key, &generator))
  }

  /// Issues the certificate with these SCTs.
  package func finish(_ scts: [SignedCertificateTimestamp]) throws -> IssuedPair {
    try finish(sctList: try SCTList(scts).encoded())
  }

  private static func placeholderList(_ generator: inout SeededGenerator) throws -> [UInt8] {
    var list: [UInt8] = []
    for _ in 0..<2 {
      // Version, log id, time, no extensions, and a signature of the usual length.
      let signature: [UInt8] = [0x04, 0x03, 0x00, 0x46] + generator.bytes(70)
      let sct = [0x00] + generator.bytes(32) + [0x00, 0x00] + generator.bytes(6) + [0x00, 0x00] + signature
      list += [UInt8(sct.count >> 8), UInt8(sct.count & 0xff)] + sct
    }
    return [UInt8(list.count >> 8), UInt8(list.count & 0xff)] + list
  }
}

/// A precertificate and the certificate that was issued from it.
package struct IssuedPair: Sendable {
  package let pending: PendingIssuance
  /// DER, with the SCT list.
  package let certificate: [UInt8]

  /// DER, with the poison.
  package var precertificate: [UInt8] { pending.precertificate }
  package var tbsWithoutPoison: [UInt8] { pending.tbsWithoutPoison }
  package var issuerKeyHash: SHA256Hash { pending.issuer.keyHash }
  /// What certifies the certificate, nearest first, the root last.
  package var chain: [[UInt8]] { pending.issuer.chain }
  package var issuanceID: IssuanceID { IssuanceID(issuerKeyHash: issuerKeyHash, tbsCertificate: tbsWithoutPoison) }

  package var precertificateEntry: TestEntry { pending.entry }
  package var certificateEntry: TestEntry {
    TestEntry(body: .x509(certificate: certificate), precertificate: nil, chain: chain)
  }

  /// A log entry whose leaf is of this pair, and whose precertificate is of the other.
  package func entry(disagreeingWith other: IssuedPair) -> TestEntry {
    var entry = precertificateEntry
    entry.precertificate = other.precertificate
    return entry
  }
}
