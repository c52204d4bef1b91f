import CertificateTransparency

/// A name that imitates a watched domain.
package struct Lookalike: Hashable, Sendable {
  /// In what way it imitates.
  package enum Reason: String, Sendable, CaseIterable {
    /// Characters pass for others: `paypa1`, `rnicrosoft`, or letters of another script.
    case confusable
    /// The whole domain stands within a name of somebody else's: `shop.example.evil.com`.
    case embedded
    /// Two letters have changed places.
    case swapped
    case missing
    case doubled
    case added
    /// A letter is replaced by one beside it on the keyboard, or one that looks alike.
    case near
    case replaced
    /// The brand and words that ask for trust: `shop-login`.
    case bait
    /// The brand and other words or digits.
    case words
    /// The brand under another suffix.
    case suffix
    /// The brand as a label below somebody else's name.
    case label
  }

  /// The watched domain.
  package let domain: DomainName
  /// The same as it is watched.
  package let item: WatchedItem
  /// Whose it is, as given to ``LookalikeIndex``.
  package let owner: Int64
  /// The name that imitates it, normalised and printable.
  package let name: String
  /// The part of it that somebody has registered.
  package let registrable: String
  package let reason: Reason
  /// How likely it is meant to deceive, from 0 to 100.
  package let rating: Int
}

extension Lookalike {
  /// The name as it looks: its A-labels as what they stand for, without what could turn text around or hide; nil if that
  /// is the same.
  package var unicode: String? {
    let text = name.split(separator: ".", omittingEmptySubsequences: false).map { label in
      ConfusableLetters.shared.unicode(of: Array(label.utf8)).flatMap { letters in
        letters.unicodeScalars.contains { $0.isDeceptive } ? nil : letters
      } ?? String(label)
    }.joined(separator: ".")
    return text == name ? nil : text
  }
}

extension Lookalike: CustomStringConvertible {
  /// A sentence that says what is alike.
  package var description: String {
    let domain = domain.ascii
    return switch reason {
    case .confusable: "\(name) has characters that pass for those of \(domain)."
    case .embedded: "\(name) begins like \(domain), but belongs to whoever has \(registrable)."
    case .swapped: "\(name) is \(domain) with two letters swapped."
    case .missing: "\(name) is \(domain) with a letter left out."
    case .doubled: "\(name) is \(domain) with a letter doubled."
    case .added: "\(name) is \(domain) with a letter added."
    case .near: "\(name) is \(domain) with a letter replaced by one that is near it or looks like it."
    case .replaced: "\(name) is \(domain) with a letter replaced."
    case .bait: "\(name) adds words that ask for trust to the name of \(domain)."
    case .words: "\(name) adds words or digits to the name of \(domain)."
    case .suffix: "\(name) has the name of \(domain) under another suffix."
    case .label: "\(name) uses the name of \(domain) below \(registrable)."
    }
  }
}
