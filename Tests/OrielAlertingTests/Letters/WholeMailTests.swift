import CertificateTransparency
import Foundation
import MerkleTree
import OrielMail
import Testing

@testable import OrielAlerting

@Suite("Mails, read to the end")
struct WholeMailTests {
  private static let page = "https://ccadb.my.salesforce-sites.com/ccadb/AllProblemReportingMechanismsReportCSVFormat"

  private static func step(
    _ title: String, _ fits: CertificateVerdict.Step.Fit, contacts: [String] = [], notes: [String] = []
  ) -> CertificateVerdict.Step {
    CertificateVerdict.Step(
      title: title, fits: fits, why: "Why \(title.lowercased()).", addressee: contacts.isEmpty ? nil : "Some Trust",
      contacts: contacts, notes: notes)
  }

  /// One with all that there can be to do.
  private func unexplained(before: CertificateVerdict.Before? = nil) throws -> CertificateAlert {
    var alert = try Alerts.certificate(["www.shop.example", "shop.stranger.example"], matched: ["www.shop.example"])
    alert.verdict = CertificateVerdict(
      level: .unexplained, isProven: false,
      reasons: [
        .init(code: "new-name", isFor: false, sentence: "It speaks against it."),
        .init(code: "same-CA", isFor: true, sentence: "It speaks for it."),
      ],
      steps: [
        Self.step(
          "Report it to the CA", .yes, contacts: ["problems@trust.example", Self.page],
          notes: ["See \(Self.page), please."]),
        Self.step("Ask the registrar", .no), Self.step("Tell your visitors", .perhaps),
        Self.step("Restrict who may issue", .yes, notes: ["shop.example. IN CAA 0 issue \"ca.example\""]),
        Self.step("Report the CA to the browsers", .perhaps, contacts: ["root@browser.example"]),
      ],
      report: .init(
        to: ["problems@trust.example"], subject: "Certificate problem report",
        body:
          "We control shop.example.\n\nNames:\n  www.shop.example\n  shop.stranger.example\n\nPlease\n1. revoke it.\n"),
      before: before)
    return alert
  }

  private func mail(_ content: Alert.Content, leave: Bool = true) throws -> MailMessage {
    let channel = MailChannel(
      .sendmail(SendmailProgram(path: "/bin/false")), from: try MailAddress("oriel@mail.example"),
      to: try MailAddress("me@mail.example"), renderer: AlertRenderer(publicURL: "https://oriel.example"),
      unsubscribeURL: leave ? "https://oriel.example/unsubscribe/r1-abc" : nil)
    return channel.message(Alerts.delivery(content))
  }

  /// In which order these stand in a text; each must be there.
  private func isInOrder(_ parts: [String], in text: String) -> Bool {
    var rest = text[...]
    for part in parts {
      guard let range = rest.firstRange(of: part) else {
        Issue.record("\(part) is not there, or not in its place:\n\(text)")
        return false
      }
      rest = rest[range.upperBound...]
    }
    return true
  }

  @Test("One that leaves late has the date of its attempt")
  func date() throws {
    let delivery = Alerts.delivery(.certificate(try unexplained()))
    let late = Timestamp(milliseconds: delivery.alert.createdAt.milliseconds + 3 * 86_400_000)
    let channel = MailChannel(
      .sendmail(SendmailProgram(path: "/bin/false")), from: try MailAddress("oriel@mail.example"),
      to: try MailAddress("me@mail.example"), renderer: AlertRenderer())
    let message = channel.message(Delivery(id: delivery.id, alert: delivery.alert, attemptedAt: late))
    #expect(message.date == Int64(late.milliseconds))
  }

  @Test("An unexplained one has the whole way out, which steps fit, and the report to send on")
  func wayOut() throws {
    let text = try mail(.certificate(try unexplained())).text
    let isWhole = isInOrder(
      [
        "Why it is unexplained\n", "It speaks against it.\n", "What speaks for it all the same\n",
        "It speaks for it.\n",
        "1. Report it to the CA [Do this].", "Some Trust: problems@trust.example\n", "\n\(Self.page)\n",
        "2. Ask the registrar [Not here].", "3. Tell your visitors [Perhaps].", "4. Restrict who may issue [Do this].",
        "shop.example. IN CAA 0 issue \"ca.example\"\n", "5. Report the CA to the browsers [Perhaps].",
        "root@browser.example", "This certificate in Oriel:\n  https://oriel.example/issuances/",
        "The report to the CA\n--------------------\n",
        String(repeating: "=", count: 76) + "\nTo: problems@trust.example\n",
        "Subject: Certificate problem report\n\nWe control shop.example.\n", "\nNames:\n  www.shop.example\n",
        // A name that is nobody's here is no link.
        "  shop.stranger[.]example\n", "1. revoke it.\n", String(repeating: "=", count: 76) + "\n",
        "To get no more of these mails at this address:\n  https://oriel.example/unsubscribe/r1-abc\n",
      ], in: text)
    #expect(isWhole)
  }

