import CertificateTransparency

/// Mozilla's policy.
///
/// Two ways that are never mixed: SCTs of TLS and OCSP from two logs of two operators; or embedded SCTs by Chrome's
/// numbers. A log counts as retired as soon as the list says so; operators are those of today. An SCT whose extensions
/// can't be decoded is none, whatever its log.
struct FirefoxRules {
  /// When Firefox stopped to ask for one SCT of an RFC 6962 log: no date was published, so Chrome's is taken.
  /// The ESR 140 asks for it still.
  static let classicLogRuleEnd = ChromeRules.classicLogRuleEnd

  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    tally.filter { item in
      if !item.leafIndex.isReadableToFirefox { return item.log.isTiled ? .noLeafIndex : .malformedExtensions }
      // Firefox compares whole seconds.
      return item.timestamp.milliseconds / 1000 > time.milliseconds / 1000 ? .future : nil
    }
    let issuance = tally.earliest { $0.log.retirement == nil }
    tally.filter { $0.log.isTiled && !$0.leafIndex.satisfiesFirefox ? .noLeafIndex : nil }
    // A leaf without a chain is never enough.
    let hasChain = report.issuerCount > 0
    let delivered = byDelivery(tally, validity)
    if hasChain, delivered.compliance == .complies { return delivered }
    var embedded = byEmbedded(tally, validity, issuance)
    if !hasChain { embedded.compliance = .notEnoughSCTs }
    let hasEmbedded = tally.candidates.contains(where: \.isEmbedded)
    guard !hasEmbedded, tally.candidates.contains(where: { !$0.isEmbedded }) else { return embedded }
    var nearer = delivered
    nearer.compliance = embedded.compliance
    nearer.neededToEmbed = embedded.neededLogs
    return nearer
  }

  private func byDelivery(_ tally: Tally, _ validity: CertificateValidity) -> Outcome {
    var tally = tally
    var (live, hasLive) = (0, false)
    for item in tally.candidates {
      if item.isEmbedded {
        tally.drop(item.index, .otherRoute)
      } else if item.log.retirement != nil {
        tally.drop(item.index, .retired)
      } else {
        (live, hasLive) = (live + 1, true)
        tally.count(item, operatorName: item.log.operatorName(at: time))
      }
    }
    return conclude(
      Outcome(
        compliance: .complies, route: .delivered, lifetime: validity.lifetime, hasLiveLog: hasLive, tally: tally),
      scts: live)
  }

  private func byEmbedded(_ tally: Tally, _ validity: CertificateValidity, _ issuance: Timestamp) -> Outcome {
    var tally = tally
    var (scts, hasLive) = (0, false)
    for item in tally.candidates {
      if !item.isEmbedded {
        tally.drop(item.index, .otherRoute)
      } else if let retirement = item.log.retirement, issuance >= retirement || item.timestamp >= retirement {
        tally.drop(item.index, .retired)
      } else {
        (scts, hasLive) = (scts + 1, hasLive || item.log.retirement == nil)
        tally.count(item, operatorName: item.log.operatorName(at: time))
      }
    }
    return conclude(
      Outcome(
        compliance: .complies, lifetime: validity.lifetime,
        neededLogs: LifetimeRule.logs(forSeconds: validity.lifetime), hasLiveLog: hasLive, tally: tally),
      scts: scts)
  }

  /// - Parameter scts: how many SCTs count, those of one log each.
  private func conclude(_ outcome: Outcome, scts: Int) -> Outcome {
    var outcome = outcome
    let tally = outcome.tally
    let isDiverse = tally.logs.count >= outcome.neededLogs && tally.operators.count >= 2
    let isClassic = time >= FirefoxRules.classicLogRuleEnd || tally.hasClassicLog
    if !outcome.hasLiveLog || scts < outcome.neededLogs || !isClassic {
      outcome.compliance = .notEnoughSCTs
      if outcome.hasLiveLog, scts >= outcome.neededLogs, isDiverse { outcome.lacking = .noClassicLog }
    } else if !isDiverse {
      outcome.compliance = .notDiverseSCTs
    }
    return outcome
  }
}
