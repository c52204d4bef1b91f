package import CertificateTransparency

/// Finds, name by name, where there is something to ask ``LookalikeIndex`` about: the hot path.
///
/// It allocates nothing for a name of plain ASCII that imitates nothing. It keeps in mind which registrable labels have
/// been found to be like none, since names come in groups: with and without `www`, as precertificate and certificate.
package struct LookalikeScanner {
  private let index: LookalikeIndex
  /// Hashes of labels like none, each in its place.
  private var innocent = [UInt64](repeating: 0, count: 1024)
  /// Hashes of names that have been looked at in full, each in its place; the lowest bit says with what result.
  private var judged = [UInt64](repeating: 0, count: 1024)
  private var found: [Lookalike] = []

  package init(_ index: LookalikeIndex) { self.index = index }

  /// Whether a name, as it stands in a certificate, imitates a watched domain.
  ///
  /// What `source` and `stringTag` are, ``FoundName`` says.
  package mutating func isLookalike(_ name: Span<UInt8>, source: FoundName.Source, stringTag: UInt8) -> Bool {
    guard !index.isEmpty, LookalikeIndex.hasHosts(source), name.count <= 4 * LookalikeIndex.longestName else {
      return false
    }
    if name.isRegular, !StringTag.isWide(stringTag), !mayImitate(name) { return false }
    let key = KeyKind.whole.key(LabelHash(name).bytes, UInt64(source.rawValue) << 8 | UInt64(stringTag)) & ~1
    let place = Int(truncatingIfNeeded: key >> 54)
    if judged[place] & ~1 == key { return judged[place] & 1 == 1 }
    found.removeAll(keepingCapacity: true)
    index.matches(name, source: source, stringTag: stringTag, into: &found)
    judged[place] = key | (found.isEmpty ? 0 : 1)
    return !found.isEmpty
  }

  /// Whether one of the labels may be like a brand, going from the right.
  @inline(__always)
  private mutating func mayImitate(_ name: Span<UInt8>) -> Bool {
    var end = name.count
    while end > 0, name[end &- 1] == 0x2E { end &-= 1 }
    var (position, next, isCountry) = (0, 0 as UInt64, false)
    while end > 0 {
      var start = end
      while start > 0, name[start &- 1] != 0x2E { start &-= 1 }
      let label = name.extracting(start..<end)
      // A label that is too long makes all of the name none.
      guard label.count <= 63 else { return false }
      let hash = LabelHash(label)
      if position == 0 {
        isCountry = label.count == 2 || label.isALabel
      } else {
        // Suffixes of two labels are those of countries, but for a handful.
        let isRegistrable = position == 1 || position == 2 && isCountry
        if mayImitate(label, hash, next: next, isRegistrable: isRegistrable, isLower: position > 1) { return true }
      }
      next = hash.shape
      position &+= 1
      end = start &- 1
    }
    return false
  }

  @inline(__always)
  private mutating func mayImitate(
    _ label: Span<UInt8>, _ hash: LabelHash, next: UInt64, isRegistrable: Bool, isLower: Bool
  ) -> Bool {
    guard isRegistrable || label.isALabel else {
      return index.visitKeys(of: label, hash, next: next, isRegistrable: false, isLower: true) { $0.contains($1) }
    }
    let key = KeyKind.own.key(hash.bytes, next &+ (isLower ? 1 : 0) &+ (isRegistrable ? 2 : 0))
    let place = Int(truncatingIfNeeded: key & 1023)
    if innocent[place] == key { return false }
    let isSuspect =
      label.isALabel
      ? mayImitate(international: label, next: next, isRegistrable: isRegistrable, isLower: isLower)
      : index.visitKeys(of: label, hash, next: next, isRegistrable: isRegistrable, isLower: isLower) {
        $0.contains($1)
      }
    if !isSuspect { innocent[place] = key }
    return isSuspect
  }

  @inline(never)
  private func mayImitate(international label: Span<UInt8>, next: UInt64, isRegistrable: Bool, isLower: Bool) -> Bool {
    let letters = ConfusableLetters.shared.letters(of: label.array)
    return index.visitKeys(
      of: letters.span, LabelHash(letters), next: next, isRegistrable: isRegistrable, isLower: isLower
    ) { $0.contains($1) }
  }
}
