/// Standard base64 (RFC 4648, section 4), strictly: padded, no line breaks, no stray bits in the last digit.
///
/// One value has one text, so what was decoded can be encoded to the same text again.
public enum Base64 {
  /// The bytes that `text` stands for; nil if it is not exactly base64.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8).span) }

  /// The bytes that `text` stands for; nil if it is not exactly base64.
  public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    return decode(text, into: &bytes) ? bytes : nil
  }

  /// Appends the bytes that `text` stands for; false, with `bytes` as before, if it is not exactly base64.
  public static func decode(_ text: Span<UInt8>, into bytes: inout [UInt8]) -> Bool {
    let count = text.count
    guard count % 4 == 0 else { return false }
    guard count > 0 else { return true }
    let padding = text[count - 1] != pad ? 0 : text[count - 2] != pad ? 1 : 2
    let before = bytes.count
    bytes.reserveCapacity(before + count / 4 * 3)
    let values = digitValues
    var bad: UInt8 = 0
    var offset = 0
    while offset < count - 4 {
      let (a, b) = (values[Int(text[offset])], values[Int(text[offset + 1])])
      let (c, d) = (values[Int(text[offset + 2])], values[Int(text[offset + 3])])
      bad |= a | b | c | d
      bytes.append(a << 2 | b >> 4)
      bytes.append(b << 4 | c >> 2)
      bytes.append(c << 6 | d)
      offset += 4
    }
    let (a, b) = (values[Int(text[offset])], values[Int(text[offset + 1])])
    let c = padding < 2 ? values[Int(text[offset + 2])] : 0
    let d = padding < 1 ? values[Int(text[offset + 3])] : 0
    bad |= a | b | c | d
    bytes.append(a << 2 | b >> 4)
    if padding < 2 { bytes.append(b << 4 | c >> 2) }
    if padding < 1 { bytes.append(c << 6 | d) }
    let strayBits = padding == 2 ? b & 0x0f : padding == 1 ? c & 0x03 : 0
    guard bad < 0x40, strayBits == 0 else {
      bytes.removeSubrange(before...)
      return false
    }
    return true
  }

  /// As ``decode(_:)``, with white space between the digits, as people and tools break long lines (RFC 2045, 6.8).
  package static func decode(wrapped text: Span<UInt8>) -> [UInt8]? {
    if let bytes = decode(text) { return bytes }
    var digits: [UInt8] = []
    digits.reserveCapacity(text.count)
    for place in text.indices where ![0x20, 0x09, 0x0a, 0x0d].contains(text[place]) { digits.append(text[place]) }
    return digits.count < text.count ? decode(digits.span) : nil
  }

  /// The base64 text of `bytes`.
  public static func encode(_ bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    encode(Array(bytes).span, into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the base64 text of `bytes`.
  public static func encode(_ bytes: Span<UInt8>, into text: inout [UInt8]) {
    let whole = bytes.count / 3 * 3
    text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4)
    let digits = digits
    var offset = 0
    while offset < whole {
      let (a, b, c) = (bytes[offset], bytes[offset + 1], bytes[offset + 2])
      text.append(digits[Int(a >> 2)])
      text.append(digits[Int(a << 4 & 0x3f | b >> 4)])
      text.append(digits[Int(b << 2 & 0x3f | c >> 6)])
      text.append(digits[Int(c & 0x3f)])
      offset += 3
    }
    guard offset < bytes.count else { return }
    let (a, b) = (bytes[offset], offset + 1 < bytes.count ? bytes[offset + 1] : nil)
    text.append(digits[Int(a >> 2)])
    text.append(digits[Int(a << 4 & 0x3f | (b ?? 0) >> 4)])
    text.append(b.map { digits[Int($0 << 2 & 0x3f)] } ?? pad)
    text.append(pad)
  }

  private static let pad = UInt8(ascii: "=")
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each digit; 255 for every other byte.
  private static let digitValues: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()
}
