import CertificateTransparency
import Foundation
import TestWorld
import Testing

@testable import OrielContacts

struct CSVReaderTests {
  private func rows(_ text: String, _ columns: [String] = ["a", "b"]) throws -> [[String]] {
    var reader = try CSVReader(Array(text.utf8))
    try reader.select([], optional: columns)
    var all: [[String]] = []
    while let row = try reader.next() { all.append(row) }
    return all
  }

  @Test(
    "rows are read as RFC 4180 and CCADB write them",
    arguments: [
      ("a,b\n1,2\n", [["1", "2"]]), ("a,b\r\n1,2\r\n3,4", [["1", "2"], ["3", "4"]]),
      ("\u{feff}\"a\",\"b\"\n\"1\",\"2\"\n", [["1", "2"]]), ("\"a\",\"b\",\n\"1\",\"2\",\n", [["1", "2"]]),
      ("a,b\n\"say \"\"hi\"\", twice\",2", [["say \"hi\", twice", "2"]]),
      ("a,b\n\"1\n2\r\n3\",4", [["1\n2\r\n3", "4"]]),
      ("b,c,a\n1,2,3\n", [["3", "1"]]), ("A , b?\n1,2\n", [["1", "2"]]),
      ("a,b\n1\n\n,,\n2,\n", [["1", ""], ["2", ""]]),
      ("a,b\n5\" pipe,2\n", [["5\" pipe", "2"]]), ("a,b\n\"1\" x,2\n", [["1", "2"]]),
      ("a,b\n\"\"\"\",\"\"\n", [["\"", ""]]), ("a,b\n\"\"\"\"\"\",x\n", [["\"\"", "x"]]),
    ])
  func rows(text: String, expected: [[String]]) throws {
    #expect(try rows(text) == expected)
  }

  @Test("a row of too many fields is counted and passed over")
  func oddRow() throws {
    var reader = try CSVReader(Array("a,b\n1,2,3\n4,5\n".utf8))
    try reader.select(["a"])
    #expect(try reader.next() == ["4"])
    #expect(try reader.next() == nil)
    #expect(reader.oddRows == 1)
  }

  @Test("what can't be read is refused with the reason")
  func refusals() throws {
    #expect(throws: CSVError.notCSV) { try CSVReader([]) }
    #expect(throws: CSVError.openQuote(line: 3)) { try rows("a,b\n1,2\n3,\"4\n5\n6") }
    #expect(throws: CSVError.fieldTooLong(line: 2)) {
      try rows("a,b\n\"" + String(repeating: "x", count: CSVReader.fieldLimit + 2))
    }
    #expect(throws: CSVError.tooManyFields(line: 1)) { try rows(String(repeating: ",", count: 600)) }
    #expect(throws: CSVError.tooLarge(bytes: CSVReader.byteLimit + 1, limit: CSVReader.byteLimit)) {
      try CSVReader([UInt8](repeating: 0x2c, count: CSVReader.byteLimit + 1))
    }
    var reader = try CSVReader(Array("a,b\n".utf8))
    #expect(throws: CSVError.missingColumn("CA Owner")) { try reader.select(["a", "CA Owner"]) }
  }

  @Test("whatever is written in quotes is read back")
  func roundTrip() throws {
    var generator = SeededGenerator(seed: 7)
    let alphabet = Array("ab,\"\n\r x;é")
    for _ in 0..<300 {
      let table = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        (0..<3).map { _ in
          let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
          }
          // Blanks around a field are dropped.
          return "|" + String(text) + "|"
        }
      }
      let rows = table.map { ["a": $0[0], "b": $0[1], "c": $0[2]] }
      for (end, tail) in [("\n", ""), ("\r\n", ","), ("\n", ",")] {
        let text = csv(rows, columns: ["a", "b", "c"], lineEnd: end, tail: tail)
        #expect(try self.rows(String(decoding: text, as: UTF8.self), ["a", "b", "c"]) == table)
      }
    }
  }

  @Test("no damage to a document makes the reader trap, or read on for ever")
  func damage() throws {
    var generator = SeededGenerator(seed: 8)
    let good = Array("\"CA Owner\",\"SHA-256 Fingerprint\",\"Parent SHA-256 Fingerprint\"\n\"A\",\"ab\",\"\"\n".utf8)
    for _ in 0..<3000 {
      var bad = good
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bad.count, using: &generator)
        bad[place] = [0x22, 0x2c, 0x0a, 0x0d, 0xff, 0][Int.random(in: 0..<6, using: &generator)]
      }
      var reader = CAOwnersReader()
      try? reader.addRecords(Array(bad.prefix(Int.random(in: 0...bad.count, using: &generator))))
      #expect(reader.finish(asOf: .init(milliseconds: 0)).certificateCount == 0)
    }
  }
}
