public import Crypto
import MerkleTree

/// The private key of a log: ECDSA over P-256.
public struct LogSigner: Sendable {
  private let key: P256.Signing.PrivateKey
  /// The public key that others verify with.
  public let publicKey: LogKey

  public init(_ key: P256.Signing.PrivateKey = P256.Signing.PrivateKey()) {
    self.key = key
    publicKey = LogKey(key.publicKey)
  }

  /// Reads a `PRIVATE KEY` or `EC PRIVATE KEY` block of PEM.
  ///
  /// - Throws: a `FormatError` if there is none, or not of a P-256 key.
  public init(pemRepresentation text: String) throws(FormatError) {
    guard let key = try? P256.Signing.PrivateKey(pemRepresentation: text) else {
      throw FormatError("PEM", at: 0, "no private key for P-256")
    }
    self.init(key)
  }

  public var logID: LogID { publicKey.logID }

  /// Signs `message`.
  public func sign(_ message: [UInt8]) throws -> DigitallySigned {
    let signature = try key.signature(for: message)
    return DigitallySigned(algorithm: .ecdsaSHA256, signature: [UInt8](signature.derRepresentation))
  }

  /// Issues the SCT of `entry`.
  public func sign(
    _ entry: LogEntryBody, timestamp: Timestamp, extensions: [UInt8] = []
  ) throws -> SignedCertificateTimestamp {
    let leaf = MerkleTreeLeaf(TimestampedEntry(timestamp: timestamp, body: entry, extensions: extensions))
    let signature = try sign(try leaf.encoded())
    return SignedCertificateTimestamp(
      logID: logID, timestamp: timestamp, extensions: extensions, signature: signature)
  }
}
