/// One DER element inside a larger buffer: its tag, and where its header, content and end stand.
///
/// Reading is lenient where certificates in the wild are: lengths need not be minimal. Indefinite lengths, and lengths
/// that reach beyond what encloses the element, are not read at all.
package struct DERElement: Hashable, Sendable {
  package let tag: UInt8
  package let start: Int
  package let contentStart: Int
  package let end: Int

  package var range: Range<Int> { start..<end }
  package var content: Range<Int> { contentStart..<end }

  @usableFromInline init(tag: UInt8, start: Int, contentStart: Int, end: Int) {
    self.tag = tag
    self.start = start
    self.contentStart = contentStart
    self.end = end
  }

  /// The element whose header starts at `offset` and which ends at `limit` or before; nil if there is none.
  ///
  /// Tags above 30 (two and more bytes) are given as their first byte: nothing in a certificate that Oriel reads has one.
  @inline(__always)
  package static func read(_ bytes: Span<UInt8>, at offset: Int, limit: Int) -> DERElement? {
    guard offset >= 0, limit <= bytes.count, limit - offset >= 2 else { return nil }
    let tag = bytes[offset]
    var position = offset + 1
    if tag & 0x1f == 0x1f {
      // High tag numbers: skip the continuation bytes.
      while position < limit, bytes[position] & 0x80 != 0 { position += 1 }
      position += 1
      guard position < limit else { return nil }
    }
    let first = bytes[position]
    position += 1
    if first < 0x80 {
      let end = position + Int(first)
      guard end <= limit else { return nil }
      return DERElement(tag: tag, start: offset, contentStart: position, end: end)
    }
    let count = Int(first & 0x7f)
    guard count >= 1, count <= 4, limit - position >= count else { return nil }
    var length = 0
    for _ in 0..<count {
      length = length << 8 | Int(bytes[position])
      position += 1
    }
    guard length <= limit - position else { return nil }
    return DERElement(tag: tag, start: offset, contentStart: position, end: position + length)
  }

  /// As ``read(_:at:limit:)``, for an element that must have this tag.
  @inline(__always)
  package static func read(_ bytes: Span<UInt8>, at offset: Int, limit: Int, tag: UInt8) -> DERElement? {
    guard let element = read(bytes, at: offset, limit: limit), element.tag == tag else { return nil }
    return element
  }

  /// The elements that stand side by side in `range`; nil if they do not fill it exactly, or are more than `maximum`.
  package static func list(_ bytes: Span<UInt8>, in range: Range<Int>, maximum: Int = 1024) -> [DERElement]? {
    var elements: [DERElement] = []
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard elements.count < maximum, let element = read(bytes, at: offset, limit: range.upperBound) else { return nil }
      elements.append(element)
      offset = element.end
    }
    return elements
  }
}

/// The universal tags that certificates use.
package enum DERTag {
  package static let boolean: UInt8 = 0x01
  package static let integer: UInt8 = 0x02
  package static let bitString: UInt8 = 0x03
  package static let octetString: UInt8 = 0x04
  package static let null: UInt8 = 0x05
  package static let objectIdentifier: UInt8 = 0x06
  package static let utf8String: UInt8 = 0x0c
  package static let sequence: UInt8 = 0x30
  package static let set: UInt8 = 0x31
  package static let universalString: UInt8 = 0x1c
  package static let bmpString: UInt8 = 0x1e
  package static let utcTime: UInt8 = 0x17
  package static let generalizedTime: UInt8 = 0x18
}

/// Encoding, for what is spliced together from pieces of certificates.
package enum DEREncoder {
  /// The identifier and (minimal) length octets for content of `length` bytes.
  package static func header(tag: UInt8, length: Int) -> [UInt8] {
    if length < 0x80 { return [tag, UInt8(length)] }
    var octets: [UInt8] = []
    var rest = length
    while rest > 0 {
      octets.insert(UInt8(rest & 0xff), at: 0)
      rest >>= 8
    }
    return [tag, 0x80 | UInt8(octets.count)] + octets
  }

  package static func element(tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    header(tag: tag, length: content.count) + content
  }
}

extension Span<UInt8> {
  /// Whether the bytes at `range` are exactly `expected`.
  package func equals(_ range: Range<Int>, _ expected: [UInt8]) -> Bool {
    guard range.count == expected.count, range.upperBound <= count else { return false }
    for index in expected.indices where self[range.lowerBound + index] != expected[index] { return false }
    return true
  }

  /// A copy of the bytes at `range`.
  package func copy(_ range: Range<Int>) -> [UInt8] {
    let part = extracting(range)
    return [UInt8](unsafeUninitializedCapacity: part.count) { buffer, initialized in
      part.withUnsafeBufferPointer { source in
        if let base = source.baseAddress { buffer.baseAddress?.initialize(from: base, count: source.count) }
      }
      initialized = part.count
    }
  }
}
