import CertificateTransparency
import MerkleTree
import OrielAccounts
import OrielStore
import OrielVerdicts
import TestWorld
import Testing

@testable import OrielServer

@Suite("What an inventory's certificates are compared with")
struct InventoryHistoryTests {
  /// Puts certificates into the inventory, as an upload or a folder does: with their chains, or alone.
  private func add(_ pairs: [IssuedPair], to domain: Domain, in court: Courtroom, withChain: Bool = true) async throws {
    for pair in pairs {
      let text = withChain ? pair.bundle : PEM.encode(pair.certificate)
      let found = FoundCredentials(upload: Array(text.utf8))
      try await court.service.found(found.entries.map { NewInventoryEntry($0) }, for: domain.id, source: "folder")
    }
  }

  private func reasons(_ issuance: IssuanceID, of domain: Domain, in court: Courtroom) async throws -> [String] {
    StoredReason.read(try await court.judgement(issuance, of: domain).reasons).map(\.code)
  }

  @Test(
    "Names, issuers and keys of certificates that no log has shown count as accepted, and nothing else is said of them",
    arguments: [true, false])
  func accepted(knowsOwner: Bool) async throws {
    let court = try await Courtroom()
    if knowsOwner { try court.learnOwners() }
    let domain = try await court.domain(try await court.account("alpha"))
    let names = ["shop.example", "www.shop.example"]
    try await add([try court.issue(names, from: -60, key: Courtroom.key)], to: domain, in: court)

    let renewal = try await court.sight(try court.issue(names))
    let part = try await court.sight(try court.issue(["www.shop.example"]))
    let stranger = try await court.sight(try court.issue(names, by: "Lagoon Certificates"))
    try await court.settle()
    // It was due, and comes from the same issuer.
    #expect(try await court.judgement(renewal, of: domain).level == .expected)
    let found = try await reasons(renewal, of: domain, in: court)
    #expect(Set(found).isSuperset(of: ["same-names", "usual-rhythm", "same-CA", "new-key"]))
    for code in ["other-set-of-names", "unknown-issuer", "other-CA", "new-name", "new-issuer"] {
      #expect(!found.contains(code), "\(code)")
    }
    #expect(try await reasons(part, of: domain, in: court).contains("other-set-of-names"))
    let strange = try await reasons(stranger, of: domain, in: court)
    #expect(strange.contains("unknown-issuer"))
  }

  @Test("Without its chain, a certificate's issuer is not known, and neither is it said that there is none")
  func noChain() async throws {
    let court = try await Courtroom()
    let domain = try await court.domain(try await court.account("alpha"))
    let names = ["shop.example", "www.shop.example"]
    try await add([try court.issue(names, from: -60)], to: domain, in: court, withChain: false)
    let next = try await court.sight(try court.issue(names))
    try await court.settle()
    let found = try await reasons(next, of: domain, in: court)
    #expect(!found.contains("other-set-of-names") && !found.contains("new-name"))
    let sentences = StoredReason.read(try await court.judgement(next, of: domain).reasons).map(\.sentence)
    #expect(sentences.contains { $0.contains("is known to have been signed with the same key") })
  }

  @Test("A certificate makes room for one that renews it, however many times it was told of")
  func once() async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let old = try court.issue(from: -60)
    let found = FoundCredentials(upload: Array(old.bundle.utf8)).certificates
    _ = try await Baseline(court.database, owners: nil).add(found, to: domain)
    let shown = Set(try await Baseline(court.database, owners: nil).list(of: domain).map(\.id))
    // It goes into the inventory, too; and a folder has it.
    try await court.accounts.confirmBaseline(account, domain.id, shown: shown, kept: shown)
    try await add([old], to: domain, in: court)
    let (first, second) = (try await court.sight(try court.issue()), try await court.sight(try court.issue()))
    try await court.settle()
    let levels = [
      try await court.judgement(first, of: domain).level, try await court.judgement(second, of: domain).level,
    ]
    #expect(levels == [.expected, .unexplained])
  }

  @Test(
    "What was seen and then confirmed makes room for one that renews it, whoever judges it again first",
    arguments: [true, false])
  func confirmed(isByPage: Bool) async throws {
    let court = try await Courtroom()
    try court.learnOwners()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, hasBaseline: false)
    let old = try await court.sight(try court.issue(from: -60))
    try await court.settle()
    #expect(try await court.judgement(old, of: domain).level == .noHistory)
    court.pass(Courtroom.hour)
    try await court.accounts.confirmBaseline(account, domain.id, shown: [], kept: [])
    if isByPage {
      let confirmed = try #require(try await court.service.routes(for: domain.item).first?.domain)
      try await Judge(court.store, court.database, owners: { nil }).judgeAgain(confirmed)
    }
    try await court.router.reconsider()
    #expect(try await court.judgement(old, of: domain).level == .known)
    let (first, second) = (try await court.sight(try court.issue()), try await court.sight(try court.issue()))
    try await court.settle()
    let levels = [
      try await court.judgement(first, of: domain).level, try await court.judgement(second, of: domain).level,
    ]
    #expect(levels == [.expected, .unexplained])
  }

  @Test("A mail says that an issuer was accepted if a certificate in the inventory is from it")
  func mail() async throws {
    let court = try await Courtroom()
    let domain = try await court.domain(try await court.account("alpha"), telling: ["me@mail.example"])
    try await add([try court.issue(["mail.shop.example"], from: -20)], to: domain, in: court)
    try await court.sight(try court.issue(["a.shop.example"]))
    try await court.settle()
    court.pass(Courtroom.hour)
    try await court.sight(try court.issue(["b.shop.example"]))
    try await court.settle()
    let text = try #require(court.post.mails.last).text
    #expect(text.contains("Among those that you accepted are some from the same issuer."))
    #expect(!text.contains("None that you accepted"))
  }
}
