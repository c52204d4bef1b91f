import CertificateTransparency
import Foundation
import MerkleTree
import OrielStore
import TestWorld
import Testing

@testable import OrielAccounts

/// An account with one of everything, and somebody else's.
struct Neighbours: Sendable {
  let registry: Registry
  let owner: Actor
  let stranger: Actor
  let domain: DomainID
  let issuance: IssuanceID
  let recipient: RecipientID
  let member: Member
  let inventory: InventoryID
  let mute: MuteID
  let token: TokenID

  init() async throws {
    registry = try await Registry { $0.confirmationsPerAddress = 1000 }
    let accounts = registry.accounts
    owner = try await registry.account("alpha")
    stranger = try await registry.account("beta")
    domain = try await registry.domain(owner, "alpha.example")
    _ = try await registry.domain(stranger, "beta.example")
    recipient = try await accounts.addRecipient(owner, to: domain, address: "hear@alpha.example").recipient.id
    member = try await accounts.addMember(owner, address: "second@alpha.example", role: .member).member
    let entry = NewInventoryEntry(kind: .key, hash: SHA256Hash.hash([1]), names: ["alpha.example"])
    try await accounts.addInventory(owner, to: domain, [entry], source: "alpha test")
    inventory = try #require(try await accounts.inventory(owner, of: domain).first).id
    mute = try await accounts.mute(owner, domain, .name("m.alpha.example"), until: registry.now + Registry.day).id
    token = try await accounts.addToken(owner, name: "alpha token", scopes: [.read]).token.id
    let pair = try await registry.sight(["www.alpha.example"], item: "alpha.example")
    issuance = pair.issuanceID
    try await registry.service.judge(issuance, for: domain, .unexplained, isProven: false, reasons: "[]")
    _ = try await registry.service.foundCAA(["0 issue \"ca.example\""], for: domain)
  }

  /// Everything of the first account, as its owner sees it.
  func snapshot() async throws -> String {
    let (accounts, all) = (registry.accounts, Actor.machine(owner.account))
    let parts: [Any] = [
      try await accounts.account(all), try await accounts.members(all), try await accounts.domains(all),
      try await accounts.recipients(all, of: domain), try await accounts.inventory(all, of: domain),
      try await accounts.mutes(all, of: domain), try await accounts.tokens(all),
      try await accounts.history(all).results, try await accounts.audit(all, limit: 1000),
    ]
    return parts.map { "\($0)" }.joined(separator: "\n")
  }
}

/// Something that can be done, tried on what belongs to the first account.
struct Operation: Sendable, CustomTestStringConvertible {
  let name: String
  let permission: Permission
  let run: @Sendable (Accounts, Actor, Neighbours) async throws -> Any

  var testDescription: String { name }

  func isFor(_ scope: Scope) -> Bool { scope.permissions.contains(permission) }

  private static func query() throws -> IssuanceQuery {
    var query = IssuanceQuery()
    query.name = try SearchName(parsing: "alpha.example")
    return query
  }

  private static func on() -> DomainChange {
    var change = DomainChange()
    change.isOn = false
    change.delivery = [.known: .weekly]
    change.watchesLookalikes = true
    change.lookalikeDelivery = .weekly
    change.isBaselineConfirmed = true
    change.allowedOwners = ["Alpha CA"]
    return change
  }

