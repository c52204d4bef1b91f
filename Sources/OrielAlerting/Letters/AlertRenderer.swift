/// Makes the mail of an alert: a subject, the same words as text and as HTML, and what is attached.
package struct AlertRenderer: Sendable {
  private let publicURL: String?
  private let page = LetterPage()

  /// - Parameter publicURL: where Oriel's own pages are, for links; without a slash at its end.
  package init(publicURL: String? = nil) { self.publicURL = publicURL }

  /// - Parameter leave: the page where its reader can unsubscribe.
  package func render(_ alert: Alert, leave: String? = nil) -> RenderedAlert {
    var letter = letter(alert)
    letter.leave = leave
    return RenderedAlert(
      subject: (letter.isReply ? "Re: " : "") + "[Oriel] " + letter.subject.cut(toBytes: 140), text: letter.text,
      html: page.render(letter),
      attachments: letter.attachments)
  }

  /// The text alone, for terminals.
  package func text(_ alert: Alert) -> String { letter(alert).text }

  private func letter(_ alert: Alert) -> Letter {
    switch alert.content {
    case .certificate(let found): return CertificateLetter(found, publicURL).new()
    case .sample(let found): return CertificateLetter(found, publicURL).sample()
    case .followUp(let found, let log, let reason):
      return CertificateLetter(found, publicURL).followUp(log: log, reason: reason)
    case .explained(let found): return CertificateLetter(found, publicURL).explained()
    case .lookalike(let found): return LookalikeLetter(found, publicURL).letter
    case .digest(let all, let alike): return DigestLetter(all, lookalikes: alike, publicURL).letter
    case .summary(let all, let period, let alike):
      return DigestLetter(all, lookalikes: alike, publicURL, period).letter
    case .logHealth(let health): return health.letter
    case .deliveryHealth(let health): return health.letter
    case .inventoryHealth(let health): return health.letter
    case .short(let short): return short.letter
    case .canary(let canary): return canary.letter
    case .caaChange(let change): return change.letter(publicURL)
    case .heartbeat(let heartbeat): return heartbeat.letter
    }
  }
}
