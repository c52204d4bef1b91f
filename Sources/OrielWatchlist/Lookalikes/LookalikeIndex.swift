package import CertificateTransparency

/// Watched domains, arranged so that names which imitate them are found at a cost that hardly depends on their number.
///
/// For every name of every certificate there is ``LookalikeScanner``, which seldom needs more than a few reads of memory;
/// ``matches(_:source:stringTag:into:)`` then says what is alike, and how much.
package final class LookalikeIndex: Sendable {
  /// A domain and whose it is: names below the owner's domains are none that imitate them.
  package struct OwnedDomain: Hashable, Sendable {
    package let name: DomainName
    package let owner: Int64
    /// Whether the name alone is watched, and not what is below it.
    package let isExact: Bool

    package init(_ name: DomainName, owner: Int64 = 0, isExact: Bool = false) {
      self.name = name
      self.owner = owner
      self.isExact = isExact
    }

    /// - Returns: nil for an item that is no name, which nothing can imitate.
    package init?(_ item: WatchedItem, owner: Int64 = 0) {
      switch item {
      case .subtree(let name): self.init(name, owner: owner)
      case .exact(let name): self.init(name, owner: owner, isExact: true)
      case .addresses, .publicKey, .issuer, .everything: return nil
      }
    }

    /// The domain as it is watched.
    package var item: WatchedItem { isExact ? .exact(name) : .subtree(name) }
  }

  /// The watched domains, then those that are allowed.
  private let domains: [OwnedDomain]
  private let watchedCount: Int
  /// Which label of each watched domain is the one that is registered.
  private let registrableLabels: [UInt8]
  private let suffixes: PublicSuffixes
  /// What is rated lower is not told.
  private let floor: Int
  /// Shapes of brands, and owners' names.
  let names: KeyTable
  /// Brands with letters left out.
  let typos: KeyTable
  /// No label longer than this is a slip away from a brand.
  private let longestLabel: Int
  /// A bit for each length of a brand that slips are sought of.
  private let brandLengths: UInt64
  let words = CommonWords.shared

  /// No host name is longer.
  static let longestName = 253
  /// Of a certificate's names, so many are looked at.
  package static let mostNames = 1000
  /// Of more domains than these that one name may imitate, the first are looked at.
  private static let mostCandidates = 10_000

  package static let empty = LookalikeIndex(watching: [])

  package convenience init(domains: [DomainName], suffixes: PublicSuffixes = .system) {
    self.init(watching: domains.map { OwnedDomain($0) }, suffixes: suffixes)
  }

  /// - Parameters:
  ///   - watched: The domains to find imitations of. One that is a public suffix has none.
  ///   - allowed: Names that owners have looked at and found harmless, and all below them.
  ///   - floor: The lowest rating worth telling.
  package init(
    watching watched: [OwnedDomain], allowed: [OwnedDomain] = [], suffixes: PublicSuffixes = .system, floor: Int = 40
  ) {
    domains = watched + allowed
    watchedCount = watched.count
    self.suffixes = suffixes
    self.floor = floor
    var names: [(key: UInt64, number: UInt32)] = []
    var typos: [(key: UInt64, number: UInt32)] = []
    var (longest, lengths) = (0, 0 as UInt64)
    var registrableLabels = [UInt8](repeating: 0, count: watched.count)
    for (position, domain) in domains.enumerated() {
      let number = UInt32(truncatingIfNeeded: position)
      names.append((KeyKind.own.key(LabelHash(Array(domain.name.ascii.utf8)).bytes), number))
      guard position < watched.count else { continue }
      let labels = LookalikeIndex.labels(of: domain.name)
      guard let registrable = LookalikeIndex.registrable(labels, suffixes),
        let brand = LookalikeJudge.Brand(Array(labels[registrable...]))
      else { continue }
      registrableLabels[position] = UInt8(truncatingIfNeeded: registrable)
      let hash = LabelHash(brand.letters)
      names.append((KeyKind.brand.key(hash.shape), number))
      names.append((KeyKind.pair.key(hash.shape, LabelHash(brand.labels[1]).shape), number))
      if brand.letters.count > 2 { names.append((KeyKind.whole.key(hash.shape), number)) }
      if brand.isDistinct { names.append((KeyKind.anywhere.key(hash.shape), number)) }
      guard brand.letters.count >= LookalikeJudge.Brand.shortestOfMeaning else { continue }
      longest = max(longest, brand.letters.count + 1)
      lengths |= 1 << UInt64(min(63, brand.letters.count))
      typos.append((KeyKind.typo.quickKey(hash.letters), number))
      _ = hash.visitDeletions(of: brand.letters.span) {
        typos.append((KeyKind.typo.quickKey($0), number))
        return false
      }
    }
    self.names = KeyTable(names)
    self.typos = KeyTable(typos)
    longestLabel = longest
    brandLengths = lengths
    self.registrableLabels = registrableLabels
  }

  package var isEmpty: Bool { watchedCount == 0 }

  /// Whether there are brands that a label of so many letters is at most one slip away from.
  @inline(__always)
  func hasBrands(near count: Int) -> Bool { count > 63 || brandLengths >> UInt64(count &- 1) & 7 != 0 }

  private static func labels(of domain: DomainName) -> [[UInt8]] {
    domain.ascii.utf8.split(separator: 0x2E).map { Array($0) }
  }

  /// Where the label stands that is registered: the one above the longest public suffix, or else above the last.
  private static func registrable(_ labels: [[UInt8]], _ suffixes: PublicSuffixes) -> Int? {
    var place = labels.count - 2
    for start in stride(from: labels.count - 2, through: max(0, labels.count - 4), by: -1)
    where suffixes.isICANNSuffix(DomainName(normalisedASCII: text(labels[start...]))) {
      place = start - 1
    }
    return place >= 0 ? place : nil
  }

  private static func text(_ labels: ArraySlice<[UInt8]>) -> String {
    String(decoding: Array(labels.joined(separator: [0x2E])), as: UTF8.self)
  }

  /// Asks for every key under which a brand that a label imitates may stand, until `visit` says it has seen enough.
  ///
  /// - Parameters:
  ///   - label: It, or if it is an A-label what it passes for.
  ///   - next: The shape of the label after it.
  ///   - isRegistrable: Whether it may be the one that is registered.
  ///   - isLower: Whether it may stand below the one that is.
  @inline(__always)
  func visitKeys(
    of label: Span<UInt8>, _ hash: LabelHash, next: UInt64, isRegistrable: Bool, isLower: Bool,
    _ visit: (KeyTable, UInt64) -> Bool
  ) -> Bool {
    if isLower, visit(names, KeyKind.pair.key(hash.shape, next)) { return true }
    guard label.count > 2 else { return false }
    if isLower, label.count > 4, visit(names, KeyKind.anywhere.key(hash.shape)) { return true }
    if isRegistrable {
      if visit(names, KeyKind.whole.key(hash.shape)) { return true }
      if label.count > 3, label.count <= longestLabel {
        if visit(typos, KeyKind.typo.quickKey(hash.letters)) { return true }
        if hash.visitDeletions(of: label, { visit(typos, KeyKind.typo.quickKey($0)) }) { return true }
      }
    }
    return words.visitParts(of: label) { range in
      guard range.count > 2 else { return false }
      let part = LabelHash(label.extracting(range))
      // Drawing pairs together makes a part shorter than its brand, never longer.
      if range.count > 4, visit(names, KeyKind.anywhere.key(part.shape)) { return true }
      return isRegistrable && visit(names, KeyKind.pair.key(part.shape, next))
    }
  }
}

