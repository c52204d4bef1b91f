import CertificateTransparency
import OrielStore
import OrielWatchlist

/// The short form of an alert about certificates that was refused in full: nothing in it comes from a certificate, so
/// that no certificate can be one that nobody is notified of.
package struct ShortAlert: Hashable, Sendable {
  /// Nil where nobody judged.
  package let level: CertificateVerdict.Level?
  /// The registrable domain of the watched item, with its last dot in brackets; what is watched, where it is no name.
  package let domain: String
  /// Who runs the CA, as CCADB says; nil where that is not known, or there are several.
  package let caOwner: String?
  package let certificateCount: Int
  /// The page of the certificate, where there are pages.
  package let page: String?
  /// The number of the delivery, for `oriel alerts show`.
  package let number: Int64

  package init(
    level: CertificateVerdict.Level?, domain: String, caOwner: String?, certificateCount: Int = 1, page: String?,
    number: Int64
  ) {
    self.level = level
    self.domain = domain
    self.caOwner = caOwner
    self.certificateCount = certificateCount
    self.page = page
    self.number = number
  }

  /// Of some certificates for the same domain; nil if there are none.
  ///
  /// - Parameter count: how many there are in all.
  init?(_ alerts: [CertificateAlert], count: Int, number: Int64) {
    let alerts = alerts.worstFirst
    guard let worst = alerts.first else { return nil }
    let owners = Set(alerts.map { $0.verdict?.caOwner })
    self.init(
      level: worst.verdict?.level, domain: ShortAlert.domain(ofItem: worst.item),
      caOwner: owners.count == 1 ? worst.verdict?.caOwner : nil, certificateCount: count,
      page: count == 1 ? worst.verdict?.page : nil, number: number)
  }

  static func domain(ofItem item: String) -> String {
    guard let name = (try? WatchedItem(parsing: item, allowPublicSuffix: true))?.name else {
      return item.oneLine(limit: 80)
    }
    let registrable = PublicSuffixes.system.registrableName(of: name) ?? name
    return LookalikeAlert.defused(registrable.ascii.nameLine(limit: CertificateLetter.longestName))
  }

  /// Safe to show, as all that follows.
  var summary: String {
    let verdict =
      switch level {
      case .unexplained: "unexplained "
      case .expected: "expected "
      case .known: "known "
      case .noHistory, nil: ""
      }
    let certificates = counted(certificateCount, "\(verdict)certificate", "\(verdict)certificates")
    return "\(certificates) for \(domain)"
  }

  var owner: String { caOwner?.oneLine(limit: 100) ?? "not known" }

  /// Where there is more.
  var more: String { page ?? "oriel alerts show \(number)" }
}
