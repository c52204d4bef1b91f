import CertificateTransparency

/// Mozilla's policy.
///
/// Two ways that are never mixed: SCTs of TLS and OCSP from two logs of two operators; or embedded SCTs by Chrome's
/// numbers. A log counts as retired as soon as the list says so; operators are those of today.
struct FirefoxRules {
  let time: Timestamp

  init(_ time: Timestamp) { self.time = time }

  func judge(_ report: SCTReport, _ validity: CertificateValidity) -> Outcome {
    var tally = Tally(report)
    // Firefox compares whole seconds.
    tally.filter { $0.timestamp.milliseconds / 1000 > time.milliseconds / 1000 ? .future : nil }
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
    return Outcome(
      compliance: compliance(tally, scts: live, needed: 2, hasLive), route: .delivered, lifetime: validity.lifetime,
      hasLiveLog: hasLive, tally: tally)
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
    let needed = LifetimeRule.logs(forSeconds: validity.lifetime)
    return Outcome(
      compliance: compliance(tally, scts: scts, needed: needed, hasLive), lifetime: validity.lifetime,
      neededLogs: needed, hasLiveLog: hasLive, tally: tally)
  }

  private func compliance(_ tally: Tally, scts: Int, needed: Int, _ hasLive: Bool) -> Compliance {
    if !hasLive || scts < needed { return .notEnoughSCTs }
    return tally.logs.count >= needed && tally.operators.count >= 2 ? .complies : .notDiverseSCTs
  }
}
