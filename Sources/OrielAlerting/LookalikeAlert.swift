import CertificateTransparency
import Foundation
package import OrielStore

/// A certificate for a name that imitates a watched domain. Nobody has judged it: it is not the owner's, but may be
/// harmless.
package struct LookalikeAlert: Hashable, Sendable {
  /// Its item is the domain that is imitated, and its matched names are the one that imitates it.
  package let certificate: CertificateAlert
  package let lookalike: StoredLookalike
  /// What to do about it; empty where nobody has looked that up.
  package var steps: [CertificateVerdict.Step] = []

  package init(certificate: CertificateAlert, lookalike: StoredLookalike) {
    self.certificate = certificate
    self.lookalike = lookalike
  }

  /// Safe to show, like all that follows.
  var item: String { lookalike.item.nameLine(limit: CertificateLetter.longestName) }
  var registrable: String { lookalike.registrable.nameLine(limit: CertificateLetter.longestName) }
  var sentence: String { lookalike.sentence.oneLine(limit: 900) }
  /// What the name looks like, where it is not in ASCII.
  var unicode: String? { lookalike.unicode?.nameLine(limit: CertificateLetter.longestName) }

  /// The name as nobody clicks on it: its last dot is put in brackets.
  var name: String { LookalikeAlert.defused(lookalike.name.nameLine(limit: CertificateLetter.longestName)) }

  static func defused(_ name: String) -> String {
    guard let dot = name.lastIndex(of: ".") else { return name }
    return name.replacingCharacters(in: dot...dot, with: "[.]")
  }
}

extension StoredLookalike.Level {
  /// As in “Likely to deceive: high”.
  package var words: String {
    switch self {
    case .high: "high"
    case .medium: "medium"
    case .low: "low"
    }
  }
}
