package import CTPolicy
package import CertificateTransparency
package import MerkleTree
package import OrielProbe

/// What one policy makes of a certificate.
package struct PolicyResult: Sendable {
  package enum Standing: String, Sendable {
    case pass, fail
    case notRequired = "not-required"
    case couldNotTell = "could-not-tell"
  }

  package let verdict: PolicyVerdict
  /// Whether CT is asked of this chain; nil if it can't be read.
  package let requirement: CTRequirementResult?
  package let list: BrowserLists.List
  /// Whether it counts for the standing of the certificate, or is shown only.
  package let decides: Bool

  package var policy: BrowserPolicy { verdict.policy }

  /// Whether the policy enforces nothing, for the dates of its log list.
  package var isUnenforced: Bool { verdict.compliance == .notTimely }

  /// What becomes of the connection, as far as CT decides it.
  package var standing: Standing {
    if verdict.passes { return verdict.code == .notRequired ? .notRequired : .pass }
    switch requirement?.outcome {
    case .pass, .evStatusStripped: return .pass
    case .blocked: return .fail
    case .notRequired: return .notRequired
    case .couldNotTell: return .couldNotTell
    case nil: return .fail
    }
  }
}

/// All that was found out about one certificate.
package struct CheckReport: Sendable {
  package let subject: CheckSubject
  package let time: Timestamp
  package let facts: CertificateFacts
  package let leafHash: SHA256Hash
  package let chain: ChainVerification
  package let publicity: RootPublicity
  /// The SCTs as Chrome's list knows their logs; nil where nothing could be judged.
  package let report: SCTReport?
  package let results: [PolicyResult]
  package let forecasts: [Forecast.Failure]
  package let distrust: DistrustFinding?
  package let warnings: [PolicyWarning]
  /// What is found of the entry of each SCT of ``report``; empty if that was not asked.
  package var inclusion: [InclusionCheck.Finding] = []

  private var deciding: [PolicyResult] { results.filter(\.decides) }

  /// The worst of those that decide, and of what was asked about inclusion.
  package var standing: PolicyResult.Standing {
    let all = deciding.map(\.standing)
    if all.contains(.fail) || inclusion.contains(where: \.isMissing) { return .fail }
    if all.isEmpty || all.contains(.couldNotTell) || inclusion.contains(where: \.isUnproved) { return .couldNotTell }
    return all.contains(.pass) ? .pass : .notRequired
  }

  /// The result whose cause and mend are told first: the first that fails, or that can't be told.
  package var leading: PolicyResult? {
    deciding.first { $0.standing == .fail } ?? deciding.first { $0.standing == .couldNotTell }
      ?? deciding.first { !$0.verdict.passes }
  }

  /// Every code that tells why something is not as it should be, each once.
  package var codes: [String] {
    var codes: [String] = []
    let all = deciding.filter { !$0.verdict.passes || $0.isUnenforced }.map(\.verdict.code.rawValue)
    let inclusion =
      (inclusion.contains(where: \.isMissing) ? [InclusionCheck.missingCode] : [])
      + (inclusion.contains(where: \.isUnproved) ? [InclusionCheck.unprovedCode] : [])
    let others = [distrust.map { _ in DistrustFinding.code }, chain.problem?.checkCode].compactMap { $0 }
    for code in all + inclusion + others where !codes.contains(code) { codes.append(code) }
    return codes
  }
}

extension CheckReport {
  /// Whether what was looked at is a precertificate.
  package var isPrecertificate: Bool {
    subject.certificates.indices.contains(chain.leafIndex)
      && TBSCertificate.isPrecertificate(subject.certificates[chain.leafIndex])
  }
}

/// There is no sense in judging the SCTs of a precertificate.
package struct PrecertificateError: Error, CustomStringConvertible {
  package init() {}

  package var description: String {
    "this is a precertificate, which no server may use and which never has SCTs: check the certificate that the CA "
      + "issued for it"
  }
}

extension ChainVerification.Problem {
  /// The stable name of the finding, beside those of the policies' verdicts.
  package var checkCode: String {
    switch self {
    case .noCertificate, .unreadable: "CHAIN-READ-1"
    case .issuerMissing: "CHAIN-ISSUER-1"
    case .untrustedRoot: "CHAIN-ROOT-1"
    case .expired: "CHAIN-TIME-1"
    case .notYetValid: "CHAIN-TIME-2"
    case .badSignature: "CHAIN-SIGNATURE-1"
    case .other: "CHAIN-OTHER-1"
    }
  }
}
