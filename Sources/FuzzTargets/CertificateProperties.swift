import CertificateTransparency
import MerkleTree
import OrielWatchlist

/// What holds of every certificate.
enum CertificateProperties {
  static func check(certificate: [UInt8]) throws(FuzzTarget.Failure) {
    let facts = CertificateFacts(certificate: certificate)
    try check(facts, certificate, CertificateFields(certificate: 0..<certificate.count, in: certificate.span))
    _ = TBSCertificate.isPrecertificate(certificate)
    let isSigner = TBSCertificate.isPrecertificateSigningCertificate(certificate)
    if let tbs = try? TBSCertificate.withoutSCTs(certificate: certificate) {
      try checkNames(of: facts, equalThoseOf: CertificateFacts(tbsCertificate: tbs))
    }
    if let tbs = try? TBSCertificate.withoutPoison(precertificate: certificate, signingCertificate: nil) {
      try checkNames(of: facts, equalThoseOf: CertificateFacts(tbsCertificate: tbs))
    }
    if isSigner {
      _ = try? TBSCertificate.withoutPoison(precertificate: certificate, signingCertificate: certificate)
    }
  }

  static func check(tbsCertificate: [UInt8]) throws(FuzzTarget.Failure) {
    let fields = CertificateFields(tbsCertificate: 0..<tbsCertificate.count, in: tbsCertificate.span)
    try check(CertificateFacts(tbsCertificate: tbsCertificate), tbsCertificate, fields)
  }

  /// Taking an extension that holds no names away changes no name.
  private static func checkNames(
    of facts: CertificateFacts, equalThoseOf rebuilt: CertificateFacts
  ) throws(FuzzTarget.Failure) {
    guard facts.namesAreComplete else { return }
    try FuzzTarget.require(rebuilt.names == facts.names, "the reconstructed TBSCertificate has other names")
  }

  private static func check(
    _ facts: CertificateFacts, _ bytes: [UInt8], _ fields: CertificateFields?
  ) throws(FuzzTarget.Failure) {
    _ = (facts.issuer?.description, facts.subject?.organisation, facts.commonNames, facts.keyType?.description)
    for source in FoundName.Source.allCases { _ = facts.text(of: source) }
    let index = NameProperties.index
    _ = index.matches(inUnreadable: bytes.span)
    let matches = index.matches(for: facts.names, publicKey: facts.publicKeyHash, issuer: nil).all
    guard !matches.isEmpty, facts.namesAreComplete, let fields else { return }
    var ranges: [NameRange] = []
    try FuzzTarget.require(NameWalk.find(fields, in: bytes.span, into: &ranges), "two walks disagree")
    var mightMatch = false
    for name in ranges {
      mightMatch =
        mightMatch
        || index.mightMatch(bytes.span.extracting(name.range), source: name.source, stringTag: name.stringTag)
    }
    try FuzzTarget.require(mightMatch, "the hot path passes over \(matches)")
  }
}
