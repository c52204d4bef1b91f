import CertificateTransparency
package import OrielAccounts
import OrielAlerting
package import OrielMonitor
import Synchronization

/// Brings letters with links to their readers: each is tried again for as long as its link works.
///
/// What waits is in memory only, as the database keeps no link that could be sent again. A stop loses it; whoever waits
/// for a letter asks for another one on the pages.
package final class LetterRound: Sendable {
  private static let firstPause: Int64 = 10_000
  private static let longestPause: Int64 = 3_600_000
  /// No link works for longer, whatever a clock that was ahead made of its end.
  private static let longestWait: Int64 = 7 * 86_400_000
  /// More than this do not wait at once; whatever keeps so many from leaving is known to the operator.
  private static let mostWaiting = 1000

  /// Nil where no way to send mail is configured.
  private let mail: Mutex<LinkMail?>
  private let service: AccountService
  private let time: Timekeeper
  private let note: @Sendable (String) -> Void
  private let waiting = Mutex(0)

  /// - Parameter note: is told what an operator should know; neither links nor secrets are in it.
  package init(
    _ mail: LinkMail?, _ service: AccountService, time: Timekeeper, note: @escaping @Sendable (String) -> Void
  ) {
    self.mail = Mutex(mail)
    self.service = service
    self.time = time
    self.note = note
  }

  /// Goes on with another way to send mail.
  package func replace(_ mail: LinkMail?) { self.mail.withLock { $0 = mail } }

  /// Sends a letter; returns when it has left, will never leave, or the task is cancelled.
  package func send(_ letter: LinkLetter, url: String) async {
    var pause = LetterRound.firstPause
    var waited: Int64 = 0
    var isWaiting = false
    defer { if isWaiting { waiting.withLock { $0 -= 1 } } }
    while true {
      guard let mail = mail.withLock({ $0 }) else {
        return tell(letter, "can't be sent: no way to send mail is configured")
      }
      let words: String
      switch await mail.send(letter, url: url, now: time.now()) {
      case .delivered: return
      case .gone(let reason), .refused(let reason, _, isPermanent: true, _): return await refused(letter, reason)
      case .unavailable(let reason, let asked), .refused(let reason, _, _, let asked):
        words = reason
        if let asked { pause = max(pause, min(asked.components.seconds, 3600) * 1000) }
      }
      // What was broken off by the end of the service says nothing of the mail server.
      if Task.isCancelled { return }
      guard time.now() + pause < letter.expiresAt, waited + pause < LetterRound.longestWait else {
        tell(letter, "was not sent while its link worked", words)
        return
      }
      if !isWaiting {
        isWaiting = waiting.withLock { count in
          if count < LetterRound.mostWaiting { count += 1 } else { return false }
          return true
        }
        tell(letter, isWaiting ? "could not be sent yet" : "could not be sent, and too many others wait", words)
        guard isWaiting else { return }
      }
      do { try await time.sleep(.milliseconds(pause)) } catch { return }
      waited += pause
      pause = min(pause * 2, LetterRound.longestPause)
    }
  }

  /// An address that has to be confirmed does not wait for a letter that never comes: the pages say why.
  private func refused(_ letter: LinkLetter, _ words: String) async {
    tell(letter, "was refused", words)
    guard letter.purpose == .confirmMember || letter.purpose == .confirmRecipient else { return }
    do {
      // Elsewhere, it may have been confirmed: there, only a mailbox that does not exist counts.
      try await service.bounced(
        letter.address, reason: hiding(letter, words).oneLine(limit: 300),
        onlyUnconfirmed: !VerdictRouter.isBounce(words))
    } catch is AccountError {
      // It is no address any more.
    } catch {
      tell(letter, "was refused, which could not be noted", "\(error)")
    }
  }

  private func tell(_ letter: LinkLetter, _ what: String, _ words: String? = nil) {
    let kind =
      switch letter.purpose {
      case .signIn: "the letter to sign in"
      case .firstStart: "the letter to set Oriel up"
      case .confirmMember, .confirmRecipient: "the letter to confirm an address"
      }
    let why = words.map { ": " + hiding(letter, $0).oneLine(limit: 300) } ?? ""
    note("\(kind), to \(letter.address.oneLine(limit: 254)), \(what)\(why)")
  }

  /// A mail server may repeat what it was sent.
  private func hiding(_ letter: LinkLetter, _ words: String) -> String {
    words.replacing(letter.secret.text, with: "…")
  }
}
