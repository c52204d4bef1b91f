/// What the letter about a certificate says of the verdict, and of what follows from it.
extension CertificateLetter {
  /// The first word of the subject.
  var kind: String {
    switch alert.verdict?.level {
    case .unexplained: "Unexplained"
    case .expected: "Expected"
    case .known: "Known"
    case .noHistory, nil: "New"
    }
  }

  var verdictFacts: [Letter.Fact] { alert.verdict.map { [Letter.Fact(label: "Verdict", lines: [$0.words])] } ?? [] }

  /// Why it is what it is, and what to do.
  func sections(_ verdict: CertificateVerdict) -> [Letter.Section] {
    let why = reasons(verdict)
    switch verdict.level {
    case .unexplained:
      return why
        + (verdict.steps.isEmpty
          ? advice : [CertificateLetter.todo(verdict.steps, heading: "If nobody of yours asked for it")]) + answer
    case .noHistory: return why + confirmation + advice + answer
    case .known:
      return why + [
        Letter.Section(
          heading: "What to do", paragraphs: ["Nothing: this is told because you asked to hear of known ones too."])
      ]
    case .expected:
      let words =
        verdict.isProven
        ? "Nothing: its key is one that you told Oriel is yours."
        : "It looks like all those before it, which is also what somebody who took over your DNS would get. If you did "
          + "not expect a renewal, look at it; telling Oriel of your certificates or keys proves the next ones."
      return why + [Letter.Section(heading: "What to do", paragraphs: [words])] + (verdict.isProven ? [] : answer)
    }
  }

  /// What the verdict rests on, then what speaks otherwise.
  func reasons(_ verdict: CertificateVerdict) -> [Letter.Section] {
    let isGood = verdict.level == .known || verdict.level == .expected
    return reasons(verdict, isFor: isGood, heading(verdict))
      + reasons(verdict, isFor: !isGood, isGood ? "What speaks against it" : "What speaks for it all the same")
  }

  private func reasons(_ verdict: CertificateVerdict, isFor: Bool, _ heading: String) -> [Letter.Section] {
    let sentences = verdict.reasons.filter { $0.isFor == isFor }.prefix(12).map { $0.sentence.oneLine(limit: 600) }
    return sentences.isEmpty ? [] : [Letter.Section(heading: heading, paragraphs: sentences)]
  }

  /// How to begin to have a history, where there are no pages to say so on.
  private var confirmation: [Letter.Section] {
    guard publicURL == nil else { return [] }
    return [
      Letter.Section(
        heading: "To get verdicts",
        paragraphs: [
          "Once what you use has been seen, or told of: “history: confirmed” for this item in the configuration file. "
            + "From then on you hear which certificates fit in with it, and which nothing explains."
        ])
    ]
  }

  /// How to say so, where there are no pages to say it on.
  private var answer: [Letter.Section] {
    guard publicURL == nil else { return [] }
    return [
      Letter.Section(
        heading: "To say whether it is yours",
        paragraphs: [
          "On the machine that Oriel runs on: “oriel alerts claim” and the number below if it is; then its key is known, "
            + "too. “oriel alerts deny” if it is not, “oriel alerts acknowledge” if you have looked at it.",
          "\(alert.issuance)",
        ])
    ]
  }

  private func heading(_ verdict: CertificateVerdict) -> String {
    switch verdict.level {
    case .known: "Why it is known"
    case .expected: "Why it was expected"
    case .unexplained: "Why it is unexplained"
    case .noHistory: "Why there is no verdict yet"
    }
  }

  /// All steps, each in a few paragraphs.
  static func todo(_ steps: [CertificateVerdict.Step], heading: String) -> Letter.Section {
    var paragraphs = ["In this order. What does not fit here says why."]
    for (number, step) in steps.prefix(8).enumerated() {
      paragraphs.append(
        "\(number + 1). \(step.title.oneLine(limit: 120)) [\(step.fits.words)]. \(step.why.oneLine(limit: 600))")
      guard step.fits != .no else { continue }
      let contacts = step.contacts.prefix(8).map { $0.oneLine(limit: 2000) }
      let who = step.addressee.map { $0.oneLine(limit: 120) } ?? ""
      let addresses = contacts.filter { !$0.contains("://") }.joined(separator: ", ")
      if !contacts.isEmpty {
        paragraphs.append([who, addresses].filter { !$0.isEmpty }.joined(separator: ": "))
      }
      // Each by itself: a comma would become a part of it.
      paragraphs += contacts.filter { $0.contains("://") }
      paragraphs += step.notes.prefix(5).map { $0.oneLine(limit: 600) }
    }
    return Letter.Section(heading: heading, paragraphs: paragraphs.filter { !$0.isEmpty })
  }

  /// The report to the CA, for whoever may have no way into Oriel's pages.
  func quote(_ report: CertificateVerdict.Report) -> Letter.Quote {
    let to = report.to.prefix(8).map { $0.oneLine(limit: 254) }.joined(separator: ", ")
    return Letter.Quote(
      heading: "The report to the CA",
      note:
        "Ready to be sent on, once you have asked those who might have requested the certificate. Put in what stands "
        + "in brackets.",
      head: [
        "To: " + (to.isEmpty ? "[as the CA takes reports: see the first step]" : to),
        "Subject: " + report.subject.oneLine(limit: 400),
      ],
      lines: report.body.split(separator: "\n", omittingEmptySubsequences: false).prefix(200).map(reported))
  }

  /// A line of the report. A name in it that is nobody's here must not become a link.
  private func reported(_ line: Substring) -> String {
    let indent = line.prefix { $0 == " " }
    let text = String(line.dropFirst(indent.count)).oneLine(limit: 4000)
    let isForeign = !indent.isEmpty && !text.contains(" ") && !own.contains(text)
    return indent.prefix(8) + (isForeign ? LookalikeAlert.defused(text) : text)
  }
}
