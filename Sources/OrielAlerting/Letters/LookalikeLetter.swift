import CertificateTransparency
import MerkleTree
import OrielStore

/// The letter about a name that imitates a watched domain.
struct LookalikeLetter {
  let alert: LookalikeAlert
  let publicURL: String?

  init(_ alert: LookalikeAlert, _ publicURL: String?) {
    self.alert = alert
    self.publicURL = publicURL
  }

  var letter: Letter {
    let facts = alert.certificate.facts
    var letter = Letter(
      subject: "A name that looks like \(alert.lookalike.item.nameLine(limit: CertificateLetter.longestInSubject)): "
        + LookalikeAlert.defused(alert.lookalike.name.nameLine(limit: CertificateLetter.longestInSubject)),
      lead:
        "A certificate was issued for a name that looks like \(alert.item.withFullStop) It is not one of yours, and may be "
        + "harmless.")
    letter.facts = [
      Letter.Fact(label: "Your domain", lines: [alert.item]), Letter.Fact(label: "Name", lines: [alert.name]),
      Letter.Fact(label: "Rating", lines: ["\(alert.lookalike.level.words) (\(alert.lookalike.rating) of 100)"]),
      Letter.Fact(label: "What is alike", lines: [LookalikeLetter.defused(alert)]),
      Letter.Fact(label: "Registered as", lines: [LookalikeAlert.defused(alert.registrable)]),
      Letter.Fact(label: "Issuer", lines: [facts.issuer?.description.oneLine(limit: 300) ?? "can't be read"]),
      Letter.Fact(
        label: "Valid",
        lines: ["\(CertificateLetter.day(facts.notBefore)) to \(CertificateLetter.day(facts.notAfter))"]),
      Letter.Fact(label: "Serial", lines: [facts.serialNumber?.oneLine(limit: 100) ?? "?"], isCode: true),
    ]
    if let unicode = alert.unicode {
      letter.facts.insert(Letter.Fact(label: "Looks like", lines: [LookalikeAlert.defused(unicode)]), at: 2)
    }
    letter.facts += alert.certificate.certificates.prefix(2).map { certificate in
      let kind = certificate.entryType == "precert" ? "Precertificate" : "Certificate"
      return Letter.Fact(label: "\(kind) SHA-256", lines: [certificate.sha256.hex], isCode: true)
    }
    let name = LookalikeAlert.defused(alert.registrable)
    letter.sections =
      alert.steps.isEmpty
      ? [LookalikeLetter.advice(name)]
      : [
        Letter.Section(heading: "First", paragraphs: [LookalikeLetter.look, LookalikeLetter.quiet(name)]),
        CertificateLetter.todo(alert.steps.map(defused), heading: "If it deceives"),
      ]
    if let publicURL {
      letter.links.append(
        Letter.Link(text: "What to do about it", url: "\(publicURL)/issuances/\(alert.certificate.issuance)"))
    }
    return letter
  }

  /// The same without a name that a mail program makes a link of.
  private func defused(_ step: CertificateVerdict.Step) -> CertificateVerdict.Step {
    CertificateVerdict.Step(
      title: step.title, fits: step.fits, why: withoutName(step.why), addressee: step.addressee.map(withoutName),
      // Whoever deceives does not take reports of it.
      contacts: step.contacts.filter { withoutName($0) == $0 }, notes: step.notes.map(withoutName))
  }

  /// A text in which the name, and any below it, is nobody's to click on.
  private func withoutName(_ text: String) -> String {
    let (name, shown) = (alert.lookalike.registrable, LookalikeAlert.defused(alert.registrable))
    let isInName = { (character: Character) in character.isLetter || character.isNumber || character == "-" }
    var (result, rest) = ("", text[...])
    while !name.isEmpty, let place = rest.firstRange(of: name) {
      let before = place.lowerBound > text.startIndex ? text[text.index(before: place.lowerBound)] : " "
      let after = place.upperBound < text.endIndex ? text[place.upperBound] : " "
      result += rest[..<place.lowerBound] + (isInName(before) || isInName(after) ? name : shown)
      rest = rest[place.upperBound...]
    }
    return result + rest
  }

  private static func defused(_ alert: LookalikeAlert) -> String {
    alert.sentence.replacing(alert.lookalike.name.oneLine(limit: 253), with: alert.name)
  }

  private static let look =
    "Look at it without visiting it: what is there, and whether it pretends to be yours. Many such names are other "
    + "people's honest ones."

  private static func quiet(_ registrable: String) -> String {
    "You will not be told of \(registrable) again unless it was quiet for \(Lookalikes.quietDays) days."
  }

  static func advice(_ registrable: String) -> Letter.Section {
    Letter.Section(
      heading: "What to do",
      paragraphs: [
        look,
        "If it deceives, do this, in this order: report it to the registrar of \(registrable), whose abuse contact Oriel "
          + "looks up for you; only a registrar can suspend it. Report it to the CA as well, if you can prove the misuse: "
          + "the CA can only revoke the certificate. Once it is in use, tell your visitors, and have browsers warn of it "
          + "(Google Safe Browsing, Microsoft SmartScreen). CAA records don't help: those of the name are its holder's.",
        quiet(registrable),
      ])
  }

  /// One line of a digest.
  static func row(_ alert: LookalikeAlert, _ publicURL: String?) -> Letter.Row {
    Letter.Row(
      text: "\(alert.name) looks like \(alert.item): \(alert.lookalike.level.words) - "
        + CertificateLetter.issuer(alert.certificate.facts),
      url: publicURL.map { "\($0)/issuances/\(alert.certificate.issuance)" })
  }

  /// The most deceptive first.
  static func ranked(_ alerts: [LookalikeAlert]) -> [LookalikeAlert] {
    alerts.enumerated().sorted {
      ($1.element.lookalike.rating, $0.offset) < ($0.element.lookalike.rating, $1.offset)
    }.map(\.element)
  }
}
