/// A label of a name in a certificate: what it says, or which labels it could stand for.
struct LabelPattern {
  enum Kind {
    /// This label.
    case literal
    /// Labels of this form; `*` stands for any characters.
    case glob
    /// Any label: a wildcard `*`, or a `?` in place of a redacted label.
    case any
    /// Any label, for nobody can say which was meant.
    case garbage
  }

  let kind: Kind
  /// The label in lower case, punycoded; of garbage, what stands there.
  let text: [UInt8]

  init(_ label: ArraySlice<Unicode.Scalar>) {
    guard let ascii = LabelPattern.ascii(label) else {
      kind = .garbage
      text = Array(printable(label).utf8)
      return
    }
    kind = LabelPattern.kind(of: ascii)
    text = kind == .garbage ? Array(printable(label).utf8) : ascii
  }

  /// The label in lower-case ASCII; nil where IDNA has no such form for it.
  private static func ascii(_ label: ArraySlice<Unicode.Scalar>) -> [UInt8]? {
    if label.allSatisfy(\.isASCII) { return label.map { lowercased(UInt8(truncatingIfNeeded: $0.value)) } }
    // A wildcard beside characters that are punycoded together says nothing about the A-label.
    guard label.count <= IDNA.longestLabel, !label.contains(where: { $0 == "*" || $0.value <= 0x20 }) else {
      return nil
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: label)
    return try? IDNA.aLabel(of: String(text))
  }

  private static func kind(of label: [UInt8]) -> Kind {
    if label == [0x2A] || label == [0x3F] { return .any }
    guard 1...63 ~= label.count, label.allSatisfy({ isLabelByte($0) || $0 == 0x2A }) else { return .garbage }
    if label.contains(0x2A) { return .glob }
    return label.starts(with: "xn--".utf8) && !IDNA.isDecodable(aLabel: label) ? .garbage : .literal
  }

  /// Whether the pattern covers a label in lower case.
  func covers(_ label: Span<UInt8>) -> Bool {
    switch kind {
    case .any, .garbage: true
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
