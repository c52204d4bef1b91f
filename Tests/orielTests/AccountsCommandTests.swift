import CertificateTransparency
import Foundation
import OrielAccounts
import OrielStore
import TestSupport
import TestWorld
import Testing

@Suite("oriel accounts and oriel certificates")
struct AccountsCommandTests {
  private struct Listed: Decodable {
    let id: Int64
    let name, plan: String
    let owners: [String]
    let members, domains: Int
  }

  private func accounts(_ state: StoredState) async throws -> [Listed] {
    let listed = try await Command.run(["accounts", "list", "--json", "--data-dir", state.path])
    #expect(listed.status == 0, "\(listed.errors)")
    return try JSONDecoder().decode([Listed].self, from: Data(listed.output.utf8))
  }

  @Test("accounts are added, listed, put on other plans and removed, beside a state that is in use")
  func wholeWay() async throws {
    let state = try await StoredState()
    #expect(try await accounts(state).isEmpty)
    for name in ["The shop", "The mill"] {
      let added = try await Command.run(
        ["accounts", "add", name, "--owner", "Owner@mail.example", "--data-dir", state.path])
      #expect(added.status == 0 && added.output.contains(name) && added.errors.contains("owner@mail.example"))
    }
    let set = try await Command.run(["accounts", "set-plan", "2", "pro", "--data-dir", state.path])
    #expect(set.status == 0, "\(set.errors)")
    let both = try await accounts(state)
    #expect(both.map(\.name) == ["The shop", "The mill"] && both.map(\.plan) == ["enterprise", "pro"])
    #expect(both.allSatisfy { $0.owners == ["owner@mail.example"] && $0.members == 1 && $0.domains == 0 })
    let unsure = try await Command.run(["accounts", "remove", "1", "--data-dir", state.path])
    #expect(unsure.status == 64 && unsure.errors.contains("--sure"))
    #expect(try await accounts(state).count == 2)
    #expect(try await Command.run(["accounts", "remove", "1", "--sure", "--data-dir", state.path]).status == 0)
    #expect(try await accounts(state).map(\.id) == [2])
  }

  @Test(
    "what can't be done is told with the reason and its code",
    arguments: [
      (["accounts", "set-plan", "7", "pro"], Int32(65), "no account 7"),
      (["accounts", "remove", "-1", "--sure"], 64, "Usage"),
      (["accounts", "remove", "0", "--sure"], 65, "no account 0"),
      (["accounts", "set-plan", "1", "gold"], 64, "plan"),
      (["accounts", "add", "X", "--owner", "nonsense"], 64, "address: "),
      (["accounts", "add", "X\u{1b}[2J", "--owner", "a@b.example"], 64, "control characters"),
      (["certificates", "add", "/nowhere.pem"], 65, "/nowhere.pem can't be read"),
      (["certificates", "add", "/etc/hostname"], 65, "/etc/hostname: "),
    ])
  func mistakes(_ mistake: ([String], Int32, String)) async throws {
    let state = try await StoredState()
    let result = try await Command.run(mistake.0 + ["--data-dir", state.path])
    #expect(result.status == mistake.1 && result.errors.contains(mistake.2), "\(result.errors)")
    #expect(try await accounts(state).isEmpty)
  }

  @Test("a deploy hook tells of a certificate and its key, for those domains that have one of its names")
  func certificates() async throws {
    let state = try await StoredState()
    let store = AccountStore(state.database, now: { 1_770_000_000_000 })
    let actor = Actor.machine(try await AccountService(store).addAccount(name: "A", owner: "a@b.example").account.id)
    let other = Actor.machine(try await AccountService(store).addAccount(name: "B", owner: "a@b.example").account.id)
    var ids: [DomainID] = []
    for (actor, item) in [
      (actor, "shop.example"), (actor, "=www.shop.example"), (actor, "op.example"), (actor, "mill.example"),
      (other, "shop.example"),
    ] {
      ids.append(try await Accounts(store).addDomain(actor, item: item).id)
    }
    let pair = try TestAuthority().issue(CertificateRequest(["www.shop.example", "*.mill.example"]))
    let file = try state.folder.write(
      ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(), to: "fullchain.pem")
    let added = try await Command.run(["certificates", "add", file, "--data-dir", state.path])
    #expect(added.status == 0 && added.lines.count == 2, "\(added.errors)")
    var counts: [Int] = []
    for (id, actor) in zip(ids, [actor, actor, actor, actor, other]) {
      let entries = try await Accounts(store).inventory(actor, of: id)
      counts.append(entries.count)
      #expect(entries.allSatisfy { $0.source == "oriel certificates: \(file)" })
    }
    #expect(counts == [2, 2, 0, 2, 0])
    let hashes = try await Accounts(store).inventory(actor, of: ids[0]).map(\.hash)
    #expect(hashes.contains(pair.issuanceID.hash))
    let again = try await Command.run(
      ["certificates", "add", file, "--json", "--account", "2", "--data-dir", state.path])
    #expect(again.status == 0 && again.output.contains("\"shop.example\""))
    let stranger = try TestAuthority().issue(CertificateRequest(["stranger.example"]))
    let strange = try state.folder.write(PEM.encode(stranger.certificate), to: "stranger.pem")
    let none = try await Command.run(["certificates", "add", strange, "--data-dir", state.path])
    #expect(none.status == 1 && none.errors.contains("no domain"), "\(none.output)")
  }
}
