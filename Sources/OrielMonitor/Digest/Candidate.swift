import CertificateTransparency
import MerkleTree

/// An entry that may concern a watched item, copied out of its batch.
struct Candidate: Sendable {
  /// What the log says of the chain.
  enum Chain: Sendable {
    /// A data tile: the precertificate (empty for a certificate) and the fingerprints of the chain.
    case fingerprints(precertificate: [UInt8], [SHA256Hash])
    /// `extra_data` of RFC 6962, not decoded.
    case extraData([UInt8])
  }

  /// What the leaf holds.
  enum Leaf: Sendable {
    case certificate([UInt8])
    case precertificate(issuerKeyHash: SHA256Hash, tbsCertificate: [UInt8])
    /// A leaf that is none of those of RFC 6962; all of its bytes.
    case unknown([UInt8])
  }

  let index: UInt64
  let timestamp: UInt64
  let leaf: Leaf
  let chain: Chain
  /// What was wrong with the leaf itself.
  let problems: [String]
}

/// What a batch came to: everything that outlives its buffers.
struct BatchDigest: Sendable {
  /// The leaf hashes of the batch, or of the whole tile that it is part of.
  var leafHashes: [SHA256Hash] = []
  var candidates: [Candidate] = []
}
