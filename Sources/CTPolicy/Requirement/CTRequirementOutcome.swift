/// Whether a connection may go on, in Chromium's terms.
public enum CTRequirementOutcome: Hashable, Sendable, CustomStringConvertible {
  /// What CT asks is met.
  public enum PassReason: String, Hashable, Sendable {
    case complies
    /// The log list is too old to judge by, or dated ahead, so browsers let it pass.
    case staleLogList = "stale-log-list"
  }

  public enum NotRequiredReason: Hashable, Sendable {
    /// The root is not a public one.
    case localRoot
    /// Enforcement is switched off for everybody.
    case enforcementOff
    /// The embedder's delegate says so.
    case delegate
    case exempt(Exemption)
    /// Firefox is set to count only (1), or to not even that (0).
    case firefoxMode(Int)
    /// The certificate is older than the rule.
    case beforeRule
    /// The platform did not enforce CT, of certificates like this, at the time that is judged for.
    case beforeEnforcement
  }

  public enum DoubtReason: String, Hashable, Sendable {
    /// It is not known whether the root is public, and it would matter.
    case unknownRoot = "unknown-root"
    /// The dates of the certificate can't be read.
    case unreadableCertificate = "unreadable-certificate"
  }

  case pass(PassReason)
  /// The connection fails with ``blockedError``.
  case blocked
  /// The connection goes on, but the certificate no longer counts as an EV one.
  case evStatusStripped
  case notRequired(NotRequiredReason)
  case couldNotTell(DoubtReason)

  /// What Chrome shows.
  public static let blockedError = "net::ERR_CERTIFICATE_TRANSPARENCY_REQUIRED"

  /// A stable name, for machines.
  public var code: String {
    switch self {
    case .pass(let reason): "pass-\(reason.rawValue)"
    case .blocked: "blocked"
    case .evStatusStripped: "ev-status-stripped"
    case .notRequired(.localRoot): "not-required-local-root"
    case .notRequired(.enforcementOff): "not-required-enforcement-off"
    case .notRequired(.delegate): "not-required-delegate"
    case .notRequired(.exempt): "not-required-exempt"
    case .notRequired(.firefoxMode): "not-required-firefox-mode"
    case .notRequired(.beforeRule): "not-required-before-rule"
    case .notRequired(.beforeEnforcement): "not-required-before-enforcement"
    case .couldNotTell(let reason): "could-not-tell-\(reason.rawValue)"
    }
  }

  public var description: String {
    switch self {
    case .pass(.complies): "CT requirements are met"
    case .pass(.staleLogList): "passes: the log list is too old, or dated ahead, to judge by"
    case .blocked: "blocked: \(CTRequirementOutcome.blockedError)"
    case .evStatusStripped: "passes, but loses its EV status"
    case .notRequired(.localRoot): "CT is not required: the root is not a public one"
    case .notRequired(.enforcementOff): "CT is not required: enforcement is switched off"
    case .notRequired(.delegate): "CT is not required: the embedder says so"
    case .notRequired(.exempt(let exemption)): "CT is not required: \(exemption)"
    case .notRequired(.firefoxMode(let mode)): "CT is not required: Firefox is set to mode \(mode)"
    case .notRequired(.beforeRule): "CT is not required: the certificate is older than the rule"
    case .notRequired(.beforeEnforcement): "CT is not required: it was not enforced at that time"
    case .couldNotTell(.unknownRoot): "could not tell: it is not known whether the root is a public one"
    case .couldNotTell(.unreadableCertificate): "could not tell: the certificate's dates can't be read"
    }
  }
}

/// The outcome, and what helps to understand it.
public struct CTRequirementResult: Hashable, Sendable {
  public internal(set) var outcome: CTRequirementOutcome
  /// Whether an EV certificate loses that status for want of CT, whatever else becomes of the connection.
  public internal(set) var losesEVStatus = false
  /// Exemptions that nearly apply; empty unless the connection is blocked, or may be.
  public internal(set) var nearestMisses: [NearestMiss] = []
}

/// What a delegate says of one connection.
public enum CTRequirementLevel: String, Hashable, Sendable, CaseIterable {
  case required
  case notRequired
  /// Leaves it to policies and dates.
  case `default`
}

/// Lets an embedder say for which connections CT is required. It is asked only where CT is not complied with.
public protocol RequireCTDelegate: Sendable {
  /// - Parameters:
  ///   - host: the name or address that the client asked for.
  ///   - chain: the chain that its verifier accepted.
  /// - Returns: what holds before, and instead of, enterprise policies; ``CTRequirementLevel/default`` to leave it to them.
  func isCTRequired(host: String, chain: VerifiedChain) -> CTRequirementLevel
}
