/// What a browser's enforcer makes of the SCTs that came with a certificate, in Chromium's terms
/// (`CTPolicyCompliance`).
public enum Compliance: String, Sendable, Codable, CaseIterable {
  case complies
  /// Too few SCTs count for the certificate's lifetime.
  case notEnoughSCTs = "not-enough-scts"
  /// The SCTs that count come from too few operators.
  case notDiverseSCTs = "not-diverse-scts"
  /// The log list is too old to judge by, or dated ahead; browsers let the connection pass.
  case notTimely = "not-timely"
}
