import CertificateTransparency

/// Android's policy (Conscrypt).
///
/// Embedded SCTs first; if they do not comply, those of TLS and OCSP; never both together. Lifetimes count in whole
/// days. The time of an SCT is compared with nothing but its log's retirement, and that with the earliest SCT of all.
struct AndroidRules {
  /// When Android stopped to ask for one SCT of an RFC 6962 log: no date was published, so Chrome's is taken.
  static let classicLogRuleEnd = ChromeRules.classicLogRuleEnd

  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    let earliest = tally.earliest { _ in true }
    tally.filter { item in item.log.retirement.map { earliest > $0 ? .retired : nil } ?? nil }
    let embedded = byEmbedded(tally, validity)
    guard embedded.compliance != .complies, tally.candidates.contains(where: { !$0.isEmbedded }) else {
      return embedded
    }
    return byDelivery(tally, embedded)
  }

  private func byEmbedded(_ tally: Tally, _ validity: CertificateValidity) -> Outcome {
    var tally = tally
    var hasLive = false
    for item in tally.candidates {
      if item.isEmbedded {
        hasLive = hasLive || item.log.retirement == nil
        tally.count(item, operatorName: item.log.operatorName(at: time))
      } else {
        tally.drop(item.index, .otherRoute)
      }
    }
    let lifetime = validity.lifetime / 86_400 * 86_400
    let needed = LifetimeRule.logs(forSeconds: lifetime)
    return conclude(
      Outcome(
        compliance: .complies, lifetime: lifetime, neededLogs: needed, neededToEmbed: needed, hasLiveLog: hasLive,
        tally: tally))
  }

  /// - Parameter embedded: what came of the embedded SCTs.
  private func byDelivery(_ tally: Tally, _ embedded: Outcome) -> Outcome {
    var tally = tally
    for item in tally.candidates {
      if item.isEmbedded {
        tally.drop(item.index, .otherRoute)
      } else if item.log.retirement != nil {
        tally.drop(item.index, .retired)
      } else {
        tally.count(item, operatorName: item.log.operatorName(at: time))
      }
    }
    return conclude(
      Outcome(
        compliance: .complies, route: .delivered, lifetime: embedded.lifetime, neededLogs: 2,
        neededToEmbed: embedded.neededToEmbed, hasLiveLog: !tally.counted.isEmpty, tally: tally))
  }

  private func conclude(_ outcome: Outcome) -> Outcome {
    var outcome = outcome
    if !outcome.hasLiveLog || outcome.tally.logs.count < outcome.neededLogs {
      outcome.compliance = .notEnoughSCTs
    } else if outcome.tally.operators.count < 2 {
      outcome.compliance = .notDiverseSCTs
    } else if time < AndroidRules.classicLogRuleEnd, !outcome.tally.hasClassicLog {
      (outcome.compliance, outcome.lacking) = (.notDiverseSCTs, .noClassicLog)
    }
    return outcome
  }
}
