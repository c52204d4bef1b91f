import CertificateTransparency

/// Finds what decided: the one thing without which the policy would be content, if there is one.
struct Diagnosis {
  let code: VerdictCode

  init(_ report: SCTReport, _ outcome: Outcome, asOf time: Timestamp) {
    if outcome.compliance == .complies {
      code = .complies
    } else if report.validity == nil {
      code = .unreadableCertificate
    } else if report.scts.isEmpty {
      code = report.listProblems.isEmpty ? .noSCTs : .malformedList
    } else if let lacking = outcome.lacking {
      code = lacking
    } else {
      code = Diagnosis.cause(report, outcome)
    }
  }

  private static func cause(_ report: SCTReport, _ outcome: Outcome) -> VerdictCode {
    var groups: [VerdictCode: [Int]] = [:]
    for item in outcome.tally.uncounted {
      if let cause = cause(of: item, report, outcome) { groups[cause, default: []].append(item.index) }
    }
    let sufficient = groups.filter { suffices($0.value, report, outcome) }
    if let cause = sufficient.keys.min(by: { rank($0) < rank($1) }) { return cause }
    if outcome.tally.counted.isEmpty, let cause = groups.max(by: { isLess($0, $1) })?.key { return cause }
    if !outcome.hasLiveLog { return .onlyRetiredLogs }
    if outcome.tally.uncounted.contains(where: { $0.reason == .operatorLimit }) { return .oneOperator }
    if outcome.tally.logs.count < outcome.neededLogs { return .tooFewLogs }
    if outcome.operators.count < outcome.neededOperators { return .oneOperator }
    return report.issuerCount == 0 ? .wrongIssuer : .tooFewLogs
  }

  private static func isLess(
    _ left: Dictionary<VerdictCode, [Int]>.Element, _ right: Dictionary<VerdictCode, [Int]>.Element
  ) -> Bool {
    (left.value.count, rank(right.key)) < (right.value.count, rank(left.key))
  }

  /// Those that are mended most easily come first.
  private static func rank(_ code: VerdictCode) -> Int {
    let order: [VerdictCode] = [
      .wrongIssuer, .futureSCT, .sourceIgnored, .mixedRoutes, .otherCertificate, .wrongEntryType, .trailingBytes,
      .noLeafIndex, .outsideShard, .afterReadOnly, .differsFromPrecertificate, .badSignature, .malformedSCT,
      .unreadableCertificate, .afterRetirement, .onlyRetiredLogs, .mimicLog, .unknownLog,
    ]
    return order.firstIndex(of: code) ?? order.count
  }

  /// Whether the SCTs at `indices`, were they counted, would be enough with the others.
  private static func suffices(_ indices: [Int], _ report: SCTReport, _ outcome: Outcome) -> Bool {
    var logs = outcome.tally.logs.count
    var seen = Set(outcome.tally.logs)
    var operators = Set(outcome.operators)
    for index in indices {
      let item = report.scts[index]
      guard let logID = item.logID else {
        logs += 1
        operators.insert("\(index)")
        continue
      }
      if seen.insert(logID).inserted { logs += 1 }
      operators.insert(item.operatorName ?? logID.base64)
    }
    return logs >= outcome.neededLogs && operators.count >= outcome.neededOperators
  }

  private static func cause(of item: Evidence.Uncounted, _ report: SCTReport, _ outcome: Outcome) -> VerdictCode? {
    switch item.reason {
    case .invalid: cause(of: report.scts[item.index].status)
    case .future: .futureSCT
    case .retired: outcome.hasLiveLog ? .afterRetirement : .onlyRetiredLogs
    case .afterReadOnly: .afterReadOnly
    case .outsideShard: .outsideShard
    case .noLeafIndex: .noLeafIndex
    case .malformedExtensions: .malformedSCT
    case .trailingBytes: .trailingBytes
    case .sourceIgnored: .sourceIgnored
    case .otherRoute: .mixedRoutes
    case .sameLog, .operatorLimit: nil
    }
  }

  private static func cause(of status: ReportedSCT.Status) -> VerdictCode? {
    switch status {
    case .valid, .future: nil
    case .unknownLog(.mimic): .mimicLog
    case .unknownLog: .unknownLog
    case .unsupportedVersion, .malformed: .malformedSCT
    case .badSignature(let reason):
      switch reason {
      case .algorithm, .notASignature, .damaged: .badSignature
      case .unreadableCertificate: .unreadableCertificate
      case .missingIssuer, .wrongIssuer: .wrongIssuer
      case .wrongEntryType: .wrongEntryType
      case .otherCertificate: .otherCertificate
      case .differsFromPrecertificate: .differsFromPrecertificate
      }
    }
  }
}
