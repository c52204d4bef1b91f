import Crypto

/// A text with signatures (c2sp.org/signed-note), parsed but not verified.
public struct SignedNote: WireFormat {
  /// One signature line; most notes carry some of keys that a reader does not know.
  public struct Signature: Hashable, Sendable {
    public let name: String
    public let keyID: UInt32
    /// What follows the key id; its form depends on the key.
    public let bytes: [UInt8]

    public init(name: String, keyID: UInt32, bytes: [UInt8]) {
      self.name = name
      self.keyID = keyID
      self.bytes = bytes
    }

    /// Whether the line claims to be of this key. Names are compared byte for byte.
    public func isClaimed(by name: String, keyID: UInt32) -> Bool {
      self.keyID == keyID && self.name.utf8.elementsEqual(name.utf8)
    }
  }

  /// The longest note that is read.
  public static let maximumByteCount = 1 << 20
  /// The most signature lines that are read.
  public static let maximumSignatureCount = 100

  /// The signed text, with the newline that ends it.
  public let text: String
  public let signatures: [Signature]

  public init(text: String, signatures: [Signature]) {
    self.text = text
    self.signatures = signatures
  }

  /// The id of a key: 4 bytes of SHA-256 over its name, a newline, its type and the key (signed-note, "Signatures").
  public static func keyID(name: String, type: UInt8, key: [UInt8]) -> UInt32 {
    let digest = SHA256.hash(data: Array(name.utf8) + [0x0a, type] + key)
    return digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  public init(decoding bytes: Span<UInt8>) throws(FormatError) {
    let count = bytes.count
    guard count <= SignedNote.maximumByteCount else {
      throw FormatError("signed note", at: 0, "\(count) bytes, at most \(SignedNote.maximumByteCount) expected")
    }
    for index in 0..<count where bytes[index] < 0x20 && bytes[index] != newline {
      throw FormatError("signed note", at: index, "control character \(bytes[index])")
    }
    guard count > 0, bytes[count - 1] == newline else {
      throw FormatError("signed note", at: count, "the last line does not end")
    }
    guard let blank = (1..<count).last(where: { bytes[$0 - 1] == newline && bytes[$0] == newline }) else {
      throw FormatError("signed note", at: count, "no blank line between text and signatures")
    }
    guard let text = String(validating: bytes.copy(0..<blank), as: UTF8.self) else {
      throw FormatError("signed note", at: 0, "the text is not UTF-8")
    }
    self.text = text
    var signatures: [Signature] = []
    var start = blank + 1
    while start < count {
      guard signatures.count < SignedNote.maximumSignatureCount else {
        throw FormatError("signed note", at: start, "more than \(SignedNote.maximumSignatureCount) signatures")
      }
      // There is one, since the note ends with one.
      var end = start
      while bytes[end] != newline { end += 1 }
      signatures.append(try SignedNote.signature(bytes.copy(start..<end), at: start))
      start = end + 1
    }
    guard !signatures.isEmpty else { throw FormatError("signed note", at: count, "no signatures") }
    self.signatures = signatures
  }

  private static func signature(_ line: [UInt8], at offset: Int) throws(FormatError) -> Signature {
    guard line.starts(with: prefix) else {
      throw FormatError("signed note", at: offset, "a signature line starts with an em dash and a space")
    }
    let parts = line.dropFirst(prefix.count).split(separator: 0x20, omittingEmptySubsequences: false)
    guard parts.count == 2, let name = String(validating: parts[0], as: UTF8.self), isName(name) else {
      throw FormatError("signed note", at: offset + prefix.count, "not a key name, a space and a signature")
    }
    guard let value = Base64.decode(Array(parts[1]).span), value.count > 4 else {
      throw FormatError("signed note", at: offset + prefix.count, "the signature is not base64 of more than 4 bytes")
    }
    let keyID = value.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    return Signature(name: name, keyID: keyID, bytes: Array(value.dropFirst(4)))
  }

  /// Whether `name` may name a key: not empty, no Unicode space, no plus sign.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "+" && !$0.properties.isWhitespace }
  }

  public func encoded() throws(FormatError) -> [UInt8] {
    var bytes = Array(text.utf8) + [newline]
    for signature in signatures {
      let value = withUnsafeBytes(of: signature.keyID.bigEndian) { Array($0) } + signature.bytes
      bytes += prefix + Array(signature.name.utf8) + [0x20] + Array(Base64.encode(value).utf8) + [newline]
    }
    // What can't be read must not be written: a text without its newline, a name with a space.
    guard try SignedNote(decoding: bytes) == self else {
      throw FormatError("signed note", at: 0, "it would be read as another note")
    }
    return bytes
  }
}

private let newline: UInt8 = 0x0a
private let prefix: [UInt8] = [0xe2, 0x80, 0x94, 0x20]
