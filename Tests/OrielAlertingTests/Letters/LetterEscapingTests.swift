import Testing

@testable import OrielAlerting

@Suite("Escaping in letters")
struct LetterEscapingTests {
  /// Each mark that matters in HTML, with an accent on it: one character together, and not the same one.
  static let marks = ["\"", "'", "<", ">", "&"].map { $0 + "\u{301}" } + ["\"\u{20d2}", "<\u{338}", "\"\u{200d}"]

  @Test("An accent on a mark does not shield it, wherever it stands in the letter", arguments: marks)
  func accents(_ mark: String) {
    let text = "a\(mark) onmouseover=alert(1) b"
    var letter = Letter(subject: text, lead: text)
    letter.facts = [Letter.Fact(label: text, lines: [text]), Letter.Fact(label: text, lines: [text], isCode: true)]
    letter.rows = [Letter.Row(text: text, url: nil)]
    letter.sections = [Letter.Section(heading: text, paragraphs: [text])]
    letter.links = [Letter.Link(text: text, url: "https://oriel.example/\(text)")]
    letter.attachments = [RenderedAttachment(filename: text, contentType: "text/plain", bytes: [])]
    let html = LetterPage().render(letter)
    let scalar = mark.unicodeScalars.first.map(Character.init).map(String.init) ?? ""
    let accent = String(String.UnicodeScalarView(mark.unicodeScalars.dropFirst()))
    // All eleven places have the reference, and none the mark itself next to what was meant to become an attribute.
    let bytes = Array(html.utf8)
    let reference = Array("a&#\(scalar.utf8.first ?? 0);\(accent) onmouseover".utf8)
    #expect(LetterEscapingTests.count(reference, in: bytes) == 11)
    #expect(LetterEscapingTests.count(Array("a\(mark) on".utf8), in: bytes) == 0)
  }

  private static func count(_ wanted: [UInt8], in bytes: [UInt8]) -> Int {
    bytes.indices.count { bytes[$0...].starts(with: wanted) }
  }
}
