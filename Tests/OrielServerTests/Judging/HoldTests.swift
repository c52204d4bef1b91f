import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielMail
import OrielServer
import OrielStore
import Synchronization
import TestWorld
import Testing

@Suite("Before and after an unexplained certificate is reported")
struct HoldTests {
  private static let me = "me@mail.example"

  /// Where certificates come from besides what is in the inventory already.
  enum Source: CaseIterable, Sendable {
    case folder, unreadableFolder, program, oldProgram, upload, none
    var changesByItself: Bool { self == .folder || self == .program }
  }

  private func court(_ source: Source) async throws -> (court: Courtroom, account: Actor, domain: Domain) {
    let court = try await Courtroom(readInventory: { _, _ in source == .folder })
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    switch source {
    case .program, .oldProgram, .upload:
      try await court.tell(try court.issue(["old.shop.example"]), of: domain, isByProgram: source != .upload)
      court.pass((source == .oldProgram ? 91 : 89) * Courtroom.day)
    case .folder, .unreadableFolder, .none: break
    }
    return (court, account, domain)
  }

  @Test(
    "It waits two minutes from the first sighting where the inventory changes by itself, and nowhere else",
    arguments: Source.allCases, [true, false])
  func hold(_ source: Source, isTold: Bool) async throws {
    let (court, _, domain) = try await court(source)
    let pair = try court.issue()
    let issuance = try await court.sight(pair)
    court.pass(30_000)
    try await court.settle()
    #expect(court.post.mails.count == (source.changesByItself ? 0 : 1))
    guard source.changesByItself else { return }
    court.pass(89_999)
    if isTold { try await court.tell(pair, of: domain) }
    try await court.settle()
    #expect(court.post.mails.isEmpty)
    court.pass(1)
    try await court.settle()
    #expect(try await court.judgement(issuance, of: domain).level == (isTold ? .known : .unexplained))
    #expect(court.post.mails.count == (isTold ? 0 : 1))
  }

  @Test("One that was seen two minutes ago does not wait, nor longer than that by a clock that was ahead")
  func late() async throws {
    let (court, _, _) = try await court(.folder)
    try await court.sight(try court.issue())
    court.pass(120_000)
    try await court.settle()
    #expect(court.post.mails.count == 1)
    court.pass(10 * Courtroom.day)
    try await court.sight(try court.issue(["b.shop.example"]))
    court.pass(-10 * Courtroom.day)
    try await court.settle()
    court.pass(120_000)
    try await court.settle()
    #expect(court.post.mails.count == 2)
  }

  @Test("Of many, none waits longer because of the others")
  func many() async throws {
    let (court, _, _) = try await court(.folder)
    for number in 0..<4 {
      try await court.sight(try court.issue(["n\(number).shop.example"]))
      try await court.settle()
      court.pass(60_000)
    }
    #expect(zip(court.post.subjects, ["n0.", "n1."]).allSatisfy { $0.contains($1) } && court.post.mails.count == 2)
    try await court.settle()
    #expect(court.post.mails.count == 3)
  }

  @Test("One that the owner has ruled out goes at once", arguments: ["denied key", "CA"])
  func ruledOut(_ how: String) async throws {
    let (court, account, domain) = try await court(.folder)
    try court.learnOwners()
    if how == "CA" {
      var change = DomainChange()
      change.allowedOwners = ["Other Trust"]
      _ = try await court.accounts.change(account, domain.id, change)
    } else {
      let denied = try await court.sight(try court.issue(key: Courtroom.key))
      court.pass(120_000)
      try await court.settle()
      _ = try await court.accounts.setState(account, of: domain.id, denied, to: .denied, note: nil)
    }
    let count = court.post.mails.count
    try await court.sight(try court.issue(["b.shop.example"], key: Courtroom.key))
    try await court.settle()
    #expect(court.post.mails.count == count + 1)
  }

