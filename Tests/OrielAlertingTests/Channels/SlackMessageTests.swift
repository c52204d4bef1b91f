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
    #expect(SlackMessage.code(text, 200) == shown)
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

  @Test("fits every receiver, counts what is left out, and has words for every kind", arguments: [500, 2000, 40_000])
  func kinds(_ limit: Int) throws {
    let big = try Alerts.certificate((0..<3000).map { String(repeating: "n", count: 300) + "\($0).example" })
    let escaped = try Alerts.certificate((0..<60).map { String(repeating: "&", count: 190) + "\($0).example" })
    let usual = (0..<30).map { number in
      Result { try Alerts.certificate((0..<2).map { "aaaaaaaa\(number)-\($0).shop-portal.example" }) }
    }
    let digests = try [usual.map { try $0.get() }, Array(repeating: big, count: 500)].map { Alert.Content.digest($0) }
    for content in try Alerts.all() + [.certificate(big), .certificate(escaped)] + digests {
      let text = SlackMessage(Alerts.delivery(content).alert, limit: limit).text
      #expect(text.utf16.count <= limit)
      #expect(text.split(separator: "\n").count > 1, "\(text)")
    }
    let text = SlackMessage(Alerts.delivery(digests[0]).alert, limit: limit).text
    let shown = text.split(separator: "\n").count { $0.hasPrefix("Certificate for ") }
    #expect(text.hasPrefix("30 certificates were issued for watched names\n"))
    #expect(text.hasSuffix("\nand \(30 - shown) more"), "\(text)")
  }
}
