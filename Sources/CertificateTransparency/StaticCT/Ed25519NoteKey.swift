import Crypto

/// An Ed25519 key that signs the text of notes (signed-note, "Ed25519 signatures").
public struct Ed25519NoteKey: Sendable {
  public let name: String
  public let keyID: UInt32
  private let key: Curve25519.Signing.PublicKey

  /// Reads a verifier key: `<name>+<key id, 8 hexadecimal digits>+<base64 of type 1 and the key>`.
  ///
  /// - Throws: a `FormatError` if it is none, or its id is not that of its name and key.
  public init(verifierKey text: String) throws(FormatError) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, SignedNote.isName(String(parts[0])) else {
      throw FormatError("verifier key", at: 0, "not a name, an id and a key with + between them")
    }
    guard let bytes = Base64.decode(parts[2]), bytes.first == 1,
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes.dropFirst())
    else { throw FormatError("verifier key", at: 0, "the key is not base64 of an Ed25519 key") }
    name = String(parts[0])
    self.key = key
    keyID = SignedNote.keyID(name: name, type: 1, key: Array(bytes.dropFirst()))
    guard parts[1].utf8.count == 8, UInt32(parts[1], radix: 16) == keyID else {
      throw FormatError("verifier key", at: 0, "the id is not that of the name and key")
    }
  }

  /// Whether this key signed `note`: it has a line of this key, and all such lines verify.
  public func verify(_ note: SignedNote) -> Bool {
    let lines = note.signatures.filter { $0.isClaimed(by: name, keyID: keyID) }
    return !lines.isEmpty && lines.allSatisfy { key.isValidSignature($0.bytes, for: Array(note.text.utf8)) }
  }
}
