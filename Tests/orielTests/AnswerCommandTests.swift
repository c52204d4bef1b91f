import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielStore
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@Suite("oriel alerts claim, deny and acknowledge")
struct AnswerCommandTests {
  private struct Line: Decodable {
    let issuance, item, state, verdict: String
    let note: String?
  }

  /// A state in which a certificate for the file's only item was judged.
  private func judged() async throws -> (state: StoredState, store: AccountStore, domain: Domain, pair: IssuedPair) {
    let state = try await StoredState()
    let store = AccountStore(state.database, now: { Int64(StoredState.firstDay.milliseconds) })
    let service = AccountService(store)
    let account = try await service.operatorsAccount()
    try await service.mirror([ConfiguredDomain(try WatchedItem(parsing: "shop.example"))], in: account)
    let domain = try #require(try await Accounts(store).domains(.machine(account)).first)
    let pair = try await state.add(["shop.example"], day: 1)
    try await service.judge(pair.issuanceID, for: domain.id, .unexplained, isProven: false, reasons: "[]")
    return (state, store, domain, pair)
  }

  @Test(
    "what is said of a certificate is kept, for the service to take up",
    arguments: [
      ("claim", "claimed", "known"), ("deny", "denied", "unexplained"), ("acknowledge", "acknowledged", "unexplained"),
    ])
  func answers(_ word: String, _ kept: String, _ verdict: String) async throws {
    let (state, store, domain, pair) = try await judged()
    let before = try await store.generation()
    let result = try await Command.run(
      ["alerts", word, "\(pair.issuanceID)", "--note", "by hand", "--json", "--data-dir", state.path])
    #expect(result.status == 0, "\(result.errors)")
    let lines = try JSONDecoder().decode([Line].self, from: Data(result.output.utf8))
    #expect(lines.map(\.state) == [kept] && lines.map(\.verdict) == [verdict] && lines.map(\.note) == ["by hand"])
    #expect(lines.map(\.item) == ["shop.example"] && lines.map(\.issuance) == ["\(pair.issuanceID)"])
    let judgement = try await Accounts(store).judgement(.machine(domain.account), of: domain.id, pair.issuanceID)
    #expect(judgement.state.rawValue == kept && judgement.changedBy == "operator")
    #expect(try await store.generation().settings > before.settings)
    let again = try await Command.run(["alerts", word, "\(pair.issuanceID)", "--data-dir", state.path])
    #expect(again.status == 0 && again.output.hasPrefix("shop.example: the certificate for shop.example is"))
    #expect(try await Command.run(["alerts", word, "--help"]).output.contains("oriel alerts \(word) 17"))
  }

  @Test("what another account was told of stays as it is")
  func others() async throws {
    let (state, store, _, pair) = try await judged()
    let service = AccountService(store)
    _ = try await service.addAccount(name: "A", owner: "a@b.example")
    let other = Actor.machine(try await service.addAccount(name: "B", owner: "a@b.example").account.id)
    let id = try await Accounts(store).addDomain(other, item: "shop.example").id
    var change = DomainChange()
    change.isOn = true
    _ = try await Accounts(store).change(other, id, change)
    try await service.judge(pair.issuanceID, for: id, .unexplained, isProven: false, reasons: "[]")
    #expect(
      try await Command.run(["alerts", "claim", "\(pair.issuanceID)", "--data-dir", state.path]).status == 0)
    #expect(try await Accounts(store).judgement(other, of: id, pair.issuanceID).state == .new)
  }

  @Test("what can't be answered is told with the reason and its code")
  func mistakes() async throws {
    let (state, _, _, _) = try await judged()
    let unjudged = try await state.add(["shop.example"], day: 2)
    for (arguments, status, words) in [
      (["17"], Int32(65), "no alert 17"), (["x"], 64, "neither a number"), ([SHA256Hash.zero.hex], 65, "no issuance"),
      (["\(unjudged.issuanceID)"], 65, "nobody has judged"), ([], 64, "Missing"), (["-1"], 64, "Missing"),
      (["17", "--data-dir", "/nowhere"], 65, "no state in /nowhere"),
    ] {
      let place = arguments.contains("--data-dir") ? [] : ["--data-dir", state.path]
      let result = try await Command.run(["alerts", "claim"] + arguments + place)
      #expect(result.status == status && result.errors.contains(words), "\(arguments) \(result.errors)")
    }
    let long = ["alerts", "claim", "17", "--note", String(repeating: "n", count: 1001), "--data-dir", state.path]
    #expect(try await Command.run(long).status == 65)
  }
}
