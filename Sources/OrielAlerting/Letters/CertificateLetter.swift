import CertificateTransparency
import Foundation
import MerkleTree
import OrielWatchlist

/// The letter about one certificate: what it is, whether that is usual, and what to do if it is not.
struct CertificateLetter {
  static let longestName = 100
  /// So much that the rest of the subject can still be read.
  static let longestInSubject = 60
  private static let shownNames = 12

  let alert: CertificateAlert
  let publicURL: String?
  let matched: [String]
  /// The names that hit the item, as they are and as they are shown.
  let own: Set<String>

  init(_ alert: CertificateAlert, _ publicURL: String?) {
    self.alert = alert
    self.publicURL = publicURL
    matched = alert.matchedNames.map { $0.nameLine(limit: CertificateLetter.longestName) }
    own = Set(matched).union(alert.matchedNames)
  }

  func new() -> Letter {
    var letter = Letter(subject: subject, lead: lead)
    if alert.verdict?.level == .unexplained { letter.tone = .alarm }
    fill(&letter)
    return letter
  }

  func sample() -> Letter {
    var letter = Letter(
      subject: "Test: \(subject)",
      lead: "This is a test. The certificate below was never issued: it shows what a real alert looks like.")
    fill(&letter)
    return letter
  }

  func followUp(log: String, reason: String) -> Letter {
    var letter = Letter(
      subject: "The log behind an alert for \(item) does not add up",
      lead: "You were told of a certificate that the log \(log.oneLine()) showed. That log has since been found to "
        + "contradict itself, so whether this certificate was really logged there is not certain.")
    letter.tone = .alarm
    letter.facts.append(Letter.Fact(label: "What is wrong", lines: [reason.oneLine(limit: 300)]))
    fill(&letter)
    letter.sections.insert(
      Letter.Section(
        heading: "What this means",
        paragraphs: [
          "A certificate that was shown was made by somebody; treat the alert as it was. The evidence against the log "
            + "is kept, and the entries will be read again from the last place where its tree was verified."
        ]), at: 0)
    return letter
  }

  /// Takes back what was said of a certificate while nothing explained it.
  func explained() -> Letter {
    var letter = Letter(
      subject: subject(kind: "Unexplained"),
      lead: "This certificate is explained: since Oriel reported it, it has turned up in your inventory.")
    letter.isReply = true
    letter.tone = .well
    letter.facts += verdictFacts + facts
    letter.sections = [
      Letter.Section(
        heading: "What to do", paragraphs: ["Nothing, if the certificate or key in the inventory is really yours."])
    ]
    if let verdict = alert.verdict { letter.sections += reasons(verdict) }
    letter.links = links
    return letter
  }

  // MARK: What it says

  private var item: String { alert.item.nameLine(limit: CertificateLetter.longestName) }

  /// The issuer by the name that people know.
  static func issuer(_ facts: CertificateFacts) -> String {
    guard let issuer = facts.issuer else { return "an issuer that can't be read" }
    let commonName = issuer.values(ofType: "2.5.4.3").first?.oneLine(limit: 60)
    guard let organisation = issuer.organisation?.oneLine(limit: 60) else {
      return commonName ?? "an issuer without a name"
    }
    return commonName.map { $0 == organisation ? organisation : "\(organisation) (\($0))" } ?? organisation
  }

  var organisation: String {
    alert.facts.issuer?.organisation?.oneLine(limit: 60) ?? CertificateLetter.issuer(alert.facts)
  }

  private var subject: String { subject(kind: kind) }

  private func subject(kind: String) -> String {
    guard let first = alert.matchedNames.first?.nameLine(limit: CertificateLetter.longestInSubject) else {
      return "A certificate that can't be read may cover \(item)"
    }
    let more = matched.count > 1 ? " and \(matched.count - 1) more" : ""
    return "\(kind) certificate for \(first)\(more) from \(organisation)"
  }

  private var lead: String {
    guard let first = matched.first else {
      return "A certificate whose names can't all be read may cover \(item), which you watch."
    }
    let more = matched.count > 1 ? " and \(matched.count - 1) more of your names" : ""
    let event = "\(CertificateLetter.issuer(alert.facts)) issued a certificate for \(first)\(more)".withFullStop
    return alert.verdict?.level == .unexplained ? event + " Nothing that Oriel knows explains it." : event
  }