  @Test("The inventory is read once more before anything goes out, at first and after the wait", arguments: [1, 2])
  func readAgain(_ reading: Int) async throws {
    let readings = Mutex(0)
    let found = Mutex<(@Sendable () async throws -> Void)?>(nil)
    let court = try await Courtroom(readInventory: { _, _ in
      let count = readings.withLock { count in
        count += 1
        return count
      }
      if count == reading, let take = found.withLock({ $0 }) { try await take() }
      return true
    })
    let domain = try await court.domain(try await court.account("alpha"), telling: [Self.me])
    let pair = try court.issue()
    found.withLock { $0 = { try await court.tell(pair, of: domain) } }
    let issuance = try await court.sight(pair)
    try await court.settle()
    court.pass(120_000)
    try await court.settle()
    #expect(try await court.judgement(issuance, of: domain).level == .known)
    #expect(court.post.mails.isEmpty && readings.withLock { $0 } == reading)
  }

  @Test("What becomes known after its alert gets a follow-up in the same thread, once, for those who had the alert")
  func explained() async throws {
    let (court, account, domain) = try await court(.none)
    let others = try await court.domain(try await court.account("beta"), telling: ["you@mail.example"])
    let pair = try court.issue()
    try await court.sight(pair)
    try await court.settle()
    #expect(court.post.mails.count == 2)
    let late = try await court.accounts.addRecipient(account, to: domain.id, address: "late@mail.example").letter
    _ = try await SignIn(court.store).confirm(try #require(late).secret)
    court.pass(1000)
    try await court.tell(pair, of: domain)
    for _ in 0..<2 {
      try await court.router.reconsider()
      try await court.settle()
    }
    #expect(court.post.mails.count == 3)
    let (first, reply) = (try #require(court.post.mails.first { $0.to == Self.me }), court.post.mails[2])
    #expect(reply.to == Self.me && reply.subject == "Re: " + first.subject && reply.id != first.id)
    for name in ["In-Reply-To", "References"] {
      let values = reply.message.headers.filter { $0.name == name }.map(\.value)
      #expect(values == ["<\(first.message.messageID)>"])
    }
    #expect(reply.text.contains("This certificate is explained"))
    #expect(try await court.judgement(pair.issuanceID, of: others).level == .unexplained)
  }

  @Test("One that was in a digest is followed up in the digest's thread")
  func explainedInDigest() async throws {
    let (court, _, domain) = try await court(.none)
    var pairs: [IssuedPair] = []
    for number in 0..<21 {
      pairs.append(try court.issue(["n\(number).shop.example"]))
      try await court.sight(pairs[number])
    }
    try await court.settle()
    court.pass(BurstLimit.urgent)
    try await court.settle()
    let digest = try #require(court.post.mails.last)
    #expect(court.post.mails.count == 21 && digest.subject.contains("1 unexplained certificate"))
    try await court.tell(pairs[20], of: domain)
    try await court.router.reconsider()
    try await court.settle()
    let values = court.post.mails.last?.message.headers.filter { $0.name == "In-Reply-To" }.map(\.value)
    #expect(court.post.mails.count == 22 && values == ["<\(digest.message.messageID)>"])
  }

  /// A certificate that was unexplained becomes known while its alert can't be sent, and what then can be sent is.
  private func explainWhileUnreachable(_ court: Courtroom, _ domain: Domain) async throws {
    court.post.answer(.unavailable("no route"))
    let pair = try court.issue()
    try await court.sight(pair)
    try await court.settle()
    try await court.tell(pair, of: domain)
    try await court.router.reconsider()
    court.post.answer(.delivered("250 ok"))
    court.pass(Courtroom.hour)
    for _ in 0..<2 { try await court.settle() }
  }

  @Test("What becomes known while its alert waits is followed up in its thread, where known ones are wanted")
  func explainedMeanwhile() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me]) { $0.known = .atOnce }
    try await explainWhileUnreachable(court, domain)
    #expect(try await court.alerts.counts() == [.delivered: 2])
    // The first is the one that did not get through.
    let mails = court.post.mails.dropFirst()
    let values = mails.last?.message.headers.filter { $0.name == "In-Reply-To" }.map(\.value)
    #expect(mails.count == 2 && values == mails.first.map { ["<\($0.message.messageID)>"] })
  }

  @Test("What becomes known while its alert can't be sent is not sent any more, nor followed up")
  func explainedBefore() async throws {
    let (court, _, domain) = try await court(.none)
    try await explainWhileUnreachable(court, domain)
    #expect(court.post.mails.count == 1)
    #expect(try await court.alerts.counts() == [.dropped: 2])
  }
}
