import CertificateTransparency
import Foundation
import OrielAccounts
import OrielStore
import OrielWatchlist
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

  @Test(
    "an account with much in it goes in many steps, and a removal that is killed is gone on with",
    arguments: [false, true])
  func killedRemoval(isKilled: Bool) async throws {
    let state = try await StoredState()
    let store = AccountStore(state.database, now: { 1_770_000_000_000 })
    let account = try await AccountService(store).addAccount(name: "Big", owner: "a@b.example").account.id
    let domain = try await Accounts(store).addDomain(.machine(account), item: "shop.example").id
    try await state.database.transaction { connection in
      try connection.execute(
        """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO judgements (issuance, domain_id, account_id, first_seen, verdict, is_proven, reasons, at)
        SELECT i, \(domain), \(account), i, 'known', 0, '[]', 0 FROM n
        """)
    }
    let count = { () async throws -> Int64 in
      try await state.database.read { try $0.query("SELECT count(*) FROM judgements").first?.integer(0) ?? -1 }
    }
    if isKilled {
      let command = try Command(["accounts", "remove", "\(account)", "--sure", "--data-dir", state.path])
      while try await count() == 20000 { try await Task.sleep(for: .milliseconds(1)) }
      command.send(SIGKILL)
      _ = try await command.finish()
      #expect(try await count() > 0)
      #expect(try await accounts(state).isEmpty)
      let listed = try await Command.run(["accounts", "list", "--data-dir", state.path])
      #expect(listed.errors.contains("\(account), Big, is being removed"), "\(listed.errors)")
    }
    let removed = try await Command.run(["accounts", "remove", "\(account)", "--sure", "--data-dir", state.path])
    #expect(removed.status == 0 && removed.output.contains("removed: \(account)"), "\(removed.errors)")
    #expect(try await count() == 0)
    #expect(
      try await Command.run(["accounts", "remove", "\(account)", "--sure", "--data-dir", state.path]).status == 65)
  }

  @Test("a state that an older service runs on is left alone, by what writes and by what reads")
  func outdatedService() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(
      PEM.encode(try TestAuthority().issue(CertificateRequest(["shop.example"])).certificate), to: "cert.pem")
    let directory = try DataDirectory(folder.path + "/data")
    let database = try SQLiteDatabase(path: directory.databasePath, migrations: Migrations.all.dropLast())
    for command in [
      ["accounts", "list"], ["accounts", "add", "X", "--owner", "a@b.example"], ["certificates", "add", file],
      ["alerts", "retry"], ["search", "shop.example"],
    ] {
      let result = try await Command.run(command + ["--data-dir", directory.path])
      #expect(result.status == 73 && result.errors.contains("restart `oriel serve`"), "\(command) \(result.errors)")
    }
    let version = try await database.read { try $0.query("PRAGMA user_version").first?.integer(0) }
    #expect(version == Int64(Migrations.all.count - 1))
    withExtendedLifetime(directory.path) {}
  }

  @Test("a deploy hook tells what the configuration file watches, whoever has no account")
  func certificatesWithoutOwner() async throws {
    let state = try await StoredState()
    let store = AccountStore(state.database, now: { 1_770_000_000_000 })
    let service = AccountService(store)
    let account = try await service.operatorsAccount()
    let items = try ["=www.shop.example", "mill.example"].map { ConfiguredDomain(try WatchedItem(parsing: $0)) }
    try await service.mirror(items, in: account)
    let pair = try TestAuthority().issue(CertificateRequest(["*.shop.example"]))
    let file = try state.folder.write(([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(), to: "c.pem")
    let added = try await Command.run(["certificates", "add", file, "--data-dir", state.path])
    #expect(added.status == 0 && added.lines.count == 2, "\(added.errors)")
    #expect(added.lines.allSatisfy { $0.hasSuffix(": =www.shop.example") }, "\(added.output)")
    #expect(try await accounts(state).map(\.members) == [0])
    let listed = try await Command.run(["accounts", "list", "--data-dir", state.path])
    #expect(listed.output.contains("of nobody"))
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
      (actor, "=www.mill.example"), (actor, "=a.www.mill.example"), (actor, "=mill.example"), (other, "shop.example"),
      (other, "=www.mill.example"), (actor, "ftp.mill.example"), (actor, "192.0.2.1"), (actor, "192.0.2.2"),
    ] {
      ids.append(try await Accounts(store).addDomain(actor, item: item).id)
    }
    var request = CertificateRequest(["www.shop.example", "*.mill.example"])
    request.ipAddresses = [[192, 0, 2, 1]]
    let pair = try TestAuthority().issue(request)
    let file = try state.folder.write(
      ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined(), to: "fullchain.pem")
    let added = try await Command.run(["certificates", "add", file, "--data-dir", state.path])
    #expect(added.status == 0 && added.lines.count == 2, "\(added.errors)")
    var counts: [Int] = []
    for (id, actor) in zip(ids, Array(repeating: actor, count: 7) + [other, other, actor, actor, actor]) {
      let entries = try await Accounts(store).inventory(actor, of: id)
      counts.append(entries.count)
      #expect(entries.allSatisfy { $0.source == "oriel certificates: \(file)" })
    }
    #expect(counts == [2, 2, 0, 2, 2, 0, 0, 0, 0, 2, 2, 0])
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
