import Foundation
import Testing

@testable import OrielAlerting

@Suite("A Slack message")
struct SlackMessageTests {
  @Test(
    "shows the words of strangers as code that they can't break out of",
    arguments: [
      ("www.shop.example", "`www.shop.example`"), ("<!channel>", "`&lt;!channel&gt;`"), ("a&b", "`a&amp;b`"),
      ("a`b*c_d", "`a'b*c_d`"), ("a\nb", "`a b`"), ("a\u{202e}b", #"`a\u{202e}b`"#), ("", "`?`"), ("\n", "`?`"),
      (String(repeating: "x", count: 5000), "`" + String(repeating: "x", count: 200) + "…`"),
    ])
  func code(_ text: String, _ shown: String) {
    #expect(SlackMessage.code(text) == shown)
  }

  @Test("is an object with the text alone")
  func message() throws {
    let hostile = "<https://evil.example|www>.shop.example`@here"
    let alert = Alerts.delivery(.certificate(try Alerts.certificate([hostile, "shop.example"], item: "shop.example")))
    let json = try JSONObject(SlackMessage(alert.alert).encoded())
    #expect(Set(json.fields.keys) == ["text"])
    let text = try #require(json.text("text"))
    #expect(
      text.hasPrefix(
        "Certificate for `&lt;https://evil.example|www&gt;.shop.example'@here`, `shop.example` "
          + "(watching `shop.example`)\n"))
    #expect(!text.contains("<") && !text.contains(">"))
    // Nothing of the certificate stands outside of code.
    let outside = text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter {
      $0.offset % 2 == 0
    }
    #expect(outside.allSatisfy { !$0.element.contains("example") })
  }

  @Test("stays small, and has words for every kind")
  func kinds() throws {
    let big = try Alerts.certificate((0..<3000).map { String(repeating: "n", count: 300) + "\($0).example" })
    for content in try Alerts.all() + [.certificate(big), .digest(Array(repeating: big, count: 500))] {
      let text = SlackMessage(Alerts.delivery(content).alert).text
      #expect(text.unicodeScalars.count < 20_000)
      #expect(text.split(separator: "\n").count > 1)
    }
  }
}
