public import MerkleTree

/// What kind of thing was logged: `LogEntryType` of RFC 6962, section 3.1.
public enum LogEntryKind: UInt16, Sendable, CaseIterable {
  case x509 = 0
  case precertificate = 1
}

/// What an entry and an SCT are about: `signed_entry` with its type (RFC 6962, section 3.2).
public enum LogEntryBody: Hashable, Sendable {
  /// A certificate, DER.
  case x509(certificate: [UInt8])
  /// A precertificate: SHA-256 of its issuer's SubjectPublicKeyInfo, and its TBSCertificate without the poison.
  case precertificate(issuerKeyHash: SHA256Hash, tbsCertificate: [UInt8])

  public var kind: LogEntryKind {
    switch self {
    case .x509: .x509
    case .precertificate: .precertificate
    }
  }

  init(_ ranges: EntryRanges, in bytes: Span<UInt8>) {
    let content = bytes.copy(ranges.certificate)
    if let issuerKeyHash = ranges.issuerKeyHash {
      let hash = SHA256Hash(copying: bytes, at: issuerKeyHash.lowerBound)
      self = .precertificate(issuerKeyHash: hash, tbsCertificate: content)
    } else {
      self = .x509(certificate: content)
    }
  }

  package func write(to writer: inout ByteWriter) throws(FormatError) {
    writer.uint16(kind.rawValue)
    switch self {
    case .x509(let certificate):
      guard !certificate.isEmpty else { throw writer.error("the certificate is empty") }
      try writer.vector24(certificate, "certificate")
    case .precertificate(let issuerKeyHash, let tbsCertificate):
      guard !tbsCertificate.isEmpty else { throw writer.error("the TBSCertificate is empty") }
      writer.raw(issuerKeyHash.bytes)
      try writer.vector24(tbsCertificate, "TBSCertificate")
    }
  }
}
