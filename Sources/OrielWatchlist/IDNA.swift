import CIDN2
import CertificateTransparency
import Foundation

/// Internationalised labels (IDNA 2008 with the mappings of UTS #46, non-transitional), by libidn2.
enum IDNA {
  /// What libidn2 says of a label that it refuses.
  struct Refusal: Error {
    let reason: String
  }

  /// The longest label that is worth asking about; ignorable characters can make one longer than its A-label.
  static let longestLabel = 1024

  /// The full stops of IDNA (RFC 3490, 3.1) besides the ASCII one.
  static func isFullStop(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "." || scalar == "\u{3002}" || scalar == "\u{FF0E}" || scalar == "\u{FF61}"
  }

  /// The A-label of a label: mapped, case-folded, in NFC and punycoded.
  ///
  /// It does not check that the ASCII characters in it are those of host names: libidn2's own check for that deletes
  /// what it does not like.
  static func aLabel(of label: String) throws(Refusal) -> [UInt8] {
    try aLabel(of: label, IDN2_NONTRANSITIONAL)
  }

  /// Every A-label that software makes of a label: non-transitional, transitional (`straße` as `strasse`) and, where
  /// IDNA refuses it, the plain punycode of its lower-case NFC form, which registries sell (`i❤`).
  static func aLabels(of label: String) -> [[UInt8]] {
    var labels: [[UInt8]] = []
    for rules in [IDN2_NONTRANSITIONAL, IDN2_TRANSITIONAL] {
      guard let encoded = try? aLabel(of: label, rules), !labels.contains(encoded) else { continue }
      labels.append(encoded)
    }
    if labels.isEmpty, let plain = plainALabel(of: label) { labels.append(plain) }
    return labels
  }

  /// What is left out of an A-label: it only chooses how the character before is drawn.
  private static let variationSelector: Unicode.Scalar = "\u{FE0F}"

  private static func plainALabel(of label: String) -> [UInt8]? {
    let scalars = label.lowercased().precomposedStringWithCanonicalMapping.unicodeScalars
      .filter { $0 != variationSelector }
    // Each character takes a digit or more.
    guard scalars.count <= longestEncoded, !scalars.contains(where: \.isDeceptive) else { return nil }
    return punycode(scalars.map { Int($0.value) }).map { "xn--".utf8 + $0 }
  }

  private static func aLabel(of label: String, _ rules: idn2_flags) throws(Refusal) -> [UInt8] {
    // A zero byte would end the C string early.
    guard label.utf8.count <= longestLabel, !label.utf8.contains(0) else { throw Refusal(reason: "label too long") }
    var output: UnsafeMutablePointer<CChar>?
    let flags = CInt(rules.rawValue | IDN2_NFC_INPUT.rawValue)
    let status = idn2_to_ascii_8z(label, &output, flags)
    defer { idn2_free(output) }
    guard status == CInt(IDN2_OK.rawValue), let output else {
      throw Refusal(reason: idn2_strerror(status).map { String(cString: $0) } ?? "code \(status)")
    }
    return String(cString: output).utf8.map { lowercased($0) }
  }

  /// Whether a label that starts with `xn--` holds punycode (RFC 3492) of at least one character beyond ASCII.
  ///
  /// No more is asked of it: labels that IDNA forbids and registries sell, such as emoji, are in daily use.
  static func isDecodable(aLabel label: [UInt8]) -> Bool {
    let encoded = label.dropFirst(4)
    var count = 0
    var digits = encoded
    if let delimiter = encoded.lastIndex(of: 0x2D) {
      count = delimiter - encoded.startIndex
      digits = encoded[(delimiter + 1)...]
    }
    guard !digits.isEmpty else { return false }
    var (scalar, bias, insertion) = (128, 72, 0)
    var isFirst = true
    while !digits.isEmpty {
      let before = insertion
      guard let delta = readDelta(&digits, bias: bias) else { return false }
      count += 1
      insertion += delta
      bias = adapted(insertion - before, count: count, isFirst: isFirst)
      isFirst = false
      scalar += insertion / count
      insertion = insertion % count + 1
      guard let value = UInt32(exactly: scalar), Unicode.Scalar(value) != nil else { return false }
    }
    return true
  }

  /// The bytes of a label after `xn--`.
  private static let longestEncoded = 59

  /// Punycode (RFC 3492, 6.3); nil if it is longer than a label can be.
  private static func punycode(_ scalars: [Int]) -> [UInt8]? {
    var output = scalars.filter { $0 < 0x80 }.map { UInt8(truncatingIfNeeded: $0) }
    let basic = output.count
    if basic > 0 { output.append(0x2D) }
    var (scalar, delta, bias, done) = (0x80, 0, 72, basic)
    while done < scalars.count {
      guard let next = scalars.filter({ $0 >= scalar }).min(), output.count <= longestEncoded else { return nil }
      delta += (next - scalar) * (done + 1)
      scalar = next
      for own in scalars where own <= scalar {
        guard own == scalar else {
          delta += 1
          continue
        }
        append(delta, bias: bias, to: &output)
        bias = adapted(delta, count: done + 1, isFirst: done == basic)
        delta = 0
        done += 1
      }
      delta += 1
      scalar += 1
    }
    return output.count <= longestEncoded ? output : nil
  }

  private static func append(_ delta: Int, bias: Int, to output: inout [UInt8]) {
    var (rest, position) = (delta, 36)
    while true {
      let threshold = min(max(position - bias, 1), 26)
      let digit = rest < threshold ? rest : threshold + (rest - threshold) % (36 - threshold)
      output.append(UInt8(truncatingIfNeeded: digit < 26 ? 0x61 + digit : 0x30 + digit - 26))
      if rest < threshold { return }
      rest = (rest - threshold) / (36 - threshold)
      position += 36
    }
  }

  /// One generalised variable-length integer (RFC 3492, 3.3).
  private static func readDelta(_ digits: inout ArraySlice<UInt8>, bias: Int) -> Int? {
    var (value, weight, position) = (0, 1, 36)
    while let byte = digits.popFirst() {
      let digit: Int
      switch lowercased(byte) {
      case 0x61...0x7A: digit = Int(lowercased(byte)) - 0x61
      case 0x30...0x39: digit = Int(byte) - 0x30 + 26
      default: return nil
      }
      value += digit * weight
      // A label has at most 59 digits, and no scalar value times the length of a label is beyond this.
      guard value < 1 << 28 else { return nil }
      let threshold = min(max(position - bias, 1), 26)
      if digit < threshold { return value }
      weight *= 36 - threshold
      guard weight < 1 << 28 else { return nil }
      position += 36
    }
    return nil
  }

  /// Bias adaptation (RFC 3492, 6.1).
  private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
    var delta = isFirst ? delta / 700 : delta / 2
    delta += delta / count
    var bias = 0
    while delta > 455 {
      delta /= 35
      bias += 36
    }
    return bias + 36 * delta / (delta + 38)
  }
}
