import CertificateTransparency
import MerkleTree
import TestSupport
import Testing

@Suite struct CheckpointSignatureTests {
  private static let origin = "log.example/2026h1"
  private static let signer = LogSigner()

  private static func head(timestamp: UInt64 = 1_768_225_600_256) throws -> SignedTreeHead {
    try SignedTreeHead(
      treeSize: 77, timestamp: Timestamp(milliseconds: timestamp), rootHash: SHA256Hash.hash([7]),
      signedBy: { try signer.sign($0) })
  }

  private static func read(_ note: SignedNote) throws(CheckpointError) -> SignedTreeHead {
    try SignedTreeHead(checkpoint: note, origin: origin, key: signer.publicKey)
  }

  @Test("a tree head and its checkpoint say the same, signatures of strangers notwithstanding")
  func conversion() throws {
    let head = try Self.head()
    let note = try head.checkpoint(origin: Self.origin, logID: Self.signer.logID)
    let strangers = [
      SignedNote.Signature(name: "grease.invalid", keyID: 1, bytes: [1]),
      SignedNote.Signature(name: Self.origin, keyID: 2, bytes: [2]),
      SignedNote.Signature(name: "other.example", keyID: note.signatures[0].keyID, bytes: [3]),
    ]
    let bytes = try SignedNote(text: note.text, signatures: strangers + note.signatures).encoded()
    #expect(try SignedTreeHead(checkpoint: bytes, origin: Self.origin, key: Self.signer.publicKey) == head)
    try expectExact(try RFC6962NoteSignature(decoding: note.signatures[0].bytes))
  }

  @Test("the key id of a published log")
  func keyID() throws {
    let logID = try #require(LogID(base64: "qT0HRLk491QYz2Xop38YM3+Te7X6hfRNtTuuLBTBGss="))
    #expect(RFC6962NoteSignature.keyID(origin: "rome.ct.filippo.io/2024h1", logID: logID) == 0x78f4_abae)
  }

  @Test("each way of not being the log's word has its error")
  func errors() throws {
    let note = try Self.head().checkpoint(origin: Self.origin, logID: Self.signer.logID)
    let (text, line) = (note.text, note.signatures[0])
    let keyID = line.keyID
    func expect(_ expected: CheckpointError, _ text: String, _ lines: [SignedNote.Signature]) {
      #expect(throws: expected) { try Self.read(SignedNote(text: text, signatures: lines)) }
    }
    expect(
      .otherOrigin(expected: Self.origin, found: "else.example"), text.replacing(Self.origin, with: "else.example"),
      [line])
    expect(.extensionLines, text + "extension\n", [line])
    expect(.unsigned(origin: Self.origin, keyID: keyID), text, [])
    expect(.badSignature(origin: Self.origin), text.replacing("77", with: "78"), [line])
    let other = try LogSigner().sign([1])
    let forged = try RFC6962NoteSignature(timestamp: Timestamp(milliseconds: 5), signature: other).encoded()
    // One bad signature of a known key spoils the note, good ones notwithstanding.
    expect(
      .badSignature(origin: Self.origin), text,
      [line, SignedNote.Signature(name: Self.origin, keyID: keyID, bytes: forged)])
    for bytes in [[], line.bytes + [0], Array(line.bytes.dropLast())] {
      #expect {
        let line = SignedNote.Signature(name: Self.origin, keyID: keyID, bytes: bytes)
        _ = try Self.read(SignedNote(text: text, signatures: [line]))
      } throws: { error in
        if case .malformed = error as? CheckpointError { true } else { false }
      }
    }
  }

  @Test("of two signatures by the log, the later counts")
  func later() throws {
    let notes = try [5, 9, 7].map { try Self.head(timestamp: $0) }.map {
      try $0.checkpoint(origin: Self.origin, logID: Self.signer.logID)
    }
    let note = SignedNote(text: notes[0].text, signatures: notes.flatMap(\.signatures))
    #expect(try Self.read(note).timestamp.milliseconds == 9)
  }

  struct GroundTruth: Decodable {
    struct Checkpoint: Decodable {
      let file: String
      let origin: String
      let size: UInt64
      let root: String
      let extensionLines: [String]
      let signatures: [Signature]
    }

    struct Signature: Decodable {
      let name: String?
      let keyId: String?
      let status: String
      let type: String?
      let vkey: String?
      let key: String?
      let timestamp: UInt64?
    }

    let checkpoints: [Checkpoint]
  }

  @Test("collected checkpoints verify or fail as computed elsewhere", .needsTestData)
  func collected() throws {
    let truths = try json("ground_truth/static.json", as: GroundTruth.self).checkpoints
    var counts: [String: Int] = [:]
    for truth in truths {
      let bytes = try TestData.bytes(truth.file)
      if truth.signatures.contains(where: { $0.status == "malformed" }) {
        #expect(throws: FormatError.self, "\(truth.file)") { try SignedNote(decoding: bytes) }
        counts["malformed", default: 0] += 1
        continue
      }
      guard let note = try? SignedNote(decoding: bytes) else {
        // This one has stray bits in its base64, beside being badly signed.
        #expect(truth.file.contains("invalid/sigsum-org"))
        counts["Ed25519 false", default: 0] += 1
        continue
      }
      #expect(try note.encoded() == bytes)
      let checkpoint = try Checkpoint(text: note.text)
      #expect(checkpoint.origin == truth.origin)
      #expect(checkpoint.treeSize == truth.size)
      #expect(Base64.encode(checkpoint.rootHash.bytes) == truth.root)
      #expect(checkpoint.extensionLines == truth.extensionLines)
      #expect(note.signatures.map(\.name) == truth.signatures.map(\.name))
      for signature in truth.signatures {
        let isValid = signature.status == "valid"
        if let text = signature.vkey {
          #expect(try Ed25519NoteKey(verifierKey: text).verify(note) == isValid, "\(truth.file)")
          counts["Ed25519 \(isValid)", default: 0] += 1
        } else if let text = signature.key {
          let key = try LogKey(derRepresentation: try #require(Base64.decode(text)))
          let head = try? SignedTreeHead(checkpoint: note, origin: truth.origin, key: key)
          #expect(head?.timestamp.milliseconds == (isValid ? signature.timestamp : nil), "\(truth.file)")
          #expect(throws: CheckpointError.self) { try SignedTreeHead(checkpoint: note, origin: "x", key: key) }
          counts["RFC 6962 \(isValid)", default: 0] += 1
        }
      }
    }
    #expect(counts["RFC 6962 true"] == 2)
    #expect(counts["RFC 6962 false"] == 1)
    #expect(counts["Ed25519 false"] == 1)
    #expect((counts["Ed25519 true"] ?? 0) >= 30)
    #expect(counts["malformed"] == 2)
  }

  @Test(
    "verifier keys that are none",
    arguments: [
      "", "a", "a+b", "a++", "a+5202289b+", "a b+5202289b+Af/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP",
      "a+5202289b+Af/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP",
      "a+5202289b+Av/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP",
    ])
  func verifierKeys(text: String) {
    #expect(throws: FormatError.self) { try Ed25519NoteKey(verifierKey: text) }
  }
}
