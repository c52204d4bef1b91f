import CertificateTransparency
import OrielAccounts
import OrielAlerting
import OrielMail
import OrielServer
import OrielStore
import TestWorld
import Testing

@Suite("A certificate that matches several domains of an account")
struct AccountMergingTests {
  private static let me = "me@mail.example"
  private static let items = ["shop.example", "pay.example"]
  private static let names = ["www.shop.example", "www.pay.example"]

  /// A court with an account whose domains have one recipient.
  private func scene(
    _ delivery: @escaping (inout DeliveryTimes) -> Void = { _ in }
  ) async throws -> (court: Courtroom, account: Actor, domains: [Domain]) {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    var domains: [Domain] = []
    for item in Self.items { domains.append(try await court.domain(account, item, telling: [Self.me], delivery)) }
    return (court, account, domains)
  }

  private func tell(_ pair: IssuedPair, of domain: Domain, _ court: Courtroom) async throws {
    let entry = NewInventoryEntry(kind: .certificate, hash: pair.issuanceID.hash, names: Self.names)
    try await court.service.found([entry], for: domain.id, source: "upload")
    try await court.router.reconsider()
    try await court.settle()
  }

  @Test("is one mail for each address, judged for each domain; other accounts have theirs, with their own items")
  func once() async throws {
    let (court, _, domains) = try await scene()
    let stranger = try await court.domain(try await court.account("beta"), "pay.example", telling: [Self.me])
    let issuance = try await court.sight(try court.issue(Self.names), items: Self.items)
    try await court.settle()
    #expect(court.post.mails.count == 2)
    #expect(court.post.mails.map { $0.text.contains("Also matches") } == [true, false])
    #expect(court.post.mails.first?.text.contains("Watched shop.example Matched") == true)
    #expect(court.post.mails.first?.text.contains("Also matches pay.example") == true)
    for domain in domains + [stranger] {
      #expect(try await court.judgement(issuance, of: domain).level == .unexplained)
    }
  }

  @Test("goes to addresses of one domain alone as well")
  func ownAddress() async throws {
    let (court, account, domains) = try await scene()
    let letter = try await court.accounts.addRecipient(account, to: domains[1].id, address: "pay@mail.example").letter
    _ = try await SignIn(court.store).confirm(try #require(letter).secret)
    try await court.sight(try court.issue(Self.names), items: Self.items)
    try await court.settle()
    #expect(court.post.mails.map(\.to).sorted() == [Self.me, "pay@mail.example"])
  }

  @Test("is in the digest of one of them", arguments: [DeliveryTime.daily, .weekly])
  func digests(_ time: DeliveryTime) async throws {
    let (court, _, _) = try await scene { $0.unexplained = time }
    try await court.sight(try court.issue(Self.names), items: Self.items)
    try await court.sight(try court.issue(["a.pay.example"]), items: ["pay.example"])
    try await court.settle()
    #expect(court.post.mails.isEmpty)
    court.pass(8 * Courtroom.day)
    for _ in 0..<2 { try await court.settle() }
    let rows = court.post.mails.flatMap { $0.message.text.split(separator: "\n").filter { $0.hasPrefix("- ") } }
    #expect(court.post.mails.count == 2 && rows.count == 2, "\(rows)")
    #expect(rows.count { $0.contains("also matches") } == 1)
  }

  @Test(
    "is reported for the next domain if the first alert is not wanted any more before it is sent",
    arguments: ["unsubscribed", "muted", "explained"])
  func cancelled(_ why: String) async throws {
    let (court, account, domains) = try await scene()
    court.post.answer(.unavailable("no route"))
    let pair = try court.issue(Self.names)
    try await court.sight(pair, items: Self.items)
    try await court.settle()
    #expect(court.post.mails.count == 1)
    switch why {
    case "unsubscribed": try await court.remove(Self.me, from: domains[0], of: account)
    case "muted":
      _ = try await court.accounts.mute(account, domains[0].id, .domain, until: court.now + 30 * Courtroom.day)
    default: try await tell(pair, of: domains[0], court)
    }
    court.post.answer(.delivered("250 ok"))
    court.pass(Courtroom.hour)
    for _ in 0..<2 { try await court.settle() }
    #expect(court.post.mails.count == 2)
    #expect(court.post.mails.last?.text.contains("Watched pay.example") == true)
    #expect(try await court.alerts.counts()[.delivered] == 1)
    #expect(try await court.alerts.counts()[.waiting] == nil)
  }

  @Test("is followed up once it is known for all of the domains that the alert was for, once")
  func explained() async throws {
    let (court, _, domains) = try await scene()
    let pair = try court.issue(Self.names)
    try await court.sight(pair, items: Self.items)
    try await court.settle()
    try await tell(pair, of: domains[0], court)
    #expect(court.post.mails.count == 1)
    court.pass(1000)
    try await tell(pair, of: domains[1], court)
    #expect(court.post.mails.map(\.isReply) == [false, true])
    #expect(court.post.mails.last?.text.contains("This certificate is explained") == true)
  }
}