// MARK: - What is alike

extension LookalikeIndex {
  /// Whether such names are host names.
  @inline(__always)
  static func hasHosts(_ source: FoundName.Source) -> Bool { source == .dnsName || source == .commonName }

  /// Appends what a name, as it stands in a certificate, imitates.
  package func matches(
    _ name: Span<UInt8>, source: FoundName.Source, stringTag: UInt8, into found: inout [Lookalike]
  ) {
    guard !isEmpty, LookalikeIndex.hasHosts(source), name.count <= 4 * LookalikeIndex.longestName else { return }
    if name.isRegular, !StringTag.isWide(stringTag) {
      found += matches(LookalikeIndex.labels(ofRegular: name))
      return
    }
    var seen: Set<Lookalike> = []
    for reading in NameReader(FoundName(source: source, stringTag: stringTag, bytes: name.array)).readings {
      guard case .labels(let patterns) = reading else { continue }
      // A wildcard says nothing about the names it covers; neither does what cannot be read.
      let labels = patterns.reversed().prefix { $0.kind == .literal && $0.isReadable }.reversed().map(\.text)
      for match in matches(labels) where seen.insert(match).inserted { found.append(match) }
    }
  }

  /// What ``NameReader`` would read, without its detours.
  private static func labels(ofRegular name: Span<UInt8>) -> [[UInt8]] {
    var bytes = name.array.map { lowercased($0) }
    while bytes.last == 0x2E { bytes.removeLast() }
    let labels = bytes.split(separator: 0x2E, omittingEmptySubsequences: false).map { Array($0) }
    return labels.reversed().prefix { label in
      1...63 ~= label.count && !label.contains(0x2A)
        && (!ConfusableLetters.isALabel(label) || IDNA.isDecodable(aLabel: label))
    }.reversed()
  }

