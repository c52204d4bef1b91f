import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielServer
import OrielStore
import OrielVerdicts
import TestWorld
import Testing

@Suite("What is told of afterwards")
struct ToldLaterTests {
  private func key(_ pair: IssuedPair, _ names: [String]) throws -> NewInventoryEntry {
    let hash = try #require(CertificateFacts(certificate: pair.certificate).publicKeyHash)
    return NewInventoryEntry(kind: .key, hash: hash, names: names)
  }

  @Test("An unexplained certificate is known once its key is told of for its names, and not for others")
  func keys() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let pair = try court.issue()
    let issuance = try await court.sight(pair)
    try await court.settle()
    court.pass(Courtroom.hour)
    try await court.accounts.addInventory(
      account, to: domain.id, [try key(pair, ["mail.shop.example"])], source: "upload")
    try await court.router.reconsider()
    #expect(try await court.judgement(issuance, of: domain).level == .unexplained)
    #expect(try await court.judgement(issuance, of: domain).reasons.contains("key-for-other-names"))
    // It is not looked at for ever.
    court.pass(2 * 60_000)
    try await court.router.reconsider()
    #expect(try await court.alerts.toldAfterwards(now: court.now).isEmpty)
    try await court.accounts.addInventory(
      account, to: domain.id, [try key(pair, ["www.shop.example"])], source: "upload")
    #expect(try await court.alerts.toldAfterwards(now: court.now).map(\.issuance) == [issuance])
    try await court.router.reconsider()
    let judgement = try await court.judgement(issuance, of: domain)
    #expect(judgement.level == .known && judgement.reasons.contains("key-bound-to-names"))
    #expect(try await court.alerts.toldAfterwards(now: court.now).isEmpty)
  }

  @Test("What was judged while the clock was ahead is judged again by what becomes known once it is right")
  func clockAhead() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let pair = try court.issue()
    court.pass(10 * Courtroom.day)
    let issuance = try await court.sight(pair)
    try await court.settle()
    try await court.router.reconsider()
    court.pass(-10 * Courtroom.day)
    try await court.accounts.addInventory(
      account, to: domain.id, [try key(pair, ["www.shop.example"])], source: "upload")
    try await court.router.reconsider()
    #expect(try await court.judgement(issuance, of: domain).level == .known)
  }

  @Test("A key that was taken out and is told of again counts again")
  func back() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    let pair = try court.issue()
    let entry = try key(pair, ["www.shop.example"])
    try await court.accounts.addInventory(account, to: domain.id, [entry], source: "upload")
    let stored = try #require(try await court.accounts.inventory(account, of: domain.id).first)
    try await court.accounts.removeInventory(account, stored.id, of: domain.id)
    court.pass(Courtroom.day)
    let issuance = try await court.sight(pair)
    try await court.settle()
    court.pass(Courtroom.day)
    #expect(try await court.alerts.toldAfterwards(now: court.now).isEmpty)
    try await court.accounts.addInventory(account, to: domain.id, [entry], source: "upload")
    try await court.router.reconsider()
    #expect(try await court.judgement(issuance, of: domain).level == .known)
    let sightings = try await court.accounts.lastSightings(
      account, of: domain.id, try await court.accounts.inventory(account, of: domain.id))
    #expect(sightings[stored.id] == court.now - Courtroom.day)
  }

  @Test("A certificate from before there was a history is known once it is told of; what was denied stays denied")
  func noHistory() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let (one, two) = (try court.issue(), try court.issue(["mail.shop.example"]))
    let (first, second) = (try await court.sight(one), try await court.sight(two))
    try await court.settle()
    #expect(try await court.judgement(first, of: domain).level == .noHistory)
    _ = try await court.accounts.setState(account, of: domain.id, second, to: .denied)
    try await court.tell(one, of: domain)
    try await court.tell(two, of: domain)
    try await court.router.reconsider()
    #expect(try await court.judgement(first, of: domain).level == .known)
    #expect(try await court.judgement(second, of: domain).level == .noHistory)
  }

  @Test("In a complete inventory, what is not in it is unexplained, whatever else speaks for it")
  func complete() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    var change = DomainChange()
    change.isInventoryComplete = true
    #expect(try await court.accounts.change(account, domain.id, change).isInventoryComplete)
    let told = try court.issue()
    try await court.tell(told, of: domain)
    let (known, strange) = (try await court.sight(told), try await court.sight(try court.issue(from: 45)))
    try await court.settle()
    #expect(try await court.judgement(known, of: domain).level == .known)
    let judgement = try await court.judgement(strange, of: domain)
    #expect(judgement.level == .unexplained && judgement.reasons.contains("not-in-inventory"))
  }
}
