import CertificateTransparency
import OrielStore

extension Letter {
  /// Of something that is wrong with the service or with what it reads, or is well again.
  ///
  /// - Parameters:
  ///   - facts: what it is; since when, and why, come after them.
  ///   - meaning: what trouble means for whoever relies on the service.
  init(
    health subject: String, lead: String, isWell: Bool, facts: [Fact], since: Timestamp, reason: String?,
    meaning: String
  ) {
    self.init(subject: subject, lead: lead)
    tone = isWell ? .well : .alarm
    self.facts = facts + [Fact(label: "Since", lines: [CertificateLetter.time(since)])]
    if let reason { self.facts.append(Fact(label: "Reason", lines: [reason.oneLine(limit: 400)])) }
    if !isWell { sections = [Section(heading: "What this means", paragraphs: [meaning])] }
  }
}

extension LogHealthAlert {
  var letter: Letter {
    if log == LogHealthAlert.clock { return clockLetter }
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
    let words = isWell ? "well again" : state.oneLine(limit: 30)
    return Letter(
      health: "Log \(name) is \(words)", lead: "The log \(name) is \(words). \(meaning)", isWell: isWell,
      facts: [
        Letter.Fact(label: "Log", lines: [name]), Letter.Fact(label: "Operator", lines: [operatorName.oneLine()]),
      ], since: since, reason: reason,
      meaning:
        "Certificates that only this log has would be reported late. Browsers want every certificate in two logs or "
        + "more, so that most are seen in another. Nothing is lost: reading goes on where it stopped.")
  }

  private var clockLetter: Letter {
    let isWell = state != LogHealthAlert.clockState
    let headline = headline { $0 }
    return Letter(
      health: headline,
      lead: isWell ? "\(headline)." : "\(headline): the newest heads of most logs are dated in the future.",
      isWell: isWell, facts: [], since: since, reason: reason,
      meaning:
        "Oriel goes on reading, but can't tell whether a log is frozen, and its times are wrong. Set the machine's "
        + "clock right, best by NTP.")
  }
}

extension CanaryAlert {
  var letter: Letter {
    let name = name.nameLine(limit: CertificateLetter.longestName)
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
  func letter(_ publicURL: String?) -> Letter {
    let name = item.nameLine(limit: CertificateLetter.longestName)
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
    if let publicURL, let domain {
      letter.links = [
        Letter.Link(text: "The settings of \(name), to confirm them", url: "\(publicURL)/domains/\(domain)/settings")
      ]
    }
    return letter
  }
}

extension HeartbeatAlert {
  var letter: Letter {
    let logs = logCount == 1 ? "the one log is read" : "all \(CertificateLetter.grouped(logCount)) logs are read"
    var letter = Letter(
      subject: "All is well: \(counted(logCount, "log", "logs")) followed",
      lead: "Oriel is at work: \(logs) and verified up to the newest head, and no alert waits.")
    letter.tone = .well
    letter.facts = [
      Letter.Fact(label: "Watched items", lines: [CertificateLetter.grouped(watchedCount)]),
      Letter.Fact(
        label: "Certificates", lines: ["\(CertificateLetter.grouped(certificateCount)) told of since the last"]),
    ]
    if !withheldReasons.isEmpty {
      letter.facts.append(
        Letter.Fact(label: "Was withheld", lines: withheldReasons.map { $0.oneLine(limit: 400) }))
    }
    letter.sections = [
      Letter.Section(
        heading: "Why you get this",
        paragraphs: ["If it stops coming, something is wrong with Oriel or with the mail: look at the service."])
    ]
    return letter
  }
}
