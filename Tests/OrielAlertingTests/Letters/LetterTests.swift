import CertificateTransparency
import Foundation
import MerkleTree
import OrielAlerting
import TestWorld
import Testing

@Suite("The mail itself")
struct LetterTests {
  static let hostile: [String] = [
    "<script>alert(1)</script>.owner.example", "\u{202e}elpmaxe.owner.example", "a\r\nBcc: victim@owner.example",
    "nul\u{0}.owner.example", "zero\u{200b}width.owner.example", "\u{1b}[31mred.owner.example",
    "\"quoted\" & 'more'.owner.example", String(repeating: "a", count: 65_000) + ".owner.example",
    "{{subject}}.owner.example",
  ]

  static func alert(
    _ names: [String], item: String = "owner.example", change: (inout CertificateAlert) -> Void = { _ in }
  ) throws -> CertificateAlert {
    let authority = try TestAuthority(
      organisation: names.contains { $0.contains("<") } ? "<b>Evil</b> & Co" : "Some Trust")
    let pair = try authority.issue(CertificateRequest(names))
    let facts = CertificateFacts(certificate: pair.certificate)
    var alert = CertificateAlert(
      item: item, matchedNames: Array(names.prefix(1)), issuance: pair.issuanceID, issuerKeyHash: pair.issuerKeyHash,
      facts: facts,
      certificates: [
        .init(entryType: "x509", sha256: SHA256Hash.hash(pair.certificate), der: pair.certificate)
      ],
      sightings: [
        .init(
          log: "Some log 2026h1", logID: LogID(.zero), index: 42, timestamp: Timestamp(milliseconds: 1_790_000_000_000))
      ], problems: [])
    change(&alert)
    return alert
  }

