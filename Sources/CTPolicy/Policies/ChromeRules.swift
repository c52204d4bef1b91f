public import CertificateTransparency

/// Chromium's policy, with its earlier forms.
///
/// Two ways: by embedded SCTs alone, of as many logs as the lifetime asks for; or with at least one of TLS or OCSP, and
/// then all together. Either way two operators are needed.
public struct ChromeRules {
  /// 2026-04-15, when Chrome stopped to ask for one SCT of an RFC 6962 log.
  public static let classicLogRuleEnd = Timestamp(milliseconds: 1_776_211_200_000)
  /// 2026-05-05, the week in which Chrome 148, the first to ignore SCTs in OCSP, became stable.
  public static let ocspEnd = Timestamp(milliseconds: 1_777_939_200_000)
  /// 2022-04-15, since when two operators of any name will do, and only lifetimes over 180 days ask for a third log.
  public static let presentRulesStart = Timestamp(milliseconds: 1_649_980_800_000)

  let time: Timestamp
  let isEra: Bool

  init(_ time: Timestamp, isEra: Bool = false) {
    self.time = time
    self.isEra = isEra
  }

  /// Before April 2022 one operator had to be Google, and one another.
  private var asksForGoogle: Bool { isEra && time < ChromeRules.presentRulesStart }

  private func neededLogs(_ validity: CertificateValidity) -> Int {
    guard isEra, validity.notBefore < Int64(ChromeRules.presentRulesStart.milliseconds / 1000) else {
      return LifetimeRule.logs(forSeconds: validity.lifetime)
    }
    return LifetimeRule.logs(forMonthsOf: validity)
  }

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

    func areDiverse(withGoogle: Bool) -> Bool {
      operators.count >= 2 && (!withGoogle || operators.contains("Google"))
    }
  }

  private func conclude(
    _ found: Survivors, _ tally: Tally, _ report: SCTReport, _ validity: CertificateValidity
  ) -> Outcome {
    let isDiverse = found.areDiverse(withGoogle: asksForGoogle)
    let isClassic = time >= ChromeRules.classicLogRuleEnd || found.hasClassicLog
    // Embedded SCTs come first, so that none of them gives way to another of its log.
    let embedded = tally.counted.count { report.scts[$0].source == .x509 }
    let needed = neededLogs(validity)
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
    outcome.lacksClassicLog = !isClassic && isDiverse && (found.hasDelivered || isEnough)
    if found.hasDelivered || (found.hasLiveEmbedded && !isDiverse) || outcome.lacksClassicLog {
      outcome.compliance = .notDiverseSCTs
    }
    return outcome
  }
}

/// How many logs a lifetime asks for.
enum LifetimeRule {
  /// Two for up to 180 days, three for a second more.
  static func logs(forSeconds lifetime: Int64) -> Int { lifetime > 180 * 86_400 ? 3 : 2 }

  /// Two for less than 15 months, three up to 27, four up to 39, else five: full months of the calendar, in UTC.
  static func logs(forMonthsOf validity: CertificateValidity) -> Int {
    switch months(validity.notBefore, validity.notAfter) {
    case ..<15: 2
    case ...27: 3
    case ...39: 4
    default: 5
    }
  }

  private static func months(_ start: Int64, _ end: Int64) -> Int64 {
    let (first, last) = (date(start), date(end))
    let isShort = (last.day, last.second) < (first.day, first.second)
    return last.month - first.month - (isShort ? 1 : 0)
  }

  /// Months since the year 0 (beginning in March), the day of the month, and the second of the day.
  private static func date(_ time: Int64) -> (month: Int64, day: Int64, second: Int64) {
    let second = ((time % 86_400) + 86_400) % 86_400
    let days = (time - second) / 86_400 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    return ((era * 400 + year) * 12 + month, dayOfYear - (153 * month + 2) / 5, second)
  }
}
