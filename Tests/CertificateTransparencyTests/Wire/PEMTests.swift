import CertificateTransparency
import Foundation
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
      "\u{feff}-----BEGIN X-----\nAQIDBAUG\n-----END X-----\n", "-----BEGIN X-----\nAQIDBAUG-----END X-----",
      "-----BEGIN X-----AQIDBAUG-----END X-----", "-----BEGIN X-----AQID\nBAUG-----END X-----",
      "key: \"-----BEGIN X-----\nAQIDBAUG\n-----END X-----\"", "------BEGIN X------\nAQIDBAUG\n------END X------",
      "-----BEGIN X-----\nAQIDBAUG\n-----END X-----\n# -----BEGIN X-----\n# AQID\n; -----END X-----",
      "-----BEGIN  X -----\nAQIDBAUG\n-----END X-----", "- BEGIN here - -----BEGIN X-----\nAQIDBAUG\n-----END X-----",
    ])
  func lenient(text: String) {
    #expect(read(text) == [Reading("X", 1, [1, 2, 3, 4, 5, 6])])
  }

  @Test("UTF-16 with a byte order mark is read", arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian])
  func utf16(encoding: String.Encoding) throws {
    let text = "\u{feff}" + PEM.encode([1, 2, 3], label: "X") + PEM.encode([4], label: "Y")
    let bytes = [UInt8](try #require(text.data(using: encoding)))
    #expect(PEM.blocks(in: bytes).map(\.label) == ["X", "Y"])
    #expect(try PEM.blocks(in: bytes).map { try $0.bytes() } == [[1, 2, 3], [4]])
  }

  @Test(
    "blocks that follow each other without a line feed are all read, marks between them or not",
    arguments: ["", "\u{feff}"])
  func joined(mark: String) {
    let blocks = (1...3).map { mark + PEM.encode([UInt8]([UInt8($0)]), label: "X").dropLast() }
    #expect(read(blocks.joined()).map(\.bytes) == [[1], [2], [3]])
    #expect(read(blocks.joined()).map(\.line) == [1, 3, 5])
  }

  @Test("a private key is listed, and not decoded unless it is asked for")
  func privateKey() throws {
    let text = PEM.encode([1], label: "EC PRIVATE KEY") + PEM.encode([2], label: "X")
    #expect(read(text).map(\.bytes) == [nil, [2]])
    #expect(read(text).map(\.label) == ["EC PRIVATE KEY", "X"])
    #expect(try PEM.first("EC PRIVATE KEY", in: text) == [1])
  }

  @Test(
    "prose is no BEGIN line",
    arguments: [
      "Begin certificate renewal - see the manual", "- Begin certificate renewal", "begin certificate \u{2014} end",
      "Begin with a backup -- always",
    ])
  func prose(line: String) {
    #expect(read(line + "\n" + PEM.encode([1], label: "X")).map(\.bytes) == [[1]])
  }

  @Test(
    "a block whose BEGIN line is damaged or lost is listed with its line",
    arguments: [
      ("----BEGIN X-----\nAQID\n-----END X-----\n", "begins with a damaged line; expected -----BEGIN X-----"),
      ("-----BEGIN X----\nAQID\n-----END X-----\n", "begins with a damaged line; expected -----BEGIN X-----"),
      ("-----begin x-----\nAQID\n-----end x-----\n", "begins with a damaged line; expected -----BEGIN X-----"),
      (
        "\u{2014}--BEGIN X\u{2014}--\nAQID\n-----END X-----\n", "begins with a damaged line; expected -----BEGIN X-----"
      ),
      ("-----BEGIN X", "begins with a damaged line; expected -----BEGIN X-----"),
      ("AQID\n-----END X-----\n", "ends there and has no BEGIN line"),
    ])
  func lost(block: String, reason: String) throws {
    let good = PEM.encode([1], label: "GOOD")
    let line = block.hasPrefix("AQID") ? 5 : 4
    #expect(read(good + block + "\n" + good).map(\.bytes) == [[1], nil, [1]])
    let error = #expect(throws: FormatError.self) { try PEM.first("X", in: good + block) }
    #expect(error == FormatError("PEM", at: line, "the block X \(reason)"))
  }

  @Test(
    "text of any kind costs time in proportion to its length, and never traps",
    arguments: ["-", "-----BEGIN ", "-----BEGIN X-----", "-----END X-----", "----BEGIN X\n", "BEGIN -"])
  func adversarial(unit: String) {
    let text = Array(String(repeating: unit, count: 200_000).utf8)
    #expect(PEM.blocks(in: text).count <= 200_000)
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
    arguments: ["", "\n", "AQID", "-----END X-----", "# -----BEGIN X-----\n# AQID\n# -----END X-----", "to begin with"])
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