  @Test(
    "One's own internationalised names are there as they read, unless they read like another",
    arguments: [
      ("www.xn--bcher-kva.example", "www.xn--bcher-kva.example (www.bücher.example)"),
      ("xn--80ak6aa92e.example", nil), ("www.owner.example", nil),
    ] as [(String, String?)])
  func readable(_ name: String, _ words: String?) throws {
    let alert = Alert(
      id: "a", createdAt: Timestamp(milliseconds: 1_790_000_000_000),
      content: .certificate(try LetterTests.alert([name], item: name)))
    let text = AlertRenderer(publicURL: nil).render(alert).text.replacing(/\s+/, with: " ")
    if let words { #expect(text.contains(words)) }
    #expect(text.contains(name) && text.contains("\(name) (") == (words != nil))
  }

  static func all() throws -> [(name: String, alert: Alert)] {
    let time = Timestamp(milliseconds: 1_790_000_000_000)
    let usual = try alert(["www.owner.example", "owner.example", "shop.stranger.example"]) {
      $0.earlierCount = 1204
      $0.earlier = [
        .init(issuer: "CN=R11,O=Some Trust", issuerKeyHash: $0.issuerKeyHash, notBefore: 1_780_000_000, firstSeen: time)
      ]
    }
    let many = try alert((0..<400).map { "host\($0).owner.example" })
    let evil = try alert(hostile)
    let contents: [(String, Alert.Content)] = [
      ("certificate", .certificate(usual)), ("many names", .certificate(many)), ("hostile", .certificate(evil)),
      ("digest", .digest([usual] + (0..<120).map { _ in many } + [evil])),
      ("follow-up", .followUp(usual, log: "Some log", reason: "root-mismatch: <b>")),
      (
        "log health",
        .logHealth(
          LogHealthAlert(
            log: "Some <log>", operatorName: "Some", state: "frozen", since: time, reason: "its newest head is old"))
      ),
      (
        "recovery",
        .logHealth(
          LogHealthAlert(log: "Some log", operatorName: "Some", state: "current", since: time, reason: nil))
      ),
      ("canary", .canary(CanaryAlert(name: "=canary.owner.example", due: time, lastSeen: nil))),
      ("heartbeat", .heartbeat(HeartbeatAlert(logCount: 48, watchedCount: 3, since: time, certificateCount: 17))),
      ("sample", .sample(usual)),
    ]
    return contents.map { ($0.0, Alert(id: "id-\($0.0.count)", createdAt: time, content: $0.1)) }
  }

  @Test("Nothing of a stranger's can move a cursor, turn text around, become markup or a link")
  func safety() throws {
    for (name, alert) in try LetterTests.all() {
      let rendered = AlertRenderer(publicURL: "https://oriel.example").render(alert)
      for text in [rendered.subject, rendered.text, rendered.html] {
        let bad = text.unicodeScalars.filter { $0.isDeceptive && $0 != "\n" }
        #expect(bad.isEmpty, "\(name): \(bad.map(\.value))")
        #expect(text.utf8.count < 200_000, "\(name)")
      }
      #expect(!rendered.html.contains("<script>") && !rendered.html.contains("<b>"), "\(name)")
      #expect(!rendered.subject.contains("\n") && rendered.subject.utf8.count <= 160, "\(name)")
      let links = rendered.html.split(separator: "href=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
      #expect(links.allSatisfy { $0.hasPrefix("https://oriel.example/") }, "\(name): \(links)")
      // An address must not be broken.
      let long = rendered.text.split(separator: "\n").filter { $0.count > 78 && !$0.contains("://") }
      #expect(long.isEmpty, "\(name): \(long)")
      // A bare host name in the HTML would be made a link by mail programs.
      let html = rendered.html.replacing("https://oriel.example", with: "")
      #expect(html.range(of: "[a-z]\\.example", options: .regularExpression) == nil, "\(name)")
    }
  }

  @Test("It says what decides: item, name, issuer, dates, names, key, hashes, logs, history, and what to do")
  func content() throws {
    let alert = try #require(try LetterTests.all().first).alert
    guard case .certificate(let found) = alert.content else { return }
    let rendered = AlertRenderer(publicURL: "https://oriel.example").render(alert)
    #expect(rendered.subject == "[Oriel] New certificate for www.owner.example from Some Trust")
    let text = rendered.text.replacing(/\s+/, with: " ")
    for expected in [
      "Some Trust (Some Trust Issuing CA E1) issued a certificate for www.owner.example.", "Watched owner.example",
      "(90 days)", "shop.stranger[.]example", "EC P-256", found.facts.serialNumber ?? "?",
      found.certificates[0].sha256.hex, found.facts.publicKeyHash?.hex ?? "?", "Some log 2026h1, entry 42",
      "100 or more earlier ones for owner.example", "The same issuer has issued here before.", "within 24 hours",
      "https://oriel.example/issuances/\(found.issuance)",
    ] {
      #expect(text.contains(expected), "\(expected)\n\(rendered.text)")
    }
    #expect(rendered.attachments.map(\.filename) == ["certificate.pem"])
    let pem = String(decoding: rendered.attachments[0].bytes, as: UTF8.self)
    #expect(pem.hasPrefix("-----BEGIN CERTIFICATE-----\nMII"))
  }

  @Test("Long lists are shortened, and attached in full")
  func lists() throws {
    let all = try LetterTests.all()
    let many = AlertRenderer().render(all[1].alert)
    #expect(many.text.contains("and 388 more"))
    let names = try #require(many.attachments.first { $0.filename == "names.txt" })
    #expect(String(decoding: names.bytes, as: UTF8.self).split(separator: "\n").count == 400)
    let digest = AlertRenderer().render(all[3].alert)
    #expect(digest.subject.contains("122 new certificates for owner.example"))
    #expect(digest.text.contains("and 72 more"))
    let table = try #require(digest.attachments.first { $0.filename == "certificates.csv" })
    #expect(String(decoding: table.bytes, as: UTF8.self).split(whereSeparator: \.isNewline).count == 123)
  }

  @Test("All kinds are written to a folder for looking at", .enabled(if: LetterTests.folder != nil))
  func look() throws {
    let folder = URL(filePath: try #require(LetterTests.folder))
    for (name, alert) in try LetterTests.all() {
      let rendered = AlertRenderer(publicURL: "https://oriel.example").render(alert)
      try Data(rendered.html.utf8).write(to: folder.appending(path: "\(name).html"))
      try Data((rendered.subject + "\n\n" + rendered.text).utf8).write(to: folder.appending(path: "\(name).txt"))
    }
  }

  private static let folder = ProcessInfo.processInfo.environment["ORIEL_RENDER_DIR"]
}
