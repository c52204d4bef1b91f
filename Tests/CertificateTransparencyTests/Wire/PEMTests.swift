import CertificateTransparency
import TestSupport
import Testing

@Suite struct PEMTests {
  /// What was read of a block; nil in place of the bytes of a damaged one.
  private struct Reading: Equatable {
    let label: String
    let line: Int
    let bytes: [UInt8]?

    init(_ label: String, _ line: Int, _ bytes: [UInt8]?) { (self.label, self.line, self.bytes) = (label, line, bytes) }
  }

  private func read(_ text: String) -> [Reading] {
    PEM.blocks(in: text).map { Reading($0.label, $0.line, try? $0.bytes()) }
  }

  @Test("one block is written with lines of 64 digits")
  func known() {
    #expect(PEM.encode([], label: "X") == "-----BEGIN X-----\n-----END X-----\n")
    #expect(PEM.encode([1, 2, 3, 4]) == "-----BEGIN CERTIFICATE-----\nAQIDBA==\n-----END CERTIFICATE-----\n")
    let lines = PEM.encode([UInt8](repeating: 0, count: 49), label: "A B").split(separator: "\n")
    #expect(lines == ["-----BEGIN A B-----", Substring(repeating: "A", count: 64), "AA==", "-----END A B-----"])
  }

  @Test("what was written is read again, of every length")
  func roundTrip() {
    let contents = (1...200).map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + count) } }
    let text = contents.map { "text between\n" + PEM.encode($0, label: "L \($0.count)") }.joined()
    let blocks = read(text)
    #expect(blocks.map(\.bytes) == contents)
    #expect(blocks.map(\.label) == contents.map { "L \($0.count)" })
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(blocks.allSatisfy { lines[$0.line - 1] == "-----BEGIN \($0.label)-----" })
  }

  @Test(
    "blocks are read leniently",
    arguments: [
      "-----BEGIN X-----\r\nAQID\r\nBAUG\r\n-----END X-----\r\n", "-----BEGIN X-----\rAQIDBAUG\r-----END X-----",
      "'-----BEGIN X-----\nAQIDBAUG\n-----END X-----'", "  -----BEGIN X-----\t\n AQ ID\t\n\n BAUG \n -----END X-----  ",
      "-----BEGIN X-----\nProc-Type: 4\nName: AQID\n\nAQIDBAUG\n-----END X-----",
      "-----BEGIN X-----\nAQIDBAUG\n-----END Y-----", "-----BEGIN X----- # a note\nAQIDBAUG\n-----END X----- end",
      "-----BEGIN X-----\nAQIDBAUG\n-----END X-----\n-----END X-----\nAQID\n",
    ])
  func lenient(text: String) {
    #expect(read(text) == [Reading("X", 1, [1, 2, 3, 4, 5, 6])])
  }

  @Test(
    "a damaged block is said to be so, with its line and without harm to its neighbours",
    arguments: [
      ("-----BEGIN X-----\n!\n-----END X-----\n", "is not base64"),
      ("-----BEGIN X-----\nAQI\n-----END X-----\n", "is not base64"),
      ("-----BEGIN X-----\n\n-----END X-----\n", "is empty"), ("-----BEGIN X-----\nAQID\n", "has no end"),
    ])
  func damaged(block: String, reason: String) throws {
    let good = PEM.encode([1], label: "GOOD")
    let text = "\r\n" + good + block + good
    #expect(read(text).map(\.bytes) == [[1], nil, [1]])
    let error = #expect(throws: FormatError.self) { try PEM.first("X", in: text) }
    #expect(error == FormatError("PEM", at: 5, "the block X that begins there \(reason)"))
  }

  @Test(
    "what is no block is none",
    arguments: ["", "\n", "AQID", "-----BEGIN X", "-----BEGIN X----\nAQID\n-----END X-----", "-----END X-----"])
  func none(text: String) {
    #expect(read(text).isEmpty)
    let error = #expect(throws: FormatError.self) { try PEM.first("X", in: text) }
    #expect(error == FormatError("PEM", at: 0, "no block labelled X"))
  }

  @Test("the first block with a label is found among others")
  func labelled() throws {
    let text = PEM.encode([1], label: "A") + PEM.encode([2], label: "B") + PEM.encode([3], label: "B")
    #expect(try PEM.first("B", in: text) == [2])
  }
}
