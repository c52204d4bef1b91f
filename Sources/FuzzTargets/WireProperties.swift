import CertificateTransparency
import MerkleTree

/// What holds of every structure that has one binary form: what decodes, encodes to the same bytes.
enum WireProperties {
  static func check(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    try checkForm(SCTList.self, bytes)
    try checkForm(SignedCertificateTimestamp.self, bytes)
    try checkForm(CTExtensions.self, bytes)
    try checkForm(DigitallySigned.self, bytes)
    try checkForm(TimestampedEntry.self, bytes)
    try checkForm(MerkleTreeLeaf.self, bytes)
    try checkForm(StaticCTEntry.self, bytes)
    try checkForm(RFC6962NoteSignature.self, bytes)
    for kind in LogEntryKind.allCases {
      guard let extra = try? ExtraData(decoding: bytes, kind: kind) else { continue }
      try FuzzTarget.require((try? extra.encoded()) == bytes, "extra_data does not encode to what it was")
    }
    if let ranges = try? EntryRanges(merkleTreeLeafIn: bytes.span), let leaf = try? MerkleTreeLeaf(decoding: bytes) {
      let expected = TreeHasher.leafHash(of: bytes)
      try FuzzTarget.require(ranges.leafHash(in: bytes.span) == expected, "the ranges hash to another leaf")
      try FuzzTarget.require((try? leaf.leafHash()) == expected, "the leaf hashes to another leaf")
    }
  }

  private static func checkForm<Value: WireFormat>(_ type: Value.Type, _ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let value = try? Value(decoding: bytes) else { return }
    try FuzzTarget.require((try? value.encoded()) == bytes, "\(type) does not encode to what it was decoded from")
  }

  static func checkNote(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    try checkForm(SignedNote.self, bytes)
    guard let note = try? SignedNote(decoding: bytes) else { return }
    if let checkpoint = try? Checkpoint(text: note.text) {
      try FuzzTarget.require(checkpoint.text == note.text, "the checkpoint does not encode to what it was")
    }
  }

  static func checkMessages(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    try checkMessage(GetEntriesResponse.self, bytes)
    try checkMessage(GetSTHConsistencyResponse.self, bytes)
    try checkMessage(GetProofByHashResponse.self, bytes)
    try checkMessage(GetEntryAndProofResponse.self, bytes)
    try checkMessage(GetRootsResponse.self, bytes)
    try checkMessage(AddChainRequest.self, bytes)
    try checkMessage(AddChainResponse.self, bytes)
    try checkMessage(SignedTreeHead.self, bytes)
  }

  private static func checkMessage<Value: LogMessage>(_ type: Value.Type, _ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let value = try? Value(json: bytes) else { return }
    let again = (try? value.json()).flatMap { try? Value(json: $0) }
    try FuzzTarget.require(again == value, "\(type) is not the same once written and read again")
  }

  static func checkLogList(_ bytes: [UInt8]) throws(FuzzTarget.Failure) {
    guard let list = try? LogList(json: bytes) else { return }
    _ = list.problems.map(\.description)
    guard let written = try? list.json() else { return }
    let again = try? LogList(json: written)
    try FuzzTarget.require(again?.logs == list.logs, "the log list is not the same once written and read again")
  }
}