  static let all: [Operation] = [
    Operation(name: "account", permission: .read) { try await $0.account($1) + $2.nothing },
    Operation(name: "rename", permission: .manage) { try await $0.rename($1, to: "other") + $2.nothing },
    Operation(name: "members", permission: .read) { try await $0.members($1) + $2.nothing },
    Operation(name: "addMember", permission: .manage) {
      try await $0.addMember($1, address: "third@beta.example", role: .viewer) + $2.nothing
    },
    Operation(name: "confirmAgain", permission: .manage) { try await $0.confirmAgain($1, member: $2.member.id) },
    Operation(name: "change role", permission: .manage) {
      try await $0.change($1, member: $2.member.id, role: .viewer)
    },
    Operation(name: "change lock", permission: .manage) {
      try await $0.change($1, member: $2.member.id, isLocked: true)
    },
    Operation(name: "removeMember", permission: .manage) { try await $0.removeMember($1, $2.member.id) },
    Operation(name: "audit", permission: .manage) { try await $0.audit($1) + $2.nothing },
    Operation(name: "domains", permission: .read) { try await $0.domains($1) + $2.nothing },
    Operation(name: "domainCount", permission: .read) { try await $0.domainCount($1).all + $2.nothing },
    Operation(name: "domain", permission: .read) { try await $0.domain($1, $2.domain) },
    Operation(name: "addDomain", permission: .write) {
      try await $0.addDomain($1, item: "new.example") + $2.nothing
    },
    Operation(name: "change", permission: .write) { try await $0.change($1, $2.domain, on()) },
    Operation(name: "confirmCAA", permission: .write) {
      try await $0.confirmCAA($1, $2.domain, ["0 issue \"ca.example\""])
    },
    Operation(name: "confirmBaseline", permission: .write) {
      try await $0.confirmBaseline($1, $2.domain, shown: [], kept: [])
    },
    Operation(name: "removeDomain", permission: .write) { try await $0.removeDomain($1, $2.domain) },
    Operation(name: "lookalikes", permission: .read) { try await $0.lookalikes($1, of: $2.domain) },
    Operation(name: "lookalikeCount", permission: .read) { try await $0.lookalikeCount($1, of: $2.domain) },
    Operation(name: "lookalikes in", permission: .read) {
      try await $0.lookalikes($1, in: $2.issuance).count + $2.nothing
    },
    Operation(name: "recipients", permission: .read) { try await $0.recipients($1, of: $2.domain) },
    Operation(name: "addRecipient", permission: .write) {
      try await $0.addRecipient($1, to: $2.domain, address: "more@beta.example")
    },
    Operation(name: "confirmAgain", permission: .write) {
      try await $0.confirmAgain($1, recipient: $2.recipient, of: $2.domain)
    },
    Operation(name: "removeRecipient", permission: .write) {
      try await $0.removeRecipient($1, $2.recipient, of: $2.domain)
    },
    Operation(name: "history", permission: .read) { try await $0.history($1).results + $2.nothing },
    Operation(name: "history", permission: .read) { try await $0.history($1, of: $2.domain) },
    Operation(name: "historyCount", permission: .read) { try await $0.historyCount($1, of: $2.domain) },
    Operation(name: "monthlyCounts", permission: .read) { try await $0.monthlyCounts($1, of: $2.domain, from: "") },
    Operation(name: "verdictCounts", permission: .read) { try await $0.verdictCounts($1, of: $2.domain, since: 0) },
    Operation(name: "judgement", permission: .read) { try await $0.judgement($1, of: $2.domain, $2.issuance) },
    Operation(name: "judgements", permission: .read) { try await $0.judgements($1, of: $2.issuance) + $2.nothing },
    Operation(name: "judgements", permission: .read) {
      try await $0.judgements($1, of: [1]).values.map(\.item) + $2.nothing
    },
    Operation(name: "happenings", permission: .read) { try await $0.happenings($1, of: $2.issuance) + $2.nothing },
    Operation(name: "current", permission: .read) {
      try await $0.current($1, of: $2.domain, after: ExpiryCursor("9-9")).results
    },
    Operation(name: "currentCount", permission: .read) { try await $0.currentCount($1, of: $2.domain, upTo: 9) },
    Operation(name: "renewed", permission: .read) { try await $0.renewed($1, of: $2.domain, []) },
    Operation(name: "dueCount", permission: .read) { try await $0.dueCount($1, of: $2.domain, upTo: 9) },
    Operation(name: "arrivals", permission: .read) {
      try await $0.arrivals($1, after: 0).judgements.map(\.judgement) + $2.nothing
    },
    Operation(name: "record", permission: .read) { try await $0.record($1, $2.issuance) },
    Operation(name: "search", permission: .read) { try await $0.search($1, query()).results + $2.nothing },
    Operation(name: "searchCounted", permission: .read) {
      let found = try await $0.searchCounted($1, query(), ceiling: nil)
      return (found.page, found.count) + $2.nothing
    },
    Operation(name: "setState", permission: .write) {
      try await $0.setState($1, of: $2.domain, $2.issuance, to: .claimed, note: "mine")
    },
    Operation(name: "inventory", permission: .read) { try await $0.inventory($1, of: $2.domain) },
    Operation(name: "waiting", permission: .read) {
      let waiting = try await $0.waiting($1)
      return waiting.beginnings.count + waiting.changedCAA.count + waiting.bounced.count + $2.nothing
    },
    Operation(name: "unreached", permission: .read) { try await $0.unreached($1, of: [$2.domain]).count + $2.nothing },
    Operation(name: "lastSightings", permission: .read) { try await $0.lastSightings($1, of: $2.domain, []) },
    Operation(name: "addInventory", permission: .write) {
      let entry = NewInventoryEntry(kind: .certificate, hash: SHA256Hash.hash([2]))
      return try await $0.addInventory($1, to: $2.domain, [entry], source: "upload")
    },
    Operation(name: "removeInventory", permission: .write) {
      try await $0.removeInventory($1, $2.inventory, of: $2.domain)
    },
    Operation(name: "mutes", permission: .read) { try await $0.mutes($1, of: $2.domain) },
    Operation(name: "mute", permission: .write) {
      try await $0.mute($1, $2.domain, .domain, until: $2.registry.now + 1000)
    },
    Operation(name: "unmute", permission: .write) { try await $0.unmute($1, $2.mute, of: $2.domain) },
    Operation(name: "tokens", permission: .read) { try await $0.tokens($1) + $2.nothing },
    Operation(name: "addToken", permission: .read) {
      try await $0.addToken($1, name: "new", scopes: [.read]).token + $2.nothing
    },
    Operation(name: "revokeToken", permission: .manage) { try await $0.revokeToken($1, $2.token) },
  ]
}

