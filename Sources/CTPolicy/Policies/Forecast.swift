public import CertificateTransparency

/// When and why a certificate that passes today will no longer, as far as the log list and the policies tell.
public struct Forecast: Hashable, Sendable {
  /// What changes at a time.
  public enum Event: Hashable, Sendable {
    case retirement(LogID)
    case readOnly(LogID)
    /// The interval of the log's certificates ends.
    case shardEnd(LogID)
    /// The log passes on to its present operator.
    case operatorChange(LogID)
    /// The policy itself changes.
    case policyChange
  }

  /// The first time at which a policy fails.
  public struct Failure: Hashable, Sendable {
    public let policy: BrowserPolicy
    public let time: Timestamp
    /// What happens at that time; at least one of it is the cause.
    public let events: [Event]
    public let verdict: PolicyVerdict
  }

  /// In the order of the policies; those that fail already, or never, are not among them.
  public let failures: [Failure]

  /// Judges at every date of interest from `time` on until the certificate expires.
  ///
  /// The log list is taken to stay as it is, and never to be stale. Operators, for policies that go by the present one,
  /// are those that a log's history gives for the time of judging.
  public init(_ report: SCTReport, policies: [BrowserPolicy] = BrowserPolicy.current, asOf time: Timestamp) {
    guard let end = report.validity?.end else {
      failures = []
      return
    }
    var events: [Timestamp: [Event]] = [:]
    let dates = Forecast.changes(report) + [ChromeRules.ocspEnd].map { ($0, Event.policyChange) }
    for (date, event) in dates where date > time && date <= end {
      if events[date]?.contains(event) != true { events[date, default: []].append(event) }
    }
    guard !events.isEmpty else {
      failures = []
      return
    }
    let times = events.keys.sorted()
    failures = policies.compactMap { policy in
      guard policy.judge(report, asOf: time, staleness: .ignored).passes else { return nil }
      for date in times {
        let verdict = policy.judge(report, asOf: date, staleness: .ignored)
        if !verdict.passes {
          return Failure(policy: policy, time: date, events: events[date] ?? [], verdict: verdict)
        }
      }
      return nil
    }
  }

  private static func changes(_ report: SCTReport) -> [(Timestamp, Event)] {
    var seen: Set<LogID> = []
    var changes: [(Timestamp, Event)] = []
    for case let log? in report.scts.map(\.log) where seen.insert(log.logID).inserted {
      if let time = log.retirement { changes.append((time, .retirement(log.logID))) }
      if let time = log.readOnlySince { changes.append((time, .readOnly(log.logID))) }
      if let shard = log.temporalInterval { changes.append((shard.endExclusive, .shardEnd(log.logID))) }
      for former in log.previousOperators { changes.append((former.endTime, .operatorChange(log.logID))) }
    }
    return changes
  }
}
