import CertificateTransparency
import Foundation
import MerkleTree
import TestSupport
import TestWorld
import Testing

extension SeededGenerator {
  mutating func bytes(_ count: Range<Int>) -> [UInt8] {
    (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }

  mutating func hash() -> SHA256Hash { SHA256Hash.hash(bytes(8..<9)) }

  mutating func entry() throws -> TimestampedEntry {
    let body: LogEntryBody =
      Bool.random(using: &self)
      ? .x509(certificate: bytes(1..<300))
      : .precertificate(issuerKeyHash: hash(), tbsCertificate: bytes(1..<300))
    let extensions = Bool.random(using: &self) ? try CTExtensions(leafIndex: next() >> 24).encoded() : bytes(0..<20)
    return TimestampedEntry(timestamp: Timestamp(milliseconds: next()), body: body, extensions: extensions)
  }

  mutating func signature() -> DigitallySigned {
    DigitallySigned(algorithm: .ecdsaSHA256, signature: bytes(0..<80))
  }
}

/// That a value comes back from its encoding, and that no shorter or longer encoding is taken.
func expectExact<Value: WireFormat>(_ value: Value, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let bytes = try value.encoded()
  #expect(try Value(decoding: bytes) == value, sourceLocation: sourceLocation)
  #expect(throws: FormatError.self, sourceLocation: sourceLocation) { try Value(decoding: bytes + [0]) }
  for count in 0..<bytes.count {
    #expect(throws: FormatError.self, "\(count) of \(bytes.count) bytes", sourceLocation: sourceLocation) {
      try Value(decoding: Array(bytes[..<count]))
    }
  }
}

/// JSON of the collected material, as far as a test reads it.
func json<Value: Decodable>(_ path: String, as type: Value.Type = Value.self) throws -> Value {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(type, from: TestData.data(path))
}

func hexadecimal(_ text: String) -> [UInt8] {
  stride(from: 0, to: text.utf8.count, by: 2).compactMap { offset in
    UInt8(text.dropFirst(offset).prefix(2), radix: 16)
  }
}
