import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielStore
import TestWorld
import Testing

@testable import OrielServer

@Suite("At the moment of sending")
struct SendingTests {
  private static let me = "me@mail.example"

  /// What ends alerts that are queued already.
  enum End: CaseIterable, Sendable { case removed, turnedOff, unsubscribed, muted, domainRemoved, accountRemoved }

  private func end(_ end: End, _ court: Courtroom, _ account: Actor, _ domain: Domain) async throws {
    switch end {
    case .removed: try await court.remove(Self.me, from: domain, of: account)
    case .turnedOff: try await court.turnOff(domain, of: account)
    case .unsubscribed:
      let addressees = try await court.service.addressees(of: domain.id)
      _ = try await SignIn(court.store).unsubscribe(try #require(addressees.first).unsubscribeCode)
    case .muted:
      _ = try await court.accounts.mute(account, domain.id, .domain, until: court.now + 30 * Courtroom.day)
    case .domainRemoved: try await court.accounts.removeDomain(account, domain.id)
    case .accountRemoved: try await court.service.removeAccount(account.account)
    }
  }

  @Test("An alert that is on its way goes no further", arguments: End.allCases)
  func queued(_ how: End) async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    court.post.answer(.unavailable("451 try later"))
    try await court.sight(try court.issue())
    try await court.settle()
    #expect(court.post.mails.count == 1)
    court.post.answer(.delivered("250 ok"))
    try await end(how, court, account, domain)
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.count == 1)
    #expect(try await court.alerts.counts() == [.dropped: 1])
  }

  @Test("Neither does one that waits for its digest", arguments: End.allCases)
  func held(_ how: End) async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me]) { $0.unexplained = .daily }
    try await court.sight(try court.issue())
    try await court.settle()
    try await end(how, court, account, domain)
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.isEmpty)
    #expect(try await court.alerts.dueHeld(now: .max, review: 0).isEmpty)
  }

  @Test("What is muted is judged and kept, told to nobody, and told again when the mute is over")
  func muted() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    _ = try await court.accounts.mute(account, domain.id, .name("www.shop.example"), until: court.now + 1000)
    let quiet = try await court.sight(try court.issue())
    try await court.sight(try court.issue(["other.shop.example"]))
    try await court.settle()
    #expect(court.post.subjects.map { $0.contains("other.shop.example") } == [true])
    #expect(try await court.judgement(quiet, of: domain).level == .unexplained)
    court.pass(1001)
    try await court.sight(try court.issue(["www.shop.example", "new.shop.example"]))
    try await court.settle()
    #expect(court.post.mails.count == 2)
  }

  @Test("A digest tells each address of all that was held, once, under an id that stays through failures and restarts")
  func digest() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me]) { $0.unexplained = .daily }
    for number in 0..<3 {
      try await court.sight(try court.issue(["n\(number).shop.example"]))
      try await court.settle()
      court.pass(Courtroom.hour)
    }
    // Who came since is told of all of it as well.
    let letter = try await court.accounts.addRecipient(account, to: domain.id, address: "new@mail.example").letter
    _ = try await SignIn(court.store).confirm(try #require(letter).secret)
    court.post.answer(.unavailable("451 busy"))
    court.pass(21 * Courtroom.hour)
    for _ in 0..<2 { try await court.settle() }
    court.post.answer(.delivered("250 ok"))
    court.pass(2 * Courtroom.hour)
    for _ in 0..<2 { try await court.settle() }
    #expect(court.post.mails.count == 4)
    for address in [Self.me, "new@mail.example"] {
      let mails = court.post.mails.filter { $0.to == address }
      #expect(mails.count == 2 && Set(mails.map(\.id)).count == 1)
      for mail in mails {
        #expect(mail.subject == "[Oriel] Daily digest for shop.example: 3 certificates, 3 unexplained")
        #expect((0..<3).allSatisfy { mail.text.contains("n\($0).shop.example") })
      }
    }
    #expect(try await court.alerts.deliveries(ofAccount: account.account.value, limit: 100).count == 8)
  }

  @Test("A digest whose hour passed while nothing ran goes out at the next start, with what came later in its own")
  func missedHour() async throws {
    let court = try await Courtroom()
    _ = try await court.domain(try await court.account("alpha"), telling: [Self.me]) { $0.unexplained = .daily }
    try await court.sight(try court.issue(["a.shop.example"]))
    try await court.settle()
    court.pass(3 * Courtroom.day + Courtroom.hour)
    try await court.sight(try court.issue(["b.shop.example"]))
    try await court.settle()
    #expect(court.post.mails.count == 1 && court.post.mails[0].text.contains("a.shop.example"))
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.count == 2 && court.post.mails[1].text.contains("b.shop.example"))
    #expect(Set(court.post.mails.map(\.id)).count == 2)
  }

  @Test("Each mail has its address's own way to leave, and leaving stops that address alone")
  func unsubscribe() async throws {
    let court = try await Courtroom()
    let addresses = [Self.me, "you@mail.example"]
    _ = try await court.domain(try await court.account("alpha"), telling: addresses)
    try await court.sight(try court.issue())
    try await court.settle()
    let leaves = Dictionary(uniqueKeysWithValues: court.post.mails.map { ($0.to, $0.leave ?? "") })
    #expect(leaves.count == 2 && Set(leaves.values).count == 2)
    let prefix = "<https://oriel.example/unsubscribe/"
    let link = try #require(leaves[Self.me])
    #expect(link.hasPrefix(prefix) && link.hasSuffix(">"))
    _ = try await SignIn(court.store).unsubscribe(String(link.dropFirst(prefix.count).dropLast()))
    try await court.sight(try court.issue(["b.shop.example"]))
    try await court.settle()
    #expect(court.post.mails.map(\.to).sorted() == (addresses + ["you@mail.example"]).sorted())
  }

  @Test("On plans without addresses of their own, all members are told")
  func members() async throws {
    let court = try await Courtroom()
    _ = try await court.domain(try await court.account("alpha", plan: .free))
    try await court.sight(try court.issue())
    try await court.settle()
    #expect(court.post.mails.map(\.to) == ["owner@alpha.example"])
  }

  @Test("A mailbox that is not there for days is suspended; a mail that was not liked suspends nobody")
  func bounced() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    court.post.answer(.refused("554 5.7.1 it looks like spam", isPermanent: true))
    try await court.sight(try court.issue(["a.shop.example"]))
    try await court.settle()
    court.pass(5 * Courtroom.day)
    try await court.settle()
    #expect(try await court.alerts.counts() == [.givenUp: 1])
    #expect(try await court.service.addressees(of: domain.id).count == 1)
    // Its owner has confirmed it: a mail server that says so may be wrong for a while.
    court.post.answer(.refused("550 5.1.1 no such mailbox", of: .recipient, isPermanent: true))
    try await court.sight(try court.issue(["b.shop.example"]))
    for _ in 0..<4 {
      try await court.settle()
      court.pass(Courtroom.day)
      #expect(try await court.service.addressees(of: domain.id).count == 1)
    }
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(try await court.service.addressees(of: domain.id).isEmpty)
    guard case .suspended(_, let reason) = try await court.accounts.recipients(account, of: domain.id).first?.mail
    else {
      Issue.record("not suspended")
      return
    }
    #expect(reason == "550 5.1.1 no such mailbox")
    // Only what somebody should look at counts as given up.
    #expect(try await court.alerts.counts() == [.givenUp: 1, .dropped: 1])
  }

  @Test(
    "What a mail server says of a mailbox is told from what it says of a mail",
    arguments: [
      ("550 5.1.1 no such user", true), ("550 no such user", true), ("553 unknown", true), ("550 5.7.1 spam", false),
      ("554 refused", false), ("550 5.2.1 disabled", true), ("the message has 5 bytes", false),
      ("552 5.2.2 over quota", false),
    ])
  func isBounce(_ words: String, _ isBounce: Bool) { #expect(VerdictRouter.isBounce(words) == isBounce) }

  @Test(
    "A digest's hour is the next one",
    arguments: [
      (8, HeldAlert.Kind.daily, 0, Courtroom.day), (9, .daily, 0, Courtroom.hour), (8, .daily, -1, 1),
      (8, .daily, 1, Courtroom.day - 1), (8, .weekly, 0, 3 * Courtroom.day), (8, .weekly, 3 * Courtroom.day - 1, 1),
      (8, .weekly, 3 * Courtroom.day, 7 * Courtroom.day), (0, .daily, 0, 16 * Courtroom.hour),
    ] as [(Int, HeldAlert.Kind, Int64, Int64)])
  func hours(_ hour: Int, _ kind: HeldAlert.Kind, _ passed: Int64, _ wait: Int64) {
    let now = Courtroom.start + passed
    #expect(DigestHour(hour: hour).next(kind, after: now) == now + wait)
  }
}
