/// A bounds-checked reader of big-endian integers and length-prefixed vectors (RFC 5246, section 4).
///
/// It holds positions only; every method is given the bytes that it was made for, so that it may be kept, copied and
/// sent where a `Span` may not. Errors name the structure and count offsets from its start.
package struct ByteCursor: Sendable {
  package let structure: String
  package let start: Int
  package private(set) var offset: Int
  package let end: Int

  /// Reads `structure` from `bytes`, between `start` and `end` (by default all of them).
  package init(_ structure: String, in bytes: Span<UInt8>, at start: Int = 0, end: Int? = nil) {
    self.structure = structure
    self.end = Swift.min(Swift.max(end ?? bytes.count, 0), bytes.count)
    self.start = Swift.min(Swift.max(start, 0), self.end)
    offset = self.start
  }

  package var remaining: Int { end - offset }

  package func error(_ reason: String) -> FormatError { FormatError(structure, at: offset - start, reason) }

  /// Throws unless everything has been read.
  package func finish() throws(FormatError) {
    guard offset == end else { throw error("\(remaining) bytes follow the end") }
  }

  /// The next `count` bytes.
  package mutating func take(_ count: Int, _ what: StaticString) throws(FormatError) -> Range<Int> {
    guard count <= remaining else { throw error("\(what) needs \(count) bytes, \(remaining) are left") }
    defer { offset += count }
    return offset..<(offset + count)
  }

  private mutating func integer(_ width: Int, _ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> UInt64
  {
    var value: UInt64 = 0
    for index in try take(width, what) { value = value << 8 | UInt64(bytes[index]) }
    return value
  }

  package mutating func uint8(_ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> UInt8 {
    bytes[try take(1, what).lowerBound]
  }

  package mutating func uint16(_ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> UInt16 {
    UInt16(truncatingIfNeeded: try integer(2, bytes, what))
  }

  package mutating func uint24(_ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> Int {
    Int(truncatingIfNeeded: try integer(3, bytes, what))
  }

  package mutating func uint40(_ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> UInt64 {
    try integer(5, bytes, what)
  }

  package mutating func uint64(_ bytes: Span<UInt8>, _ what: StaticString) throws(FormatError) -> UInt64 {
    try integer(8, bytes, what)
  }

  /// The content of a vector with a two-byte length.
  package mutating func vector16(
    _ bytes: Span<UInt8>, _ what: StaticString, atLeast minimum: Int = 0
  ) throws(FormatError) -> Range<Int> {
    let count = Int(try uint16(bytes, what))
    guard count >= minimum else { throw error("\(what) has \(count) bytes, at least \(minimum) expected") }
    return try take(count, what)
  }

  /// The content of a vector with a three-byte length.
  package mutating func vector24(
    _ bytes: Span<UInt8>, _ what: StaticString, atLeast minimum: Int = 0
  ) throws(FormatError) -> Range<Int> {
    let count = try uint24(bytes, what)
    guard count >= minimum else { throw error("\(what) has \(count) bytes, at least \(minimum) expected") }
    return try take(count, what)
  }
}
