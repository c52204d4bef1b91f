import CertificateTransparency

/// Android's policy (Conscrypt).
///
/// Embedded SCTs if there is one, else those of TLS and OCSP; never both. Lifetimes count in whole days. The time of an
/// SCT is compared with nothing but its log's retirement, and that with the earliest SCT of all.
struct AndroidRules {
  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    let earliest = tally.earliest { _ in true }
    tally.filter { item in item.log.retirement.map { earliest > $0 ? .retired : nil } ?? nil }
    let isEmbedded = tally.candidates.contains(where: \.isEmbedded)
    let isDelivered = !isEmbedded && !tally.candidates.isEmpty
    var hasLive = false
    for item in tally.candidates {
      let isLive = item.log.retirement == nil
      if item.isEmbedded != isEmbedded {
        tally.drop(item.index, .otherRoute)
      } else if !isLive, !isEmbedded {
        tally.drop(item.index, .retired)
      } else {
        hasLive = hasLive || isLive
        tally.count(item, operatorName: item.log.operatorName(at: time))
      }
    }
    let lifetime = validity.lifetime / 86_400 * 86_400
    let needed = isDelivered ? 2 : LifetimeRule.logs(forSeconds: lifetime)
    let isEnough = hasLive && tally.logs.count >= needed
    return Outcome(
      compliance: !isEnough ? .notEnoughSCTs : tally.operators.count >= 2 ? .complies : .notDiverseSCTs,
      route: isDelivered ? .delivered : .embedded, lifetime: lifetime, neededLogs: needed,
      neededToEmbed: LifetimeRule.logs(forSeconds: lifetime), hasLiveLog: hasLive, tally: tally)
  }
}
