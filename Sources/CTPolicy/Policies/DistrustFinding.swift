public import CertificateTransparency

/// What a root program asks of the times of SCTs below a root that it distrusts in part (Chrome Root Store's
/// `sct_not_after` and `sct_all_after`; Mozilla and Apple have the like).
public enum DistrustRule: Hashable, Sendable {
  /// Some SCT must be of this time or earlier: the CA is distrusted for what it issued afterwards.
  case someSCTNotAfter(Timestamp)
  /// All SCTs must be later than this time: the CA is trusted for new certificates only.
  case allSCTsAfter(Timestamp)
}

/// What such a rule makes of a certificate. This is about its CA: it never is a want of SCTs, and no SCT mends it.
public struct DistrustFinding: Hashable, Sendable {
  public enum Outcome: String, Hashable, Sendable, Codable {
    case trusted
    case distrusted
    /// No valid SCT tells when the certificate was issued. Chrome then distrusts it.
    case undated
  }

  /// The stable name of the finding, beside those of ``VerdictCode``.
  public static let code = "CA-DISTRUST-1"

  public let rule: DistrustRule
  public let outcome: Outcome
  /// The earliest and the latest valid SCT.
  public let earliest: Timestamp?
  public let latest: Timestamp?

  /// Applies a rule to the valid SCTs of a certificate.
  public init(_ rule: DistrustRule, _ report: SCTReport) {
    let times = report.valid.compactMap(\.timestamp)
    self.rule = rule
    earliest = times.min()
    latest = times.max()
    guard let earliest else {
      outcome = .undated
      return
    }
    switch rule {
    case .someSCTNotAfter(let limit): outcome = earliest <= limit ? .trusted : .distrusted
    case .allSCTsAfter(let limit): outcome = earliest > limit ? .trusted : .distrusted
    }
  }
}