  private func fill(_ letter: inout Letter) {
    letter.facts += verdictFacts + facts
    letter.sections += alert.verdict.map(sections) ?? advice
    letter.links += links
    letter.attachments += attachments
    letter.quote = alert.verdict?.report.map(quote)
  }

  private var links: [Letter.Link] {
    publicURL.map { [Letter.Link(text: "This certificate in Oriel", url: "\($0)/issuances/\(alert.issuance)")] } ?? []
  }

  private var names: [String] {
    let sources: [FoundName.Source] = [.dnsName, .ipAddress, .email, .smtpUTF8Mailbox, .uri, .srvName]
    return (sources.flatMap { alert.facts.text(of: $0) } + alert.facts.commonNames).uniqued()
  }

  private var facts: [Letter.Fact] {
    var facts = [
      Letter.Fact(label: "Watched", lines: [item]),
      Letter.Fact(label: "Matched", lines: CertificateLetter.short(matched.map(readable), 6)),
      Letter.Fact(label: "Issuer", lines: [alert.facts.issuer?.description.oneLine(limit: 300) ?? "can't be read"]),
      Letter.Fact(label: "Valid", lines: [validity]),
      Letter.Fact(label: "Names", lines: CertificateLetter.short(names.map(shown), CertificateLetter.shownNames)),
      Letter.Fact(label: "Seen before", lines: [history]),
    ]
    if let others = alert.otherItemLines(limit: CertificateAlert.mostOtherItems) {
      let lines = others.map { $0.nameLine(limit: CertificateLetter.longestName) }
      facts.insert(Letter.Fact(label: "Also matches", lines: lines), at: 2)
    }
    if let key = alert.facts.keyType?.description {
      facts.append(Letter.Fact(label: "Key", lines: [key.oneLine(limit: 60)]))
    }
    if let hash = alert.facts.publicKeyHash {
      facts.append(Letter.Fact(label: "SPKI SHA-256", lines: [hash.hex], isCode: true))
    }
    facts.append(
      Letter.Fact(label: "Serial", lines: [alert.facts.serialNumber?.oneLine(limit: 100) ?? "?"], isCode: true))
    for certificate in alert.certificates.prefix(4) {
      let kind = ["precert": "Precertificate", "x509": "Certificate"][certificate.entryType] ?? "Entry"
      facts.append(Letter.Fact(label: "\(kind) SHA-256", lines: [certificate.sha256.hex], isCode: true))
    }
    let sightings = alert.sightings.map {
      "\($0.log.oneLine(limit: 80)), entry \($0.index), \(CertificateLetter.time($0.timestamp))"
    }
    facts.append(Letter.Fact(label: "Logged in", lines: CertificateLetter.short(sightings, 6)))
    if !alert.problems.isEmpty {
      let problems = alert.problems.map { $0.oneLine(limit: 200) }
      facts.append(Letter.Fact(label: "Odd about it", lines: CertificateLetter.short(problems, 6)))
    }
    return facts
  }

