public import CertificateTransparency
import MerkleTree

/// Finds and verifies all SCTs that came with a certificate (RFC 6962, sections 3.2 and 3.3).
///
/// Embedded SCTs are verified over the precertificate, rebuilt from the certificate's own bytes, with the key of its
/// issuer; those of TLS and OCSP over the certificate. A signature has to name the one algorithm pair of its log's key.
public struct SCTVerifier: Sendable {
  /// The logs that are known. Their keys are parsed already.
  public let logs: LogView

  public init(logs: LogView) { self.logs = logs }

  /// Reports on every SCT. Whatever the bytes are, there is a report.
  ///
  /// - Parameter time: SCTs that are later are from the future.
  public func verify(_ certificate: PresentedCertificate, at time: Timestamp) -> SCTReport {
    verify(certificate, at: time, reusing: nil)
  }

  /// The same, with what another list of logs already showed of signatures: a log's id is the hash of its key.
  ///
  /// - Parameter earlier: the report on the same certificate at the same time, by other logs.
  package func verify(
    _ certificate: PresentedCertificate, at time: Timestamp, reusing earlier: SCTReport?
  ) -> SCTReport {
    let leaf = certificate.leaf.span
    let reading = LeafReading(leaf)
    var run = VerificationRun(logs: logs, time: time, entries: SignedEntries(certificate, reading))
    run.known = earlier?.scts.filter(\.isOfKnownLog) ?? []
    switch reading?.embedded {
    case .list(let range): run.read(leaf, in: range, from: .x509)
    case .malformed(let offset, let reason): run.note(.x509, offset, reason)
    case .absent: break
    case nil: run.note(.x509, 0, "the certificate can't be read")
    }
    if let response = certificate.ocspResponse {
      let bytes = response.span
      let serialNumber = reading.map { leaf.copy($0.fields.serialNumber) } ?? []
      switch OCSPStaple.find(in: bytes, serialNumber: serialNumber, issuerKey: run.entries.issuerKey) {
      case .list(let range): run.read(bytes, in: range, from: .ocsp)
      case .malformed(let offset, let reason): run.note(.ocsp, offset, reason)
      case .absent: break
      }
    }
    if let list = certificate.tlsSCTList { run.read(list.span, in: 0..<list.count, from: .tls) }
    run.tellDamaged()
    return SCTReport(
      scts: run.scts, listProblems: run.problems, validity: reading?.validity,
      issuerCount: certificate.issuers.count, logs: logs, verificationTime: time)
  }
}

/// One certificate's verification under way.
private struct VerificationRun {
  let logs: LogView
  let time: Timestamp
  var entries: SignedEntries
  var scts: [ReportedSCT] = []
  var problems: [SCTListProblem] = []
  /// SCTs whose signatures were verified before.
  var known: [ReportedSCT] = []
  /// Explaining takes several verifications each: hostile lists get only so many.
  var explanationsLeft = 16

  init(logs: LogView, time: Timestamp, entries: SignedEntries) {
    self.logs = logs
    self.time = time
    self.entries = entries
  }

  mutating func note(_ source: SCTSource, _ offset: Int, _ reason: String) {
    problems.append(SCTListProblem(source: source, offset: offset, reason: reason))
  }

  /// Where an embedded SCT is right, the certificate is that of the precertificate, whatever the others say.
  mutating func tellDamaged() {
    guard scts.contains(where: { $0.source == .x509 && $0.isSigned }) else { return }
    for place in scts.indices where scts[place].status == .badSignature(.differsFromPrecertificate) {
      scts[place].status = .badSignature(.damaged)
    }
  }

  mutating func read(_ bytes: Span<UInt8>, in range: Range<Int>, from source: SCTSource) {
    do throws(FormatError) {
      let items = try SCTReading.split(bytes, in: range)
      for (position, item) in items.prefix(SCTReading.maximumCount).enumerated() {
        scts.append(report(bytes, item, source, position))
      }
      if items.count > SCTReading.maximumCount {
        note(source, items[SCTReading.maximumCount].lowerBound, "only \(SCTReading.maximumCount) SCTs are looked at")
      }
    } catch {
      note(source, range.lowerBound + error.offset, error.reason)
    }
  }

  private mutating func report(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ source: SCTSource, _ position: Int
  ) -> ReportedSCT {
    var sct: SignedCertificateTimestamp?
    var trailingByteCount = 0
    var listed: ListedLog?
    let status: ReportedSCT.Status
    switch SCTReading.read(bytes, in: range) {
    case .unsupportedVersion(let version): status = .unsupportedVersion(version)
    case .malformed(let offset, let reason): status = .malformed(offset: offset, reason: reason)
    case .sct(let read, let count):
      (sct, trailingByteCount) = (read, count)
      listed = logs[read.logID]
      if let log = listed, log.isKnown {
        let earlier = known.first { $0.source == source && $0.position == position }
        status = earlier?.status ?? judge(read, of: log.description.key, source)
      } else {
        status = .unknownLog(listed?.reason ?? LogView.reason(ofUnlisted: read.logID))
      }
    }
    return ReportedSCT(
      source: source, position: position, serialized: bytes.copy(range), sct: sct,
      trailingByteCount: trailingByteCount, leafIndex: sct.map { LeafIndex($0.extensions.span) } ?? .absent,
      listed: listed, status: status)
  }

  private mutating func judge(
    _ sct: SignedCertificateTimestamp, of key: LogKey, _ source: SCTSource
  ) -> ReportedSCT.Status {
    if let entry = entries.entry(for: source), key.verify(sct, for: entry) {
      return sct.timestamp > time ? .future : .valid
    }
    guard explanationsLeft > 0 else { return .badSignature(entries.lastResort(source)) }
    explanationsLeft -= 1
    return .badSignature(entries.explain(sct, of: key, source))
  }
}
