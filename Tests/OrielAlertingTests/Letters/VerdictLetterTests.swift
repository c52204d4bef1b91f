import CertificateTransparency
import MerkleTree
import OrielMail
import Testing

@testable import OrielAlerting

@Suite("What is said of a verdict")
struct VerdictLetterTests {
  private func letter(_ content: Alert.Content) -> RenderedAlert {
    AlertRenderer(publicURL: "https://oriel.example").render(Alerts.delivery(content).alert)
  }

  @Test(
    "The subject begins with it, and the letter says why and what follows",
    arguments: [
      (.unexplained, false, "Unexplained", "If nobody of yours asked for it"),
      (.expected, false, "Expected", "Expected, but unproven"), (.expected, true, "Expected", "Why it was expected"),
      (.known, true, "Known", "Nothing: this is told because"),
      (.noHistory, false, "New", "Why there is no verdict yet"),
    ] as [(CertificateVerdict.Level, Bool, String, String)])
  func letters(_ level: CertificateVerdict.Level, _ isProven: Bool, _ word: String, _ words: String) throws {
    let rendered = letter(.certificate(try Alerts.judged(level, isProven: isProven)))
    #expect(rendered.subject.hasPrefix("[Oriel] \(word) certificate for www.shop.example"))
    let text = rendered.text.replacing(/\s+/, with: " ")
    #expect(text.contains(words) && text.contains("Some reason."))
    #expect(text.contains("problems@trust.example") == (level == .unexplained))
    #expect(text.contains("https://oriel.example/issuances/"))
    // What strangers gave is text, never a link.
    #expect(!rendered.html.contains("href=\"https://trust") && !rendered.html.contains("href=\"mailto"))
    #expect(rendered.html.contains(level == .unexplained ? "#b3261e" : "#1f4e8c"))
  }

  @Test("Strangers' words in reasons and contacts can't move a cursor, become markup or break the layout")
  func hostile() throws {
    var alert = try Alerts.certificate()
    let words = LetterTests.hostile.joined(separator: " ")
    alert.verdict = Alerts.verdict(.unexplained, words: words)
    let contents: [Alert.Content] = [
      .certificate(alert), .summary([alert, alert], .daily), .followUp(alert, log: "A log", reason: "roots differ"),
      .caaChange(CAAChangeAlert(item: words, before: [words], now: [], seenAt: Alerts.time)),
    ]
    for content in contents {
      let rendered = letter(content)
      for text in [rendered.subject, rendered.text, rendered.html] {
        #expect(text.unicodeScalars.allSatisfy { !$0.isDeceptive || $0 == "\n" })
        #expect(text.utf8.count < 200_000)
      }
      #expect(!rendered.html.contains("<script>"))
      #expect(rendered.text.split(separator: "\n").allSatisfy { $0.count <= 78 || $0.contains("://") })
      let json = try AlertJSON(Alerts.delivery(content).alert).encoded()
      #expect(json.count < 60_000)
      let variables = HookEnvironment(Alerts.delivery(content)).variables
      #expect(variables.values.allSatisfy { $0.utf8.count <= 8200 })
    }
  }

