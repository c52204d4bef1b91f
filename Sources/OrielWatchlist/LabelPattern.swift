/// A label of a name in a certificate: what it says, or which labels it stands for.
///
/// Only a `*` stands for several labels, and `?` for a redacted one. A label that cannot be read (too long, not
/// decodable, with characters that no host name has) is compared as the bytes it is, as TLS clients do.
struct LabelPattern {
  enum Kind {
    /// This label.
    case literal
    /// Labels of this form; `*` stands for any characters.
    case glob
    /// A wildcard: as the first label one label or more, since some clients let it cover several; else any one.
    case wildcard
    /// `?` in place of one label that a CA left out.
    case redacted
  }

  private(set) var kind: Kind
  /// The label in lower case, as an A-label; of one that cannot be read, what stands there, printable.
  let text: [UInt8]
  /// Further A-labels that software makes of the same characters.
  let otherSpellings: [[UInt8]]
  /// Whether it has the form of a label, or of a pattern for labels.
  let isReadable: Bool
  let starCount: Int

  private static let star: UInt8 = 0x2A
  private static let longest = 63

  init(_ label: ArraySlice<Unicode.Scalar>) {
    let spellings = LabelPattern.spellings(label).filter(LabelPattern.isReadable)
    guard let first = spellings.first else {
      (kind, text, otherSpellings, isReadable, starCount) = (.literal, Array(printable(label).utf8), [], false, 0)
      return
    }
    (text, otherSpellings, isReadable) = (first, Array(spellings.dropFirst()), true)
    starCount = first.count { $0 == LabelPattern.star }
    kind = first == [LabelPattern.star] ? .wildcard : starCount > 0 ? .glob : .literal
    if first == [0x3F] { kind = .redacted }
  }

  /// The label in lower-case ASCII, in each way in which it can be written so; none where there is none.
  private static func spellings(_ label: ArraySlice<Unicode.Scalar>) -> [[UInt8]] {
    if label.allSatisfy(\.isASCII) { return [label.map { lowercased(UInt8(truncatingIfNeeded: $0.value)) }] }
    // No client takes a wildcard beside characters that are punycoded together for one.
    guard label.count <= IDNA.longestLabel, !label.contains(where: { $0 == "*" || $0.value <= 0x20 }) else { return [] }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: label)
    return IDNA.aLabels(of: String(text))
  }

  private static func isReadable(_ label: [UInt8]) -> Bool {
    if label == [0x3F] { return true }
    let stars = label.count { $0 == star }
    guard !label.isEmpty, label.count - stars <= longest, stars <= longest else { return false }
    guard label.allSatisfy({ isLabelByte($0) || $0 == star }) else { return false }
    return stars > 0 || !label.starts(with: "xn--".utf8) || IDNA.isDecodable(aLabel: label)
  }

  /// Takes a `?` for the character that it is.
  mutating func takeLiterally() { kind = .literal }

  /// Whether the pattern covers one label in lower case.
  func covers(_ label: Span<UInt8>) -> Bool {
    switch kind {
    case .wildcard, .redacted: true
    case .glob, .literal: text.span.globCovers(label)
    }
  }
}

extension Span<UInt8> {
  /// Whether a text is of this form, in which `*` stands for any bytes.
  ///
  /// After a mismatch only the last `*` takes in more: an earlier one could not do better.
  func globCovers(_ label: Span<UInt8>) -> Bool {
    var (position, offset) = (0, 0)
    var lastStar: (position: Int, offset: Int)?
    while offset < label.count {
      if position < count, self[position] == 0x2A {
        lastStar = (position, offset)
        position += 1
      } else if position < count, self[position] == label[offset] {
        position += 1
        offset += 1
      } else if let star = lastStar {
        lastStar = (star.position, star.offset + 1)
        (position, offset) = (star.position + 1, star.offset + 1)
      } else {
        return false
      }
    }
    while position < count, self[position] == 0x2A { position += 1 }
    return position == count
  }
}

/// Text with all but printable ASCII escaped, cut where it is long.
func printable(_ text: some Collection<Unicode.Scalar>) -> String {
  var result = ""
  for scalar in text.prefix(80) {
    result += 0x21...0x7E ~= scalar.value ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
  }
  return text.count > 80 ? result + "…" : result
}
