import CertificateTransparency
import MerkleTree
import TestSupport
import Testing

@Suite struct SignedNoteTests {
  @Test("a note's text ends at its last empty line")
  func lastEmptyLine() throws {
    let note = SignedNote(
      text: "Ognuno sta solo\n\ned è subito sera.\n",
      signatures: [SignedNote.Signature(name: "quasimodo.example/a", keyID: 0x0102_0304, bytes: [5])])
    let bytes = try note.encoded()
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "Ognuno sta solo\n\ned è subito sera.\n\n\u{2014} quasimodo.example/a AQIDBAU=\n")
    let read = try SignedNote(decoding: bytes)
    #expect(read == note)
  }

  @Test(
    "what no note may be",
    arguments: [
      "", "\n", "\n\n", "a\n", "a\n\n", "a\n\n\u{2014} b AQIDBAU=", "a\n\n\u{2013} b AQIDBAU=\n",
      "a\n\n\u{2014} b AQIDBA==\n", "a\n\n\u{2014} b AQIDBAU\n", "a\n\n\u{2014} AQIDBAU=\n",
      "a\n\n\u{2014}  AQIDBAU=\n", "a\n\n\u{2014} b+c AQIDBAU=\n", "a\n\n\u{2014} b\u{a0}c AQIDBAU=\n",
      "a\n\n\u{2014} b  AQIDBAU=\n", "a\n\n\u{2014} b AQIDBAU= \n", "a\r\n\n\u{2014} b AQIDBAU=\n",
      "a\t\n\n\u{2014} b AQIDBAU=\n", "a\n\n\u{2014} b AQIDBAU=\n\u{2014} c\n", "a\n\u{2014} b AQIDBAU=\n",
    ])
  func refusals(text: String) {
    #expect(throws: FormatError.self) { try SignedNote(decoding: Array(text.utf8)) }
  }

  @Test("bytes that are not UTF-8 are refused in text and names")
  func notUTF8() {
    let end = Array("\n\n\u{2014} b AQIDBAU=\n".utf8)
    #expect(throws: FormatError.self) { try SignedNote(decoding: [0xff] + end) }
    #expect(throws: FormatError.self) {
      try SignedNote(decoding: Array("a\n\n\u{2014} ".utf8) + [0xff] + Array(" AQIDBAU=\n".utf8))
    }
  }

  @Test("100 signatures and a mebibyte are read, more are not")
  func bounds() throws {
    let line = "\u{2014} b AQIDBAU=\n"
    let read = try SignedNote(decoding: Array(("a\n\n" + String(repeating: line, count: 100)).utf8))
    #expect(read.signatures.count == 100)
    #expect(throws: FormatError.self) {
      try SignedNote(decoding: Array(("a\n\n" + String(repeating: line, count: 101)).utf8))
    }
    let room = SignedNote.maximumByteCount - line.utf8.count - 2
    let longest = Array((String(repeating: "a", count: room) + "\n\n" + line).utf8)
    #expect(throws: Never.self) { try SignedNote(decoding: longest) }
    #expect(throws: FormatError.self) { try SignedNote(decoding: [0x61] + longest) }
  }

  @Test("a note that would be read as another is not written")
  func unwritable() {
    let signature = SignedNote.Signature(name: "b", keyID: 1, bytes: [1])
    for note in [
      SignedNote(text: "a", signatures: [signature]), SignedNote(text: "a\n", signatures: []),
      SignedNote(text: "a\n", signatures: [SignedNote.Signature(name: "b c", keyID: 1, bytes: [1])]),
      SignedNote(text: "a\n", signatures: [SignedNote.Signature(name: "b", keyID: 1, bytes: [])]),
    ] {
      #expect(throws: FormatError.self) { try note.encoded() }
    }
  }

  @Test(
    "checkpoint texts that are none",
    arguments: [
      ("", 1), ("a\n", 2), ("a\n1\n", 3), ("a\n1\nR", 3), ("\n1\nR\n", 1), ("a\n01\nR\n", 2), ("a\n-1\nR\n", 2),
      ("a\n+1\nR\n", 2), ("a\n18446744073709551616\nR\n", 2), ("a\n99999999999999999999999\nR\n", 2), ("a\n1 \nR\n", 2),
      ("a\n0x1\nR\n", 2), ("a\n1\nAQID\n", 3), ("a\n1\nR \n", 3), ("a\n1\nR\n\n", 4), ("a\n1\nR\n\nb\n", 4),
    ])
  func checkpointRefusals(text: String, line: Int) {
    let text = text.replacing("R", with: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    let error = #expect(throws: FormatError.self) { try Checkpoint(text: text) }
    #expect(error?.offset == line)
  }

  @Test("checkpoints come back from their text", arguments: [0, 1, 20_852_163, UInt64.max])
  func checkpoint(size: UInt64) throws {
    for lines in [[], ["extension"], ["one", "two \u{e9}"]] {
      let checkpoint = Checkpoint(
        origin: "example.com/log", treeSize: size, rootHash: SHA256Hash.hash([1]), extensionLines: lines)
      #expect(try Checkpoint(decoding: try checkpoint.encoded()) == checkpoint)
    }
    #expect(throws: FormatError.self) {
      try Checkpoint(origin: "a\n1", treeSize: size, rootHash: .zero).encoded()
    }
  }
}
