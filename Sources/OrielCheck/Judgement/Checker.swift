package import CTPolicy
package import CertificateTransparency
import MerkleTree
package import OrielProbe

/// What is looked at: a certificate with all that came with it.
package struct CheckSubject: Sendable {
  /// What the person asked for: a host or a file.
  package var name: String
  /// The name or address that a client asks for; nil for a file that was given without one.
  package var host: String?
  package var certificates: [[UInt8]]
  package var ocspResponse: [UInt8]?
  package var sctList: [UInt8]?
  /// Nil for files.
  package var handshake: Handshake?

  package init(
    name: String, host: String? = nil, certificates: [[UInt8]], ocspResponse: [UInt8]? = nil, sctList: [UInt8]? = nil
  ) {
    self.name = name
    self.host = host
    self.certificates = certificates
    self.ocspResponse = ocspResponse
    self.sctList = sctList
  }

  package init(name: String, host: String, _ handshake: Handshake) {
    self.init(
      name: name, host: host, certificates: handshake.certificates, ocspResponse: handshake.ocspResponse,
      sctList: handshake.sctList)
    self.handshake = handshake
  }
}

/// Judges certificates: by each policy, and whether CT is asked of them at all.
package struct Checker: Sendable {
  package var policies = BrowserPolicy.current
  /// Of these policies what comes of them is shown, but decides nothing: texts that nobody enforces.
  package var advisory: Set<BrowserPolicy> = [.apple(.published)]
  package let lists: BrowserLists
  /// Roots that verify, and that are public unless ``rootStores`` says otherwise.
  package var systemAnchors: TrustAnchors
  /// Roots that verify besides; they are not public unless ``rootStores`` says so.
  package var localAnchors: TrustAnchors?
  package var rootStores: RootStores?
  package var enterprise = EnterprisePolicies()
  package var staleness = BrowserPolicy.Staleness.failOpen
  package let time: Timestamp
  private let isHistorical: Bool

  /// - Parameter isHistorical: whether the time is another one than now: then rules hold that held at that time, and
  ///   logs were in service that entered their state later.
  package init(lists: BrowserLists, anchors: TrustAnchors, time: Timestamp, isHistorical: Bool = false) {
    self.lists = isHistorical ? lists.asOf(time) : lists
    systemAnchors = anchors
    self.time = time
    self.isHistorical = isHistorical
  }

  /// - Parameter intermediates: certificates that may help to build the chain, beside those sent.
  package func check(_ subject: CheckSubject, intermediates: [[UInt8]] = []) -> CheckReport {
    let (chain, anchored) = verify(subject, intermediates)
    let leaf = subject.certificates.indices.contains(chain.leafIndex) ? subject.certificates[chain.leafIndex] : []
    let issuers = chain.chain.isEmpty ? subject.certificates.filter { $0 != leaf } : Array(chain.chain.dropFirst())
    let presented = PresentedCertificate(
      leaf: leaf, issuers: issuers, ocspResponse: subject.ocspResponse, tlsSCTList: subject.sctList)
    let verified = try? VerifiedChain(
      chain.chain.isEmpty ? [leaf] + issuers : chain.chain, others: subject.certificates)
    let said = chain.chain.isEmpty ? nil : verified.flatMap { rootStores?.publicity(of: $0) }
    let publicity = said ?? anchored
    var reports: [Browser: SCTReport] = [:]
    var results: [PolicyResult] = []
    var forecasts: [Forecast.Failure] = []
    for policy in policies.map({ ofItsTime($0, verified) }) {
      guard let source = lists.source(for: policy.browser), let list = lists[policy.browser] else { continue }
      let report =
        reports[source]
        ?? SCTVerifier(logs: list.view).verify(presented, at: time, reusing: reports.first?.value)
      reports[source] = report
      let verdict = policy.judge(report, asOf: time, staleness: staleness)
      let requirement = requirement(policy, subject, verified, publicity, verdict)
      results.append(
        PolicyResult(verdict: verdict, requirement: requirement, list: list, decides: !advisory.contains(policy)))
      if verdict.passes { forecasts += Forecast(report, policies: [policy], asOf: time).failures }
    }
    let shown = lists.source(for: .chrome).flatMap { reports[$0] } ?? reports.min { $0.key < $1.key }?.value
    return CheckReport(
      subject: subject, time: time, facts: CertificateFacts(certificate: leaf),
      leafHash: SHA256Hash.hash(leaf), chain: chain, publicity: publicity,
      report: shown, results: results, forecasts: forecasts,
      distrust: distrust(verified, results.contains { $0.policy.browser == .chrome } ? shown : nil),
      warnings: enterprise.warnings + (rootStores?.warnings ?? []))
  }

  /// Chromium had other rules for certificates from before April 2022, the last of which expired in May 2023.
  private func ofItsTime(_ policy: BrowserPolicy, _ chain: VerifiedChain?) -> BrowserPolicy {
    guard policy == .chrome, isHistorical, time < Checker.earlierRulesEnd else { return policy }
    var era = ChromiumEra()
    if let chain, let rootStores {
      era.isExtendedValidation = rootStores.isEV(chain)
      era.isBelowSymantecRoot = rootStores.isSymantec(chain)
    }
    return .chromiumEra(era)
  }

  /// 2023-06-01.
  private static let earlierRulesEnd = Timestamp(milliseconds: 1_685_577_600_000)

  // MARK: The chain

  /// The chain, and how public its root is by the anchors that it reaches.
  private func verify(_ subject: CheckSubject, _ intermediates: [[UInt8]]) -> (ChainVerification, RootPublicity) {
    let chain = { (anchors: TrustAnchors) in
      ChainVerification(
        of: subject.certificates, intermediates: intermediates, host: subject.host, at: time, anchors: anchors)
    }
    let usual = chain(systemAnchors)
    if usual.reachesRoot { return (usual, .public) }
    guard let local = localAnchors.map(chain) else { return (usual, .unknown) }
    if local.reachesRoot { return (local, .local) }
    return (local.chain.count > usual.chain.count ? local : usual, .unknown)
  }

  // MARK: Whether it matters

  private func requirement(
    _ policy: BrowserPolicy, _ subject: CheckSubject, _ chain: VerifiedChain?, _ publicity: RootPublicity,
    _ verdict: PolicyVerdict
  ) -> CTRequirementResult? {
    guard let chain else { return nil }
    var requirement = CTRequirement(platform: policy.browser.platform, era: isHistorical ? .asOf(time) : .current)
    requirement.roots = rootStores ?? RootStores()
    requirement.policies = enterprise
    let compliance = verdict.compliance == .notTimely && !verdict.passes ? .notEnoughSCTs : verdict.compliance
    return requirement.evaluate(
      host: subject.host ?? "", chain: chain, publicity: publicity, compliance: compliance)
  }

  private func distrust(_ chain: VerifiedChain?, _ report: SCTReport?) -> DistrustFinding? {
    guard let chain, let report, let rule = rootStores?.root(chain.root)?.distrust else { return nil }
    let finding = DistrustFinding(rule, report)
    return finding.outcome == .trusted ? nil : finding
  }
}

extension ChainVerification {
  /// Whether it ends in a trusted root, though perhaps not at this time.
  fileprivate var reachesRoot: Bool {
    switch problem {
    case nil, .expired, .notYetValid: true
    default: false
    }
  }
}
