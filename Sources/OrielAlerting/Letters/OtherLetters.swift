import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore

/// The letter about many certificates at once.
struct DigestLetter {
  private static let shownRows = 50
  let letter: Letter

  /// - Parameter period: nil for a burst of certificates.
  init(
    _ alerts: [CertificateAlert], lookalikes: [LookalikeAlert] = [], _ publicURL: String?,
    _ period: DigestPeriod? = nil
  ) {
    let count = CertificateLetter.grouped(alerts.count)
    var items: [String] = []
    for item in alerts.map(\.item) + lookalikes.map(\.lookalike.item) where !items.contains(item) && items.count < 100 {
      items.append(item)
    }
    let first = items.first?.oneLine(limit: CertificateLetter.longestName) ?? "watched names"
    let more = items.count > 1 ? " and other watched names" : ""
    var letter = Letter(
      subject: "\(count) new certificates for \(first)\(more)",
      lead: "\(count) more certificates for \(first)\(more) were issued in a short time. They are listed here together."
    )
    if let period {
      DigestLetter.head(&letter, alerts, lookalikes.count, first + more, period)
    } else if alerts.isEmpty {
      letter.subject = "\(CertificateLetter.grouped(lookalikes.count)) more names that look like \(first)\(more)"
      letter.lead = letter.subject + "."
    }
    var issuers: [String: Int] = [:]
    for alert in alerts { issuers[CertificateLetter.issuer(alert.facts), default: 0] += 1 }
    let ranked = issuers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key): \(CertificateLetter.grouped($0.value))" }
    if !alerts.isEmpty { letter.facts = [Letter.Fact(label: "Issuers", lines: CertificateLetter.short(ranked, 8))] }
    let verdicts = DigestLetter.verdicts(alerts)
    if !verdicts.isEmpty { letter.facts.insert(Letter.Fact(label: "Verdicts", lines: verdicts), at: 0) }
    letter.rows = alerts.prefix(DigestLetter.shownRows).map(DigestLetter.row)
    if alerts.count > DigestLetter.shownRows {
      letter.rows.append(
        "and \(CertificateLetter.grouped(alerts.count - DigestLetter.shownRows)) more, all in the attached list")
    }
    letter.sections = DigestLetter.lookalikes(lookalikes)
    if !alerts.isEmpty { letter.sections.insert(DigestLetter.advice, at: 0) }
    if let publicURL { letter.links = [Letter.Link(text: "All of them in Oriel", url: publicURL + "/issuances")] }
    letter.attachments = [
      RenderedAttachment(
        filename: "certificates.csv", contentType: "text/csv",
        bytes: Array(DigestLetter.table(alerts, lookalikes).utf8))
    ]
    self.letter = letter
  }

  private static let advice = Letter.Section(
    heading: "Is this all right?",
    paragraphs: [
      "Many hosts that renew at once look like this. Look at the issuers above: one that nobody of yours uses, or a "
        + "name that you do not run, is worth a question."
    ])

  /// A part of its own: none of these is for a watched name.
  private static func lookalikes(_ all: [LookalikeAlert]) -> [Letter.Section] {
    guard !all.isEmpty else { return [] }
    let shown = LookalikeLetter.ranked(all).prefix(20).map(LookalikeLetter.row)
    let rest = all.count - shown.count
    let more = rest > 0 ? ["and \(CertificateLetter.grouped(rest)) more, all in the attached list"] : []
    return [
      Letter.Section(heading: "Names that look like yours", paragraphs: shown + more),
      LookalikeLetter.advice("such a name"),
    ]
  }

  /// A digest that comes regularly says so.
  private static func head(
    _ letter: inout Letter, _ alerts: [CertificateAlert], _ lookalikes: Int, _ about: String, _ period: DigestPeriod
  ) {
    let unexplained = alerts.count { $0.verdict?.level == .unexplained }
    let certificates = alerts.count == 1 ? "1 certificate" : "\(CertificateLetter.grouped(alerts.count)) certificates"
    let odd = unexplained > 0 ? ", \(CertificateLetter.grouped(unexplained)) unexplained" : ""
    let names = lookalikes == 1 ? "1 look-alike" : "\(CertificateLetter.grouped(lookalikes)) look-alikes"
    let what = [alerts.isEmpty && lookalikes > 0 ? nil : certificates + odd, lookalikes > 0 ? names : nil]
      .compactMap { $0 }.joined(separator: ", ")
    letter.subject = "\(period == .daily ? "Daily" : "Weekly") digest for \(about): \(what)"
    letter.lead = "\(what) came up for \(about) since the last \(period.rawValue) digest."
    if unexplained > 0 { letter.tone = .alarm }
  }

  private static func verdicts(_ alerts: [CertificateAlert]) -> [String] {
    var counts: [String: Int] = [:]
    for case let verdict? in alerts.map(\.verdict) { counts[verdict.words, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key): \(CertificateLetter.grouped($0.value))" }
  }

  private static func row(_ alert: CertificateAlert) -> String {
    let verdict = alert.verdict.map { " - " + $0.words.lowercased() } ?? ""
    let name = alert.matchedNames.first?.oneLine(limit: 60) ?? "unreadable"
    let more = alert.matchedNames.count > 1 ? " and \(alert.matchedNames.count - 1) more" : ""
    return "\(name)\(more) - \(CertificateLetter.issuer(alert.facts)), \(CertificateLetter.day(alert.facts.notBefore))"
      + verdict
  }

  private static func table(_ alerts: [CertificateAlert], _ lookalikes: [LookalikeAlert]) -> String {
    let header = "item,names,issuer,not_before,not_after,serial,sha256,verdict\n"
    let rows =
      alerts.map { ($0, $0.verdict?.words ?? "") }
      + LookalikeLetter.ranked(lookalikes).map { ($0.certificate, "Look-alike, \($0.lookalike.level.words)") }
    return rows.reduce(into: header) { text, row in
      let (alert, verdict) = row
      let fields = [
        alert.item, alert.matchedNames.joined(separator: " "), alert.facts.issuer?.description ?? "",
        CertificateLetter.day(alert.facts.notBefore), CertificateLetter.day(alert.facts.notAfter),
        alert.facts.serialNumber ?? "", alert.certificates.first?.sha256.hex ?? "", verdict,
      ]
      text += fields.map(quoted).joined(separator: ",") + "\n"
    }
  }

  /// A field that no spreadsheet takes for a formula.
  private static func quoted(_ field: String) -> String {
    let line = field.oneLine(limit: 2000)
    let isFormula = line.first.map { "=+-@".contains($0) } ?? false
    return "\"" + (isFormula ? "'" : "") + line.replacing("\"", with: "\"\"") + "\""
  }
}

