import Foundation
import Testing

@testable import OrielCheck

@Suite("JSON as it is written")
struct JSONValueTests {
  @Test(
    "is what others read, whatever the text",
    arguments: [
      "", "plain", "\"quoted\" \\ back/slash",
      "\u{0}\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}", "Bücher 書 👩‍💻 \u{2028}\u{202e}",
      "a\u{feff}\u{fffd}", String(repeating: "\\\"\n", count: 5000),
    ])
  func texts(_ text: String) throws {
    let value: JSONValue = [
      "text": .text(text), "absent": nil, "list": .texts([text, text]), "flag": true, "none": .list([]), "empty": [:],
      "number": .integer(.min), "object": ["more": .list([1, false, ["a": .text(text)]])],
    ]
    let line = value.line
    #expect(!line.contains { $0.isNewline && $0.isASCII } && line.utf8.allSatisfy { $0 >= 0x20 })
    let read = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary)
    let expected: NSDictionary = [
      "text": text, "list": [text, text], "flag": true, "none": [Any](), "empty": [String: Any](), "number": Int.min,
      "object": ["more": [1, false, ["a": text]] as [Any]],
    ]
    #expect(read == expected)
  }
}