extension Neighbours {
  /// Marks an operation that names nothing of the first account: a stranger does it to their own.
  fileprivate var nothing: Mark { Mark() }
}

struct Mark {}

private func + (left: Any, right: Mark) -> Any { left }

@Suite("Nobody gets across")
struct CrossingTests {
  @Test("another account's things are not there, whatever is tried", arguments: Operation.all)
  func otherAccount(operation: Operation) async throws {
    let neighbours = try await Neighbours()
    let before = try await neighbours.snapshot()
    do {
      let seen = try await operation.run(neighbours.registry.accounts, neighbours.stranger, neighbours)
      #expect(!"\(seen)".contains("alpha"))
      #expect(!"\(seen)".contains(neighbours.issuance.description))
    } catch {
      #expect(error as? AccountError == .notFound)
    }
    #expect(try await neighbours.snapshot() == before)
  }

  @Test("each role and each token does what it may, and no more", arguments: Operation.all)
  func rights(operation: Operation) async throws {
    // Only somebody who is signed in makes tokens.
    let scopes = operation.name == "addToken" ? [] : Scope.allCases.filter(operation.isFor)
    let neighbours = try await Neighbours()
    var refused: [Actor] = []
    for role in Role.allCases where !role.permissions.contains(operation.permission) {
      refused.append(try await neighbours.registry.member(neighbours.owner, "\(role)@alpha.example", role))
    }
    for scope in Scope.allCases where !scopes.contains(scope) {
      refused.append(try await neighbours.registry.token(neighbours.owner, [scope]).actor)
    }
    let before = try await neighbours.snapshot()
    for actor in refused {
      let error = await #expect(throws: AccountError.self) {
        try await operation.run(neighbours.registry.accounts, actor, neighbours)
      }
      #expect(error.map { if case .forbidden = $0 { true } else { false } } == true)
    }
    #expect(try await neighbours.snapshot() == before)

    // The least that is enough.
    let weakest = try #require(Role.allCases.last { $0.permissions.contains(operation.permission) })
    let member = try await neighbours.registry.member(neighbours.owner, "enough@alpha.example", weakest)
    _ = try await operation.run(neighbours.registry.accounts, member, neighbours)
    guard let scope = scopes.first else { return }
    let others = try await Neighbours()
    let token = try await others.registry.token(others.owner, [scope]).actor
    _ = try await operation.run(others.registry.accounts, token, others)
  }

  @Test("who lost their rights can do nothing, with a request under way either", arguments: Operation.all)
  func lostRights(operation: Operation) async throws {
    let neighbours = try await Neighbours()
    let (registry, owner) = (neighbours.registry, neighbours.owner)
    let revoked = try await registry.token(owner, [.admin])
    try await registry.accounts.revokeToken(owner, revoked.id)
    let locked = try await registry.member(owner, "locked@alpha.example", .owner)
    let lockedToken = try await registry.token(locked, [.admin]).actor
    let gone = try await registry.member(owner, "gone@alpha.example", .owner)
    for member in try await registry.accounts.members(owner) {
      if member.address == "locked@alpha.example" {
        _ = try await registry.accounts.change(owner, member: member.id, isLocked: true)
      }
      if member.address == "gone@alpha.example" { try await registry.accounts.removeMember(owner, member.id) }
    }
    let before = try await neighbours.snapshot()
    for actor in [revoked.actor, locked, lockedToken, gone] {
      await #expect(throws: AccountError.signedOut) {
        try await operation.run(registry.accounts, actor, neighbours)
      }
    }
    #expect(try await neighbours.snapshot() == before)
  }

  @Test("a token may no more than the member who made it, from the moment that the member's role changes")
  func demotedMember() async throws {
    let neighbours = try await Neighbours()
    let registry = neighbours.registry
    let member = try await registry.member(neighbours.owner, "maker@alpha.example", .member)
    let token = try await registry.token(member, [.write]).actor
    _ = try await registry.accounts.addDomain(token, item: "one.example")
    for row in try await registry.accounts.members(neighbours.owner) where row.address == "maker@alpha.example" {
      _ = try await registry.accounts.change(neighbours.owner, member: row.id, role: .viewer)
    }
    await #expect(throws: AccountError.forbidden(.write)) {
      try await registry.accounts.addDomain(token, item: "two.example")
    }
    await #expect(throws: AccountError.forbidden(.manage)) {
      try await registry.accounts.addToken(member, name: "more", scopes: [.admin])
    }
  }

  @Test("every operation there is is tried")
  func allOperations() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/OrielAccounts")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var names: Set<String> = []
    for case let file as URL in files where file.lastPathComponent.hasPrefix("Accounts+") {
      let text = try String(contentsOf: file, encoding: .utf8)
      let own =
        text.components(separatedBy: "extension Accounts {").dropFirst().first?
        .components(separatedBy: "\n}").first ?? ""
      for match in own.matches(of: /package func (\w+)/) { names.insert(String(match.1)) }
    }
    #expect(names.count > 30)
    // Of two of one name, the other says more after a space.
    #expect(names == Set(Operation.all.map { String($0.name.prefix { $0 != " " }) }))
  }
}
