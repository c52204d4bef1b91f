import Foundation
import OrielAccounts
import OrielAlerting
import OrielMail
import OrielMonitor
import Synchronization
import Testing

@testable import OrielServer

@Suite("Letters with links")
struct LetterRoundTests {
  /// What a mail server answers, one after the other, the last one for ever; and what it was sent.
  private final class Server: Sendable {
    private let answers: Mutex<[DeliveryResult]>
    private let got = Mutex<[String]>([])
    private let told = Mutex<[String]>([])
    init(_ answers: [DeliveryResult]) { self.answers = Mutex(answers) }
    var mails: [String] { got.withLock { $0 } }
    var notes: [String] { told.withLock { $0 } }
    func note(_ words: String) { told.withLock { $0.append(words) } }

    func take(_ message: [UInt8]) -> DeliveryResult {
      got.withLock { $0.append(String(decoding: message, as: UTF8.self)) }
      return answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .unavailable("?") }
    }
  }

  /// The courtroom's clock passes while a letter waits.
  private func round(_ court: Courtroom, _ server: Server, hasMail: Bool = true) throws -> LetterRound {
    let mail = LinkMail(from: try MailAddress("oriel@mail.example")) { message, _ in server.take(message) }
    let time = Timekeeper(
      now: { court.now },
      sleep: { court.pass($0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000) })
    return LetterRound(hasMail ? mail : nil, court.service, time: time, note: { server.note($0) })
  }

  private func url(_ letter: LinkLetter) -> String { "https://oriel.example/link/\(letter.secret.text)" }

  @Test("One that does not leave at first is tried again, as the same mail, until it does")
  func retried() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let letter = try #require(
      try await court.accounts.addRecipient(account, to: domain.id, address: "me@mail.example").letter)
    let server = Server([.refused("451 4.7.1 greylisted"), .unavailable("no route to host"), .delivered("250 ok")])
    try await round(court, server).send(letter, url: url(letter))
    #expect(server.mails.count == 3)
    let ids = server.mails.map { $0.split(separator: "\r\n").first { $0.lowercased().hasPrefix("message-id:") } }
    #expect(Set(ids).count == 1 && ids.first != Substring?.none)
    // The operator hears of it once, without the link.
    #expect(
      server.notes == [
        "the letter to confirm an address, to me@mail.example, could not be sent yet: "
          + "451 4.7.1 greylisted"
      ])
    _ = try await SignIn(court.store).confirm(letter.secret)
    #expect(try await court.service.addressees(of: domain.id).map(\.address) == ["me@mail.example"])
  }

  @Test("One whose link works no longer is not sent any more, and the operator hears of it")
  func over() async throws {
    let court = try await Courtroom()
    _ = try await court.account("alpha")
    let letter = try #require(
      try await SignIn(court.store).requestLink(address: "owner@alpha.example", client: "here"))
    let server = Server([.unavailable("could not take \(letter.secret.text)\r\n\u{1b}[2J")])
    let start = court.now
    try await round(court, server).send(letter, url: url(letter))
    #expect(court.now < letter.expiresAt && court.now - start > SignIn.linkLifetime / 3)
    #expect((3...20).contains(server.mails.count))
    #expect(server.notes.count == 2 && server.notes[1].contains("was not sent while its link worked"))
    for note in server.notes {
      #expect(!note.contains(letter.secret.text) && note.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
  }

  static let refusals: [(words: String, suspendsElsewhere: Bool)] = [
    ("550 5.1.1 no such mailbox", true), ("554 5.7.1 it looks like spam", false),
  ]

  @Test("A refused address says so, and gets mail again once it has confirmed", arguments: refusals)
  func refused(_ item: (words: String, suspendsElsewhere: Bool)) async throws {
    let court = try await Courtroom()
    let (alpha, beta) = (try await court.account("alpha"), try await court.account("beta"))
    let elsewhere = try await court.domain(beta, "other.example", telling: ["me@mail.example"])
    let domain = try await court.domain(alpha)
    let added = try await court.accounts.addRecipient(alpha, to: domain.id, address: "me@mail.example")
    let letter = try #require(added.letter)
    let server = Server([.refused(item.words, isPermanent: true)])
    try await round(court, server).send(letter, url: url(letter))
    #expect(server.mails.count == 1)
    #expect(server.notes == ["the letter to confirm an address, to me@mail.example, was refused: \(item.words)"])
    guard case .suspended(_, item.words)? = try await court.accounts.recipients(alpha, of: domain.id).first?.mail else {
      Issue.record("not suspended")
      return
    }
    #expect(try await court.service.addressees(of: elsewhere.id).isEmpty == item.suspendsElsewhere)
    _ = try await SignIn(court.store).confirm(letter.secret)
    #expect(try await court.service.addressees(of: domain.id).count == 1)
  }

  @Test("So does a member's")
  func member() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let added = try await court.accounts.addMember(account, address: "new@mail.example", role: .member)
    let server = Server([.refused("550 no such user", isPermanent: true)])
    try await round(court, server).send(added.letter, url: url(added.letter))
    let new = try #require(try await court.accounts.members(account).first { $0.address == "new@mail.example" })
    guard case .suspended(_, "550 no such user") = new.mail else {
      Issue.record("\(new.mail)")
      return
    }
  }

  @Test("A letter to sign in that is refused suspends nobody; without a way to send mail, the operator is told")
  func signIn() async throws {
    let court = try await Courtroom()
    let domain = try await court.domain(try await court.account("alpha", plan: .free))
    let letter = try #require(
      try await SignIn(court.store).requestLink(address: "owner@alpha.example", client: "here"))
    let server = Server([.refused("550 5.1.1 no such mailbox", isPermanent: true)])
    try await round(court, server).send(letter, url: url(letter))
    #expect(try await court.service.addressees(of: domain.id).count == 1)
    try await round(court, server, hasMail: false).send(letter, url: url(letter))
    #expect(server.mails.count == 1 && server.notes.last?.hasSuffix("no way to send mail is configured") == true)
  }

  @Test("A stop ends the waiting")
  func stopped() async throws {
    let court = try await Courtroom()
    _ = try await court.account("alpha")
    let letter = try #require(
      try await SignIn(court.store).requestLink(address: "owner@alpha.example", client: "here"))
    let (waits, wait) = AsyncStream.makeStream(of: Void.self)
    let mail = LinkMail(from: try MailAddress("oriel@mail.example")) { _, _ in .refused("451 later") }
    let time = Timekeeper(
      now: { court.now },
      sleep: { _ in
        wait.yield()
        try await Task.sleep(for: .seconds(3600))
      })
    let round = LetterRound(mail, court.service, time: time, note: { _ in })
    let link = url(letter)
    let sending = Task { await round.send(letter, url: link) }
    for await _ in waits { break }
    sending.cancel()
    await sending.value
  }

  @Test(
    "A time is said as people say it",
    arguments: [
      (15 * 60_000 - 1, "15 minutes"), (15 * 60_000, "15 minutes"), (60_000, "1 minute"), (-5, "1 minute"),
      (7 * 86_400_000 - 1, "7 days"), (7 * 86_400_000 - 3_600_000, "7 days"), (86_400_000 - 1, "24 hours"),
      (3 * 3_600_000 - 1000, "3 hours"), (119 * 60_000, "119 minutes"), (48 * 3_600_000, "2 days"),
    ] as [(Int64, String)])
  func validity(_ milliseconds: Int64, _ words: String) { #expect(LinkMail.validity(milliseconds) == words) }

  @Test("The mail says what it is for and how long its link works, and has the whole link on a line of its own")
  func words() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let letter = try #require(
      try await court.accounts.addRecipient(account, to: domain.id, address: "me@mail.example").letter)
    let mail = LinkMail(from: try MailAddress("oriel@mail.example")) { _, _ in .delivered("") }
    let message = mail.message(letter, to: try MailAddress("me@mail.example"), url: url(letter), now: court.now + 900)
    #expect(
      message.text == """
        Somebody of alpha wants this address to be told of certificates for shop.example.
        To agree, confirm it on this page:

        \(url(letter))

        The link works once, for 7 days. If you did not expect this mail, do nothing:
        without the link, nothing happens.
        """)
  }
}
