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
    _ all: [CertificateAlert], lookalikes: [LookalikeAlert] = [], _ publicURL: String?,
    _ period: DigestPeriod? = nil
  ) {
    let alerts = all.worstFirst
    var items: [String] = []
    for item in alerts.map(\.item) + lookalikes.map(\.lookalike.item) where !items.contains(item) && items.count < 100 {
      items.append(item)
    }
    let first = items.first?.nameLine(limit: CertificateLetter.longestInSubject) ?? "watched names"
    let more = items.count > 1 ? " and other watched names" : ""
    let (subject, lead) = DigestLetter.burst(alerts, first + more)
    var letter = Letter(subject: subject, lead: lead)
    if alerts.unexplainedCount > 0 { letter.tone = .alarm }
    if let period {
      DigestLetter.head(&letter, alerts, lookalikes.count, first + more, period)
    } else if alerts.isEmpty {
      let names = lookalikes.count == 1 ? "name that looks" : "names that look"
      letter.subject = "\(CertificateLetter.grouped(lookalikes.count)) more \(names) like \(first)\(more)"
      letter.lead = letter.subject.withFullStop
    }
    var issuers: [String: Int] = [:]
    for alert in alerts { issuers[CertificateLetter.issuer(alert.facts), default: 0] += 1 }
    // The rarest first: the usual ones are known.
    let ranked = issuers.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
      .map { "\($0.key): \(CertificateLetter.grouped($0.value))" }
    if !alerts.isEmpty { letter.facts = [Letter.Fact(label: "Issuers", lines: CertificateLetter.short(ranked, 8))] }
    let verdicts = DigestLetter.verdicts(alerts)
    if !verdicts.isEmpty { letter.facts.insert(Letter.Fact(label: "Verdicts", lines: verdicts), at: 0) }
    letter.rows = alerts.prefix(DigestLetter.shownRows).map { DigestLetter.row($0, publicURL) }
    if alerts.count > DigestLetter.shownRows {
      let rest = CertificateLetter.grouped(alerts.count - DigestLetter.shownRows)
      letter.rows.append(Letter.Row(text: "and \(rest) more, all in the attached list"))
    }
    if !alerts.isEmpty { letter.sections = DigestLetter.advice(isBurst: period == nil, hasPages: publicURL != nil) }
    letter.sections += DigestLetter.lookalikes(lookalikes, publicURL)
    if let publicURL { letter.links = [Letter.Link(text: "All of them in Oriel", url: publicURL + "/history")] }
    letter.attachments = [
      RenderedAttachment(
        filename: "certificates.csv", contentType: "text/csv",
        bytes: Array(DigestLetter.table(alerts, lookalikes).utf8))
    ]
    self.letter = letter
  }

  /// Subject and first sentence about certificates in a short time: both say what the worst are.
  private static func burst(_ alerts: [CertificateAlert], _ about: String) -> (subject: String, lead: String) {
    let words = Set(alerts.map { kind($0.verdict) })
    let count = CertificateLetter.grouped(alerts.count)
    let certificates = alerts.count == 1 ? "certificate" : "certificates"
    let (worst, unexplained) = (alerts.first.map { kind($0.verdict) } ?? "new", alerts.unexplainedCount)
    let what = "\(count) \(words.count > 1 ? "new" : worst) \(certificates) for \(about)"
    let rest = words.count > 1 && unexplained > 0 ? ", \(CertificateLetter.grouped(unexplained)) unexplained" : ""
    return (what + rest, "Oriel saw \(what)\(rest), in a short time.")
  }

  private static func kind(_ verdict: CertificateVerdict?) -> String {
    switch verdict?.level {
    case .unexplained: "unexplained"
    case .expected: "expected"
    case .known: "known"
    case .noHistory, nil: "new"
    }
  }

  private static func advice(isBurst: Bool, hasPages: Bool) -> [Letter.Section] {
    let burst = Letter.Section(
      heading: "Is this all right?",
      paragraphs: [
        "Many hosts that renew at once look like this. Look at the issuers above: one that nobody of yours uses, or a "
          + "name that you do not run, is worth a question."
      ])
    let pages =
      hasPages
      ? "open its link above and say “This was not us”: that leads to all there is to do, with the report to the CA. If "
        + "you have no account there, write to the CA that issued it"
      : "write to the CA that issued it"
    let unknown = Letter.Section(
      heading: "If something in it is unknown to you",
      paragraphs: [
        "Ask those who run your web site, mail, hosting and CDN first. If none of them asked for it, \(pages), with the "
          + "serial number and the SHA-256 from the attached list, and ask for revocation."
      ])
    return (isBurst ? [burst] : []) + [unknown]
  }

  /// A part of its own: none of these is for a watched name.
  private static func lookalikes(_ all: [LookalikeAlert], _ publicURL: String?) -> [Letter.Section] {
    guard !all.isEmpty else { return [] }
    var rows = LookalikeLetter.ranked(all).prefix(20).map { LookalikeLetter.row($0, publicURL) }
    if all.count > rows.count {
      let rest = CertificateLetter.grouped(all.count - rows.count)
      rows.append(Letter.Row(text: "and \(rest) more, all in the attached list"))
    }
    return [
      Letter.Section(heading: "Names that look like yours", paragraphs: [], rows: rows),
      LookalikeLetter.advice("such a name"),
    ]
  }

  /// A digest that comes regularly says so.
  private static func head(
    _ letter: inout Letter, _ alerts: [CertificateAlert], _ lookalikes: Int, _ about: String, _ period: DigestPeriod
  ) {
    let unexplained = alerts.unexplainedCount
    let certificates = alerts.count == 1 ? "1 certificate" : "\(CertificateLetter.grouped(alerts.count)) certificates"
    let odd = unexplained > 0 ? ", \(CertificateLetter.grouped(unexplained)) unexplained" : ""
    let names = lookalikes == 1 ? "1 look-alike" : "\(CertificateLetter.grouped(lookalikes)) look-alikes"
    let what = [alerts.isEmpty && lookalikes > 0 ? nil : certificates + odd, lookalikes > 0 ? names : nil]
      .compactMap { $0 }.joined(separator: ", ")
    letter.subject = "\(period == .daily ? "Daily" : "Weekly") digest for \(about): \(what)"
    letter.lead = "\(what) came up for \(about) since the last \(period.rawValue) digest."
  }

  private static func verdicts(_ alerts: [CertificateAlert]) -> [String] {
    var counts: [(words: String, count: Int)] = []
    for case let verdict? in alerts.map(\.verdict) {
      if counts.last?.words == verdict.words {
        counts[counts.count - 1].count += 1
      } else {
        counts.append((verdict.words, 1))
      }
    }
    return counts.map { "\($0.words): \(CertificateLetter.grouped($0.count))" }
  }

  private static func row(_ alert: CertificateAlert, _ publicURL: String?) -> Letter.Row {
    let name = alert.matchedNames.first?.nameLine(limit: 60) ?? "unreadable"
    let more = alert.matchedNames.count > 1 ? " and \(alert.matchedNames.count - 1) more" : ""
    let others =
      alert.otherItemLines(limit: 3).map { lines in
        " (also matches \(lines.map { $0.nameLine(limit: 60) }.joined(separator: ", ")))"
      } ?? ""
    let found =
      "\(name)\(more)\(others) - \(CertificateLetter.issuer(alert.facts)), \(CertificateLetter.day(alert.facts.notBefore))"
    let verdict = alert.verdict.map { verdict in
      " - \(verdict.words.lowercased())" + (verdict.reasons.first.map { ": " + $0.sentence.oneLine(limit: 300) } ?? "")
    }
    return Letter.Row(
      text: found + (verdict ?? ""), url: publicURL.map { "\($0)/issuances/\(alert.issuance)" })
  }

  private static func table(_ alerts: [CertificateAlert], _ lookalikes: [LookalikeAlert]) -> String {
    let header = "item,also_matches,names,issuer,not_before,not_after,serial,sha256,verdict\r\n"
    let rows =
      alerts.map { ($0, $0.verdict?.words ?? "") }
      + LookalikeLetter.ranked(lookalikes).map { ($0.certificate, "Look-alike, \($0.lookalike.level.words)") }
    return rows.reduce(into: header) { text, row in
      let (alert, verdict) = row
      let fields = [
        alert.item, alert.otherItemLines(limit: .max)?.joined(separator: " ") ?? "",
        alert.matchedNames.joined(separator: " "), alert.facts.issuer?.description ?? "",
        CertificateLetter.day(alert.facts.notBefore), CertificateLetter.day(alert.facts.notAfter),
        alert.facts.serialNumber ?? "", alert.certificates.first?.sha256.hex ?? "", verdict,
      ]
      text += CSVRow.text(fields.map { $0.oneLine(limit: 2000) })
    }
  }
}