extension LogHealthAlert {
  var letter: Letter {
    let name = log.oneLine(limit: 100)
    let isWell = state == "current"
    let meaning =
      [
        "frozen": "It has published no new head for longer than it promises to.",
        "behind": "It publishes faster than it can be read from here.",
        "unreachable": "It does not answer, or not with what was asked for.",
        "lying": "What it signed does not add up. The evidence is kept in the data directory.",
        "current": "It is read and verified up to its newest head again.",
      ][state] ?? ""
    var letter = Letter(
      subject: isWell ? "Log \(name) is well again" : "Log \(name) is \(state.oneLine(limit: 30))",
      lead: "The log \(name) is \(isWell ? "well again" : state.oneLine(limit: 30)). \(meaning)")
    letter.tone = isWell ? .well : .alarm
    letter.facts = [
      Letter.Fact(label: "Log", lines: [name]), Letter.Fact(label: "Operator", lines: [operatorName.oneLine()]),
      Letter.Fact(label: "Since", lines: [CertificateLetter.time(since)]),
    ]
    if let reason { letter.facts.append(Letter.Fact(label: "Reason", lines: [reason.oneLine(limit: 400)])) }
    if !isWell {
      letter.sections = [
        Letter.Section(
          heading: "What this means",
          paragraphs: [
            "Certificates that only this log has would be reported late. Browsers want every certificate in two logs or "
              + "more, so that most are seen in another. Nothing is lost: reading goes on where it stopped."
          ])
      ]
    }
    return letter
  }
}

extension CanaryAlert {
  var letter: Letter {
    let name = name.oneLine(limit: CertificateLetter.longestName)
    var letter = Letter(
      subject: "No certificate for \(name) has come in time",
      lead: "A certificate for \(name) was to be seen by \(CertificateLetter.time(due)), and was not.")
    letter.tone = .alarm
    letter.facts = [
      Letter.Fact(label: "Expected", lines: [name]), Letter.Fact(label: "Due", lines: [CertificateLetter.time(due)]),
      Letter.Fact(label: "Last seen", lines: [lastSeen.map(CertificateLetter.time) ?? "never"]),
    ]
    letter.sections = [
      Letter.Section(
        heading: "What this means",
        paragraphs: [
          "Either the certificate was not issued, or Oriel did not see it. Look at what requests the certificate, and at "
            + "`oriel logs` for logs that are behind or unreachable."
        ])
    ]
    return letter
  }
}

extension CAAChangeAlert {
  var letter: Letter {
    let name = item.oneLine(limit: CertificateLetter.longestName)
    func lines(_ records: [String]) -> [String] {
      CertificateLetter.short(records.map { $0.oneLine(limit: 300) }, 10)
    }
    var letter = Letter(
      subject: "The CAA records of \(name) have changed",
      lead: "The CAA records that decide who may issue certificates for \(name) are not what they were.")
    letter.tone = .alarm
    letter.facts = [
      Letter.Fact(label: "Domain", lines: [name]), Letter.Fact(label: "Before", lines: lines(before)),
      Letter.Fact(label: "Now", lines: lines(now)),
      Letter.Fact(label: "Seen", lines: [CertificateLetter.time(seenAt)]),
    ]
    letter.sections = [
      Letter.Section(
        heading: "Is this all right?",
        paragraphs: [
          "If you or whoever runs your DNS changed them, confirm the new records in Oriel; until then, certificates are "
            + "judged by those that you confirmed.",
          "If nobody did, somebody else may be able to change your DNS, and get certificates for your names: look at who "
            + "can sign in at your DNS provider and registrar.",
        ])
    ]
    return letter
  }
}

extension HeartbeatAlert {
  var letter: Letter {
    var letter = Letter(
      subject: "All is well: \(logCount) logs followed",
      lead: "Oriel is at work: all \(logCount) logs are read and verified up to their newest heads, and no alert waits."
    )
    letter.tone = .well
    letter.facts = [
      Letter.Fact(label: "Watched items", lines: [CertificateLetter.grouped(watchedCount)]),
      Letter.Fact(
        label: "Certificates", lines: ["\(CertificateLetter.grouped(certificateCount)) told of since the last"]),
    ]
    letter.sections = [
      Letter.Section(
        heading: "Why you get this",
        paragraphs: ["If it stops coming, something is wrong with Oriel or with the mail: look at the service."])
    ]
    return letter
  }
}
