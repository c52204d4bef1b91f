public import CertificateTransparency

/// Something that would make a policy content, and who can do it.
public struct Mend: Hashable, Sendable, CustomStringConvertible {
  public enum Action: Hashable, Sendable {
    /// Issue the certificate anew, with SCTs of at least so many logs in service, of so many operators.
    case reissue(logs: Int, operators: Int)
    /// Deliver SCTs of so many further logs in service in TLS extension 18, of so many operators not yet counted.
    case addDelivered(logs: Int, operators: Int)
    /// Deliver other SCTs in TLS or OCSP: those of this certificate.
    case replaceDelivered
    /// Send the issuer's certificate next to the leaf, and the rest of the chain in order.
    case completeChain
    /// Set the clock right, or wait until this time.
    case wait(until: Timestamp)
    /// Get a newer log list.
    case updateList
  }

  public enum Actor: String, Hashable, Sendable, Codable, CaseIterable {
    case certificateAuthority = "ca"
    case serverOperator = "server"
    case client
  }

  public let action: Action
  public let actor: Actor

  init(_ action: Action) {
    self.action = action
    switch action {
    case .reissue: actor = .certificateAuthority
    case .addDelivered, .replaceDelivered, .completeChain: actor = .serverOperator
    case .wait, .updateList: actor = .client
    }
  }

  public var description: String {
    switch action {
    case .reissue(let logs, let operators):
      "reissue the certificate with SCTs of at least \(logs) logs, of \(operators) or more operators"
    case .addDelivered(let logs, let operators):
      "deliver in the TLS extension SCTs of \(logs) or more further logs"
        + (operators > 0 ? ", of \(operators) or more further operators" : "")
    case .replaceDelivered: "deliver the SCTs of this certificate, not of another"
    case .completeChain: "send the issuer's certificate next to the certificate"
    case .wait(let time): "set the clock right, or wait until \(time)"
    case .updateList: "get a newer log list"
    }
  }
}

/// Finds what would help.
struct Mending {
  private let policy: BrowserPolicy
  private let report: SCTReport
  private let outcome: Outcome
  private let code: VerdictCode

  init(_ policy: BrowserPolicy, _ report: SCTReport, _ outcome: Outcome, _ code: VerdictCode) {
    self.policy = policy
    self.report = report
    self.outcome = outcome
    self.code = code
  }

  var mends: [Mend] {
    let actions: [Mend.Action?] =
      switch code {
      case .complies, .notRequired: []
      case .staleList: [.updateList]
      case .futureList: [waitForList]
      case .wrongIssuer: [.completeChain]
      case .futureSCT: [wait, reissue]
      case .unknownLog where concerns(.unknownLog(.notListed)): [.updateList, reissue, addDelivered]
      case .otherCertificate: [.replaceDelivered, reissue]
      case .wrongEntryType where !embeds { $0 == .badSignature(.wrongEntryType) }: [.replaceDelivered, reissue]
      case .malformedList where !report.listProblems.contains { $0.source == .x509 }: [.replaceDelivered, reissue]
      case .sourceIgnored, .mixedRoutes: [addDelivered, reissue]
      default: [reissue, addDelivered]
      }
    return actions.compactMap { $0.map { Mend($0) } }
  }

  private func concerns(_ status: ReportedSCT.Status) -> Bool { report.scts.contains { $0.status == status } }

  private func embeds(_ isMeant: (ReportedSCT.Status) -> Bool) -> Bool {
    report.scts.contains { $0.source == .x509 && isMeant($0.status) }
  }

  private var reissue: Mend.Action {
    .reissue(logs: outcome.neededToEmbed ?? outcome.neededLogs, operators: asksForOperators ? 2 : 1)
  }

  private var asksForOperators: Bool { policy != .apple(.observed) }

  private var wait: Mend.Action? {
    let late = outcome.tally.uncounted.filter { $0.reason == .future }
    return late.compactMap { report.scts[$0.index].timestamp }.max().map { .wait(until: $0) }
  }

  /// Until the list, and the states of its logs that matter, are no longer ahead.
  private var waitForList: Mend.Action? {
    let states = report.scts.compactMap { $0.log?.stateTimestamp }
    return (states + [report.logs.timestamp].compactMap { $0 }).max().map { .wait(until: $0) }
  }

  private var addDelivered: Mend.Action {
    let operators = outcome.operators.count
    switch policy {
    case .chrome, .chromiumEra:
      let missing = max(1, 2 - operators)
      return .addDelivered(logs: missing, operators: operators < 2 ? missing : 0)
    case .apple:
      let live = outcome.tally.counted.filter { report.scts[$0].log?.retirement == nil }.count
      return .addDelivered(logs: max(1, 2 - live), operators: 0)
    case .firefox, .android:
      // What is embedded does not count beside what is delivered.
      guard outcome.route == .delivered else { return .addDelivered(logs: 2, operators: 2) }
      return .addDelivered(logs: max(1, 2 - outcome.tally.logs.count), operators: max(0, 2 - operators))
    }
  }
}
