import CertificateTransparency
import Foundation
import MerkleTree
import OrielAccounts
import OrielAlerting
import OrielMonitor
import OrielSettings
import OrielStore
import OrielWatchlist
import Synchronization
import TestSupport
import TestWorld
import Testing

@testable import OrielContacts
@testable import OrielServer

@Suite("What is kept fresh for verdicts")
struct UpkeepTests {
  private static let me = "me@mail.example"
  private static let item = "shop.example"

  private func records(_ domains: String...) -> CAAResult {
    .found(CAASet(name: Self.item, records: domains.map { CAARecord(flags: 0, tag: "issue", value: $0) }))
  }

  /// Answers as it is told.
  private final class Resolver: Sendable {
    private let state = Mutex<(answer: CAAResult, asked: Int)>((.noRecords, 0))
    var asked: Int { state.withLock { $0.asked } }
    func answer(_ answer: CAAResult) { state.withLock { $0.answer = answer } }
    func look() -> CAAResult {
      state.withLock { state in
        state.asked += 1
        return state.answer
      }
    }
  }

  private func watch(_ court: Courtroom, _ resolver: Resolver) -> CAAWatch {
    CAAWatch(court.store, court.alerts, now: { court.now }) { _ in resolver.look() }
  }

  @Test("CAA records are looked up once a day, and a change is told, once; what can't be found out changes nothing")
  func caa() async throws {
    let (court, resolver) = (try await Courtroom(), Resolver())
    let account = try await court.account("alpha")
    let domain = try await court.domain(account, telling: [Self.me])
    let items = try await court.service.watchedItems()
    let watch = watch(court, resolver)
    resolver.answer(records("one.example"))
    for _ in 0..<3 { #expect(try await !watch.look(at: items)) }
    #expect(resolver.asked == 1)
    #expect(try await court.accounts.domain(account, domain.id).seenCAA == [#"0 issue "one.example""#])
    court.pass(Courtroom.day)
    resolver.answer(.notKnown(CAAFailure(name: Self.item, reason: .timedOut)))
    #expect(try await !watch.look(at: items))
    court.pass(Courtroom.hour)
    resolver.answer(records("one.example", "two.example"))
    #expect(try await watch.look(at: items))
    #expect(resolver.asked == 3)
    // As if it had been stopped before the change was noted.
    _ = try await court.service.foundCAA([#"0 issue "one.example""#], for: domain.id)
    #expect(try await self.watch(court, resolver).look(at: items))
    try await court.settle()
    #expect(court.post.subjects == ["[Oriel] The CAA records of shop.example have changed"])
    #expect(court.post.mails.first?.text.contains(#"Now 0 issue "one.example" 0 issue "two.example""#) == true)
    try await court.turnOff(domain, of: account)
    #expect(try await court.service.watchedItems().isEmpty)
  }

  @Test("A change of CAA records for what the file watches is told to those in the file")
  func configuredCAA() async throws {
    let (court, resolver) = (try await Courtroom(), Resolver())
    let account = try await court.account("alpha")
    try await court.service.mirror([ConfiguredDomain(try WatchedItem(parsing: Self.item))], in: account.account)
    let target = AlertTarget(recipient: "me", target: "test:me")
    court.routes.replace(with: AlertRoutes(standard: [target], channels: [:]))
    let (items, watch) = (try await court.service.watchedItems(), watch(court, resolver))
    for domain in ["one.example", "two.example"] {
      resolver.answer(records(domain))
      _ = try await watch.look(at: items)
      court.pass(Courtroom.day)
    }
    try await court.settle()
    let told = try await court.alerts.deliveries(limit: 10)
    #expect(told.map(\.recipient) == ["me"] && told.map(\.alert.kind) == [.caaChange])
  }

  @Test(
    "Records survive being kept as text",
    arguments: [
      ("issue", "ca.example"), ("issue", ";"), ("issuewild", #"ca.example; accounturi="x\y""#), ("iodef", ""),
    ])
  func text(_ tag: String, _ value: String) {
    let record = CAARecord(flags: 0, tag: tag, value: value)
    #expect(CAAText.lines([record]).map(CAAText.record) == [record])
  }

  @Test("Records that can't be read let nobody issue", arguments: ["", "0", "x issue \"a\"", "0 issue a"])
  func unreadable(_ line: String) { #expect(CAAText.record(line).isCritical) }

  @Test("Certificates in a folder are known when they are sighted, for the operator's domains and nobody else's")
  func folder() async throws {
    let court = try await Courtroom()
    let (owner, other) = (try await court.account("owner"), try await court.account("other"))
    let (own, others) = (try await court.domain(owner), try await court.domain(other))
    let pair = try court.issue()
    let folder = court.folder.path + "/live/shop.example"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let text = ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined()
    let settings = try ConfigurationLoader(environment: [:], overrides: [:]) { _ in "" }.load(
      "dashboard: {listen: '127.0.0.1:0'}\ninventory: [{item: shop.example, folder: \(court.folder.path)/live, complete: yes}]\n",
      file: "/etc/oriel.yaml"
    ).configuration.inventory
    let watch = InventoryWatch(court.store, court.alerts, now: { court.now })
    try await watch.look(into: settings, of: owner.account)
    #expect(try await court.service.inventory(of: own.id).isEmpty)
    try text.write(toFile: folder + "/fullchain1.pem", atomically: true, encoding: .utf8)
    try await watch.look(into: settings, of: owner.account)
    #expect(try await court.service.inventory(of: own.id).contains { $0.source.hasPrefix("certbot: ") })
    #expect(try await court.service.inventory(of: others.id).isEmpty)
    #expect(try await court.alerts.judgingSettings(of: own.id.value).isInventoryComplete)
    let (known, strange) = (try await court.sight(pair), try await court.sight(try court.issue(days: 91)))
    try await court.settle()
    #expect(try await court.judgement(known, of: own).level == .known)
    #expect(try await court.judgement(strange, of: own).reasons.contains("not-in-inventory"))
    #expect(try await court.judgement(known, of: others).level == .unexplained)
  }

  @Test("A folder that does not answer keeps nobody waiting and is reported; what is in it is taken when it comes")
  func silentFolder() async throws {
    let court = try await Courtroom()
    let owner = try await court.account("owner")
    let own = try await court.domain(owner)
    let pair = try court.issue()
    let live = court.folder.path + "/live"
    try FileManager.default.createDirectory(atPath: live, withIntermediateDirectories: true)
    try PEM.encode(pair.certificate).write(toFile: live + "/a.pem", atomically: true, encoding: .utf8)
    let folder = Configuration.InventoryFolder(
      item: try WatchedItem(parsing: "shop.example"), folder: live, isComplete: false)
    let watch = InventoryWatch(
      court.store, court.alerts, pause: .zero, patience: .init(inQuestion: .zero, otherwise: .zero),
      now: { court.now })
    try await watch.look(into: [folder], of: owner.account)
    #expect(await watch.listings[live]??.contains("no answer in 0 s") == true)
    #expect(await watch.problems(of: "shop.example")[live] != nil)
    #expect(try await !watch.lookAgain(for: own, since: court.now))
    try await eventually { try await !court.service.inventory(of: own.id).isEmpty }
    try await eventually { await watch.listings == [live: nil] }
    #expect(await watch.problems(of: "shop.example").isEmpty)
    #expect(try await watch.lookAgain(for: own, since: court.now))
  }

  @Test("A folder is read again when somebody asks, unless it was since; one that can't be read says so")
  func lookAgain() async throws {
    let court = try await Courtroom()
    let owner = try await court.account("owner")
    let (own, other) = (try await court.domain(owner), try await court.domain(owner, "other.example"))
    let stranger = try await court.domain(try await court.account("stranger"))
    let live = court.folder.path + "/live"
    let folders = try ["shop.example", "other.example"].map { item in
      Configuration.InventoryFolder(item: try WatchedItem(parsing: item), folder: live, isComplete: false)
    }
    let watch = InventoryWatch(court.store, court.alerts, pause: .zero, now: { court.now })
    await watch.watch(folders, of: owner.account)
    #expect(try await !watch.lookAgain(for: own, since: court.now))
    #expect(await watch.listings == [live: "\(live): No such file or directory"])
    try FileManager.default.createDirectory(atPath: live, withIntermediateDirectories: true)
    court.pass(1)
    #expect(try await watch.lookAgain(for: own, since: court.now))
    #expect(await watch.listings == [live: nil])
    let pair = try court.issue(["www.shop.example", "www.other.example"])
    let text = ([pair.certificate] + pair.chain).map { PEM.encode($0) }.joined()
    try text.write(toFile: live + "/fullchain1.pem", atomically: true, encoding: .utf8)
    // Not since it was read at that moment.
    #expect(try await watch.lookAgain(for: own, since: court.now))
    #expect(try await court.service.inventory(of: own.id).isEmpty)
    #expect(try await watch.lookAgain(for: own, since: court.now + 1))
    #expect(try await !watch.lookAgain(for: stranger, since: court.now + 1))
    // What is new in it is new for all items that it is for.
    for domain in [own, other] { #expect(try await court.service.inventory(of: domain.id).count == 2) }
    #expect(try await court.service.inventory(of: stranger.id).isEmpty)
  }

  @Test("What the file watches is in an account that is nobody's, until somebody wants to see it")
  func configurationAccount() async throws {
    let court = try await Courtroom()
    let items = [try WatchedItem(parsing: Self.item)]
    let domains = items.map { ConfiguredDomain($0) }
    let shown = ConfigurationAccount(court.store)
    let account = try await shown.show(domains, owner: nil)
    #expect(try await court.service.watchedItems() == items)
    #expect(try await court.accounts.members(.machine(account)).isEmpty)
    // Who makes the first account, by whatever way, gets this one.
    #expect(try await SignIn(court.store).firstStart() != nil)
    #expect(try await court.account("first").account == account)
    #expect(try await court.accounts.account(.machine(account)).name == "first")
    #expect(try await SignIn(court.store).firstStart() == nil)
    #expect(try await court.account("other").account != account)
    let before = try await court.store.generation()
    #expect(try await shown.show(domains, owner: "operator@mail.example") == account)
    #expect(try await court.accounts.members(.machine(account)).map(\.address) == ["owner@first.example"])
    #expect(try await court.store.generation() == before)
    #expect(try await shown.show([], owner: nil) == account)
    #expect(try await court.service.watchedItems().isEmpty)
    // The next account is somebody else's, and is shown nothing; nor does it get what is made in place of this one.
    try await court.service.removeAccount(account)
    let restarted = ConfigurationAccount(court.store)
    let next = try await restarted.show(domains, owner: nil)
    let third = try await court.account("third").account
    #expect(Set([account, next, third]).count == 3)
    #expect(try await court.accounts.domains(.machine(third)).isEmpty)
    #expect(try await court.service.watchedItems() == items)
    #expect(try await restarted.show(domains, owner: "operator@mail.example") == next)
    #expect(try await court.accounts.members(.machine(next)).map(\.address) == ["operator@mail.example"])
  }

  @Test("An account that the file names an owner for is theirs from the beginning, and is made once")
  func namedOwner() async throws {
    let court = try await Courtroom()
    let domains = [ConfiguredDomain(try WatchedItem(parsing: Self.item))]
    let shown = ConfigurationAccount(court.store)
    let account = try await shown.show(domains, owner: "operator@mail.example")
    let accounts = try await withThrowingTaskGroup(of: AccountID.self) { group in
      for _ in 0..<8 {
        group.addTask { try await ConfigurationAccount(court.store).show(domains, owner: "operator@mail.example") }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(accounts == [account])
    #expect(try await court.service.accounts().map(\.id) == [account])
    #expect(try await court.accounts.members(.machine(account)).map(\.role) == [.owner])
  }

  @Test("What the file says of an inventory wins over what it says of a folder")
  func completeInventory() async throws {
    let court = try await Courtroom()
    var wanted = ConfiguredDomain(try WatchedItem(parsing: Self.item))
    wanted.isInventoryComplete = true
    let account = try await ConfigurationAccount(court.store).show([wanted], owner: nil)
    let domain = try #require(try await court.accounts.domains(.machine(account)).first)
    let watch = InventoryWatch(court.store, court.alerts, now: { court.now })
    for isComplete in [true, false] {
      let folder = Configuration.InventoryFolder(
        item: wanted.item, folder: court.folder.path, isComplete: isComplete)
      try await watch.look(into: [folder], of: account)
      #expect(try await court.accounts.domain(.machine(account), domain.id).isInventoryComplete)
    }
  }

  @Test(
    "An item is hit by its names",
    arguments: [
      ("a.example", "a.example", true), ("a.example", "x.a.example", true), ("a.example", "xa.example", false),
      ("=w.a.example", "w.a.example", true), ("=w.a.example", "*.a.example", true),
      ("=w.a.example", "x.a.example", false), ("192.0.2.0/24", "whatever", true),
    ])
  func hits(_ item: String, _ name: String, _ isHit: Bool) throws {
    #expect(try WatchedItem(parsing: item).isHit(by: name) == isHit)
  }
}
