package import CertificateTransparency
package import MerkleTree

/// A certificate that nobody has explained, and what is known of it.
package struct UnexplainedIssuance: Sendable {
  /// Where a log has it.
  package struct LogEntry: Hashable, Sendable {
    package let log: String
    package let index: UInt64
    package let timestamp: Timestamp

    package init(log: String, index: UInt64, timestamp: Timestamp) {
      self.log = log
      self.index = index
      self.timestamp = timestamp
    }
  }

  package enum Concern: Hashable, Sendable {
    /// It covers a name below what the reader owns.
    case ownName(watched: String)
    /// It covers a name that imitates what the reader owns.
    case lookalike(imitating: String, domain: String)
  }

  package var concern: Concern
  package var facts: CertificateFacts
  /// SHA-256 of the final certificate, and of the precertificate: those that have been seen.
  package var certificate: SHA256Hash?
  package var precertificate: SHA256Hash?
  package var issuerKeyHash: SHA256Hash?
  /// Fingerprints of the issuers' certificates, the nearest first.
  package var chain: [SHA256Hash]
  package var entries: [LogEntry]
  /// Why the verdict is what it is, in sentences.
  package var reasons: [String]

  package init(
    concern: Concern, facts: CertificateFacts, certificate: SHA256Hash?, precertificate: SHA256Hash?,
    issuerKeyHash: SHA256Hash?, chain: [SHA256Hash], entries: [LogEntry], reasons: [String]
  ) {
    self.concern = concern
    self.facts = facts
    self.certificate = certificate
    self.precertificate = precertificate
    self.issuerKeyHash = issuerKeyHash
    self.chain = chain
    self.entries = entries
    self.reasons = reasons
  }

  /// The names, safe to show.
  var names: [String] {
    let sources: [FoundName.Source] = [.dnsName, .ipAddress, .email, .uri, .commonName]
    return sources.flatMap { facts.text(of: $0) }.map { $0.cleaned(limit: 253) }.uniqued()
  }

  var issuer: String { facts.issuer.map { "\($0)".cleaned(limit: 400) } ?? "can't be read" }

  /// The certificate in a report, in the order of reading; what a CA finds it by is what is left out last.
  var evidence: [Report.Part] {
    var found = ["Serial number: \((facts.serialNumber ?? "can't be read").cleaned(limit: 100))"]
    if let certificate { found.append("Certificate SHA-256: \(certificate.hex)") }
    if let precertificate { found.append("Precertificate SHA-256: \(precertificate.hex)") }
    var issued = ["Issuer: \(issuer)"]
    if let fingerprint = chain.first { issued.append("Issuer's certificate SHA-256: \(fingerprint.hex)") }
    if let issuerKeyHash { issued.append("Issuer's key SHA-256: \(issuerKeyHash.hex)") }
    if let first = facts.notBefore.flatMap(Timestamp.init(seconds:)),
      let last = facts.notAfter.flatMap(Timestamp.init(seconds:))
    {
      issued.append("Valid: \(first) to \(last)")
    }
    let names = names
    var named = names.prefix(50).map { "  \($0)" }
    if names.count > 50 { named.append("  and \(names.count - 50) more") }
    var logged = entries.prefix(10).map { "  \($0.log.cleaned(limit: 100)), entry \($0.index), \($0.timestamp)" }
    if entries.count > 10 { logged.append("  and \(entries.count - 10) more") }
    let hash = certificate ?? precertificate
    return [
      Report.Part(found, rank: 1), Report.Part(issued, rank: 4), Report.Part(named, heading: "Names:", rank: 3),
      Report.Part(logged, heading: "Logged:", rank: 5),
      Report.Part(hash.map { ["See also: https://crt.sh/?q=\($0.hex)"] } ?? [], rank: 6),
    ]
  }

  /// The reasons in lines of a report.
  var reasonLines: [String] { reasons.prefix(12).map { "- " + $0.cleaned(limit: 400) } }
}

extension Timestamp {
  /// A time of a certificate, if it is not before 1970.
  fileprivate init?(seconds: Int64) {
    guard let whole = UInt64(exactly: seconds), whole < 1 << 40 else { return nil }
    self.init(milliseconds: whole * 1000)
  }
}
