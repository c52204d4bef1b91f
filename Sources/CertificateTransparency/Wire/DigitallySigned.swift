/// The hash and signature algorithm of a signature, by their numbers in TLS 1.2 (RFC 5246, section 7.4.1.4.1).
public struct SignatureAndHash: Hashable, Sendable, CustomStringConvertible {
  public let hash: UInt8
  public let signature: UInt8

  public init(hash: UInt8, signature: UInt8) {
    self.hash = hash
    self.signature = signature
  }

  /// ECDSA over a SHA-256 digest.
  public static let ecdsaSHA256 = SignatureAndHash(hash: 4, signature: 3)
  /// ECDSA over a SHA-384 digest.
  public static let ecdsaSHA384 = SignatureAndHash(hash: 5, signature: 3)
  /// RSA, PKCS #1 version 1.5, over a SHA-256 digest.
  public static let rsaSHA256 = SignatureAndHash(hash: 4, signature: 1)

  public var description: String {
    switch self {
    case .ecdsaSHA256: "SHA-256 with ECDSA"
    case .ecdsaSHA384: "SHA-384 with ECDSA"
    case .rsaSHA256: "SHA-256 with RSA"
    default: "hash \(hash) with signature \(signature)"
    }
  }
}

/// A signature as logs make them: `digitally-signed` of RFC 5246, section 4.7.
///
/// Any algorithm decodes; which ones count is for ``LogKey`` to say.
public struct DigitallySigned: WireFormat {
  public let algorithm: SignatureAndHash
  /// DER `Ecdsa-Sig-Value`, or the PKCS #1 signature value.
  public let signature: [UInt8]

  public init(algorithm: SignatureAndHash, signature: [UInt8]) {
    self.algorithm = algorithm
    self.signature = signature
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("DigitallySigned", in: bytes)
    try self.init(reading: &cursor, bytes)
    try cursor.finish()
  }

  package init(reading cursor: inout ByteCursor, _ bytes: Span<UInt8>) throws(FormatError) {
    let hash = try cursor.uint8(bytes, "hash algorithm")
    let signature = try cursor.uint8(bytes, "signature algorithm")
    algorithm = SignatureAndHash(hash: hash, signature: signature)
    self.signature = bytes.copy(try cursor.vector16(bytes, "signature"))
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("DigitallySigned")
    try write(to: &writer)
    return writer.bytes
  }

  package func write(to writer: inout ByteWriter) throws(FormatError) {
    writer.uint8(algorithm.hash)
    writer.uint8(algorithm.signature)
    try writer.vector16(signature, "signature")
  }
}
