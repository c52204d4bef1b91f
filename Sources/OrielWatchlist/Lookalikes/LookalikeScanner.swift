package import CertificateTransparency

/// Finds, name by name, where there is something to ask ``LookalikeIndex`` about: the hot path.
///
/// It allocates nothing for names of plain ASCII that imitate nothing. Names come in groups (with and without `www`, as
/// precertificate and certificate), so it keeps in mind which labels were like none, and of the last name what somebody
/// has registered: of the next, most often only the first label is news.
package struct LookalikeScanner {
  package let index: LookalikeIndex
  /// Hashes of labels that were looked at, each in its place; the lowest bit says whether it may be like a brand.
  private var labels: [UInt64]
  /// Short labels, byte for byte, that are like none below what is registered; then those like none in its place.
  private var firstLabels: [UInt64]
  /// Hashes of names that were looked at in full, each in its place; the lowest bit says with what result.
  private var judged: [UInt64]
  private var tail = Tail()
  private var found: [Lookalike] = []

  /// The end of a name that imitates nothing: its last two labels, or three below the suffix of a country.
  private struct Tail {
    var bytes: [UInt8] = []
    var labelCount = 0
    var isCountry = false

    /// Whether the label before it may be one that is registered.
    var isBelowSuffix: Bool { labelCount == 1 || labelCount == 2 && isCountry }
  }

  private static let longestTail = 64

  package init(_ index: LookalikeIndex) {
    self.index = index
    labels = index.isEmpty ? [] : [UInt64](repeating: 0, count: 2048)
    firstLabels = index.isEmpty ? [] : [UInt64](repeating: 0, count: 512)
    judged = index.isEmpty ? [] : [UInt64](repeating: 0, count: 1024)
    tail.bytes.reserveCapacity(LookalikeScanner.longestTail)
  }

  /// Whether one of the names of a certificate imitates a watched domain.
  package mutating func areLookalikes(_ names: [NameRange], in bytes: Span<UInt8>) -> Bool {
    guard !index.isEmpty else { return false }
    for place in 0..<Swift.min(names.count, LookalikeIndex.mostNames) {
      let name = names[place]
      guard LookalikeIndex.hasHosts(name.source) else { continue }
      let text = bytes.extracting(name.range)
      if !StringTag.isWide(name.stringTag), isLikeTheLast(text) { continue }
      if isLookalike(text, source: name.source, stringTag: name.stringTag) { return true }
    }
    return false
  }

  /// Whether a name, as it stands in a certificate, imitates a watched domain.
  ///
  /// What `source` and `stringTag` are, ``FoundName`` says.
  package mutating func isLookalike(_ name: Span<UInt8>, source: FoundName.Source, stringTag: UInt8) -> Bool {
    guard !index.isEmpty, LookalikeIndex.hasHosts(source), name.count <= 4 * LookalikeIndex.longestName else {
      return false
    }
    if name.isRegular, !StringTag.isWide(stringTag), !mayImitate(name) || !index.mayImitate(name) { return false }
    let key = KeyKind.whole.key(LabelHash(name).bytes, UInt64(source.rawValue) << 8 | UInt64(stringTag)) & ~1
    let place = Int(truncatingIfNeeded: key >> 54)
    if judged[place] & ~1 == key { return judged[place] & 1 == 1 }
    found.removeAll(keepingCapacity: true)
    index.matches(name, source: source, stringTag: stringTag, into: &found)
    judged[place] = key | (found.isEmpty ? 0 : 1)
    return !found.isEmpty
  }

  // MARK: Names like the one before

  /// Whether a name ends as the last one did, with nothing before that which may be like a brand.
  @inline(__always)
  private mutating func isLikeTheLast(_ name: Span<UInt8>) -> Bool {
    guard name.hasSuffix(tail.bytes.span) else { return false }
    let rest = name.count &- tail.bytes.count &- 1
    if rest < 0 { return true }
    guard name[rest] == 0x2E, rest > 0 else { return false }
    guard rest <= 8 else { return isInnocent(name.extracting(0..<rest)) }
    let word = name.firstWord(rest)
    let place = Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 56) | (tail.isBelowSuffix ? 256 : 0)
    if firstLabels[place] == word { return true }
    guard isInnocent(name.extracting(0..<rest)) else { return false }
    for index in 0..<rest where name[index] == 0x2E { return true }
    firstLabels[place] = word
    return true
  }

  /// Whether no label before the tail may be like a brand.
  @inline(never)
  private mutating func isInnocent(_ rest: Span<UInt8>) -> Bool {
    guard rest.isRegular else { return false }
    var (end, isRegistrable) = (rest.count, tail.isBelowSuffix)
    while end > 0 {
      var start = end
      while start > 0, rest[start &- 1] != 0x2E { start &-= 1 }
      guard end &- start <= 63, !mayBeLike(rest.extracting(start..<end), isRegistrable: isRegistrable) else {
        return false
      }
      (end, isRegistrable) = (start &- 1, false)
    }
    return true
  }

  // MARK: Other names

  /// Whether one of the labels may be like a brand, whatever stands beside it; if none is, the name's end is kept in mind.
  @inline(__always)
  private mutating func mayImitate(_ name: Span<UInt8>) -> Bool {
    var end = name.count
    while end > 0, name[end &- 1] == 0x2E { end &-= 1 }
    var (position, isCountry, tailStart, tailLabels) = (0, false, 0, 0)
    while end > 0 {
      var start = end
      while start > 0, name[start &- 1] != 0x2E { start &-= 1 }
      // A label that is too long makes all of the name none.
      guard end &- start <= 63 else { return false }
      let label = name.extracting(start..<end)
      if position == 0 {
        isCountry = label.isCountry
      } else {
        // Suffixes of two labels are those of countries, but for a handful.
        let isRegistrable = position == 1 || position == 2 && isCountry
        if mayBeLike(label, isRegistrable: isRegistrable) { return true }
      }
      position &+= 1
      if position <= (isCountry ? 3 : 2) { (tailStart, tailLabels) = (start, position) }
      end = start &- 1
    }
    keep(name.extracting(tailStart..<name.count), tailLabels, isCountry)
    return false
  }

  @inline(__always)
  private mutating func keep(_ end: Span<UInt8>, _ labelCount: Int, _ isCountry: Bool) {
    tail.bytes.removeAll(keepingCapacity: true)
    guard labelCount > 0, end.count <= LookalikeScanner.longestTail else { return }
    for index in 0..<end.count { tail.bytes.append(end[index]) }
    (tail.labelCount, tail.isCountry) = (labelCount, isCountry)
  }

  @inline(__always)
  private mutating func mayBeLike(_ label: Span<UInt8>, isRegistrable: Bool) -> Bool {
    let hash = LabelHash(label)
    let key = KeyKind.own.key(hash.bytes, isRegistrable ? 1 : 0) & ~1
    let place = Int(truncatingIfNeeded: key >> 53)
    if labels[place] & ~1 == key { return labels[place] & 1 == 1 }
    let mayBe =
      label.isALabel
      ? index.mayBeLike(international: label, isRegistrable: isRegistrable)
      : index.mayBeLike(label, hash, isRegistrable: isRegistrable)
    labels[place] = key | (mayBe ? 1 : 0)
    return mayBe
  }
}

extension Span<UInt8> {
  /// Whether a top-level label is that of a country.
  @inline(__always) var isCountry: Bool { count == 2 || isALabel }

  /// Whether it ends in these bytes, which are none if there are none.
  @inline(__always) fileprivate func hasSuffix(_ suffix: Span<UInt8>) -> Bool {
    let (length, start) = (suffix.count, count &- suffix.count)
    guard length > 0, start >= 0 else { return false }
    guard length >= 8 else {
      for index in 0..<length where self[start &+ index] != suffix[index] { return false }
      return true
    }
    var offset = 0
    while offset &+ 8 <= length {
      if word(at: start &+ offset) != suffix.word(at: offset) { return false }
      offset &+= 8
    }
    return word(at: count &- 8) == suffix.word(at: length &- 8)
  }

  /// The first bytes, at most eight, the first one lowest.
  @inline(__always) fileprivate func firstWord(_ length: Int) -> UInt64 {
    if count >= 8 { return word(at: 0) & UInt64.max >> UInt64(64 &- 8 &* length) }
    var word: UInt64 = 0
    for index in 0..<length { word |= UInt64(self[index]) << UInt64(8 &* index) }
    return word
  }

  @inline(__always) private func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
