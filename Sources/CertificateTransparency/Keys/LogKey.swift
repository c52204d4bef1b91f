import Crypto
import CryptoExtras
import MerkleTree

/// The public key of a log: ECDSA over P-256, or RSA of 2048 bits and more (RFC 6962, section 2.1.4).
///
/// ECDSA over P-384 with SHA-384, which no public log uses but some test logs do, is taken too.
public struct LogKey: Hashable, Sendable {
  /// DER SubjectPublicKeyInfo, exactly as given.
  public let derRepresentation: [UInt8]
  /// SHA-256 of ``derRepresentation``.
  public let logID: LogID

  private let verifier: Verifier

  private enum Verifier {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case rsa(_RSA.Signing.PublicKey)
  }

  /// Reads a SubjectPublicKeyInfo, which has to be in DER to the last byte.
  ///
  /// - Throws: a `FormatError` if it is none, or of a key that logs may not use.
  public init(derRepresentation der: [UInt8]) throws(FormatError) {
    // The libraries read more than DER (compressed points, PSS parameters); what they would not write is not taken.
    if let key = try? P256.Signing.PublicKey(derRepresentation: der), der == [UInt8](key.derRepresentation) {
      verifier = .p256(key)
    } else if let key = try? P384.Signing.PublicKey(derRepresentation: der), der == [UInt8](key.derRepresentation) {
      verifier = .p384(key)
    } else if let key = try? _RSA.Signing.PublicKey(derRepresentation: der), der == [UInt8](key.derRepresentation) {
      verifier = .rsa(key)
    } else {
      throw FormatError("SubjectPublicKeyInfo", at: 0, "not DER of a P-256, P-384 or RSA (2048 bits or more) key")
    }
    derRepresentation = der
    logID = LogID(SHA256Hash.hash(der))
  }

  /// Reads a `PUBLIC KEY` block of PEM.
  public init(pemRepresentation text: String) throws(FormatError) {
    try self.init(derRepresentation: try PEM.first("PUBLIC KEY", in: text))
  }

  init(_ key: P256.Signing.PublicKey) {
    derRepresentation = [UInt8](key.derRepresentation)
    logID = LogID(SHA256Hash.hash(derRepresentation))
    verifier = .p256(key)
  }

  /// The one algorithm that this key's log may name in its signatures (RFC 6962, section 2.1.4).
  public var algorithm: SignatureAndHash {
    switch verifier {
    case .p256: .ecdsaSHA256
    case .p384: .ecdsaSHA384
    case .rsa: .rsaSHA256
    }
  }

  /// Whether `signature` is this key's over `message`; false too if it names another algorithm.
  public func verify(_ signature: DigitallySigned, over message: Span<UInt8>) -> Bool {
    guard signature.algorithm == algorithm else { return false }
    switch verifier {
    case .p256(let key):
      guard let value = try? P256.Signing.ECDSASignature(derRepresentation: signature.signature) else { return false }
      return key.isValidSignature(value, for: LogKey.digest(message, SHA256()))
    case .p384(let key):
      guard let value = try? P384.Signing.ECDSASignature(derRepresentation: signature.signature) else { return false }
      return key.isValidSignature(value, for: LogKey.digest(message, SHA384()))
    case .rsa(let key):
      let value = _RSA.Signing.RSASignature(rawRepresentation: signature.signature)
      return key.isValidSignature(value, for: LogKey.digest(message, SHA256()), padding: .insecurePKCS1v1_5)
    }
  }

  private static func digest<Function: HashFunction>(_ message: Span<UInt8>, _ hasher: Function) -> Function.Digest {
    var hasher = hasher
    message.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    return hasher.finalize()
  }

  /// Whether `signature` is this key's over `message`; false too if it names another algorithm.
  public func verify(_ signature: DigitallySigned, over message: [UInt8]) -> Bool {
    verify(signature, over: message.span)
  }

  /// Whether the log with this key issued `sct` for `entry`.
  public func verify(_ sct: SignedCertificateTimestamp, for entry: LogEntryBody) -> Bool {
    guard sct.logID == logID, let input = try? sct.signatureInput(for: entry) else { return false }
    return verify(sct.signature, over: input)
  }

  public static func == (left: LogKey, right: LogKey) -> Bool { left.derRepresentation == right.derRepresentation }

  public func hash(into hasher: inout Hasher) { hasher.combine(logID) }
}
