/// Judges how a name imitates watched domains: exact, from the labels alone.
struct LookalikeJudge {
  /// From the left, in lower case and punycoded.
  let labels: [[UInt8]]
  /// Where the label that somebody has registered stands.
  let registrable: Int
  /// The characters for which those of the labels pass, up to that one, and their shapes.
  private let letters: [[UInt8]]
  private let shapes: [[UInt8]]

  /// A watched domain, taken apart.
  struct Brand {
    let label: [UInt8]
    let letters: [UInt8]
    let shape: [UInt8]
    /// The labels from the registrable one on.
    let labels: [[UInt8]]
    let isGeneric: Bool

    /// - Parameter labels: those of the domain, from the registrable one on.
    init?(_ labels: [[UInt8]]) {
      guard let label = labels.first, labels.count > 1 else { return nil }
      let passesFor = ConfusableLetters.shared.letters(of: label)
      self.label = label
      self.labels = labels
      letters = Glance.letters(passesFor)
      shape = Glance.shape(passesFor)
      isGeneric = CommonWords.shared.isGeneric(label)
    }

    static let shortestOfMeaning = 5
    /// Whether the label alone is enough to think of the brand.
    var isDistinct: Bool { letters.count >= Brand.shortestOfMeaning && !isGeneric }
    /// The rating's loss for what a short label is likely to be by chance.
    var discount: Int { letters.count <= 5 ? 25 : letters.count == 6 ? 10 : 0 }
  }

  init(_ labels: [[UInt8]], registrable: Int) {
    self.labels = labels
    self.registrable = registrable
    letters = labels[...registrable].map { ConfusableLetters.shared.letters(of: $0) }
    shapes = letters.map(Glance.shape)
  }

  typealias Verdict = (reason: Lookalike.Reason, rating: Int)

  /// The strongest way in which the name imitates a brand; nil if it does not.
  func verdict(on brand: Brand) -> Verdict? {
    var verdicts = [registrableVerdict(brand)].compactMap { $0 }
    for position in 0..<registrable { lowerVerdict(brand, at: position).map { verdicts.append($0) } }
    return verdicts.max { $0.rating < $1.rating }
  }

  private func registrableVerdict(_ brand: Brand) -> Verdict? {
    let hasOwnSuffix = labels[(registrable + 1)...].elementsEqual(brand.labels.dropFirst())
    let bonus = hasOwnSuffix ? 5 : 0
    if labels[registrable] == brand.label {
      guard brand.letters.count > 2, !hasOwnSuffix else { return nil }
      return (.suffix, brand.isGeneric ? 40 : brand.letters.count < 5 ? 45 : brand.letters.count < 8 ? 55 : 65)
    }
    if shapes[registrable] == brand.shape, brand.letters.count > 2 {
      let isInternational = ConfusableLetters.isALabel(labels[registrable])
      return (.confusable, isInternational ? 95 : (brand.letters.count < 5 ? 55 : 85) + bonus)
    }
    if brand.letters.count >= 5, let typo = Typo(from: brand.letters, to: Glance.letters(letters[registrable])) {
      return typoVerdict(typo, brand, bonus: bonus)
    }
    guard brand.isDistinct || hasOwnSuffix else { return nil }
    return wordsVerdict(brand, at: registrable)
  }

  private func typoVerdict(_ typo: Typo, _ brand: Brand, bonus: Int) -> Verdict {
    let (reason, rating): Verdict =
      switch typo {
      case .swapped: (.swapped, 80)
      case .doubled: (.doubled, 80)
      case .near: (.near, 75)
      case .missing: (.missing, 65)
      case .added: (.added, 55)
      case .replaced: (.replaced, 55)
      }
    // Nobody mistakes the first letter.
    let isFirst = letters[registrable].first.map(Glance.letter) != brand.letters.first
    return (reason, rating + bonus - brand.discount - (isFirst ? 10 : 0))
  }

  /// Judges a label below the registrable one.
  private func lowerVerdict(_ brand: Brand, at position: Int) -> Verdict? {
    if labels[position...].starts(with: brand.labels) { return (.embedded, 90) }
    guard brand.isDistinct else { return nil }
    if labels[position] == brand.label { return (.label, brand.letters.count < 7 ? 45 : 55) }
    if shapes[position] == brand.shape { return (.confusable, 80) }
    guard let verdict = wordsVerdict(brand, at: position) else { return nil }
    return (verdict.reason, verdict.rating - 20)
  }

  /// The brand among other words in a label.
  private func wordsVerdict(_ brand: Brand, at position: Int) -> Verdict? {
    guard brand.letters.count > 2 else { return nil }
    let label = letters[position]
    // A brand that is no more than part of a word has been found only where the rest is a known word.
    var best: Verdict?
    _ = CommonWords.shared.visitParts(of: label.span) { part in
      guard Glance.shape(Array(label[part])) == brand.shape else { return false }
      let rest = [label[..<part.lowerBound], label[part.upperBound...]].flatMap { $0.split(separator: 0x2D) }
      let isBait = rest.contains { CommonWords.shared.isBait(Array($0)) }
      var verdict: Verdict = isBait ? (.bait, 85) : (.words, 60 - brand.discount)
      if isBait, brand.letters.count == 5 { verdict.rating -= 5 }
      if !brand.isDistinct {
        // A short or common word says something only beside one that asks for trust, or a plain one joined to it.
        guard isBait || !label.contains(0x2D) && !rest.joined().allSatisfy(isDigit) else { return false }
        verdict.rating = isBait ? 65 : 45
      }
      if ConfusableLetters.isALabel(labels[position]) || Array(label[part]) != brand.label {
        verdict = (.confusable, 85)
      }
      if verdict.rating > best?.rating ?? 0 { best = verdict }
      return false
    }
    return best
  }
}
