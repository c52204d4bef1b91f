import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import CTLogClient

@Suite("A page of entries")
struct EntriesPageTests {
  private static func scan(_ text: String, maximumEntries: Int = 1000) throws -> EntriesPage {
    var page = EntriesPage()
    try page.scan(Array(text.utf8).span, maximumEntries: maximumEntries)
    return page
  }

  private static func leaf(_ page: EntriesPage, _ index: Int) -> [UInt8] { Array(page.leaves[page.leafRange(index)]) }

  @Test("of real certificates gives what JSONDecoder gives", .needsTestData)
  func realEntries() throws {
    let lines = try TestData.text("logs/real-entries/entries.jsonl").split(separator: "\n")
    let body = Array(("{\"entries\":[" + lines.joined(separator: ",") + "]}").utf8)
    var page = EntriesPage()
    try page.scan(body.span, maximumEntries: lines.count)
    let expected = try GetEntriesResponse(json: body).entries
    #expect(expected.count == 2342)
    try #require(page.count == expected.count)
    for (index, entry) in expected.enumerated() {
      #expect(page.leaves[page.hashedRange(index)].elementsEqual([0] + entry.leafInput))
      #expect(try page.extraData(at: index, in: body.span) == entry.extraData)
    }
  }

  @Test(
    "that a log once sent gives what JSONDecoder gives", .needsTestData,
    arguments: TestData.files(in: "rfc6962/entries", withExtension: "json")
      + ["rfc6962/argon2020/get-entries-10000.json"])
  func collectedPages(path: String) throws {
    let body = try TestData.bytes(path)
    var page = EntriesPage()
    guard let expected = try? GetEntriesResponse(json: body).entries, !expected.isEmpty else {
      #expect(throws: FormatError.self) {
        try page.scan(body.span, maximumEntries: 1000)
        for index in 0..<page.count { _ = try page.extraData(at: index, in: body.span) }
      }
      return
    }
    try page.scan(body.span, maximumEntries: expected.count)
    #expect((0..<page.count).map { EntriesPageTests.leaf(page, $0) } == expected.map(\.leafInput))
    for index in 0..<page.count {
      #expect(try page.extraData(at: index, in: body.span) == expected[index].extraData)
    }
  }

  @Test(
    "takes any order, white space, escapes and unknown members",
    arguments: [
      #"{"entries":[{"leaf_input":"AQID","extra_data":"BA=="}]}"#,
      #"{"entries":[{"extra_data":"BA==","leaf_input":"AQID"}]}"#,
      "\t{ \"entries\"\r\n: [ { \"leaf_input\" : \"AQID\" , \"extra_data\" : \"BA==\" } ] } \n",
      #"{"x":{"a":[1,-2.5e+3,{"b":"]}"}],"c":{}},"entries":[{"y":[],"leaf_input":"AQID","extra_data":"BA==","z":null}],"w":[true,false]}"#,
      #"{"entries":[{"\u006ceaf_input":"\u0041QID","extra_data":"B\u0041=="}],"q":"\\\"\\"}"#,
      #"{"y":"\"entries\"","entries":[{"q\"":0,"leaf_input":"AQID","extra_data":"BA=="}]}"#,
    ])
  func tolerance(text: String) throws {
    let page = try EntriesPageTests.scan(text)
    try #require(page.count == 1)
    #expect(EntriesPageTests.leaf(page, 0) == [1, 2, 3])
    #expect(try page.extraData(at: 0, in: Array(text.utf8).span) == [4])
  }

  @Test("reads escaped slashes inside base64")
  func escapedSlashes() throws {
    let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xfb, 0xef, 0xbe]
    let text = Base64.encode(bytes).replacing("/", with: "\\/")
    let body = "{\"entries\":[{\"leaf_input\":\"\(text)\",\"extra_data\":\"\(text)\"}]}"
    let page = try EntriesPageTests.scan(body)
    #expect(EntriesPageTests.leaf(page, 0) == bytes)
    #expect(try page.extraData(at: 0, in: Array(body.utf8).span) == bytes)
  }

  private static let entry = #"{"leaf_input":"AQID","extra_data":""}"#

  @Test(
    "that is not as RFC 6962 says is refused, and where is told",
    arguments: [
      ("", 0), ("[]", 0), ("{}", 2), (#"{"entries":[]}"#, 13), (#"{"entries":null}"#, 11),
      (#"{"entries":[\#(entry),\#(entry),\#(entry)]}"#, 88),
      (#"{"entries":[\#(entry)]}x"#, 51), (#"{"entries":[\#(entry)]"#, 50), (#"{"entries":[\#(entry),]}"#, 50),
      (#"{"entries":[\#(entry)],"entries":[\#(entry)]}"#, 52),
      (#"{"entries":[{"leaf_input":"AQID"}]}"#, 12), (#"{"entries":[{"extra_data":""}]}"#, 12),
      (#"{"entries":[{}]}"#, 12), (#"{"entries":[{"leaf_input":"AQID","leaf_input":"AQID","extra_data":""}]}"#, 34),
      (#"{"entries":[{"leaf_input":7,"extra_data":""}]}"#, 26),
      (#"{"entries":[{"leaf_input":"AQI","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AQ=D","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AQJ=","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AR==","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"A===","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AQIDAQ-_","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AQ\qD","extra_data":""}]}"#, 27),
      (#"{"entries":[{"leaf_input":"AQID","extra_data":"#, 46),
      (#"{"entries":[{"leaf_input":"AQID","extra_data":"AAAA\"}]}"#, 47),
      (#"{"a":01,"entries":[]}"#, 5), (#"{"a":tru,"entries":[]}"#, 5), (#"{"a":1.,"entries":[]}"#, 7),
      (#"{"a":[1,2},"entries":[]}"#, 9), (#"{"a":{"b" 1},"entries":[]}"#, 10),
    ])
  func refusals(text: String, offset: Int) throws {
    var page = EntriesPage()
    let error = try #require(throws: FormatError.self) {
      try page.scan(Array(text.utf8).span, maximumEntries: 2)
    }
    #expect(error.offset == offset, "\(error)")
    #expect(page.count == 0)
  }

  @Test("refuses values nested without end")
  func depth() throws {
    let nested = String(repeating: "[", count: 100_000)
    let error = try #require(throws: FormatError.self) { _ = try EntriesPageTests.scan("{\"a\":\(nested)") }
    #expect(error.reason.contains("64"))
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(try EntriesPageTests.scan("{\"a\":\(deep),\"entries\":[\(EntriesPageTests.entry)]}").count == 1)
  }

  @Test("of another body gives no extra data")
  func otherBody() throws {
    let page = try EntriesPageTests.scan(#"{"entries":[{"leaf_input":"AQID","extra_data":"BAUG"}]}"#)
    #expect(throws: FormatError.self) { try page.extraData(at: 0, in: [UInt8]().span) }
  }

  @Test("that is made up at random gives what was put in, page after page", arguments: 1...20 as ClosedRange<UInt64>)
  func generated(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var page = EntriesPage()
    for _ in 0..<20 {
      let made = PageWriter.page(&random)
      try page.scan(made.body.span, maximumEntries: made.entries.count)
      try #require(page.count == made.entries.count)
      let decoded = try JSONDecoder().decode(PlainPage.self, from: Data(made.body)).entries
      for (index, entry) in made.entries.enumerated() {
        #expect(page.leaves[page.hashedRange(index)].elementsEqual([0] + entry.leafInput))
        #expect(try page.extraData(at: index, in: made.body.span) == entry.extraData)
        #expect(Base64.encode(entry.leafInput) == decoded[index].leaf_input)
        #expect(Base64.encode(entry.extraData) == decoded[index].extra_data)
      }
      let few = made.entries.count - 1
      #expect(throws: FormatError.self) { try page.scan(made.body.span, maximumEntries: few) }
    }
  }

  @Test(
    "that was damaged never traps, and never gives what JSONDecoder refuses to", arguments: 1...8 as ClosedRange<UInt64>
  )
  func damaged(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var page = EntriesPage()
    var taken = 0
    for _ in 0..<2000 {
      var body = PageWriter.page(&random, largestLeaf: 12).body
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<body.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: body[place] = "\"\\{}[],:/=Au0 ".utf8.randomElement(using: &random) ?? 0
        case 1: body.remove(at: place)
        case 2: body.removeSubrange(place...)
        default: body.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
        if body.isEmpty { break }
      }
      guard (try? page.scan(body.span, maximumEntries: 100)) != nil else { continue }
      taken += 1
      guard let plain = try? JSONDecoder().decode(PlainPage.self, from: Data(body)) else { continue }
      #expect(
        plain.entries.map { $0.leaf_input } == (0..<page.count).map { Base64.encode(EntriesPageTests.leaf(page, $0)) })
      for index in 0..<page.count { _ = try? page.extraData(at: index, in: body.span) }
    }
    #expect(taken > 0)
  }
}

private struct PlainPage: Decodable {
  struct Entry: Decodable {
    let leaf_input: String
    let extra_data: String
  }

  let entries: [Entry]
}

/// Writes get-entries bodies in every way that JSON allows.
private enum PageWriter {
  static func page(
    _ random: inout SeededGenerator, largestLeaf: Int = 200
  ) -> (body: [UInt8], entries: [GetEntriesResponse.Entry]) {
    let entries = (0..<Int.random(in: 1...12, using: &random)).map { _ in
      GetEntriesResponse.Entry(
        leafInput: random.bytes(Int.random(in: 0...largestLeaf, using: &random)),
        extraData: random.bytes(Int.random(in: 0...largestLeaf, using: &random)))
    }
    var parts = ["entries"]
    if Bool.random(using: &random) { parts.append("other") }
    let members = parts.shuffled(using: &random).map { part in
      part == "other"
        ? member("other", #"{"a":[null,true,{"leaf_input":"no"}],"b":-0.5E-7,"c":"\"}"}"#, &random)
        : member("entries", array(entries, &random), &random)
    }
    return (Array(object(members, &random).utf8), entries)
  }

  private static func array(_ entries: [GetEntriesResponse.Entry], _ random: inout SeededGenerator) -> String {
    var texts: [String] = []
    for entry in entries {
      var members = [
        member("leaf_input", string(Base64.encode(entry.leafInput), &random), &random),
        member("extra_data", string(Base64.encode(entry.extraData), &random), &random),
      ]
      if Int.random(in: 0..<4, using: &random) == 0 { members.append(member("index", "[1,2,[]]", &random)) }
      texts.append(object(members.shuffled(using: &random), &random))
    }
    return "[" + texts.map { space(&random) + $0 + space(&random) }.joined(separator: ",") + "]"
  }

  private static func object(_ members: [String], _ random: inout SeededGenerator) -> String {
    space(&random) + "{" + members.joined(separator: space(&random) + ",") + "}" + space(&random)
  }

  private static func member(_ name: String, _ value: String, _ random: inout SeededGenerator) -> String {
    space(&random) + string(name, &random) + space(&random) + ":" + space(&random) + value
  }

  private static func string(_ text: String, _ random: inout SeededGenerator) -> String {
    let escapes = Int.random(in: 0..<5, using: &random) == 0
    return "\""
      + text.unicodeScalars.map { scalar in
        guard escapes, Int.random(in: 0..<4, using: &random) == 0 else { return String(scalar) }
        if scalar == "/", Bool.random(using: &random) { return "\\/" }
        let hex = String(scalar.value, radix: 16, uppercase: Bool.random(using: &random))
        return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      }.joined() + "\""
  }

  private static func space(_ random: inout SeededGenerator) -> String {
    guard Int.random(in: 0..<3, using: &random) == 0 else { return "" }
    return ["", " ", "\n", "\t", "\r\n  "].randomElement(using: &random) ?? ""
  }
}