  private func matches(_ labels: [[UInt8]]) -> [Lookalike] {
    let name = LookalikeIndex.text(labels[...])
    guard labels.count > 1, name.utf8.count <= LookalikeIndex.longestName,
      let registrable = LookalikeIndex.registrable(labels, suffixes)
    else { return [] }
    let candidates = candidates(labels, registrable: registrable)
    guard !candidates.isEmpty else { return [] }
    let owners = owners(of: labels)
    let judge = LookalikeJudge(labels, registrable: registrable)
    return candidates.compactMap { number in
      let domain = domains[number]
      guard !owners.contains(domain.owner), let brand = brand(number),
        let verdict = judge.verdict(on: brand), verdict.rating >= floor
      else { return nil }
      return Lookalike(
        domain: domain.name, item: domain.item, owner: domain.owner, name: name,
        registrable: LookalikeIndex.text(labels[registrable...]), reason: verdict.reason,
        rating: max(0, min(100, verdict.rating)))
    }
  }

  private func brand(_ number: Int) -> LookalikeJudge.Brand? {
    let labels = LookalikeIndex.labels(of: domains[number].name).dropFirst(Int(registrableLabels[number]))
    return LookalikeJudge.Brand(Array(labels))
  }

  /// The watched domains that a name may imitate, in their order.
  private func candidates(_ labels: [[UInt8]], registrable: Int) -> [Int] {
    var candidates: Set<Int> = []
    for (position, label) in labels[...registrable].enumerated() where label.count <= 63 {
      let letters = ConfusableLetters.shared.letters(of: label)
      _ = visitKeys(
        of: letters.span, LabelHash(letters), next: LabelHash(labels[position + 1]).shape,
        isRegistrable: position == registrable, isLower: position < registrable
      ) { table, key in
        for number in table.numbers(for: key) where number < watchedCount { candidates.insert(number) }
        return candidates.count >= LookalikeIndex.mostCandidates
      }
    }
    return candidates.sorted()
  }

  /// Whose domains a name is at or below.
  private func owners(of labels: [[UInt8]]) -> Set<Int64> {
    var owners: Set<Int64> = []
    for start in labels.indices {
      let name = LookalikeIndex.text(labels[start...])
      for number in names.numbers(for: KeyKind.own.key(LabelHash(Array(name.utf8)).bytes))
      where domains[number].name.ascii == name { owners.insert(domains[number].owner) }
    }
    return owners
  }
}
