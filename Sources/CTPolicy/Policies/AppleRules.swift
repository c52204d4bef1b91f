import CertificateTransparency

/// Apple's policy: what trustd does, and what the support page adds to it.
///
/// Two ways: an SCT of TLS or OCSP from a current log and two current logs in all; or embedded SCTs of as many logs as
/// the lifetime asks for. The published text lets only so many SCTs of one operator count for the second way, and asks for
/// one of an RFC 6962 log. A log counts as retired as soon as the list says so.
struct AppleRules {
  /// 2018-10-16: certificates from before need no SCT.
  static let start: Int64 = 1_539_648_000
  /// 2021-04-21, since when the lifetime counts in days.
  private static let presentRulesStart: Int64 = 1_618_963_200

  let reading: BrowserPolicy.AppleReading
  let time: Timestamp

  init(_ reading: BrowserPolicy.AppleReading, _ time: Timestamp) {
    self.reading = reading
    self.time = time
  }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    tally.filter { reason(against: $0, validity) }
    let issuance = tally.earliest { $0.log.retirement == nil }
    let embedded = Set(tally.candidates.lazy.filter(\.isEmbedded).map(\.log.logID))
    let current = Set(tally.candidates.lazy.filter { $0.log.retirement == nil }.map(\.log.logID))
    let hasDelivered = tally.candidates.contains { !$0.isEmbedded }
    let hasClassicLog = reading == .observed || tally.candidates.contains { !$0.log.isTiled }
    // Where embedded SCTs alone do, they are what is shown.
    var byEmbedded = tally
    let isEnough = countEmbedded(&byEmbedded, issuance, validity) && !current.isDisjoint(with: embedded)
    let isDelivered = hasDelivered && current.count >= 2
    let needed = neededLogs(validity)
    var outcome = Outcome(
      compliance: .notEnoughSCTs, lifetime: lifetime(validity), neededLogs: needed,
      neededOperators: operatorLimit(validity) == nil ? 1 : 2, neededToEmbed: needed, hasLiveLog: !current.isEmpty,
      tally: byEmbedded)
    if hasDelivered, !isEnough {
      for item in tally.candidates {
        if item.log.retirement == nil {
          tally.count(item, operatorName: item.log.operatorName)
        } else {
          tally.drop(item.index, .retired)
        }
      }
      (outcome.route, outcome.neededLogs, outcome.neededOperators, outcome.tally) = (.delivered, 2, 1, tally)
    }
    if isEnough || isDelivered {
      outcome.compliance = hasClassicLog ? .complies : .notDiverseSCTs
      if !hasClassicLog { outcome.lacking = .noClassicLog }
    } else if outcome.tally.uncounted.contains(where: { $0.reason == .operatorLimit }) {
      outcome.compliance = .notDiverseSCTs
    }
    return outcome
  }

  private func reason(against item: Candidate, _ validity: CertificateValidity) -> Evidence.Reason? {
    if item.trailingByteCount > 0 { return .trailingBytes }
    if item.timestamp > time { return .future }
    if !item.isEmbedded, item.log.retirement != nil { return .retired }
    if let end = item.log.readOnlySince, item.timestamp > end { return .afterReadOnly }
    if let shard = item.log.description.temporalInterval, !shard.contains(validity.end) { return .outsideShard }
    return nil
  }

  /// Counts the embedded SCTs, and tells whether they are enough.
  private func countEmbedded(
    _ tally: inout Tally, _ issuance: Timestamp, _ validity: CertificateValidity
  ) -> Bool {
    let limit = operatorLimit(validity) ?? .max
    var perOperator: [String: Int] = [:]
    for item in tally.candidates {
      let name = item.log.operatorName
      let isLate = item.log.retirement.map { item.timestamp >= $0 || issuance >= $0 } ?? false
      if !item.isEmbedded {
        tally.drop(item.index, .otherRoute)
      } else if isLate {
        tally.drop(item.index, .retired)
      } else if tally.logs.contains(item.log.logID) {
        tally.drop(item.index, .sameLog)
      } else if perOperator[name, default: 0] >= limit {
        tally.drop(item.index, .operatorLimit)
      } else {
        perOperator[name, default: 0] += 1
        tally.count(item, operatorName: name)
      }
    }
    return tally.logs.count >= neededLogs(validity)
  }

  /// How many SCTs of one operator count among the embedded; nil if all do.
  private func operatorLimit(_ validity: CertificateValidity) -> Int? {
    guard reading == .published, validity.notBefore >= AppleRules.presentRulesStart else { return nil }
    return neededLogs(validity) == 2 ? 1 : 2
  }

  /// The published text counts the last second too.
  private func lifetime(_ validity: CertificateValidity) -> Int64 {
    validity.lifetime + (reading == .published ? 1 : 0)
  }

  private func neededLogs(_ validity: CertificateValidity) -> Int {
    guard validity.notBefore >= AppleRules.presentRulesStart else {
      return LifetimeRule.logs(forFullMonthsOf: validity)
    }
    let lifetime = lifetime(validity)
    return lifetime <= 180 * 86_400 ? 2 : lifetime <= 825 * 86_400 ? 3 : 4
  }
}
