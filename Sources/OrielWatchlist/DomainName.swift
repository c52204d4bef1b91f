/// A domain name as it is compared: lower-case A-labels between full stops, none at the end.
///
/// A name has at most 253 bytes and labels of 1 to 63 bytes (RFC 1035, 2.3.4) of letters, digits, `-` and `_`; its last
/// label is not a number.
public struct DomainName: Hashable, Sendable {
  /// The name in A-labels: `xn--bcher-kva.example`.
  public let ascii: String

  /// Normalises a name: case, one trailing full stop, and Unicode by IDNA.
  ///
  /// - Throws: ``WatchedItemError``, which names the rule that the text breaks.
  public init(_ text: some StringProtocol) throws(WatchedItemError) {
    self = try DomainName(utf8: Array(text.utf8).span)
  }

  /// Takes a name that has been normalised before.
  init(normalisedASCII ascii: String) { self.ascii = ascii }

  init(utf8 bytes: Span<UInt8>) throws(WatchedItemError) {
    var isASCII = true
    for index in 0..<bytes.count where bytes[index] >= 0x80 { isASCII = false }
    ascii = isASCII ? try DomainName.normalised(bytes) : try DomainName.normalised(unicode: bytes.array)
  }

  private static func normalised(unicode bytes: [UInt8]) throws(WatchedItemError) -> String {
    let ascii = try asciiForm(ofUTF8: bytes)
    return try normalised(ascii.span)
  }

  @inline(never)
  private static func asciiForm(ofUTF8 bytes: [UInt8]) throws(WatchedItemError) -> [UInt8] {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
    var name: [UInt8] = []
    for label in text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: IDNA.isFullStop) {
      if label.startIndex != text.unicodeScalars.startIndex { name.append(0x2E) }
      if label.allSatisfy(\.isASCII) {
        name += String(label).utf8
      } else {
        name += try aLabel(of: String(label))
      }
    }
    return name
  }

  private static func aLabel(of label: String) throws(WatchedItemError) -> [UInt8] {
    do { return try IDNA.aLabel(of: label) } catch { throw .notIDNA(label: label, reason: error.reason) }
  }

  private static func normalised(_ bytes: Span<UInt8>) throws(WatchedItemError) -> String {
    var end = bytes.count
    if end > 0, bytes[end - 1] == 0x2E { end -= 1 }
    guard end > 0 else { throw .empty }
    var labelStart = 0
    for index in 0..<end {
      let byte = bytes[index]
      if byte == 0x2E {
        try check(bytes, label: labelStart..<index)
        labelStart = index + 1
      } else if !isLabelByte(byte) {
        let name = text(bytes, 0..<end)
        throw byte == 0x2A ? .wildcard(in: name) : .invalidCharacter(Unicode.Scalar(byte), in: name)
      }
    }
    try check(bytes, label: labelStart..<end)
    guard end <= 253 else { throw .nameTooLong(text(bytes, 0..<end)) }
    if (labelStart..<end).allSatisfy({ isDigit(bytes[$0]) }) { throw .numericTopLevel(text(bytes, 0..<end)) }
    return bytes.withUnsafeBufferPointer { source in
      String(unsafeUninitializedCapacity: end) { output in
        for index in 0..<end { output[index] = lowercased(source[index]) }
        return end
      }
    }
  }

  private static func check(_ bytes: Span<UInt8>, label: Range<Int>) throws(WatchedItemError) {
    if label.isEmpty { throw .emptyLabel(in: text(bytes, 0..<bytes.count)) }
    if label.count > 63 { throw .labelTooLong(text(bytes, label)) }
  }

  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: bytes.extracting(range).array, as: UTF8.self)
  }
}

extension DomainName: CustomStringConvertible {
  public var description: String { ascii }
}
