package import CTPolicy
package import CertificateTransparency

/// The logs to submit a certificate to, so that it passes by SCTs that TLS delivers.
///
/// No policy's rules stand here: each candidate has a stand-in with a key of our own that signs an SCT, and the policies
/// judge the certificate with those. Logs whose SCTs are with the certificate already are no candidates.
package struct LogChoice: Sendable {
  /// The fewest logs that will do, the best first. Empty if nothing is needed, or nothing helps.
  package let chosen: [LogDescription]
  /// Others that take the certificate, the best first, for when a chosen one refuses.
  package let alternates: [LogDescription]
  /// Policies that no SCT delivered by TLS satisfies.
  package let unreachable: [BrowserPolicy]

  /// More candidates are not weighed.
  private static let maximumCandidates = 24
  private static let maximumPerOperator = 4
  /// So many sets are judged; then one that will do is made smaller as far as it goes.
  private static let maximumJudgements = 2000

  /// Chooses so that each policy passes until the certificate expires or, failing that, today.
  ///
  /// - Parameter excluded: logs that refused already.
  package init(
    for certificate: PresentedCertificate, policies: [EnforcedPolicy], asOf time: Timestamp,
    excluding excluded: Set<LogID> = []
  ) {
    let present = policies.map { SCTVerifier(logs: $0.logs).verify(certificate, at: time) }
    guard let validity = present.first?.validity, validity.end >= time else {
      (chosen, alternates, unreachable) = ([], [], policies.map(\.policy))
      return
    }
    let held = Set(present.flatMap { $0.scts.filter(\.isSigned).compactMap(\.logID) })
    let ids = Set(policies.flatMap { $0.logs.knownLogs.map(\.logID) }).subtracting(held).subtracting(excluded)
    let ranked = ids.compactMap { Candidate($0, policies, until: validity.end, asOf: time) }.sorted()
    var perOperator: [String: Int] = [:]
    let candidates = ranked.filter { candidate in
      perOperator[candidate.log.operatorName, default: 0] += 1
      return perOperator[candidate.log.operatorName, default: 0] <= LogChoice.maximumPerOperator
    }.prefix(LogChoice.maximumCandidates)
    let trial = Trial(certificate, policies, Array(candidates), asOf: time)
    let best = trial.standings(Array(trial.standIns.indices))
    unreachable = zip(policies, best).filter { $1 == .fails }.map(\.0.policy)
    let indices = trial.fewest(reaching: best, LogChoice.maximumJudgements)
    chosen = indices.map { trial.standIns[$0].candidate.log }
    alternates = ranked.map(\.log).filter { log in !indices.contains { trial.standIns[$0].candidate.log == log } }
  }
}

/// A log that takes the certificate, with what speaks for it.
private struct Candidate: Comparable {
  let log: LogDescription
  /// No policy's list has an end for it before the certificate's.
  private let lasts: Bool
  /// How many policies know it, and how many call it usable.
  private let knownTo: Int
  private let usableTo: Int

  /// Nil if some list says that the log takes no such certificate, or takes nothing any more.
  init?(_ logID: LogID, _ policies: [EnforcedPolicy], until end: Timestamp, asOf time: Timestamp) {
    let views = policies.compactMap { $0.known(logID) }
    guard let log = views.first, !views.contains(where: { $0.isClosed(to: end, asOf: time) }) else { return nil }
    self.log = log
    lasts = views.allSatisfy { ($0.retirement ?? $0.readOnlySince).map { $0 > end } ?? true }
    knownTo = views.count
    usableTo = views.count { $0.state == .usable }
  }

  static func < (left: Candidate, right: Candidate) -> Bool {
    if left.lasts != right.lasts { return left.lasts }
    if left.knownTo != right.knownTo { return left.knownTo > right.knownTo }
    if left.usableTo != right.usableTo { return left.usableTo > right.usableTo }
    return left.log.logID < right.log.logID
  }
}