  @Test("A regular digest counts verdicts, and its list names each certificate's")
  func summary() throws {
    let all = [try Alerts.judged(.expected), try Alerts.judged(.unexplained), try Alerts.judged(.expected)]
    let weekly = letter(.summary(all, .weekly))
    #expect(weekly.subject == "[Oriel] Weekly digest for shop.example: 3 certificates, 1 unexplained")
    let text = weekly.text.replacing(/\s+/, with: " ")
    #expect(text.contains("Unexplained: 1 Expected, but unproven: 2"))
    #expect(text.contains("- expected, but unproven") && text.contains("- unexplained"))
    let table = String(decoding: try #require(weekly.attachments.first).bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
    #expect(table[0].hasSuffix(",sha256,verdict") && table[1].hasSuffix(#","Unexplained""#))
    #expect(letter(.summary([try Alerts.judged(.known)], .daily)).subject.hasSuffix("for shop.example: 1 certificate"))
  }

  @Test("In a digest the worst and the rarest come first, and the subject says how bad it is")
  func rarest() throws {
    let usual = try Alerts.judged(.unexplained)
    let renewals = (0..<60).map { _ in usual }
    var rare = try Alerts.certificate(["pay.shop.example"], organisation: "Cheap Trust Ltd")
    rare.verdict = Alerts.verdict(.unexplained)
    var known = try Alerts.certificate(["other.shop.example"], organisation: "Another Authority")
    known.verdict = Alerts.verdict(.known)
    for content in [
      Alert.Content.digest(renewals + [known, rare]), .summary(renewals + [known, rare], .daily),
    ] {
      let mail = letter(content)
      let rows = mail.text.split(separator: "\n").filter { $0.hasPrefix("- ") }
      #expect(rows.first?.contains("pay.shop.example - Cheap Trust Ltd") == true, "\(mail.text)")
      #expect(rows.count == 51 && mail.text.contains("and 12 more"))
      #expect(mail.subject.contains("61 unexplained"), "\(mail.subject)")
      #expect(mail.html.contains("border-top: 6px solid #b3261e"))
      let json = try JSONObject(AlertJSON(Alerts.delivery(content).alert).encoded())
      let first = json["digest"]?.objects("certificates")?.first
      #expect(first?.texts("matched_names") == ["pay.shop.example"])
      let words = AlertWords(Alerts.delivery(content).alert).lines
      #expect(words.first?.contains("pay.shop.example") == true && words.last == "and 42 more")
    }
    #expect(letter(.digest(renewals)).subject == "[Oriel] 60 unexplained certificates for shop.example")
    #expect(letter(.digest([try Alerts.certificate()])).subject == "[Oriel] 1 new certificate for shop.example")
  }

  @Test("Programs get it as JSON and in their environment")
  func programs() throws {
    let delivery = Alerts.delivery(.certificate(try Alerts.judged(.unexplained)))
    let verdict = try #require(try JSONObject(AlertJSON(delivery.alert).encoded())["certificate"]?["verdict"])
    #expect(verdict.text("level") == "unexplained" && verdict.fields["is_proven"] as? Bool == false)
    #expect(verdict.objects("reasons")?.map { $0.text("speaks") } == ["against", "for"])
    #expect(verdict.objects("steps")?.first?.texts("contacts")?.first == "problems@trust.example")
    let variables = HookEnvironment(delivery).variables
    #expect(variables["ORIEL_VERDICT"] == "unexplained" && variables["ORIEL_VERDICT_PROVEN"] == "0")
    #expect(variables["ORIEL_VERDICT_REASONS"] == "Some reason.\nThe same CA as before.")
    #expect(variables["ORIEL_REPORT_TO"] == "problems@trust.example\nhttps://trust.example/report")
    let digest = Alerts.delivery(.summary([try Alerts.judged(.known)], .daily))
    let json = try JSONObject(AlertJSON(digest.alert).encoded())
    #expect(json.text("kind") == "digest" && json["digest"]?.text("period") == "daily")
    #expect(HookEnvironment(digest).variables["ORIEL_PERIOD"] == "daily")
    let change = try JSONObject(AlertJSON(Alerts.delivery(Alerts.caaChange).alert).encoded())
    #expect(change["caa_change"]?.texts("now") == [#"0 issue "ca.example""#])
    // Without a verdict nothing is said of one.
    let plain = Alerts.delivery(.certificate(try Alerts.certificate()))
    #expect(try JSONObject(AlertJSON(plain.alert).encoded())["certificate"]?["verdict"] == nil)
    #expect(HookEnvironment(plain).variables["ORIEL_VERDICT"] == nil)
  }
}
