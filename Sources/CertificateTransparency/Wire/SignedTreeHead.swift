public import MerkleTree

/// A log's signed statement of its tree at one time (RFC 6962, sections 3.5 and 4.3).
///
/// A head says nothing until ``isSigned(by:)`` has said that the log made it.
public struct SignedTreeHead: Hashable, Sendable {
  public let treeSize: UInt64
  public let timestamp: Timestamp
  public let rootHash: SHA256Hash
  public let signature: DigitallySigned

  public init(treeSize: UInt64, timestamp: Timestamp, rootHash: SHA256Hash, signature: DigitallySigned) {
    self.treeSize = treeSize
    self.timestamp = timestamp
    self.rootHash = rootHash
    self.signature = signature
  }

  /// Makes a head; `sign` is given the 50 bytes to be signed.
  public init<E>(
    treeSize: UInt64, timestamp: Timestamp, rootHash: SHA256Hash,
    signedBy sign: ([UInt8]) throws(E) -> DigitallySigned
  ) throws(E) {
    let input = SignedTreeHead.signatureInput(treeSize: treeSize, timestamp: timestamp, rootHash: rootHash)
    self.init(treeSize: treeSize, timestamp: timestamp, rootHash: rootHash, signature: try sign(input))
  }

  /// The 50 bytes that the log signs: `TreeHeadSignature`.
  public var signatureInput: [UInt8] {
    SignedTreeHead.signatureInput(treeSize: treeSize, timestamp: timestamp, rootHash: rootHash)
  }

  private static func signatureInput(treeSize: UInt64, timestamp: Timestamp, rootHash: SHA256Hash) -> [UInt8] {
    var writer = ByteWriter("TreeHeadSignature")
    writer.uint8(0)
    writer.uint8(1)
    writer.uint64(timestamp.milliseconds)
    writer.uint64(treeSize)
    writer.raw(rootHash.bytes)
    return writer.bytes
  }

  /// Whether the log with this key signed the head.
  public func isSigned(by key: LogKey) -> Bool { key.verify(signature, over: signatureInput) }
}

/// The response to get-sth.
extension SignedTreeHead: LogMessage {
  private enum CodingKeys: String, CodingKey {
    case treeSize = "tree_size"
    case timestamp
    case rootHash = "sha256_root_hash"
    case signature = "tree_head_signature"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    treeSize = try container.decodeNumber(forKey: .treeSize)
    timestamp = Timestamp(milliseconds: try container.decodeNumber(forKey: .timestamp))
    rootHash = try container.decodeHash(forKey: .rootHash)
    signature = try DigitallySigned(decoding: try container.decodeBase64(forKey: .signature))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(treeSize, forKey: .treeSize)
    try container.encode(timestamp.milliseconds, forKey: .timestamp)
    try container.encode(Base64.encode(rootHash.bytes), forKey: .rootHash)
    try container.encode(Base64.encode(try signature.encoded()), forKey: .signature)
  }
}
