package import CertificateTransparency
package import MerkleTree

/// The certificates and requests of one upload, or of the files of one folder, with issuers put to certificates.
package struct FoundCredentials: Hashable, Sendable {
  /// A certificate of the owner's; the key hash of its issuer is nil where that is not among the files.
  package struct Certificate: Hashable, Sendable {
    package let certificate: FoundCertificate
    package let issuerKeyHash: SHA256Hash?
    package let source: String

    package var issuanceID: IssuanceID? { issuerKeyHash.map { certificate.issuanceID(issuerKeyHash: $0) } }

    /// As the history keeps it, once the owner has confirmed it.
    ///
    /// - Parameters:
    ///   - isHit: whether a name hits the watched item.
    ///   - owner: by ``issuerKeyHash``, from CCADB.
    package func accepted(where isHit: (String) -> Bool, owner: String?) -> AcceptedIssuance {
      AcceptedIssuance(
        names: certificate.names.filter(isHit), issuerKeyHash: issuerKeyHash, owner: owner,
        publicKey: certificate.publicKey, notBefore: certificate.notBefore, notAfter: certificate.notAfter, isTold: true
      )
    }
  }

  package private(set) var certificates: [Certificate] = []
  /// What goes into the inventory.
  package private(set) var entries: [InventoryEntry] = []
  package private(set) var problems: [String] = []

  /// The largest upload that is read.
  package static let maximumUpload = 4 << 20

  /// Reads an upload: PEM of any number of certificates, chains and requests, or the DER of one certificate.
  package init(upload bytes: [UInt8], source: String = "upload") {
    let isTooLarge = bytes.count > FoundCredentials.maximumUpload
    let file = CertificateFile(isTooLarge ? [] : bytes)
    self.init([(file, source)])
    if isTooLarge {
      problems = ["more than \(FoundCredentials.maximumUpload >> 20) MiB"]
    } else if entries.isEmpty && file.problems.isEmpty {
      problems = ["no certificate and no certificate request"]
    } else {
      problems = file.problems
    }
  }

  /// Without what is for none of some names; what has no names stays.
  package func filter(where isHit: (String) -> Bool) -> FoundCredentials {
    var kept = self
    kept.certificates = certificates.filter { $0.certificate.names.contains(where: isHit) }
    kept.entries = entries.filter { $0.names.isEmpty || $0.names.contains(where: isHit) }
    return kept
  }

  /// Certificates of the same folder, or of one upload, may be each other's issuers.
  package init(_ files: [(file: CertificateFile, source: String)]) {
    var authorities: [[UInt8]: [FoundCertificate]] = [:]
    for certificate in files.flatMap(\.file.certificates) where certificate.isAuthority {
      authorities[certificate.subject, default: []].append(certificate)
    }
    for (file, source) in files {
      for certificate in file.certificates where !certificate.isAuthority {
        let key = certificate.issuerKeyHash(among: authorities[certificate.issuer] ?? [])
        certificates.append(Certificate(certificate: certificate, issuerKeyHash: key, source: source))
        entries += certificate.entries(issuerKeyHash: key, source: source)
      }
      entries += file.requests.flatMap { $0.entries(source: source) }
    }
  }
}
