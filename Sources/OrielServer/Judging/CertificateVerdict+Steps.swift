import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielVerdicts

extension CertificateVerdict {
  /// What a letter says of a finding; for what is unexplained, with what to do.
  init(
    _ finding: Judge.Finding, on certificate: CertificateAlert, chain: [SHA256Hash], domain: Domain, owners: CAOwners?
  ) {
    let level = CertificateVerdict.Level(rawValue: finding.standing.rawValue) ?? .unexplained
    let reasons = finding.reasons.map { Reason(code: $0.code, isFor: $0.speaks == .for, sentence: $0.sentence) }
    self.init(
      level: level, isProven: finding.isProven || finding.standing == .known, reasons: reasons,
      steps: level == .unexplained
        ? CertificateVerdict.steps(certificate, reasons: reasons, chain: chain, domain: domain, owners: owners) : [])
  }

  private static func steps(
    _ certificate: CertificateAlert, reasons: [Reason], chain: [SHA256Hash], domain: Domain, owners: CAOwners?
  ) -> [Step] {
    let hash = { (type: String) in certificate.certificates.first { $0.entryType == type }?.sha256 }
    let issuance = UnexplainedIssuance(
      concern: .ownName(watched: domain.item), facts: certificate.facts, certificate: hash("x509"),
      precertificate: hash("precert"),
      issuerKeyHash: certificate.issuerKeyHash == .zero ? nil : certificate.issuerKeyHash,
      chain: chain,
      entries: certificate.sightings.map {
        UnexplainedIssuance.LogEntry(log: $0.log, index: $0.index, timestamp: $0.timestamp)
      }, reasons: reasons.filter { !$0.isFor }.map(\.sentence))
    let caa = domain.seenCAA.map { lines in
      lines.isEmpty ? CAAResult.noRecords : .found(CAASet(name: domain.item, records: lines.map(CAAText.record)))
    }
    let action = TakeAction(
      issuance, owners: owners, caa: caa,
      allowedCAADomains: domain.allowedOwners.flatMap { owners?.caaDomains(of: $0) ?? [] })
    return action.steps.filter { $0.fits != .no }.map { step in
      Step(
        title: step.title, why: step.why, addressee: step.addressee,
        contacts: step.addresses.map(\.text) + step.pages.map(\.url), notes: step.notes)
    }
  }
}
