package import CertificateTransparency

/// Writes DER, and what is not quite DER where a test asks for it.
package struct DERWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// The DER that `body` writes.
  package static func build(_ body: (inout DERWriter) -> Void) -> [UInt8] {
    var writer = DERWriter()
    body(&writer)
    return writer.bytes
  }

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Bytes that are DER already, or never will be.
  package mutating func raw(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

  /// An element; `length` overrides the true length of its content, as only malformed ones need.
  package mutating func element(_ tag: UInt8, _ content: some Collection<UInt8>, length: Int? = nil) {
    bytes.append(tag)
    writeLength(length ?? content.count, at: bytes.count)
    bytes.append(contentsOf: content)
  }

  /// An element whose content `body` writes.
  package mutating func nested(_ tag: UInt8, _ body: (inout DERWriter) -> Void) {
    bytes.append(tag)
    let start = bytes.count
    body(&self)
    writeLength(bytes.count - start, at: start)
  }

  private mutating func writeLength(_ length: Int, at position: Int) {
    if 0..<0x80 ~= length {
      bytes.insert(UInt8(truncatingIfNeeded: length), at: position)
      return
    }
    var rest = UInt64(truncatingIfNeeded: length)
    var count: UInt8 = 0
    while rest > 0 {
      bytes.insert(UInt8(truncatingIfNeeded: rest), at: position)
      rest >>= 8
      count += 1
    }
    bytes.insert(0x80 | count, at: position)
  }

  package mutating func sequence(_ body: (inout DERWriter) -> Void) { nested(0x30, body) }
  package mutating func set(_ body: (inout DERWriter) -> Void) { nested(0x31, body) }

  /// A constructed element with a context tag.
  package mutating func context(_ number: UInt8, _ body: (inout DERWriter) -> Void) { nested(0xa0 | number, body) }
  /// A primitive element with a context tag.
  package mutating func context(_ number: UInt8, _ content: some Collection<UInt8>) { element(0x80 | number, content) }

  package mutating func boolean(_ value: Bool) { element(0x01, [value ? 0xff : 0]) }

  /// An unsigned integer, most significant byte first.
  package mutating func integer(_ magnitude: [UInt8]) { element(0x02, DERWriter.unsigned(magnitude)) }

  /// The content octets of an INTEGER that is not negative.
  static func unsigned(_ magnitude: some Collection<UInt8>) -> [UInt8] {
    let digits = Array(magnitude.drop { $0 == 0 })
    return digits.first.map { $0 >= 0x80 ? [0] + digits : digits } ?? [0]
  }

  package mutating func integer(_ value: UInt64) {
    integer(withUnsafeBytes(of: value.bigEndian) { Array($0) })
  }

  /// The content octets of a bit string; `unusedBits` of the last byte do not count.
  package mutating func bitString(_ content: [UInt8], unusedBits: UInt8 = 0) { element(0x03, [unusedBits] + content) }
  package mutating func octetString(_ content: some Collection<UInt8>) { element(0x04, content) }
  package mutating func octetString(_ body: (inout DERWriter) -> Void) { nested(0x04, body) }
  package mutating func null() { element(0x05, []) }

  /// An object identifier, from its content octets.
  package mutating func identifier(_ octets: [UInt8]) { element(0x06, octets) }
  /// An object identifier in dotted decimal.
  package mutating func identifier(_ dotted: String) { identifier(DERWriter.octets(ofIdentifier: dotted)) }

  /// A string of any type: 12 UTF8String, 19 PrintableString, 20 TeletexString, 22 IA5String, 30 BMPString, …
  package mutating func string(_ tag: UInt8, _ content: some Collection<UInt8>) { element(tag, content) }
  package mutating func utf8(_ text: String) { element(0x0c, text.utf8) }
  package mutating func printable(_ text: String) { element(0x13, text.utf8) }
  package mutating func ia5(_ text: String) { element(0x16, text.utf8) }

  /// UTCTime up to 2049, GeneralizedTime from 2050, as RFC 5280 (section 4.1.2.5) asks.
  package mutating func time(_ time: Timestamp) {
    let digits = time.description.utf8.prefix { $0 != 0x2e }.filter { $0 >= 0x30 && $0 <= 0x39 }
    if digits.starts(with: Array("20".utf8)), digits[2] < 0x35 {
      utcTime(String(decoding: digits.dropFirst(2), as: UTF8.self) + "Z")
    } else {
      generalizedTime(String(decoding: digits, as: UTF8.self) + "Z")
    }
  }

  package mutating func utcTime(_ text: String) { element(0x17, text.utf8) }
  package mutating func generalizedTime(_ text: String) { element(0x18, text.utf8) }

  /// The content octets of an object identifier in dotted decimal.
  package static func octets(ofIdentifier dotted: String) -> [UInt8] {
    let arcs = dotted.split(separator: ".").compactMap { UInt64($0) }
    guard arcs.count > 1 else { return [] }
    return ([arcs[0] * 40 + arcs[1]] + arcs[2...]).flatMap { arc in
      var octets = [UInt8(arc & 0x7f)]
      var rest = arc >> 7
      while rest > 0 {
        octets.insert(UInt8(rest & 0x7f) | 0x80, at: 0)
        rest >>= 7
      }
      return octets
    }
  }
}
