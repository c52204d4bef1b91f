/// What a static CT log puts into the signature line of its checkpoint (static-ct-api, "Checkpoints").
public struct RFC6962NoteSignature: WireFormat {
  public let timestamp: Timestamp
  public let signature: DigitallySigned

  public init(timestamp: Timestamp, signature: DigitallySigned) {
    self.timestamp = timestamp
    self.signature = signature
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    var cursor = ByteCursor("RFC6962NoteSignature", in: bytes)
    timestamp = Timestamp(milliseconds: try cursor.uint64(bytes, "timestamp"))
    signature = try DigitallySigned(reading: &cursor, bytes)
    try cursor.finish()
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var writer = ByteWriter("RFC6962NoteSignature")
    writer.uint64(timestamp.milliseconds)
    try signature.write(to: &writer)
    return writer.bytes
  }

  /// The id that a log's key has in notes.
  public static func keyID(origin: String, logID: LogID) -> UInt32 {
    SignedNote.keyID(name: origin, type: 5, key: logID.bytes)
  }
}

/// Why a checkpoint is not a log's word.
public enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  case malformed(FormatError)
  case otherOrigin(expected: String, found: String)
  /// A static CT log's signature does not cover extension lines, so there must be none.
  case extensionLines
  /// No signature line is of the log's key.
  case unsigned(origin: String, keyID: UInt32)
  /// A line is of the log's key, but its signature is not.
  case badSignature(origin: String)

  public var description: String {
    switch self {
    case .malformed(let error): "malformed checkpoint: \(error)"
    case .otherOrigin(let expected, let found): "checkpoint of \(found), expected one of \(expected)"
    case .extensionLines: "the checkpoint has extension lines, which the log's signature would not cover"
    case .unsigned(let origin, let keyID): "no signature of \(origin) with key id \(keyID)"
    case .badSignature(let origin): "the signature of \(origin) is not by the log's key"
    }
  }
}

extension SignedTreeHead {
  /// Reads the tree head out of a static CT log's checkpoint, and verifies the log's signature.
  ///
  /// Other signatures on the note are passed over. The origin must be asked for: the log's signature does not cover it.
  public init(checkpoint note: SignedNote, origin: String, key: LogKey) throws(CheckpointError) {
    let checkpoint: Checkpoint
    var heads: [SignedTreeHead] = []
    do throws(FormatError) {
      checkpoint = try Checkpoint(text: note.text)
      let keyID = RFC6962NoteSignature.keyID(origin: origin, logID: key.logID)
      for line in note.signatures where line.isClaimed(by: origin, keyID: keyID) {
        let signed = try RFC6962NoteSignature(decoding: line.bytes)
        heads.append(
          SignedTreeHead(
            treeSize: checkpoint.treeSize, timestamp: signed.timestamp, rootHash: checkpoint.rootHash,
            signature: signed.signature))
      }
    } catch {
      throw .malformed(error)
    }
    guard checkpoint.origin.utf8.elementsEqual(origin.utf8) else {
      throw .otherOrigin(expected: origin, found: checkpoint.origin)
    }
    guard checkpoint.extensionLines.isEmpty else { throw .extensionLines }
    guard let head = heads.max(by: { $0.timestamp < $1.timestamp }) else {
      throw .unsigned(origin: origin, keyID: RFC6962NoteSignature.keyID(origin: origin, logID: key.logID))
    }
    guard heads.allSatisfy({ $0.isSigned(by: key) }) else { throw .badSignature(origin: origin) }
    self = head
  }

  /// Reads the bytes of a static CT log's checkpoint, and verifies the log's signature.
  public init(checkpoint bytes: [UInt8], origin: String, key: LogKey) throws(CheckpointError) {
    let note: SignedNote
    do {
      note = try SignedNote(decoding: bytes)
    } catch {
      throw .malformed(error)
    }
    try self.init(checkpoint: note, origin: origin, key: key)
  }

  /// The checkpoint that says the same; it takes no private key to make one from a tree head.
  ///
  /// - Throws: a `FormatError` if the signature has no encoding.
  public func checkpoint(origin: String, logID: LogID) throws(FormatError) -> SignedNote {
    let body = try RFC6962NoteSignature(timestamp: timestamp, signature: signature).encoded()
    let keyID = RFC6962NoteSignature.keyID(origin: origin, logID: logID)
    return SignedNote(
      text: Checkpoint(origin: origin, treeSize: treeSize, rootHash: rootHash).text,
      signatures: [SignedNote.Signature(name: origin, keyID: keyID, bytes: body)])
  }
}
