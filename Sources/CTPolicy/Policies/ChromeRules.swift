public import CertificateTransparency

/// Chromium's policy since April 2022.
///
/// Two ways: by embedded SCTs alone, of as many logs as the lifetime asks for; or with at least one of TLS or OCSP, and
/// then all together. Either way two operators are needed.
public struct ChromeRules {
  /// 2026-04-15, when Chrome stopped to ask for one SCT of an RFC 6962 log.
  public static let classicLogRuleEnd = Timestamp(milliseconds: 1_776_211_200_000)
  /// 2026-05-05, the week in which Chrome 148, the first to ignore SCTs in OCSP, became stable.
  public static let ocspEnd = Timestamp(milliseconds: 1_777_939_200_000)
  /// 2022-04-15: for certificates from then on two operators of any name will do, and only lifetimes over 180 days ask
  /// for a third log.
  public static let presentRulesStart = Timestamp(milliseconds: 1_649_980_800_000)

  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    let ignoresOCSP = time >= ChromeRules.ocspEnd
    tally.filter { item in
      if item.timestamp > time { return .future }
      return ignoresOCSP && item.source == .ocsp ? .sourceIgnored : nil
    }
    let issuance = tally.earliest { !isDisqualified($0.log) }
    tally.filter { item in
      if !item.isEmbedded, isDisqualified(item.log) { return .retired }
      return item.log.isTiled && !item.leafIndex.satisfiesChrome ? .noLeafIndex : nil
    }
    let found = Survivors(tally.candidates, isDisqualified)
    for item in tally.candidates {
      if isDisqualified(item.log), let end = item.log.retirement, issuance >= end || item.timestamp >= end {
        tally.drop(item.index, .retired)
      } else {
        tally.count(item, operatorName: item.log.operatorName(at: item.timestamp))
      }
    }
    return conclude(found, tally, report, validity)
  }

  private func isDisqualified(_ log: ListedLog) -> Bool {
    log.retirement.map { $0 <= time } ?? false
  }

  /// What Chromium notes of all SCTs that it looks at, counted in the end or not.
  private struct Survivors {
    var hasLiveEmbedded = false
    var hasDelivered = false
    var hasClassicLog = false
    var operators: [String] = []

    init(_ candidates: [Candidate], _ isDisqualified: (ListedLog) -> Bool) {
      for item in candidates {
        if item.isEmbedded {
          hasLiveEmbedded = hasLiveEmbedded || !isDisqualified(item.log)
        } else {
          hasDelivered = true
        }
        hasClassicLog = hasClassicLog || !item.log.isTiled
        let name = item.log.operatorName(at: item.timestamp)
        if !operators.contains(name) { operators.append(name) }
      }
    }
  }

  private func conclude(
    _ found: Survivors, _ tally: Tally, _ report: SCTReport, _ validity: CertificateValidity
  ) -> Outcome {
    let isDiverse = found.operators.count >= 2
    let isClassic = time >= ChromeRules.classicLogRuleEnd || found.hasClassicLog
    // Embedded SCTs come first, so that none of them gives way to another of its log.
    let embedded = tally.counted.count { report.scts[$0].source == .x509 }
    let needed = LifetimeRule.logs(forSeconds: validity.lifetime)
    let isEnough = found.hasLiveEmbedded && embedded >= needed
    let complies = isDiverse && isClassic && (found.hasDelivered || isEnough)
    var outcome = Outcome(
      compliance: complies ? .complies : .notEnoughSCTs, lifetime: validity.lifetime, neededLogs: needed, tally: tally)
    outcome.neededToEmbed = needed
    outcome.allOperators = found.operators
    outcome.hasLiveLog = found.hasLiveEmbedded || found.hasDelivered
    if found.hasDelivered {
      (outcome.route, outcome.neededLogs) = (.delivered, 2)
    }
    guard !complies else { return outcome }
    if !isClassic, isDiverse, found.hasDelivered || isEnough { outcome.lacking = .noClassicLog }
    // Diversity is asked before the number of logs.
    if found.hasDelivered || (found.hasLiveEmbedded && !(isDiverse && isClassic)) {
      outcome.compliance = .notDiverseSCTs
    }
    return outcome
  }
}
