import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielVerdicts

extension CertificateVerdict {
  /// A report that is longer makes a mail that nobody reads.
  private static let longestReport = 6000

  /// What a letter says of a finding; for what is unexplained, with what to do.
  init(
    _ finding: Judge.Finding, on certificate: CertificateAlert, chain: [SHA256Hash], domain: Domain, owners: CAOwners?,
    before: Before? = nil, page: String? = nil
  ) {
    let level = CertificateVerdict.Level(finding.standing)
    let reasons = finding.reasons.map { Reason(code: $0.code, isFor: $0.speaks == .for, sentence: $0.sentence) }
    let evidence = finding.reasons.compactMap(\.evidence)
    let actions =
      level == .unexplained
      ? CertificateVerdict.actions(certificate, evidence, chain: chain, domain: domain, owners: owners) : []
    self.init(
      level: level, isProven: finding.isProven || finding.standing == .known, reasons: reasons,
      steps: actions.map(Step.init),
      report: actions.first { $0.kind == .reportToCA }?.report.map { report in
        Report(
          to: report.to.map(\.text), subject: report.subject,
          body: report.body(limit: CertificateVerdict.longestReport))
      }, before: before,
      caOwner: owners?.owner(
        chain: chain, keyHash: certificate.issuerKeyHash == .zero ? nil : certificate.issuerKeyHash)?.name, page: page)
  }

  private static func actions(
    _ certificate: CertificateAlert, _ evidence: [String], chain: [SHA256Hash], domain: Domain, owners: CAOwners?
  ) -> [ActionStep] {
    let issuance = UnexplainedIssuance(.ownName(watched: domain.item), certificate, chain: chain, reasons: evidence)
    let caa = domain.seenCAA.map { lines in
      lines.isEmpty ? CAAResult.noRecords : .found(CAASet(name: domain.item, records: lines.map(CAAText.record)))
    }
    return TakeAction(
      issuance, owners: owners, caa: caa,
      allowedCAADomains: domain.allowedOwners.flatMap { owners?.caaDomains(of: $0) ?? [] }
    ).steps
  }
}

extension CertificateVerdict.Level {
  init(_ level: VerdictLevel) {
    switch level {
    case .known: self = .known
    case .expected: self = .expected
    case .unexplained: self = .unexplained
    case .noHistory: self = .noHistory
    }
  }
}

extension UnexplainedIssuance {
  init(_ concern: Concern, _ certificate: CertificateAlert, chain: [SHA256Hash], reasons: [String]) {
    let hash = { (type: String) in certificate.certificates.first { $0.entryType == type }?.sha256 }
    self.init(
      concern: concern, facts: certificate.facts, certificate: hash("x509"), precertificate: hash("precert"),
      issuerKeyHash: certificate.issuerKeyHash == .zero ? nil : certificate.issuerKeyHash, chain: chain,
      entries: certificate.sightings.map {
        UnexplainedIssuance.LogEntry(log: $0.log, index: $0.index, timestamp: $0.timestamp)
      }, reasons: reasons)
  }
}

extension CertificateVerdict.Step {
  init(_ step: ActionStep) {
    self.init(
      title: step.title, fits: Fit(step.fits), why: step.why, addressee: step.addressee,
      contacts: step.addresses.map(\.text) + step.pages.map(\.url), notes: step.notes)
  }
}

extension CertificateVerdict.Step.Fit {
  init(_ fit: ActionStep.Fit) {
    switch fit {
    case .yes: self = .yes
    case .perhaps: self = .perhaps
    case .no: self = .no
    }
  }
}
