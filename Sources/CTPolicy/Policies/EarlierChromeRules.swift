import CertificateTransparency

/// Chromium's policy for certificates from before 15 April 2022; later ones are judged by ``ChromeRules``.
///
/// A certificate is as old as its earliest SCT. One log had to be Google's and one another operator's, and the number
/// of logs went by months.
struct EarlierChromeRules {
  /// 2015-07-01, since when embedded SCTs had to be of Google's logs and of others.
  private static let diversityStart = Timestamp(milliseconds: 1_435_708_800_000)
  private static let google = "Google"

  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    tally.filter { $0.timestamp > time ? .future : nil }
    let issuance = tally.earliest { !isDisqualified($0.log) }
    guard min(issuance, time) < ChromeRules.presentRulesStart else { return ChromeRules(time).judge(report, validity) }
    tally.filter { !$0.isEmbedded && isDisqualified($0.log) ? .retired : nil }
    let candidates = tally.candidates
    for item in candidates {
      if isDisqualified(item.log), let end = item.log.retirement, issuance >= end || item.timestamp >= end {
        tally.drop(item.index, .retired)
      } else {
        tally.count(item, operatorName: item.log.operatorName)
      }
    }
    let embedded = candidates.filter(\.isEmbedded)
    let hasDelivered = candidates.count > embedded.count
    let hasLiveEmbedded = embedded.contains { !isDisqualified($0.log) }
    let needed = LifetimeRule.logs(forStartedMonthsOf: validity)
    let isEnough = tally.counted.count { report.scts[$0].source == .x509 } >= needed
    // The logs of what is delivered must be in service, those of what is embedded may have been once.
    let isDeliveryDiverse = isDiverse(candidates.filter { !isDisqualified($0.log) })
    let areEmbeddedDiverse = issuance < EarlierChromeRules.diversityStart || isDiverse(embedded)
    let byDelivery = hasDelivered && isDeliveryDiverse
    let byEmbedded = hasLiveEmbedded && areEmbeddedDiverse && isEnough
    let isShown = hasDelivered && !byEmbedded
    var outcome = Outcome(
      compliance: .complies, route: isShown ? .delivered : .embedded, lifetime: validity.lifetime,
      neededLogs: isShown ? 2 : needed, neededToEmbed: needed, hasLiveLog: hasLiveEmbedded || hasDelivered,
      tally: tally)
    guard !byDelivery, !byEmbedded else { return outcome }
    let isOneKind = hasDelivered || (hasLiveEmbedded && !areEmbeddedDiverse)
    outcome.compliance = isOneKind ? .notDiverseSCTs : .notEnoughSCTs
    let isOtherwiseEnough = hasDelivered ? tally.logs.count >= 2 : hasLiveEmbedded && isEnough
    if isOneKind, isOtherwiseEnough { outcome.lacking = .noGoogleLog }
    return outcome
  }

  private func isDiverse(_ candidates: [Candidate]) -> Bool {
    let isGoogle = candidates.map { $0.log.operatorName == EarlierChromeRules.google }
    return isGoogle.contains(true) && isGoogle.contains(false)
  }

  private func isDisqualified(_ log: ListedLog) -> Bool { log.retirement.map { $0 <= time } ?? false }
}
