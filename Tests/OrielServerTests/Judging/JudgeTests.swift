import CertificateTransparency
import OrielAccounts
import OrielStore
import Synchronization
import TestWorld
import Testing

@testable import OrielServer

@Suite("The judge")
struct JudgeTests {
  /// A database in which something happens at one of the next reads.
  private final class Meddler: SQLDatabase {
    private let database: any SQLDatabase
    private let event = Mutex<(countdown: Int, act: @Sendable () async throws -> Void)?>(nil)

    init(_ database: any SQLDatabase) { self.database = database }

    func meddle(atRead number: Int, _ act: @escaping @Sendable () async throws -> Void) {
      event.withLock { $0 = (number, act) }
    }

    var hasMeddled: Bool { event.withLock { $0 == nil } }

    func read<Value: Sendable>(
      _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
      let act = event.withLock { event -> (@Sendable () async throws -> Void)? in
        event?.countdown -= 1
        guard let due = event, due.countdown == 0 else { return nil }
        event = nil
        return due.act
      }
      if let act { try await act() }
      return try await database.read(body)
    }

    func transaction<Value: Sendable>(
      _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
      try await database.transaction(body)
    }
  }

  private func confirm(_ domain: Domain, in court: Courtroom) async throws -> Domain {
    var change = DomainChange()
    change.isBaselineConfirmed = true
    return try await court.accounts.change(.machine(domain.account), domain.id, change)
  }

  @Test(
    "What one task read before a change of settings is not kept for what another judges after it", arguments: 1...5)
  func change(atRead number: Int) async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let before = try await court.domain(account, hasBaseline: false)
    var pairs: [IssuanceID] = []
    for name in ["a", "b", "c"] { pairs.append(try await court.sight(try court.issue([name + ".shop.example"]))) }
    let issuances = pairs
    let meddler = Meddler(court.database)
    let judge = Judge(court.store, meddler, owners: { nil })
    meddler.meddle(atRead: number) {
      let after = try await confirm(before, in: court)
      #expect(try await judge.judge(issuances[1], for: after).level == .unexplained)
    }
    _ = try await judge.judge(issuances[0], for: before)
    try #require(meddler.hasMeddled)
    let after = try await court.accounts.domain(account, before.id)
    #expect(try await judge.judge(issuances[2], for: after).level == .unexplained)
  }

  @Test("Who asks with settings as they were gets a verdict by those that are, and leaves nothing behind")
  func oldDomain() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let before = try await court.domain(account, hasBaseline: false)
    let (first, second) = (
      try await court.sight(try court.issue(["a.shop.example"])),
      try await court.sight(try court.issue(["b.shop.example"]))
    )
    let judge = Judge(court.store, court.database, owners: { nil })
    let after = try await confirm(before, in: court)
    #expect(try await judge.judge(first, for: before).level == .unexplained)
    #expect(try await judge.judge(second, for: after).level == .unexplained)
  }

  @Test("Of two that are accepted at once, both are remembered")
  func both() async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.domain(account)
    var pairs: [IssuedPair] = []
    for name in ["a", "b"] { pairs.append(try court.issue([name + ".shop.example"])) }
    for pair in pairs {
      let names = CertificateFacts(certificate: pair.certificate).text(of: .dnsName)
      let entry = NewInventoryEntry(kind: .certificate, hash: pair.issuanceID.hash, names: names)
      try await court.service.found([entry], for: domain.id, source: "upload")
      try await court.sight(pair)
    }
    let issuances = pairs.map(\.issuanceID)
    let meddler = Meddler(court.database)
    let judge = Judge(court.store, meddler, owners: { nil })
    // The last read before it decides.
    meddler.meddle(atRead: 5) {
      let level = try await judge.judge(issuances[0], for: domain).level
      #expect(level == .known)
    }
    #expect(try await judge.judge(issuances[1], for: domain).level == .known)
    try #require(meddler.hasMeddled)
    court.pass(70 * Courtroom.day)
    for name in ["a", "b"] {
      let renewal = try await court.sight(try court.issue([name + ".shop.example"]))
      #expect(try await judge.judge(renewal, for: domain).level == .expected, "\(name)")
    }
  }
}
