import CertificateTransparency
import Foundation
import OrielAlerting
import TestSupport
import Testing

@Suite("A row for spreadsheets")
struct CSVRowTests {
  static let hostile = [
    "a\"\u{301},\"=HYPERLINK(1)", "\"", "\"\"", ",", "=1+1", "+1", "-1", "@sum", " =1", "\u{a0}=1", "\u{3000}=1",
    "\u{ff1d}1",
    "\t=1", "\r=1", "\n=1", "a\r\nb", "=\u{301}1", "'=1", "\u{200b}=1", "\u{202e}=1", "nul\u{0}x", "", "plain",
  ]

  @Test("keeps every cell whole, whatever is in it, and none that is a formula", arguments: hostile)
  func oneCell(text: String) {
    let row = CSVRow.text([text, "next", text])
    let rows = tableRows(row)
    #expect(rows.count == 1 && rows[0].count == 3 && rows[0][1] == "next")
    for cell in [rows[0][0], rows[0][2]] {
      let first = cell.unicodeScalars.first { !$0.properties.isWhitespace }
      #expect(first.map { !"=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains($0) } ?? true)
      #expect(!cell.unicodeScalars.contains { $0.isDeceptive })
      let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isDeceptive ? "\u{fffd}" : $0 }))
      #expect(cell == shown || cell == "'" + shown)
    }
  }

  @Test("in a digest's list keeps columns where they are, and runs nothing")
  func digest() throws {
    var alerts: [CertificateAlert] = []
    for name in CSVRowTests.hostile {
      alerts.append(try LetterTests.alert(["www.owner.example"]) { $0.matchedNames = [name] })
    }
    let alert = Alert(id: "a", createdAt: Timestamp(milliseconds: 1_790_000_000_000), content: .digest(alerts))
    let list = try #require(
      AlertRenderer(publicURL: nil).render(alert).attachments.first { $0.contentType == "text/csv" })
    let rows = tableRows(String(decoding: list.bytes, as: UTF8.self))
    #expect(rows.count == alerts.count + 1 && rows.allSatisfy { $0.count == rows[0].count })
    for cell in rows.joined() {
      let first = cell.unicodeScalars.first { !$0.properties.isWhitespace }
      #expect(first.map { !"=+-@".unicodeScalars.contains($0) } ?? true, "\(cell)")
    }
  }
}
