package import CertificateTransparency
import MerkleTree

/// Which submissions a log takes.
package struct AdmissionRules: Sendable {
  /// notAfter lies in it: from its start on, before its end; nil for any.
  package var window: Range<Timestamp>?
  /// Whether only certificates for TLS servers are taken.
  package var requiresServerAuth = false
  package var maximumBodyByteCount = 256 << 10
  package var maximumChainCount = 16
  package var maximumCertificateByteCount = 128 << 10

  package init(window: Range<Timestamp>? = nil) { self.window = window }

  /// A precertificate older than that is somebody's copy: 48 hours.
  static let lowPriorityAge: Int64 = 48 * 3600
}

/// Decides what is logged, and makes of it what will be.
package final class Admission: Sendable {
  package let rules: AdmissionRules
  package let roots: RootStore
  private let cache = AuthorityCache()

  package init(_ rules: AdmissionRules, roots: RootStore) {
    self.rules = rules
    self.roots = roots
  }

  /// Admits the body of a submission.
  ///
  /// - Parameter kind: what the endpoint takes.
  package func admit(_ body: [UInt8], as kind: LogEntryKind, at now: Timestamp) throws(Rejection) -> PendingEntry {
    guard body.count <= rules.maximumBodyByteCount else { throw .bodyTooLarge(limit: rules.maximumBodyByteCount) }
    return try admit(chain: try SubmissionBody.chain(body), as: kind, at: now)
  }

  package func admit(chain: [[UInt8]], as kind: LogEntryKind, at now: Timestamp) throws(Rejection) -> PendingEntry {
    guard let first = chain.first else { throw .emptyChain }
    guard chain.count <= rules.maximumChainCount else {
      throw .chainTooLong(count: chain.count, limit: rules.maximumChainCount)
    }
    for (position, der) in chain.enumerated() where der.count > rules.maximumCertificateByteCount {
      throw .certificateTooLarge(position: position, limit: rules.maximumCertificateByteCount)
    }
    let leaf = try Admission.reading(0) { () throws(FormatError) in try ParsedCertificate(first) }
    try checkPoison(leaf, kind)
    try checkValidity(leaf)
    guard !rules.requiresServerAuth || leaf.isForServers else { throw .notForServers }
    var sent: [Authority] = []
    for (position, der) in chain.enumerated().dropFirst() {
      sent.append(try Admission.reading(position) { () throws(FormatError) in try cache.authority(der) })
    }
    var builder = PathBuilder(leaf: leaf, sent: sent, roots: roots.current, cache: cache)
    let path = try builder.build()
    cache.remember(path)
    return try entry(leaf, certifiedBy: path, kind, at: now)
  }

  private static func reading<Value>(
    _ position: Int, _ read: () throws(FormatError) -> Value
  ) throws(Rejection) -> Value {
    do {
      return try read()
    } catch {
      throw .malformedCertificate(position: position, error.reason)
    }
  }

  /// The one encoding of the poison that RFC 6962 (section 3.1) and DER allow: critical, and NULL.
  private static let poison: [UInt8] =
    [0x30, 0x13, 0x06, 0x0a] + OID.poison + [0x01, 0x01, 0xff, 0x04, 0x02, 0x05, 0x00]

  private func checkPoison(_ leaf: ParsedCertificate, _ kind: LogEntryKind) throws(Rejection) {
    guard let found = leaf.extensions(OID.poison) else {
      throw .malformedCertificate(position: 0, "the extensions can't be read")
    }
    switch kind {
    case .x509: guard found.isEmpty else { throw .precertificateToAddChain }
    case .precertificate:
      guard let only = found.first else { throw .certificateToAddPreChain }
      guard found.count == 1 else { throw .badPoison("it stands there \(found.count) times") }
      guard leaf.der.span.equals(only.element, Admission.poison) else {
        throw .badPoison("it has to be critical and to hold NULL, in DER")
      }
    }
  }

  private func checkValidity(_ leaf: ParsedCertificate) throws(Rejection) {
    guard let window = rules.window else { return }
    guard let notAfter = leaf.validity.notAfter else { throw .noNotAfter }
    let time = Timestamp(milliseconds: UInt64(clamping: notAfter.multipliedReportingOverflow(by: 1000).partialValue))
    guard window.contains(time) else {
      throw .outsideWindow(notAfter: time, start: window.lowerBound, end: window.upperBound)
    }
  }

  private func entry(
    _ leaf: ParsedCertificate, certifiedBy path: [Authority], _ kind: LogEntryKind, at now: Timestamp
  ) throws(Rejection) -> PendingEntry {
    let issuers = path.map(\.chained)
    do throws(FormatError) {
      guard kind == .precertificate else {
        let hasSCTs = leaf.extensions(OID.sctList)?.isEmpty == false
        return try PendingEntry(
          .x509(certificate: leaf.der), precertificate: nil, issuers: issuers, isLowPriority: hasSCTs)
      }
      // A precertificate signing certificate stands for the authority that certified it.
      let signing = path.first.flatMap { $0.signsPrecertificates ? $0 : nil }
      guard let issuer = signing == nil ? path.first : path.dropFirst().first else {
        throw FormatError("precertificate", at: 0, "a precertificate signing certificate must not be a root")
      }
      let tbs = try TBSCertificate.withoutPoison(
        precertificate: leaf.der, signingCertificate: signing?.certificate.der)
      let age = (leaf.validity.notBefore).map {
        Int64(clamping: now.milliseconds / 1000).subtractingReportingOverflow($0)
      }
      return try PendingEntry(
        .precertificate(issuerKeyHash: issuer.certificate.keyHash, tbsCertificate: tbs), precertificate: leaf.der,
        issuers: issuers, isLowPriority: age.map { $0.partialValue >= AdmissionRules.lowPriorityAge } ?? false)
    } catch {
      throw .badPrecertificate(error.reason)
    }
  }
}
