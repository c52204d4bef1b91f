/// A parser of bytes from outside, with what must hold of it whatever it is given.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Certificates and TBSCertificates: facts, names, reconstruction, and the hot path against the exact matching.
  case certificate
  /// Single names (the first byte tells the source, the second the string type) and watch lists.
  case names
  /// Everything with one exact form: the structures of TLS, signed notes, proofs, tile paths.
  case wire
  /// Data tiles, gzipped or not.
  case tiles
  /// What logs and log lists say in JSON.
  case json
  /// SCTs by all three ways: in TLS, in OCSP responses, in certificates.
  case scts
  /// Enterprise policies, root stores and headers of sites.
  case policies
  /// Submissions to a log: bodies, and TBSCertificates that are signed and submitted.
  case submissions
  /// What a log reads from its own folder.
  case stored

  /// A property that does not hold.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Parses `bytes`.
  ///
  /// - Throws: a ``Failure`` if a property does not hold. That an input is refused is no failure.
  public func run(_ bytes: [UInt8]) throws(Failure) {
    switch self {
    case .certificate:
      try CertificateProperties.check(certificate: bytes)
      try CertificateProperties.check(tbsCertificate: bytes)
    case .names:
      try NameProperties.check(bytes)
      try NameProperties.check(watchlist: bytes)
    case .wire:
      try WireProperties.check(bytes)
      try WireProperties.checkNote(bytes)
      try TreeProperties.check(bytes)
    case .tiles:
      try BatchProperties.check(gzip: bytes)
      try BatchProperties.check(tile: bytes)
    case .json:
      try BatchProperties.check(page: bytes)
      try WireProperties.checkMessages(bytes)
      try WireProperties.checkLogList(bytes)
    case .scts: try PolicyProperties.check(scts: bytes)
    case .policies: try PolicyProperties.check(policies: bytes)
    case .submissions: try SubmissionProperties.check(bytes)
    case .stored: try StoredProperties.check(bytes)
    }
  }

  static func require(_ condition: Bool, _ property: @autoclosure () -> String) throws(Failure) {
    guard condition else { throw Failure(description: property()) }
  }
}
