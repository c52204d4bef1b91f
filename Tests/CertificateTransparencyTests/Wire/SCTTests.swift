import CertificateTransparency
import MerkleTree
import TestSupport
import TestWorld
import Testing

@Suite struct SCTTests {
  @Test("random SCTs and lists of them come back from their encoding")
  func random() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<40 {
      let scts = (0..<Int.random(in: 1..<4, using: &generator)).map { _ in
        SignedCertificateTimestamp(
          logID: LogID(generator.hash()), timestamp: Timestamp(milliseconds: generator.next()),
          extensions: generator.bytes(0..<12), signature: generator.signature())
      }
      try expectExact(scts[0])
      try expectExact(scts[0].signature)
      try expectExact(try SCTList(scts))
      #expect(try SCTList(decoding: try SCTList(scts).encoded()).scts == scts)
      let response = AddChainResponse(sct: scts[0])
      #expect(try AddChainResponse(json: try response.json()) == response)
    }
  }

  @Test("a member that can't be read keeps its bytes and does not take the others with it")
  func laterVersion() throws {
    var generator = SeededGenerator(seed: 6)
    let good = SignedCertificateTimestamp(
      logID: LogID(generator.hash()), timestamp: Timestamp(milliseconds: 1), signature: generator.signature())
    let later: [UInt8] = [1, 2, 3]
    let list = SCTList(items: [SCTList.Item(serialized: later), SCTList.Item(serialized: try good.encoded())])
    let read = try SCTList(decoding: try list.encoded())
    #expect(read.scts == [good])
    #expect(read.items[0].serialized == later)
    #expect(throws: FormatError("SignedCertificateTimestamp", at: 1, "version 1 is unknown, 0 (v1) expected")) {
      try read.items[0].sct.get()
    }
  }

  @Test(
    "lists that are not lists", arguments: ["", "00", "0000", "00020000", "0001", "000300", "0003000200", "00020001"])
  func lists(hex: String) { #expect(throws: FormatError.self) { try SCTList(decoding: hexadecimal(hex)) } }

  @Test("an SCT tells its index where its extensions do")
  func leafIndex() throws {
    let signature = DigitallySigned(algorithm: .ecdsaSHA256, signature: [])
    func sct(_ extensions: [UInt8]) -> SignedCertificateTimestamp {
      SignedCertificateTimestamp(
        logID: LogID(.zero), timestamp: Timestamp(milliseconds: 0), extensions: extensions, signature: signature)
    }
    #expect(sct(try CTExtensions(leafIndex: 77).encoded()).leafIndex == 77)
    #expect(sct([]).leafIndex == nil)
    #expect(sct([1, 2]).leafIndex == nil)
  }

  @Test("an SCT of version 1 only is taken from add-chain")
  func versions() throws {
    let text = """
      {"sct_version":1,"id":"4jnLz7zLKeQBDwubqYeA9ZWG0CkNStYRXAO6Y1QZzr8=","timestamp":1,"extensions":"",\
      "signature":"BAMAAA=="}
      """
    #expect(throws: FormatError.self) { try AddChainResponse(json: Array(text.utf8)) }
    let first = text.replacing("\"sct_version\":1", with: "\"later\":[],\"sct_version\":0")
    #expect(try AddChainResponse(json: Array(first.utf8)).sct.timestamp.milliseconds == 1)
  }

  @Test(
    "fuzzers' findings never trap, and what decodes encodes to the same bytes", .needsTestData,
    arguments: [
      "malformed/fuzz/chromium_sct", "malformed/fuzz/openssl_ct",
    ])
  func fuzz(folder: String) throws {
    let files = TestData.files(in: folder)
    #expect(files.count > 10)
    for file in files {
      let bytes = try TestData.bytes(file)
      if let list = try? SCTList(decoding: bytes) {
        #expect(try list.encoded() == bytes, "\(file)")
      }
      if let sct = try? SignedCertificateTimestamp(decoding: bytes) { #expect(try sct.encoded() == bytes, "\(file)") }
      if let leaf = try? MerkleTreeLeaf(decoding: bytes) { #expect(try leaf.encoded() == bytes, "\(file)") }
      if let entry = try? StaticCTEntry(decoding: bytes) { #expect(try entry.encoded() == bytes, "\(file)") }
      if let note = try? SignedNote(decoding: bytes) { #expect(try note.encoded() == bytes, "\(file)") }
      if let extensions = try? CTExtensions(decoding: bytes) { #expect(try extensions.encoded() == bytes, "\(file)") }
      for kind in LogEntryKind.allCases {
        if let data = try? ExtraData(decoding: bytes, kind: kind) { #expect(try data.encoded() == bytes, "\(file)") }
      }
      _ = try? LogList(json: bytes)
      _ = try? SignedTreeHead(json: bytes)
    }
  }

  @Test("random damage to real structures never traps, and what still decodes encodes to the same bytes")
  func damage() throws {
    var generator = SeededGenerator(seed: 7)
    let sct = SignedCertificateTimestamp(
      logID: LogID(generator.hash()), timestamp: Timestamp(milliseconds: 1),
      extensions: try CTExtensions(leafIndex: 9).encoded(), signature: generator.signature())
    let entry = TimestampedEntry(
      timestamp: Timestamp(milliseconds: 1),
      body: .precertificate(issuerKeyHash: generator.hash(), tbsCertificate: generator.bytes(9..<10)),
      extensions: sct.extensions)
    let tileLeaf = StaticCTEntry(
      timestampedEntry: entry, precertificate: [1, 2, 3], chainFingerprints: [generator.hash()])
    try damage(try SCTList([sct, sct]), &generator)
    try damage(sct, &generator)
    try damage(MerkleTreeLeaf(entry), &generator)
    try damage(tileLeaf, &generator)
    try damage(try CTExtensions(leafIndex: 9), &generator)
    try damage(Checkpoint(origin: "a", treeSize: 12, rootHash: .zero), &generator)
    try damage(
      SignedNote(text: "a\n1\n", signatures: [.init(name: "b", keyID: 1, bytes: [1, 2])]), &generator)
  }

  private func damage<Value: WireFormat>(_ value: Value, _ generator: inout SeededGenerator) throws {
    let original = try value.encoded()
    var (decoded, refused) = (0, 0)
    for _ in 0..<500 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
      }
      if let other = try? Value(decoding: bytes) {
        #expect(try other.encoded() == bytes)
        decoded += 1
      } else {
        refused += 1
      }
    }
    #expect(decoded > 0 && refused > 0, "\(Value.self): \(decoded) decoded, \(refused) refused")
  }
}
