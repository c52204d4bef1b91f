public import CertificateTransparency

/// Decides whether CT is required of a connection, and what follows if it is not complied with.
///
/// The order is Chromium's (`RequireCTDelegate::CheckCTRequirements`): a root that is not public settles it; then
/// compliance, or a log list too old to judge by; only then the delegate, the enterprise policies, and the dates.
public struct CTRequirement: Sendable {
  /// For which time to judge.
  public enum Era: Hashable, Sendable {
    /// As browsers do now: of every certificate, whatever its dates.
    case current
    /// As the platform did at that time, by ``EraGate``.
    case asOf(Timestamp)
  }

  /// Since when the rules hold, of Chromium where nothing else is said. Each is looked at only in an era that had begun.
  public enum EraGate {
    /// 2015-01-01: EV certificates, of whatever date, or they lose that status.
    public static let extendedValidation = Timestamp(milliseconds: 1_420_070_400_000)
    /// 2016-06-01: certificates of Symantec's roots that begin then or later.
    public static let symantec = RootStores.SymantecSet.firstOfJune2016
    /// 2018-05-01: all certificates that begin then or later.
    public static let everything = Timestamp(milliseconds: 1_525_132_800_000)
    /// 2024-11-12 (Chrome 131): all certificates, of whatever date. No older one was valid any more.
    public static let unconditional = Timestamp(milliseconds: 1_731_369_600_000)
    /// 2018-10-16: the same on Apple's platforms.
    public static let apple = Timestamp(milliseconds: 1_539_648_000_000)
    /// 2025-02-04: Firefox 135 asks for all certificates, of whatever date.
    public static let firefox = Timestamp(milliseconds: 1_738_627_200_000)
    /// 2025-06-10: apps can ask for CT on Android 16; those made for Android 17 do unless told otherwise.
    public static let android = Timestamp(milliseconds: 1_749_513_600_000)
    /// From Chrome 67 (2018-05-29) until Chrome 131 legacy CAs could be exempted.
    public static let legacyAuthorities = Timestamp(milliseconds: 1_527_552_000_000)..<unconditional
  }

  public var platform: PolicyPlatform
  public var era: Era
  /// What is known of roots: EV policies, Symantec's, legacy marks. Whether the root is public is said with each chain.
  public var roots = RootStores()
  public var policies = EnterprisePolicies()
  public var delegate: (any RequireCTDelegate)?
  /// The kill switch: true turns all enforcement off, as Chromium's component does.
  public var isEnforcementOff = false
  /// Wishes by Expect-CT; they count in the era that had it.
  public var transportSecurity = TransportSecurityState()

  public init(platform: PolicyPlatform = .chrome, era: Era = .current) {
    self.platform = platform
    self.era = era
  }

  /// Decides.
  ///
  /// - Parameters:
  ///   - host: the name or address that the client asked for.
  ///   - chain: the chain that its verifier accepted.
  ///   - publicity: of its root; ``RootStores/publicity(of:)`` can tell.
  ///   - compliance: what the platform's policy makes of the SCTs.
  ///   - isEV: nil to look it up in ``roots``.
  public func evaluate(
    host: String, chain: VerifiedChain, publicity: RootPublicity, compliance: Compliance, isEV: Bool? = nil
  ) -> CTRequirementResult {
    if isEnforcementOff { return CTRequirementResult(outcome: .notRequired(.enforcementOff)) }
    if publicity == .local { return CTRequirementResult(outcome: .notRequired(.localRoot)) }
    switch compliance {
    case .complies: return CTRequirementResult(outcome: .pass(.complies))
    case .notTimely: return CTRequirementResult(outcome: .pass(.staleLogList))
    case .notEnoughSCTs, .notDiverseSCTs: break
    }
    var result = judge(host: host, chain: chain)
    result.losesEVStatus = strippingEV && (isEV ?? roots.isEV(chain))
    if result.losesEVStatus, [.notRequired(.beforeRule), .notRequired(.beforeEnforcement)].contains(result.outcome) {
      result.outcome = .evStatusStripped
    }
    if publicity == .unknown, result.outcome == .blocked || result.losesEVStatus {
      result.outcome = .couldNotTell(.unknownRoot)
    }
    return result
  }

  private var strippingEV: Bool {
    switch era {
    case .current: platform == .chrome
    case .asOf(let time): platform == .chrome && time >= EraGate.extendedValidation
    }
  }

  /// What becomes of a chain to a public root that does not comply.
  private func judge(host: String, chain: VerifiedChain) -> CTRequirementResult {
    switch delegate?.isCTRequired(host: host, chain: chain) {
    case .required: return CTRequirementResult(outcome: .blocked)
    case .notRequired: return CTRequirementResult(outcome: .notRequired(.delegate))
    case .default, nil: break
    }
    if platform == .firefox, let mode = policies.firefoxMode, mode != 2 {
      return CTRequirementResult(outcome: .notRequired(.firefoxMode(mode)))
    }
    let finding = policies.exemption(on: platform, host: host, chain: chain, legacyRoots: legacyRoots)
    if let exemption = finding.exemption {
      return CTRequirementResult(outcome: .notRequired(.exempt(exemption)))
    }
    let outcome = judgeDates(host: host, chain: chain)
    return CTRequirementResult(
      outcome: outcome, nearestMisses: outcome == .blocked ? finding.nearestMisses : [])
  }

  private var legacyRoots: RootStores? {
    if case .asOf(let time) = era, EraGate.legacyAuthorities.contains(time) { roots } else { nil }
  }

  private func judgeDates(host: String, chain: VerifiedChain) -> CTRequirementOutcome {
    switch (era, platform) {
    case (.current, .chrome), (.current, .firefox), (.current, .android): return .blocked
    case (.asOf(let time), .firefox): return time >= EraGate.firefox ? .blocked : .notRequired(.beforeEnforcement)
    case (.asOf(let time), .android): return time >= EraGate.android ? .blocked : .notRequired(.beforeEnforcement)
    case (.current, .apple):
      return blocked(chain, since: EraGate.apple)
    case (.asOf(let time), .apple):
      return time >= EraGate.apple ? blocked(chain, since: EraGate.apple) : .notRequired(.beforeEnforcement)
    case (.asOf(let time), .chrome):
      if time >= EraGate.unconditional { return .blocked }
      if TransportSecurityState.chromeEra.contains(time),
        transportSecurity.entry(for: host, at: time)?.header.enforce == true
      {
        return .blocked
      }
      var starts: [Timestamp] = []
      if time >= EraGate.everything { starts.append(EraGate.everything) }
      if time >= EraGate.symantec, roots.isSymantec(chain) { starts.append(roots.symantec.effective) }
      guard let start = starts.min() else { return .notRequired(.beforeEnforcement) }
      return blocked(chain, since: start)
    }
  }

  /// Whether the leaf begins at that time or later.
  private func blocked(_ chain: VerifiedChain, since start: Timestamp) -> CTRequirementOutcome {
    guard let notBefore = chain.leaf.notBefore else { return .couldNotTell(.unreadableCertificate) }
    let seconds = Int64(clamping: start.milliseconds / 1000)
    return notBefore >= seconds ? .blocked : .notRequired(.beforeRule)
  }
}
