import CertificateTransparency
import MerkleTree
import Testing

@Suite struct LogMessageTests {
  private static let signature = DigitallySigned(algorithm: .ecdsaSHA256, signature: [1, 2])
  private static let zero = String(repeating: "A", count: 43) + "="

  @Test("members are written in the order of their names, so that one message has one text")
  func order() throws {
    let head = SignedTreeHead(
      treeSize: 7, timestamp: Timestamp(milliseconds: 5), rootHash: .zero, signature: LogMessageTests.signature)
    let text = #"{"sha256_root_hash":"\#(LogMessageTests.zero)","timestamp":5,"tree_head_signature":"BAMAAgEC","#
    #expect(try head.json() == Array((text + #""tree_size":7}"#).utf8))
    let entry = GetEntryAndProofResponse(leafInput: [0xff], extraData: [], auditPath: [.zero])
    let proof = #"{"audit_path":["\#(LogMessageTests.zero)"],"extra_data":"","leaf_input":"/w=="}"#
    #expect(try entry.json() == Array(proof.utf8))
    let sct = SignedCertificateTimestamp(
      logID: LogID(.zero), timestamp: Timestamp(milliseconds: 5), extensions: [], signature: LogMessageTests.signature)
    let answer =
      #"{"extensions":"","id":"\#(LogMessageTests.zero)","sct_version":0,"signature":"BAMAAgEC","timestamp":5}"#
    #expect(try AddChainResponse(sct: sct).json() == Array(answer.utf8))
  }

  @Test(
    "a number that does not fit is said to be so by its member",
    arguments: ["-1", "1.5", "18446744073709551616", "1e400", "\"1\"", "null"], ["tree_size", "timestamp"])
  func numbers(value: String, member: String) throws {
    var members = [
      "tree_size": "1", "timestamp": "1", "sha256_root_hash": "\"\(LogMessageTests.zero)\"",
      "tree_head_signature": "\"BAMAAgEC\"",
    ]
    func text() -> [UInt8] { Array(("{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}").utf8) }
    #expect(try SignedTreeHead(json: text()).treeSize == 1)
    members[member] = value
    let error = #expect(throws: FormatError.self) { try SignedTreeHead(json: text()) }
    #expect(error?.reason.hasPrefix(member) == true, "\(String(describing: error))")
  }

  @Test("numbers up to the largest are read")
  func bounds() throws {
    let text = #"{"leaf_index":18446744073709551615,"audit_path":[]}"#
    #expect(try GetProofByHashResponse(json: Array(text.utf8)).leafIndex == .max)
    let reason = "leaf_index: not a whole number from 0 to \(UInt64.max): -1.0"
    #expect(throws: FormatError("GetProofByHashResponse", at: 0, reason)) {
      try GetProofByHashResponse(json: Array(#"{"leaf_index":-1,"audit_path":[]}"#.utf8))
    }
  }
}
