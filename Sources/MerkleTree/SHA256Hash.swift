public import Crypto

/// A SHA-256 value: 32 bytes that copy, compare and hash without an allocation.
///
/// Tree hashes, log identifiers, fingerprints and key hashes are all of this shape; those that must not be mixed up
/// wrap it in a type of their own.
public struct SHA256Hash: Sendable {
  /// The bytes in memory order: `words.0` holds the first eight.
  @usableFromInline package var words: (UInt64, UInt64, UInt64, UInt64)

  /// The number of bytes.
  public static let byteCount = 32

  /// All bytes zero.
  @inlinable public static var zero: SHA256Hash { SHA256Hash() }

  @inlinable init() { words = (0, 0, 0, 0) }

  /// Copies 32 bytes; `nil` if there are more or fewer.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == SHA256Hash.byteCount else { return nil }
    words = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  /// Copies 32 bytes from `span`, starting at `offset`; traps, as any slice would, if they are not there.
  @inlinable public init(copying span: Span<UInt8>, at offset: Int = 0) {
    words = (0, 0, 0, 0)
    unsafe span.extracting(offset..<(offset + 32)).withUnsafeBytes { source in
      unsafe Swift.withUnsafeMutableBytes(of: &words) { unsafe $0.copyMemory(from: source) }
    }
  }

  /// Takes the bytes of a finished digest.
  @inlinable public init(_ digest: SHA256Digest) {
    words = (0, 0, 0, 0)
    unsafe digest.withUnsafeBytes { source in
      unsafe Swift.withUnsafeMutableBytes(of: &words) { unsafe $0.copyMemory(from: source) }
    }
  }

  /// SHA-256 of `span`.
  @inlinable public static func hash(_ span: Span<UInt8>) -> SHA256Hash {
    var hasher = SHA256()
    unsafe span.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    return SHA256Hash(hasher.finalize())
  }

  /// SHA-256 of an array's bytes.
  public static func hash(_ bytes: [UInt8]) -> SHA256Hash { hash(bytes.span) }

  /// Reads 64 hexadecimal digits of either case.
  public init?(hex: some StringProtocol) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    var high: UInt8?
    for character in hex.utf8 {
      guard let digit = SHA256Hash.nibble(character) else { return nil }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    guard high == nil else { return nil }
    self.init(bytes)
  }

  private static func nibble(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x37
    case 0x61...0x66: character - 0x57
    default: nil
    }
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// Calls `body` with the 32 bytes.
  @inlinable public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try Swift.withUnsafeBytes(of: words, body)
  }

  /// 64 lower-case hexadecimal digits.
  public var hex: String {
    let digits: [UInt8] = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 64) { output in
      for (index, byte) in bytes.enumerated() {
        output[2 * index] = digits[Int(byte >> 4)]
        output[2 * index + 1] = digits[Int(byte & 15)]
      }
      return 64
    }
  }
}

extension SHA256Hash: Hashable, Comparable, CustomStringConvertible {
  @inlinable public static func == (left: SHA256Hash, right: SHA256Hash) -> Bool { left.words == right.words }

  /// Byte order, as hexadecimal text would sort.
  public static func < (left: SHA256Hash, right: SHA256Hash) -> Bool {
    (left.words.0.bigEndian, left.words.1.bigEndian, left.words.2.bigEndian, left.words.3.bigEndian)
      < (right.words.0.bigEndian, right.words.1.bigEndian, right.words.2.bigEndian, right.words.3.bigEndian)
  }

  @inlinable public func hash(into hasher: inout Hasher) {
    // All of it: fingerprints in an entry are anybody's choice, and must not be made to collide.
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }

  public var description: String { hex }
}
