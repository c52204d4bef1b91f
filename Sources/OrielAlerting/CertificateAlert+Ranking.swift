extension [CertificateAlert] {
  /// What somebody should look at first: the worst verdict, then the issuer and the name that the fewest of them have.
  /// What is unlike the rest must not be buried in it. Else the order in which they came stays.
  var worstFirst: [CertificateAlert] {
    var (issuers, names): ([String: Int], [String: Int]) = ([:], [:])
    for alert in self {
      issuers[CertificateLetter.issuer(alert.facts), default: 0] += 1
      for name in Set(alert.rankedNames) { names[name, default: 0] += 1 }
    }
    let ranks = map { alert in
      // What nobody judged is like what there is no history for.
      (
        alert.verdict?.urgency ?? 2, issuers[CertificateLetter.issuer(alert.facts)] ?? 0,
        alert.rankedNames.compactMap { names[$0] }.min() ?? 0
      )
    }
    return indices.sorted { ranks[$0] == ranks[$1] ? $0 < $1 : ranks[$0] < ranks[$1] }.map { self[$0] }
  }

  /// How many of them nothing explains.
  var unexplainedCount: Int { count { $0.verdict?.level == .unexplained } }
}

extension CertificateAlert {
  /// So many names are enough to tell it from the others, however many it has.
  fileprivate var rankedNames: ArraySlice<String> { matchedNames.prefix(20) }
}
