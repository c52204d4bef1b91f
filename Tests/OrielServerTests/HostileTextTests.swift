import CertificateTransparency
import Foundation
import OrielAccounts
import OrielVerdicts
import TestSupport
import TestWorld
import Testing

@testable import OrielServer

@Suite("Hostile text on the pages")
struct HostileTextTests {
  static let texts = [
    "<script>alert(1)</script>.alpha.example", "\"><img src=x onerror=alert(1)>.alpha.example",
    "' autofocus onfocus='alert(1).alpha.example", "\"\u{301} onmouseover=\"alert(1).alpha.example",
    "\u{202e}moc.live.alpha.example", "a\u{0}\u{8}\u{200b}b.alpha.example", "{{formCode}}{{{.}}}.alpha.example",
    "</textarea></title></pre><b>.alpha.example", String(repeating: "very-long-", count: 400) + ".alpha.example",
  ]

  @Test("The names of a certificate can't break out of a page or turn it around", arguments: texts)
  func names(_ text: String) async throws {
    let dashboard = try await Dashboard()
    let (owner, session) = try await dashboard.account("Alpha")
    let domain = try await dashboard.domain(owner, "alpha.example")
    let issuance = try await dashboard.sight(
      [text], for: domain, item: "alpha.example", .unexplained, [.newName([text]), .unknownIssuer(name: text)]
    ) {
      $0.commonNames = [text]
      $0.organisation = text
    }
    _ = try await dashboard.accounts.setState(owner, of: domain, issuance, to: .new, note: "note")
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      let code = SignIn.formCode(session)
      for path in [
        "/", "/history", "/domains/\(domain)", "/domains/\(domain)/public", "/domains/\(domain)/current",
        "/domains/\(domain)/inventory",
        "/domains/\(domain)/first-day", "/issuances/\(issuance)",
        "/issuances/\(issuance)/action?domain=\(domain)", "/search?name=alpha.example",
      ] {
        let reply = try await member.get(path)
        #expect(reply.status == 200, "\(path)")
        HostileTextTests.check(reply.body, path)
        // Each form has one code; a name that is a template is not filled in.
        #expect(
          reply.body.components(separatedBy: code).count
            == reply.body.components(separatedBy: "value=\"\(code)\"").count)
      }
    }
  }

  @Test("What is typed comes back as text", arguments: texts)
  func typed(_ text: String) async throws {
    let dashboard = try await Dashboard()
    let session = try await dashboard.account("Alpha").session
    try await dashboard.serve { port in
      let member = Visitor(port: port)
      await member.signIn(session.text)
      for (path, field) in [
        ("/domains", "item"), ("/certificate", "pem"), ("/settings/members", "address"), ("/sign-in", "address"),
      ] {
        let reply = try await member.post(path, [(field, text), ("role", text)])
        #expect([200, 422].contains(reply.status))
        HostileTextTests.check(reply.body, path)
      }
    }
  }

  /// Only our own elements and attributes are there, and no character that turns or hides text.
  static func check(_ html: String, _ path: String) {
    let allowed: Set<String> = [
      "!doctype", "html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "span", "form",
      "input",
      "button", "nav", "ul", "ol", "li", "main", "p", "h1", "h2", "h3", "section", "small", "bdi", "dl", "dt", "dd",
      "br",
      "table", "caption", "tr", "th", "td", "details", "summary", "pre", "code", "label", "select", "option",
      "textarea", "datalist",
      "fieldset", "legend", "strong", "b", "footer", "svg", "line", "rect", "text",
    ]
    for match in html.matches(of: #/<\/?([!a-zA-Z0-9]+)([^>]*)>/#) {
      let (tag, attributes) = (String(match.1).lowercased(), match.2.replacing(#/"[^"]*"/#, with: ""))
      #expect(allowed.contains(tag), "\(tag) on \(path)")
      #expect(!attributes.contains(#/\son[a-z]+\s*=/#), "\(attributes) on \(path)")
    }
    #expect(html.components(separatedBy: "<script").count <= 2)
    let deceptive = html.unicodeScalars.filter { scalar in scalar.isDeceptive && scalar != "\n" && scalar != "\t" }
    #expect(deceptive.isEmpty, "\(path)")
  }

  @Test("Escaping goes by code points: an accent does not shield a quotation mark")
  func accents() {
    let escaped = SafeHTML().escapeText("\"\u{301}<\u{338}&'\r\n\u{202e}")
    #expect(escaped.unicodeScalars.elementsEqual("&quot;\u{301}&lt;\u{338}&amp;&#39;\n\u{fffd}".unicodeScalars))
  }

  @Test(
    "Issuers are shown by the name that people know",
    arguments: [
      ("CN=E1,O=Let's Encrypt,C=US", "Let's Encrypt (E1)"), (#"CN=A\, B,O=C\+D"#, "C+D (A, B)"), ("CN=Alone", "Alone"),
      ("C=DE", "C=DE"), ("", "an issuer that can't be read"),
    ])
  func issuers(_ name: String, _ shown: String) { #expect(Phrase.issuer(name) == shown) }
}
