/// What the letter about a certificate says of the verdict, and of what follows from it.
extension CertificateLetter {
  private static let shownSteps = 3

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
    let reasons = verdict.reasons.prefix(12).map { $0.sentence.oneLine(limit: 600) }
    let why = reasons.isEmpty ? [] : [Letter.Section(heading: heading(verdict), paragraphs: reasons)]
    switch verdict.level {
    case .unexplained: return why + (verdict.steps.isEmpty ? advice : [todo(verdict)])
    case .noHistory: return why + advice
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
      return why + [Letter.Section(heading: "What to do", paragraphs: [words])]
    }
  }

  private func heading(_ verdict: CertificateVerdict) -> String {
    switch verdict.level {
    case .known: "Why it is known"
    case .expected: "Why it was expected"
    case .unexplained: "Why it is unexplained"
    case .noHistory: "Why there is no verdict yet"
    }
  }

  /// The first steps, each in a few paragraphs.
  private func todo(_ verdict: CertificateVerdict) -> Letter.Section {
    var paragraphs: [String] = []
    for (number, step) in verdict.steps.prefix(CertificateLetter.shownSteps).enumerated() {
      paragraphs.append("\(number + 1). \(step.title.oneLine(limit: 120)). \(step.why.oneLine(limit: 600))")
      if !step.contacts.isEmpty {
        let who = step.addressee.map { $0.oneLine(limit: 120) + ": " } ?? ""
        paragraphs.append(who + step.contacts.prefix(6).map { $0.oneLine(limit: 200) }.joined(separator: ", "))
      }
      paragraphs += step.notes.prefix(2).map { $0.oneLine(limit: 600) }
    }
    return Letter.Section(heading: "If nobody of yours asked for it", paragraphs: paragraphs)
  }
}
