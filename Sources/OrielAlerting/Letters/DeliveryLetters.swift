import CertificateTransparency
import OrielStore

extension ShortAlert {
  var letter: Letter {
    var letter = Letter(
      subject: summary.prefix(1).uppercased() + summary.dropFirst(),
      lead: "\(summary.prefix(1).uppercased() + summary.dropFirst()). CA owner: \(owner).")
    if level == .unexplained { letter.tone = .alarm }
    letter.facts = [
      Letter.Fact(label: "Domain", lines: [domain]), Letter.Fact(label: "CA owner", lines: [owner]),
    ]
    letter.sections = [
      Letter.Section(
        heading: "Why this is so short",
        paragraphs: [
          "The receiver of this mail refused the alert in full. This form has no text from a certificate in it."
        ]),
      Letter.Section(
        heading: "What to do",
        paragraphs: [
          page == nil
            ? "On the machine that Oriel runs on, “\(more)” shows the whole alert, and what to do about it."
            : "Open the page of the certificate: it shows the whole alert, and what to do about it."
        ]),
    ]
    if let page { letter.links = [Letter.Link(text: "This certificate in Oriel", url: page)] }
    return letter
  }
}

extension DeliveryHealthAlert {
  var letter: Letter {
    var letter = Letter(subject: summary, lead: summary.withFullStop)
    letter.tone = isWell ? .well : .alarm
    letter.rows = lines.map { Letter.Row(text: $0) }
    guard !isWell else { return letter }
    if !undelivered.isEmpty {
      letter.sections.append(
        Letter.Section(
          heading: "Certificates that nobody may have heard of",
          paragraphs: [
            "Notify those concerned yourself, or look at the certificates in their place: “oriel alerts show” and the "
              + "number above has each alert in full. Oriel keeps trying those that were only refused so far, in a short form."
          ]))
    }
    if !failing.isEmpty {
      letter.sections.append(
        Letter.Section(
          heading: "What to do",
          paragraphs: [
            "Look at the reason above: a wrong password or address is put right in the configuration file. After a reload "
              + "(SIGHUP), or “oriel alerts retry”, Oriel tries again at once. Until then nothing is lost: alerts wait for as "
              + "long as “retry.give_up_after” says."
          ]))
    }
    return letter
  }
}