  static func short(_ lines: [String], _ limit: Int) -> [String] {
    guard lines.count > limit else { return lines.isEmpty ? ["none"] : lines }
    return lines.prefix(limit) + ["and \(CertificateLetter.grouped(lines.count - limit)) more"]
  }

  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.enumerated().map { place, digit in
      place > 0 && (digits.count - place) % 3 == 0 ? ",\(digit)" : "\(digit)"
    }.joined()
  }

  /// A name of one's own with what it stands for, if it is an internationalised one.
  private func readable(_ name: String) -> String {
    ReadableName.unicode(of: name).map { "\(name) (\($0.nameLine(limit: CertificateLetter.longestName)))" } ?? name
  }

  /// A name that is nobody's here must not become a link in the reader's mail program: its last dot is put in brackets.
  private func shown(_ name: String) -> String {
    let line = name.nameLine(limit: CertificateLetter.longestName)
    if own.contains(name) || own.contains(line) { return line }
    guard let dot = line.lastIndex(of: ".") else { return line }
    return line.replacingCharacters(in: dot...dot, with: "[.]")
  }

  static func time(_ time: Timestamp) -> String { time.description.prefix(16).replacing("T", with: " ") + " UTC" }

  static func day(_ seconds: Int64?) -> String {
    guard let seconds, seconds >= 0 else { return "?" }
    return String(Timestamp(milliseconds: UInt64(seconds) * 1000).description.prefix(10))
  }

  private var validity: String {
    let range = "\(CertificateLetter.day(alert.facts.notBefore)) to \(CertificateLetter.day(alert.facts.notAfter))"
    guard let start = alert.facts.notBefore, let end = alert.facts.notAfter, end >= start else { return range }
    let (length, overflow) = end.subtractingReportingOverflow(start)
    return overflow ? range : "\(range) (\((length + 1) / 86_400) days)"
  }

  private var history: String {
    guard let last = alert.earlier.first else {
      return "No certificate for \(item) has been seen before this one."
    }
    let count =
      alert.earlierCount == 1
      ? "One earlier certificate" : "\(alert.earlierWords) earlier ones"
    let text = "\(count) for \(item), the last on \(CertificateLetter.day(last.notBefore)) from "
    return (text + last.issuer.oneLine(limit: 120)).withFullStop + " " + usual
  }

  /// Whether that is anything to go by: an issuer is not usual because it did the same before.
  private var usual: String {
    guard let before = alert.verdict?.before else {
      return alert.earlier.contains { $0.issuerKeyHash == alert.issuerKeyHash }
        ? "The same issuer has issued here before." : "This issuer was not among the last of them."
    }
    let accepted =
      before.acceptsIssuer
      ? "Among those that you accepted are some from the same issuer." : "None that you accepted is from this issuer."
    switch before.unexplained {
    case 0: return accepted
    case 1: return accepted + " One of the earlier ones is unexplained itself, or was denied."
    case let count:
      return accepted
        + " \(CertificateLetter.grouped(count)) of the earlier ones are unexplained themselves, or were denied."
    }
  }

  var advice: [Letter.Section] {
    [
      Letter.Section(
        heading: "Is this all right?",
        paragraphs: [
          "Usually it is: certificates are renewed every few weeks or months, mostly by a program and by the same issuer. "
            + "If you, your hosting provider or your content delivery network use this issuer, nothing is to be done.",
          "Worry if nobody of yours uses this issuer, if the names are not ones that you run, or if something is wrong "
            + "with the site or its DNS just now. A familiar issuer alone proves nothing: ask who requested it.",
        ]),
      Letter.Section(
        heading: "If nobody of yours asked for it",
        paragraphs: [
          "Write to \(organisation), which issued it, and ask for revocation: send the serial number and the SHA-256 "
            + "above. CAs take such reports around the clock and owe you a first answer within 24 hours.",
          "Change what can be used to get certificates for the name: DNS and registrar passwords, hosting accounts. A CAA "
            + "record in your DNS keeps other issuers away.",
          "If the certificate is for a name that only looks like yours, its registrar can suspend it; the CA can only "
            + "revoke the certificate. Warn your visitors, and report the address to browser vendors "
            + "(Google Safe Browsing, Microsoft SmartScreen).",
        ]),
    ]
  }

  private var attachments: [RenderedAttachment] {
    var files: [RenderedAttachment] = []
    for certificate in alert.certificates.prefix(4) {
      let name = certificate.entryType == "precert" ? "precertificate" : "certificate"
      let number = files.isEmpty || !files.contains { $0.filename == "\(name).pem" } ? "" : "-\(files.count + 1)"
      files.append(
        RenderedAttachment(
          filename: "\(name)\(number).pem", contentType: "application/x-pem-file",
          bytes: Array(PEM.encode(certificate.der).utf8)))
    }
    if names.count > CertificateLetter.shownNames {
      let list = names.map { $0.oneLine(limit: 70_000) }.joined(separator: "\n") + "\n"
      files.append(RenderedAttachment(filename: "names.txt", contentType: "text/plain", bytes: Array(list.utf8)))
    }
    return files
  }
}
