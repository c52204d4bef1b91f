package import CTPolicy
package import CertificateTransparency

/// A policy, and the logs that it goes by.
package struct EnforcedPolicy: Sendable {
  package let policy: BrowserPolicy
  package let logs: LogView

  package init(_ policy: BrowserPolicy, logs: LogView) {
    self.policy = policy
    self.logs = logs
  }

  /// How long a policy is content.
  package enum Standing: Int, Comparable, Sendable {
    case fails
    /// Now, but not until the certificate expires.
    case passes
    case lasts

    package static func < (left: Standing, right: Standing) -> Bool { left.rawValue < right.rawValue }
  }

  /// One judgement, with what is known of the future. Whether the list is too old is asked separately.
  package struct Judgement: Sendable {
    package let report: SCTReport
    package let verdict: PolicyVerdict
    /// When and why the pass ends before the certificate does.
    package let end: Forecast.Failure?

    package var standing: Standing { !verdict.passes ? .fails : end == nil ? .lasts : .passes }
  }

  package func judge(_ certificate: PresentedCertificate, asOf time: Timestamp) -> Judgement {
    let report = SCTVerifier(logs: logs).verify(certificate, at: time)
    let verdict = policy.judge(report, asOf: time, staleness: .ignored)
    let end = verdict.passes ? Forecast(report, policies: [policy], asOf: time).failures.first : nil
    return Judgement(report: report, verdict: verdict, end: end)
  }

  /// The log, if its SCTs may count.
  func known(_ logID: LogID) -> LogDescription? {
    if case .known(let log) = logs.standing(of: logID) { log } else { nil }
  }
}

extension Collection<EnforcedPolicy.Judgement> {
  /// The SCTs of TLS that no policy can ever count, by their place in the list, with the first policy's reason.
  package var useless: [Int: Evidence.Reason] {
    var found: [Int: [Evidence.Reason]] = [:]
    for judgement in self {
      for item in judgement.verdict.evidence.uncounted where item.reason.isLasting {
        let sct = judgement.report.scts[item.index]
        if sct.source == .tls { found[sct.position, default: []].append(item.reason) }
      }
    }
    return found.filter { $0.value.count == count }.compactMapValues(\.first)
  }
}

extension Evidence.Reason {
  /// Whether such an SCT never counts, whatever else is there.
  fileprivate var isLasting: Bool {
    switch self {
    case .invalid, .retired, .afterReadOnly, .outsideShard, .noLeafIndex, .malformedExtensions, .trailingBytes: true
    case .future, .sourceIgnored, .otherRoute, .sameLog, .operatorLimit: false
    }
  }
}

extension PresentedCertificate {
  /// The SCTs that TLS delivers; none if the list can't be read.
  package var deliveredItems: [SCTList.Item] {
    tlsSCTList.flatMap { try? SCTList(decoding: $0) }?.items ?? []
  }

  /// The certificate with these SCTs for TLS, and no others.
  package func delivering(_ items: [SCTList.Item]) -> PresentedCertificate {
    var certificate = self
    certificate.tlsSCTList = items.isEmpty ? nil : try? SCTList(items: items).encoded()
    return certificate
  }
}
