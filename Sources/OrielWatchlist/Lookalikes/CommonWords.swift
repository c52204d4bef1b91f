/// Words that stand beside a brand in names made to look like its owner's.
struct CommonWords: Sendable {
  static let shared = CommonWords()

  /// Words that speak of signing in, of trust or of money.
  private static let baits =
    "account accounts alert auth bank billing card claim confirm customer invoice login logon official pay payment "
    + "portal recover refund reset secure security service signin sso support unlock update validate verify wallet"
  private static let plain =
    "access admin app apps care cloud club direct free get gift help info mail mobile my new now online promo "
    + "sale shop store team the tracking web www"
  /// Labels under which everybody has something; as a brand, they count only where the name leaves no doubt.
  private static let generic =
    "autodiscover blog cdn confluence console cpanel cpcalendars cpcontacts dashboard demo docs email events forum "
    + "git gitlab grafana home host hosting images jenkins jira mailer market media monitor news office panel partner "
    + "preview server services static status test vault video vpn webdisk webmail"

  private struct Word {
    let bytes: UInt64
    let count: Int
  }

  /// Words of at most eight bytes by their first letter, and by their last.
  private let byFirst: [[Word]]
  private let byLast: [[Word]]
  private let baits: Set<[UInt8]>
  private let genericLabels: Set<[UInt8]>

  private init() {
    func words(_ text: String) -> [[UInt8]] { text.split(separator: " ").map { Array($0.utf8) } }
    let affixes = words(CommonWords.baits) + words(CommonWords.plain)
    func buckets(_ letter: ([UInt8]) -> UInt8?, _ window: ([UInt8]) -> UInt64) -> [[Word]] {
      var buckets = [[Word]](repeating: [], count: 32)
      for word in affixes {
        buckets[Int((letter(word) ?? 0) & 31)].append(Word(bytes: window(word), count: word.count))
      }
      return buckets
    }
    byFirst = buckets(\.first) { $0.span.firstBytes }
    byLast = buckets(\.last) { $0.span.lastBytes }
    baits = Set(words(CommonWords.baits))
    genericLabels = Set(affixes + words(CommonWords.generic))
  }

  func isBait(_ word: [UInt8]) -> Bool { baits.contains(word) }
  func isGeneric(_ label: [UInt8]) -> Bool { genericLabels.contains(label) }

  /// The parts of a label that may be a brand with something added, until `visit` says that it has seen enough: what is
  /// between hyphens, before or after one, without digits at its ends, or without a common word at an end.
  @inline(__always)
  func visitParts(of label: Span<UInt8>, _ visit: (Range<Int>) -> Bool) -> Bool {
    let count = label.count
    guard count > 3 else { return false }
    if visitWithoutWords(label, visit) || visitWithoutDigits(label, 0..<count, visit) { return true }
    var (start, hyphens) = (0, 0)
    // No brand is found behind more hyphens than this.
    while hyphens < 8 {
      var end = start
      while end < count, label[end] != 0x2D { end &+= 1 }
      if start == 0, end == count { return false }
      if visit(start..<end) || visitWithoutDigits(label, start..<end, visit) { return true }
      if start > 0, end < count, visit(0..<end) || visit(start..<count) { return true }
      guard end < count else { return false }
      start = end &+ 1
      hyphens &+= 1
    }
    return false
  }

  @inline(__always)
  private func visitWithoutDigits(_ label: Span<UInt8>, _ part: Range<Int>, _ visit: (Range<Int>) -> Bool) -> Bool {
    var (start, end) = (part.lowerBound, part.upperBound)
    while start < end, isDigit(label[start]) { start &+= 1 }
    while start < end, isDigit(label[end &- 1]) { end &-= 1 }
    if start == part.lowerBound, end == part.upperBound { return false }
    return visit(start..<part.upperBound) || visit(part.lowerBound..<end)
  }

  @inline(__always)
  private func visitWithoutWords(_ label: Span<UInt8>, _ visit: (Range<Int>) -> Bool) -> Bool {
    let (count, first, last) = (label.count, label.firstBytes, label.lastBytes)
    for word in byFirst[Int(first & 31)] where word.count &+ 3 <= count {
      if (first ^ word.bytes) << UInt64(64 &- 8 &* word.count) == 0, visit(word.count..<count) { return true }
    }
    for word in byLast[Int(last >> 56 & 31)] where word.count &+ 3 <= count {
      if (last ^ word.bytes) >> UInt64(64 &- 8 &* word.count) == 0, visit(0..<(count &- word.count)) { return true }
    }
    return false
  }
}

extension Span<UInt8> {
  /// The first eight bytes, the first one lowest; letters in lower case.
  @inline(__always) fileprivate var firstBytes: UInt64 {
    var window: UInt64 = 0
    for index in 0..<Swift.min(8, count) { window |= UInt64(self[index] | 0x20) << UInt64(8 &* index) }
    return window
  }

  /// The last eight bytes, the last one highest; letters in lower case.
  @inline(__always) fileprivate var lastBytes: UInt64 {
    var window: UInt64 = 0
    for index in 0..<Swift.min(8, count) {
      window |= UInt64(self[count &- 1 &- index] | 0x20) << UInt64(56 &- 8 &* index)
    }
    return window
  }
}
