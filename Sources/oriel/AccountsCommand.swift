import ArgumentParser
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielMonitor
import OrielStore

struct AccountsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accounts",
    abstract: "The accounts of the service: list, add, change the plan, remove.",
    discussion: """
      Examples:
        oriel accounts list
        oriel accounts add "The web shop" --owner owner@shop.example
        oriel accounts set-plan 2 pro
        oriel accounts remove 2 --sure

      The service may run meanwhile; it takes changes up within a second (docs/accounts.md).
      """,
    subcommands: [List.self, Add.self, SetPlan.self, Remove.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "All accounts, with plan, members and domains.",
      discussion: "Example:\n  oriel accounts list --json")

    @OptionGroup var data: DataOptions
    @Flag(help: "Print a JSON array.") var json = false

    func run() async throws {
      try await reportingFailures {
        let store = try data.accounts(isRead: true)
        var (lines, after) = ([AccountLine](), AccountID?.none)
        while true {
          let accounts = try await AccountService(store).accounts(after: after)
          for account in accounts { lines.append(try await AccountLine(account, store)) }
          guard let last = accounts.last else { break }
          after = last.id
        }
        if json { return try Terminal.write(json: lines) }
        for line in lines { try Terminal.write(line.text + "\n") }
        if lines.isEmpty { Terminal.note("oriel: there are none") }
        for account in try await AccountService(store).accountsGoing() {
          Terminal.note("oriel: \(account.id), \(account.name), is being removed")
        }
      }
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "Make an account; its owner signs in by mail.",
      discussion: "Example:\n  oriel accounts add \"The web shop\" --owner owner@shop.example")

    @OptionGroup var data: DataOptions
    @Argument(help: "What the account is called.") var name: String
    @Option(help: ArgumentHelp("Who owns it.", valueName: "ADDRESS")) var owner: String
    @Option(help: ArgumentHelp("free, pro, business or enterprise.", valueName: "PLAN")) var plan = Plan.enterprise
    @Flag(help: "Print the account as JSON.") var json = false

    func run() async throws {
      try await reportingFailures {
        let store = try data.accounts()
        let made = try await AccountService(store).addAccount(name: name, owner: owner, plan: plan)
        let line = try await AccountLine(made.account, store)
        if json { return try Terminal.write(json: line) }
        try Terminal.write(line.text + "\n")
        Terminal.note("oriel: \(made.letter.address) can sign in on the service's pages, by a link that comes by mail")
      }
    }
  }

  struct SetPlan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set-plan", abstract: "Put an account on another plan.",
      discussion: """
        Example:
          oriel accounts set-plan 2 pro

        On free and pro all members are told; on business and enterprise, the addresses that each domain names.
        """)

    @OptionGroup var data: DataOptions
    @Argument(help: "The number that `oriel accounts list` gives.") var account: Int64
    @Argument(help: "free, pro, business or enterprise.") var plan: Plan
    @Flag(help: "Print the account as JSON.") var json = false

    func run() async throws {
      try await reportingFailures {
        let store = try data.accounts()
        let account = try await store.find(account)
        try await AccountService(store).setPlan(of: account.id, to: plan)
        let line = try await AccountLine(try await store.find(account.id.value), store)
        try json ? Terminal.write(json: line) : Terminal.write(line.text + "\n")
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Remove an account with its domains, inventories and history.",
      discussion: """
        Example:
          oriel accounts remove 2 --sure

        Nothing of it is watched or told any more at once. If it is cut short, the service goes on with it, or this
        command when it is run again.
        """)

    @OptionGroup var data: DataOptions
    @Argument(help: "The number that `oriel accounts list` gives.") var account: Int64
    @Flag(help: "Nothing brings it back but a backup: say that you are sure.") var sure = false
    @Flag(help: "Print what was removed as JSON.") var json = false

    func validate() throws {
      guard sure else {
        throw ValidationError("This removes the account with all that is in it: say --sure if you are.")
      }
    }

    func run() async throws {
      try await reportingFailures {
        let store = try data.accounts()
        let service = AccountService(store)
        let begun = try await service.accountsGoing().first { $0.id.value == account }
        let found = if let begun { begun } else { try await store.find(account) }
        let line = try await AccountLine(found, store)
        var shownAt = ContinuousClock.now
        try await service.removeAccount(found.id) { count in
          guard shownAt + .seconds(1) < .now else { return }
          shownAt = .now
          Terminal.note("oriel: removing \(found.name), \(count) rows are gone")
        }
        try json ? Terminal.write(json: line) : Terminal.write("removed: " + line.text + "\n")
      }
    }
  }
}

extension Plan: ExpressibleByArgument {}

extension DataOptions {
  /// The accounts in the state, beside the service if it runs.
  func accounts(isRead: Bool = false) throws -> AccountStore {
    let path = dataDir + "/oriel.db"
    guard FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure("there is no state in \(dataDir); give --data-dir, or run `oriel serve` first", .badData)
    }
    let database =
      isRead ? try SQLiteDatabase(reading: path) : try SQLiteDatabase(path: path, isChecked: false, isGuest: true)
    return AccountStore(database, now: Timekeeper.system.now)
  }
}

extension AccountStore {
  func find(_ number: Int64) async throws -> Account {
    let found = try await AccountService(self).accounts(after: AccountID(max(0, number) - 1), limit: 1).first
    guard let found, found.id.value == number else {
      throw CommandFailure("there is no account \(number); see `oriel accounts list`", .badData)
    }
    return found
  }
}

/// An account as it is listed.
private struct AccountLine: Encodable {
  let id: Int64
  let name, plan, createdAt: String
  let owners: [String]
  let members, domains, domainsOn: Int

  init(_ account: Account, _ store: AccountStore) async throws {
    let (accounts, actor) = (Accounts(store), Actor.machine(account.id))
    let people = try await accounts.members(actor)
    let count = try await accounts.domainCount(actor)
    id = account.id.value
    name = account.name
    plan = account.plan.rawValue
    createdAt = Timestamp(milliseconds: UInt64(max(0, account.createdAt))).description
    owners = people.filter { $0.role == .owner }.map(\.address)
    members = people.count
    (domains, domainsOn) = (count.all, count.on)
  }

  var text: String {
    let owner = owners.isEmpty ? "nobody" : owners.joined(separator: ", ")
    return "\(id)  \(plan)  \(name)  of \(owner)  "
      + "\(members) member\(members == 1 ? "" : "s"), \(domains) domain\(domains == 1 ? "" : "s"), \(domainsOn) on"
  }
}
