public import MerkleTree

/// The identity of a log: SHA-256 of its public key, as DER SubjectPublicKeyInfo (RFC 6962, section 3.2).
public struct LogID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let hash: SHA256Hash

  public init(_ hash: SHA256Hash) { self.hash = hash }

  /// Reads the base64 text that log lists use; nil if it is not that of 32 bytes.
  public init?(base64 text: some StringProtocol) {
    guard let bytes = Base64.decode(text), let hash = SHA256Hash(bytes) else { return nil }
    self.hash = hash
  }

  public var bytes: [UInt8] { hash.bytes }

  /// The base64 text that log lists use.
  public var base64: String { Base64.encode(bytes) }

  public var description: String { base64 }

  public static func < (left: LogID, right: LogID) -> Bool { left.hash < right.hash }
}
