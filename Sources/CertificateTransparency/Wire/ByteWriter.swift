/// Appends big-endian integers and length-prefixed vectors: the inverse of ``ByteCursor``.
package struct ByteWriter: Sendable {
  package let structure: String
  package private(set) var bytes: [UInt8]

  package init(_ structure: String) {
    self.structure = structure
    bytes = []
  }

  private init(_ structure: String, _ bytes: consuming [UInt8]) {
    self.structure = structure
    self.bytes = bytes
  }

  /// Lets `body` append to `bytes` in place. If it throws, `bytes` is as before.
  package static func append(
    _ structure: String, to bytes: inout [UInt8], _ body: (inout ByteWriter) throws(FormatError) -> Void
  ) throws(FormatError) {
    let count = bytes.count
    var writer = ByteWriter(structure, bytes)
    bytes = []
    defer { bytes = writer.bytes }
    do {
      try body(&writer)
    } catch {
      writer.bytes.removeSubrange(count...)
      throw error
    }
  }

  private mutating func integer(_ value: UInt64, width: Int) {
    for shift in stride(from: 8 * (width - 1), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  package mutating func uint8(_ value: UInt8) { bytes.append(value) }
  package mutating func uint16(_ value: UInt16) { integer(UInt64(value), width: 2) }
  package mutating func uint64(_ value: UInt64) { integer(value, width: 8) }

  package mutating func uint40(_ value: UInt64, _ what: StaticString) throws(FormatError) {
    guard value < 1 << 40 else { throw error("\(what) is \(value), which 40 bits can't hold") }
    integer(value, width: 5)
  }

  package mutating func raw(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

  package mutating func vector16(_ content: some Collection<UInt8>, _ what: StaticString) throws(FormatError) {
    try vector(content, lengthWidth: 2, what)
  }

  package mutating func vector24(_ content: some Collection<UInt8>, _ what: StaticString) throws(FormatError) {
    try vector(content, lengthWidth: 3, what)
  }

  private mutating func vector(
    _ content: some Collection<UInt8>, lengthWidth: Int, _ what: StaticString
  ) throws(FormatError) {
    guard content.count < 1 << (8 * lengthWidth) else {
      throw error("\(what) has \(content.count) bytes, which a length of \(lengthWidth) bytes can't express")
    }
    integer(UInt64(content.count), width: lengthWidth)
    raw(content)
  }

  package func error(_ reason: String) -> FormatError { FormatError(structure, at: bytes.count, reason) }
}