extension LogDescription {
  fileprivate func isClosed(to notAfter: Timestamp, asOf time: Timestamp) -> Bool {
    if let interval = temporalInterval, !interval.contains(notAfter) { return true }
    return (retirement ?? readOnlySince).map { $0 <= time } ?? false
  }

  /// The same log with another key.
  fileprivate func with(_ key: LogKey) -> LogDescription {
    LogDescription(
      kind: kind, key: key, description: description, operatorName: operatorName,
      previousOperators: previousOperators, maximumMergeDelay: maximumMergeDelay, state: state,
      stateTimestamp: stateTimestamp, temporalInterval: temporalInterval, logType: logType)
  }
}

/// The certificate and the stand-ins, before policies whose lists have the stand-ins for the logs.
private struct Trial {
  struct StandIn {
    let candidate: Candidate
    let item: SCTList.Item
    let key: LogKey
  }

  let standIns: [StandIn]
  private let certificate: PresentedCertificate
  private let policies: [EnforcedPolicy]
  private let time: Timestamp

  init(
    _ certificate: PresentedCertificate, _ policies: [EnforcedPolicy], _ candidates: [Candidate],
    asOf time: Timestamp
  ) {
    let entry = LogEntryBody.x509(certificate: certificate.leaf)
    let standIns = candidates.compactMap { candidate -> StandIn? in
      let signer = LogSigner()
      let extensions = candidate.log.isTiled ? try? CTExtensions(leafIndex: 0).encoded() : []
      guard let sct = try? signer.sign(entry, timestamp: time, extensions: extensions ?? []),
        let bytes = try? sct.encoded()
      else { return nil }
      return StandIn(candidate: candidate, item: SCTList.Item(serialized: bytes), key: signer.publicKey)
    }
    let keys = Dictionary(standIns.map { ($0.candidate.log.logID, $0.key) }) { first, _ in first }
    self.standIns = standIns
    self.certificate = certificate
    self.policies = policies.map { policy in
      let logs = policy.logs.knownLogs.map { log in keys[log.logID].map { log.with($0) } ?? log }
      return EnforcedPolicy(policy.policy, logs: LogView(logs, timestamp: policy.logs.timestamp))
    }
    self.time = time
  }

  func standings(_ indices: [Int]) -> [EnforcedPolicy.Standing] {
    let presented = with(indices)
    return policies.map { $0.judge(presented, asOf: time).standing }
  }

  private func with(_ indices: [Int]) -> PresentedCertificate {
    certificate.delivering(certificate.deliveredItems + indices.map { standIns[$0].item })
  }

  private func reaches(_ goal: [EnforcedPolicy.Standing], _ indices: [Int]) -> Bool {
    let presented = with(indices)
    return zip(policies, goal).allSatisfy { $0.judge(presented, asOf: time).standing >= $1 }
  }

  /// The fewest that do as well as all together; of as many, those of different operators first, then the best.
  func fewest(reaching goal: [EnforcedPolicy.Standing], _ budget: Int) -> [Int] {
    var budget = budget
    for size in 0...3 where size <= standIns.count {
      for isDiverse in [true, false] {
        if let found = first([], size, isDiverse, goal, &budget) { return found }
      }
    }
    // All together reach it; each that is not needed goes, the worst first.
    return standIns.indices.reversed().reduce(Array(standIns.indices)) { kept, index in
      let fewer = kept.filter { $0 != index }
      return reaches(goal, fewer) ? fewer : kept
    }
  }

  /// The first set of this size that begins with `start`, and is of one log per operator or is not.
  private func first(
    _ start: [Int], _ size: Int, _ isDiverse: Bool, _ goal: [EnforcedPolicy.Standing], _ budget: inout Int
  ) -> [Int]? {
    guard start.count < size else {
      guard isDiverse == (Set(start.map { standIns[$0].candidate.log.operatorName }).count == size), budget > 0
      else { return nil }
      budget -= 1
      return reaches(goal, start) ? start : nil
    }
    for next in ((start.last ?? -1) + 1)..<standIns.count {
      if let found = first(start + [next], size, isDiverse, goal, &budget) { return found }
    }
    return nil
  }
}
