import CTPolicy
import CertificateTransparency
import Synchronization

/// The reports on the certificates that were seen last, by leaf and the key of its issuer.
final class ReportCache: Sendable {
  private struct Key: Hashable {
    let leaf: [UInt8]
    /// The SubjectPublicKeyInfo as it stands; nil if the chain has no issuer, or none that can be read.
    let issuerKey: [UInt8]?

    init(_ certificate: PresentedCertificate) {
      leaf = certificate.leaf
      issuerKey = certificate.issuers.first.flatMap { issuer in
        let bytes = issuer.span
        return CertificateFields(certificate: 0..<bytes.count, in: bytes).map { bytes.copy($0.publicKeyInfo) }
      }
    }
  }

  private struct State {
    var reports: [Key: SCTReport] = [:]
    /// The keys, the oldest first.
    var order: [Key] = []
  }

  static let limit = 128
  private let state = Mutex(State())

  /// The report that is kept, if it was made with the same list, or else a new one.
  func report(_ certificate: PresentedCertificate, _ logs: LogView, make: () -> SCTReport) -> SCTReport {
    guard logs.timestamp != nil else { return make() }
    let key = Key(certificate)
    if let known = state.withLock({ $0.reports[key] }), known.logs.timestamp == logs.timestamp,
      known.logs.latestStateTimestamp == logs.latestStateTimestamp
    {
      return known
    }
    let report = make()
    state.withLock { state in
      if state.reports.updateValue(report, forKey: key) == nil { state.order.append(key) }
      if state.order.count > ReportCache.limit { state.reports[state.order.removeFirst()] = nil }
    }
    return report
  }
}
