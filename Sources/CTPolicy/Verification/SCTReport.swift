public import CertificateTransparency

/// What is to be known of the SCTs that came with a certificate, before any policy judges them.
public struct SCTReport: Sendable {
  /// Embedded ones first, then those of OCSP, then those of TLS; each list in its order.
  public let scts: [ReportedSCT]
  /// Lists that could not be read, or not to their end.
  public let listProblems: [SCTListProblem]
  /// Nil if the certificate's dates can't be read.
  public let validity: CertificateValidity?
  /// How many certificates were presented above the leaf.
  public let issuerCount: Int
  /// What the SCTs were verified against.
  public let logs: LogView
  /// The time that SCTs were compared with.
  public let verificationTime: Timestamp

  init(
    scts: [ReportedSCT], listProblems: [SCTListProblem], validity: CertificateValidity?, issuerCount: Int,
    logs: LogView, verificationTime: Timestamp
  ) {
    self.scts = scts
    self.listProblems = listProblems
    self.validity = validity
    self.issuerCount = issuerCount
    self.logs = logs
    self.verificationTime = verificationTime
  }

  /// The SCTs that are valid.
  public var valid: [ReportedSCT] { scts.filter { $0.status == .valid } }
}

/// One SCT of a certificate: where it was, what it says, and whether it is what it seems.
public struct ReportedSCT: Hashable, Sendable {
  public enum Status: Hashable, Sendable {
    /// A known log signed it for this certificate, and its time has come.
    case valid
    case unknownLog(UnknownLogReason)
    case badSignature(BadSignatureReason)
    /// The signature is right, but the timestamp is later than the time of verification.
    case future
    /// Not version 1 of SCTs; browsers pass over it.
    case unsupportedVersion(UInt8)
    /// It can't be read; the offset counts from its start.
    case malformed(offset: Int, reason: String)
  }

  public let source: SCTSource
  /// Its place in the list of its source.
  public let position: Int
  /// The `SerializedSCT` as it stands.
  public let serialized: [UInt8]
  /// Nil if it is malformed or of another version.
  public let sct: SignedCertificateTimestamp?
  /// Bytes after the signature; Apple refuses such an SCT.
  public let trailingByteCount: Int
  public let leafIndex: LeafIndex
  let listed: ListedLog?
  public internal(set) var status: Status

  /// The log as the list has it, also where its SCTs do not count.
  public var log: LogDescription? { listed?.description }
  public var logID: LogID? { sct?.logID }
  public var timestamp: Timestamp? { sct?.timestamp }
  public var logState: LogDescription.State? { listed?.description.state }
  /// Who ran the log when it issued this SCT.
  public var operatorName: String? { sct.flatMap { listed?.operatorName(at: $0.timestamp) } }
  /// Whether the log's signature is right, whatever the timestamp.
  public var isSigned: Bool { status == .valid || status == .future }
  /// Whether its signature was verified, right or not.
  var isOfKnownLog: Bool { listed?.isKnown ?? false }
}

/// Why a signature of a known log does not fit, as far as that can be found out by trying.
public enum BadSignatureReason: Hashable, Sendable {
  /// It names other algorithms than the log's key has (RFC 6962, section 2.1.4).
  case algorithm(named: SignatureAndHash, expected: SignatureAndHash)
  /// It is not even the form of a signature.
  case notASignature
  /// The certificate can't be taken apart, so no precertificate can be told from it.
  case unreadableCertificate
  /// Embedded SCTs can't be checked: the certificate's issuer is not among those presented.
  case missingIssuer
  /// It is right with the key of another certificate of the chain: the one at this position above the leaf.
  case wrongIssuer(position: Int)
  /// It is right for the other kind of entry: an embedded SCT issued for a certificate, or one for the precertificate
  /// delivered by TLS or OCSP.
  case wrongEntryType
  /// It is of another certificate: one of the related ones, by its position. Without one it is of a certificate that
  /// was not presented, or damaged: these look the same.
  case otherCertificate(position: Int?)
  /// Nothing else explains it: the certificate differs from the precertificate that was logged.
  case differsFromPrecertificate
  /// Other embedded SCTs are right, so that the certificate is as it was logged: this one was damaged, or its log
  /// signed another precertificate.
  case damaged
}