  @Test("No address is broken, however narrow the mail")
  func addresses() throws {
    let text = try mail(.certificate(try unexplained())).text
    #expect(text.split { $0.isWhitespace }.count { $0.hasPrefix(Self.page) } == 2)
  }

  @Test("Mails with the header to unsubscribe say so in both forms, others in none", arguments: [true, false])
  func leaving(_ hasLink: Bool) throws {
    for content in try Alerts.all() {
      let message = try mail(content, leave: hasLink)
      #expect(message.headers.contains { $0.name == "List-Unsubscribe" } == hasLink)
      for text in [message.text, message.html ?? ""] {
        #expect(text.contains("https://oriel.example/unsubscribe/r1-abc") == hasLink)
        #expect(text.contains("To get no more of these mails") == hasLink)
      }
    }
  }

  static let befores: [(before: CertificateVerdict.Before?, words: String)] = [
    (nil, "The same issuer has issued here before."),
    (.init(acceptsIssuer: true, unexplained: 0), "Among those that you accepted are some from the same issuer."),
    (
      .init(acceptsIssuer: false, unexplained: 1),
      "None that you accepted is from this issuer. One of the earlier ones is unexplained itself, or was denied."
    ),
    (
      .init(acceptsIssuer: false, unexplained: 12),
      "None that you accepted is from this issuer. 12 of the earlier ones are unexplained themselves, or were denied."
    ),
  ]

  @Test("An issuer is not usual because it did the same before", arguments: befores)
  func earlier(_ item: (before: CertificateVerdict.Before?, words: String)) throws {
    var alert = try unexplained(before: item.before)
    if item.before == nil { alert.verdict = nil }
    alert.earlier = [
      .init(
        issuer: "O=Old Authority Inc.", issuerKeyHash: alert.issuerKeyHash, notBefore: 1_760_000_000,
        firstSeen: Alerts.time)
    ]
    alert.earlierCount = 3
    let text = try mail(.certificate(alert)).text.replacing(/\s+/, with: " ")
    #expect(text.contains("from O=Old Authority Inc. \(item.words)"), "\(text)")
  }

  @Test("A digest has the worst first, each with its reason and its link, and says what to do")
  func digest() throws {
    let levels: [(CertificateVerdict.Level, Bool)] = [
      (.known, true), (.expected, true), (.noHistory, false), (.expected, false), (.unexplained, false),
    ]
    var alerts: [CertificateAlert] = []
    for (number, level) in levels.enumerated() {
      var alert = try Alerts.certificate(["n\(number).shop.example"])
      alert.verdict = Alerts.verdict(level.0, isProven: level.1, words: "Reason \(number).")
      alerts.append(alert)
    }
    let text = try mail(.summary(alerts, .daily)).text
    let isSorted = isInOrder(
      [4, 3, 2, 1, 0].flatMap { number in
        [
          "- n\(number).shop.example", "Reason \(number).",
          "\n  https://oriel.example/issuances/\(alerts[number].issuance)\n",
        ]
      } + ["If something in it is unknown to you\n", "https://oriel.example/history\n"],
      in: text)
    #expect(isSorted)
    #expect(text.contains("- unexplained: Reason 4.") && !text.contains("renew at once"))
    #expect(try mail(.digest(alerts)).text.contains("renew at once look like this"))
  }

  @Test("However long a name is, the subject and the letter tell what it belongs to")
  func longNames() throws {
    let label = String(repeating: "a", count: 60)
    let name = "\(label).\(label).\(label).shop.example"
    for content in [Alert.Content.certificate(try Alerts.certificate([name])), .lookalike(try Alerts.lookalike(name))] {
      let message = try mail(content)
      #expect(message.subject.contains(".shop.example") || message.subject.contains(".shop[.]example"))
      #expect(message.subject.contains("from ") || message.subject.contains("looks like shop.example"))
      #expect(message.text.replacing(/\s+/, with: "").contains("shop"))
    }
    var alert = try Alerts.certificate([name])
    alert.item = name
    #expect(try mail(.certificate(alert)).text.contains("aaa.shop.example"))
  }

  @Test("What is one is not many")
  func one() throws {
    let one = try Alerts.certificate()
    let contents: [Alert.Content] = [
      .digest([one]), .summary([one], .weekly), .digest([], lookalikes: [try Alerts.lookalike()]),
      .heartbeat(HeartbeatAlert(logCount: 1, watchedCount: 1, since: Alerts.time, certificateCount: 1)),
    ]
    for content in contents {
      let message = try mail(content)
      let texts = [message.subject, message.text, AlertWords(Alerts.delivery(content).alert).summary]
      for text in texts {
        #expect(!text.contains(/\b1 (more )?(certificates|names|logs|look-alikes|items)\b/), "\(text)")
      }
    }
  }

  @Test("A CAA change leads to the settings of its domain")
  func caaChange() throws {
    let change = CAAChangeAlert(item: "shop.example", before: [], now: [], seenAt: Alerts.time, domain: 12)
    #expect(try mail(.caaChange(change)).text.contains("\n  https://oriel.example/domains/12/settings\n"))
    // One of an older Oriel's has no number.
    #expect(try mail(Alerts.caaChange).text.contains("/domains/") == false)
  }
}
