import Mustache

/// The letter as HTML: one column that fits a phone, nothing fetched from anywhere, no scripts, readable in the dark.
struct LetterPage: Sendable {
  private let template: MustacheTemplate?

  init() { template = try? MustacheTemplate(string: LetterPage.source) }

  func render(_ letter: Letter) -> String {
    template?.render(LetterPage.object(letter)) ?? ""
  }

  /// What the template shows: text as HTML where strangers may have had a hand in it.
  private static func object(_ letter: Letter) -> [String: Any] {
    var object: [String: Any] = [
      "lead": html(letter.lead),
      "accent": letter.tone == .alarm ? "#b3261e" : letter.tone == .well ? "#1b6e3c" : "#1f4e8c",
      "facts": letter.facts.map { fact in
        ["label": html(fact.label), "code": fact.isCode, "lines": fact.lines.map(html)] as [String: Any]
      },
      "hasRows": !letter.rows.isEmpty, "rows": letter.rows.map(row),
      "sections": letter.sections.map { section in
        [
          "heading": html(section.heading), "paragraphs": section.paragraphs.map(html),
          "hasList": !section.rows.isEmpty,
          "list": section.rows.map(row),
        ] as [String: Any]
      },
      "links": letter.links.map { ["text": html($0.text), "url": escaped($0.url)] },
      "hasAttachments": !letter.attachments.isEmpty,
      "attachments": html(letter.attachments.map(\.filename).joined(separator: ", ")),
    ]
    if let quote = letter.quote {
      object["quote"] = [
        "about": html(quote.heading), "note": html(quote.note),
        "whole": html((quote.head + [""] + quote.lines).joined(separator: "\n")),
      ]
    }
    if let leave = letter.leave { object["leave"] = ["url": escaped(leave), "words": html(Letter.leaving)] }
    return object
  }

  private static func row(_ row: Letter.Row) -> [String: Any] {
    var object = ["text": html(row.text)]
    if let url = row.url { object["more"] = escaped(url) }
    return object
  }

  /// Text as HTML. Its dots stand apart, so that no mail program makes a link of a name; copied, it is what it was.
  static func html(_ text: String) -> String { escaped(text, dot: LetterPage.dot) }

  /// Goes by bytes, and nothing is left to Mustache, which goes by characters: a quotation mark with an accent on it is
  /// another character to it, and would end an attribute.
  static func escaped(_ text: String, dot: [UInt8] = [UInt8(ascii: ".")]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 2)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "."): bytes += dot
      case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"):
        bytes += Array("&#\(byte);".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let dot = Array("<span>.</span>".utf8)

  private static let source = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Oriel</title>
    <style>
    body { margin: 0; padding: 16px; background: #f3f4f6; color: #1c1e21; }
    .card { max-width: 600px; margin: 0 auto; background: #ffffff; border-radius: 8px; overflow: hidden; }
    .label { color: #5b6470; }
    @media (prefers-color-scheme: dark) {
      body { background: #16181b !important; color: #e6e8ea !important; }
      .card { background: #212429 !important; }
      .label { color: #a3abb5 !important; }
    }
    </style>
    </head>
    <body style="font-family: -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; font-size: 16px; line-height: 1.5;">
    <div class="card" style="border-top: 6px solid {{accent}};">
    <div style="padding: 20px;">
    <p style="margin: 0 0 16px; font-size: 18px; font-weight: 600;">{{{lead}}}</p>
    <table role="presentation" width="100%" cellspacing="0" cellpadding="0" style="border-collapse: collapse; table-layout: fixed;">
    {{#facts}}
    <tr><td style="padding: 8px 0; border-top: 1px solid rgba(127,127,127,.25); overflow-wrap: anywhere;">
    <div class="label" style="font-size: 13px;">{{{label}}}</div>
    {{#lines}}<div{{#code}} style="font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px;"{{/code}}>{{{.}}}</div>
    {{/lines}}</td></tr>
    {{/facts}}
    </table>
    {{#hasRows}}<ul style="margin: 16px 0; padding-left: 20px; overflow-wrap: anywhere;">
    {{#rows}}<li>{{{text}}}{{#more}} <a href="{{{.}}}" style="color: {{accent}};">Look at it</a>{{/more}}</li>
    {{/rows}}</ul>{{/hasRows}}
    {{#links}}<p style="margin: 20px 0;"><a href="{{{url}}}" style="display: inline-block; padding: 10px 16px; border-radius: 6px; background: {{accent}}; color: #ffffff; text-decoration: none;">{{{text}}}</a></p>
    {{/links}}
    {{#sections}}<h2 style="margin: 20px 0 4px; font-size: 16px;">{{{heading}}}</h2>
    {{#paragraphs}}<p style="margin: 4px 0 12px;">{{{.}}}</p>
    {{/paragraphs}}{{#hasList}}<ul style="margin: 8px 0 16px; padding-left: 20px; overflow-wrap: anywhere;">
    {{#list}}<li>{{{text}}}{{#more}} <a href="{{{.}}}" style="color: {{accent}};">Look at it</a>{{/more}}</li>
    {{/list}}</ul>{{/hasList}}{{/sections}}
    {{#hasAttachments}}<p class="label" style="margin: 16px 0 0; font-size: 13px;">Attached: {{{attachments}}}</p>{{/hasAttachments}}
    {{#quote}}<h2 style="margin: 24px 0 4px; font-size: 16px;">{{{about}}}</h2>
    <p style="margin: 4px 0 12px;">{{{note}}}</p>
    <pre style="margin: 0 0 16px; padding: 12px; border: 1px solid rgba(127,127,127,.5); border-radius: 6px; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere;">{{{whole}}}</pre>{{/quote}}
    {{#leave}}<p class="label" style="margin: 20px 0 0; font-size: 13px;"><a href="{{{url}}}" style="color: inherit;">{{{words}}}</a></p>{{/leave}}
    </div>
    </div>
    </body>
    </html>
    """
}
