package import CertificateTransparency
package import Crypto
package import MerkleTree

/// The key of a log, wherever it is kept: in memory, in a security module, with a service.
package protocol SigningKey: Sendable {
  var publicKey: LogKey { get }
  func sign(_ message: [UInt8]) async throws -> DigitallySigned
}

extension LogSigner: SigningKey {}

/// A tree head that a log signed, and the note that says so.
package struct LogHead: Hashable, Sendable {
  package let size: UInt64
  package let timestamp: Timestamp
  package let root: SHA256Hash
  /// The signed note, as it is kept in the lock and published.
  package let note: [UInt8]
}

/// The name and the keys under which a log signs.
package struct LogIdentity: Sendable {
  /// The submission prefix without scheme and trailing slash.
  package let origin: String
  let key: any SigningKey
  /// Signs the note beside the log's key, for witnesses, which verify nothing else.
  let noteKey: Curve25519.Signing.PrivateKey?

  package init(origin: String, key: any SigningKey, noteKey: Curve25519.Signing.PrivateKey? = nil) {
    self.origin = origin
    self.key = key
    self.noteKey = noteKey
  }

  package var logID: LogID { key.publicKey.logID }

  /// Signs a tree head, and verifies the signature before anybody sees it.
  func head(size: UInt64, root: SHA256Hash, at timestamp: Timestamp) async throws -> LogHead {
    let none = DigitallySigned(algorithm: .ecdsaSHA256, signature: [])
    let unsigned = SignedTreeHead(treeSize: size, timestamp: timestamp, rootHash: root, signature: none)
    let signature = try await key.sign(unsigned.signatureInput)
    let head = SignedTreeHead(treeSize: size, timestamp: timestamp, rootHash: root, signature: signature)
    var note = try head.checkpoint(origin: origin, logID: logID)
    if let noteKey {
      let public25519 = [UInt8](noteKey.publicKey.rawRepresentation)
      let line = SignedNote.Signature(
        name: origin, keyID: SignedNote.keyID(name: origin, type: 1, key: public25519),
        bytes: [UInt8](try noteKey.signature(for: Array(note.text.utf8))))
      note = SignedNote(text: note.text, signatures: note.signatures + [line])
    }
    let bytes = try note.encoded()
    guard try self.head(reading: bytes) == LogHead(size: size, timestamp: timestamp, root: root, note: bytes) else {
      throw BatchMismatch(description: "the signed checkpoint does not read back")
    }
    return LogHead(size: size, timestamp: timestamp, root: root, note: bytes)
  }

  /// Reads a checkpoint of this log.
  ///
  /// - Throws: a `CheckpointError` if it is none, or not signed by the log's key.
  func head(reading note: [UInt8]) throws -> LogHead {
    let head = try SignedTreeHead(checkpoint: note, origin: origin, key: key.publicKey)
    return LogHead(size: head.treeSize, timestamp: head.timestamp, root: head.rootHash, note: note)
  }
}
