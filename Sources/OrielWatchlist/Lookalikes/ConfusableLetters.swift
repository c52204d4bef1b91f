import CICU
import CertificateTransparency

/// The letters that an internationalised label passes for, by ICU's tables of confusable characters (UTS #39).
final class ConfusableLetters: Sendable {
  static let shared = ConfusableLetters()

  /// Made in `init`, then only read (ICU takes both as constant), freed in `deinit`; nil where ICU lacks its data.
  nonisolated(unsafe) private let checker: OpaquePointer?
  nonisolated(unsafe) private let idna: OpaquePointer?

  /// More UTF-16 units than the skeleton of a label should need.
  private static let capacity = 1024

  private init() {
    checker = icu_spoof_open()
    idna = icu_idna_open()
  }

  deinit {
    icu_spoof_close(checker)
    icu_idna_close(idna)
  }

  /// The skeleton of an A-label in UTF-8, in lower case and without marks (`ṕ` passes for `p`); of any other label,
  /// itself.
  func letters(of label: [UInt8]) -> [UInt8] {
    guard ConfusableLetters.isALabel(label), checker != nil, idna != nil else { return label }
    let text = label.map { UInt16($0) }
    guard let unicode = converted(text, icu_idna_label_to_unicode, idna),
      // The tables have the palochka for an i, but nearly all typefaces draw it as an l.
      let skeleton = converted(unicode.map { $0 == 0x04CF ? 0x6C : $0 }, icu_spoof_skeleton, checker)
    else { return label }
    var letters = String.UnicodeScalarView()
    for scalar in String(decoding: skeleton, as: UTF16.self).unicodeScalars
    where icu_is_mark(Int32(bitPattern: scalar.value)) == 0 {
      let lower = UInt32(bitPattern: icu_lowercase(Int32(bitPattern: scalar.value)))
      letters.append(Unicode.Scalar(lower) ?? scalar)
    }
    return Array(String(letters).utf8)
  }

  /// What an A-label stands for; nil for any other label, and where that can't be told.
  func unicode(of label: [UInt8]) -> String? {
    guard ConfusableLetters.isALabel(label), idna != nil,
      let text = converted(label.map { UInt16($0) }, icu_idna_label_to_unicode, idna), !text.contains(0xFFFD)
    else { return nil }
    return String(decoding: text, as: UTF16.self)
  }

  /// What an A-label stands for, if it can be shown: in one script, and nothing in it passes for ASCII. Nil otherwise.
  func plain(_ label: [UInt8]) -> String? {
    guard checker != nil, let text = unicode(of: label), !text.unicodeScalars.contains(where: \.isDeceptive) else {
      return nil
    }
    let units = Array(text.utf16)
    guard icu_spoof_is_plain(checker, units, Int32(truncatingIfNeeded: units.count)) != 0, !passesForASCII(text)
    else { return nil }
    // Beside letters of ASCII, one that passes for some is enough; in a script of its own, a word takes all of them.
    let isLatin = text.unicodeScalars.contains { $0.isASCII && $0.properties.isAlphabetic }
    guard !isLatin || !text.unicodeScalars.contains(where: { !$0.isASCII && passesForASCII(String($0)) }) else {
      return nil
    }
    return text
  }

  /// Whether a text that isn't ASCII has a skeleton that is.
  private func passesForASCII(_ text: String) -> Bool {
    guard let skeleton = converted(Array(text.utf16), icu_spoof_skeleton, checker) else { return true }
    return skeleton.allSatisfy { $0 < 0x80 }
  }

  static func isALabel(_ label: [UInt8]) -> Bool { label.span.isALabel }

  private typealias Conversion = (OpaquePointer?, UnsafePointer<UInt16>?, Int32, UnsafeMutablePointer<UInt16>?, Int32)
    -> Int32

  private func converted(_ text: [UInt16], _ conversion: Conversion, _ service: OpaquePointer?) -> [UInt16]? {
    var length: Int32 = -1
    let output = [UInt16](unsafeUninitializedCapacity: ConfusableLetters.capacity) { buffer, count in
      length = conversion(
        service, text, Int32(truncatingIfNeeded: text.count), buffer.baseAddress, Int32(ConfusableLetters.capacity))
      count = max(0, Int(length))
    }
    return length < 0 ? nil : output
  }
}

extension Span<UInt8> {
  /// Whether a label starts with `xn--`, in whatever case.
  @inline(__always) var isALabel: Bool {
    count > 4 && self[2] == 0x2D && self[3] == 0x2D && lowercased(self[0]) == 0x78 && lowercased(self[1]) == 0x6E
  }
}
