import OrielStore
import OrielWatchlist
import Testing

@testable import OrielAccounts

@Suite("Who gets mail")
struct MailTests {
  @Test("the plan decides whether members or the domain's addresses are told", arguments: Plan.allCases)
  func plans(plan: Plan) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha", plan: plan)
    let domain = try await registry.domain(owner, "alpha.example")
    _ = try await registry.accounts.addMember(owner, address: "silent@alpha.example", role: .member)
    #expect(try await registry.addresses(domain) == (plan.hasRecipients ? [] : ["owner@alpha.example"]))
    if plan.hasRecipients {
      let letter = try await registry.accounts.addRecipient(owner, to: domain, address: "Hear@Else.example").letter
      #expect(try await registry.addresses(domain) == [])
      _ = try await registry.signIn.confirm(try #require(letter).secret)
      #expect(try await registry.addresses(domain) == ["hear@else.example"])
    } else {
      await #expect(throws: AccountError.self) {
        try await registry.accounts.addRecipient(owner, to: domain, address: "hear@else.example")
      }
    }
  }

  @Test("a new domain is off, and turning it off or removing an address works at once")
  func optIn() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let added = try await registry.accounts.addDomain(owner, item: "Alpha.Example.")
    #expect(added.item == "alpha.example")
    #expect(!added.isOn)
    #expect(added.baselineConfirmedAt == nil)
    #expect(try await registry.service.routes(for: "alpha.example").isEmpty)
    var change = DomainChange()
    change.isOn = true
    _ = try await registry.accounts.change(owner, added.id, change)
    let made = try await registry.accounts.addRecipient(owner, to: added.id, address: "owner@alpha.example")
    #expect(made.letter == nil)
    #expect(try await registry.addresses(added.id) == ["owner@alpha.example"])
    #expect(try await registry.service.watchedItems().map(\.description) == ["alpha.example"])
    #expect(try await registry.service.routes(for: "alpha.example").map(\.domain.id) == [added.id])

    change.isOn = false
    _ = try await registry.accounts.change(owner, added.id, change)
    #expect(try await registry.addresses(added.id) == [])
    #expect(try await registry.service.watchedItems().isEmpty)
    change.isOn = true
    _ = try await registry.accounts.change(owner, added.id, change)
    try await registry.accounts.removeRecipient(owner, made.recipient.id, of: added.id)
    #expect(try await registry.addresses(added.id) == [])
  }

  @Test("a domain has ten addresses at most")
  func tenAddresses() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    for number in 0..<10 {
      _ = try await registry.accounts.addRecipient(owner, to: domain, address: "a\(number)@alpha.example")
    }
    await #expect(throws: AccountError.refused(field: .recipients, reason: "a domain has at most 10 addresses")) {
      try await registry.accounts.addRecipient(owner, to: domain, address: "a10@alpha.example")
    }
  }

  @Test("one confirmation is for all domains of the account that asked, and for no other account")
  func oneConfirmation() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let other = try await registry.account("beta")
    var domains: [DomainID] = []
    var letters: [LinkLetter?] = []
    for number in 0..<7 {
      domains.append(try await registry.domain(owner, "n\(number).example"))
      letters.append(
        try await registry.accounts.addRecipient(owner, to: domains[number], address: "x@y.example").letter)
    }
    let foreign = try await registry.domain(other, "n0.example")
    _ = try await registry.accounts.addRecipient(other, to: foreign, address: "x@y.example")
    #expect(letters.map { $0 != nil } == [true, true, true, true, true, false, false])
    let letter = try #require(letters.first ?? nil)
    #expect(try await registry.signIn.look(letter.secret).purpose == .confirmRecipient)
    _ = try await registry.signIn.confirm(letter.secret)
    for domain in domains { #expect(try await registry.addresses(domain) == ["x@y.example"]) }
    #expect(try await registry.addresses(foreign) == [])
    let later = try await registry.domain(owner, "later.example", telling: "x@y.example")
    #expect(try await registry.addresses(later) == ["x@y.example"])
  }

  @Test("the code in a mail unsubscribes its address, again and again, and no other code does")
  func unsubscribing() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example", telling: "owner@alpha.example")
    let other = try await registry.domain(owner, "beta.example", telling: "owner@alpha.example")
    let code = try #require(try await registry.service.addressees(of: domain).first).unsubscribeCode
    #expect(try await registry.signIn.look(unsubscribe: code).item == "alpha.example")
    #expect(try await registry.addresses(domain) == ["owner@alpha.example"])
    for _ in 0..<2 { _ = try await registry.signIn.unsubscribe(code) }
    #expect(try await registry.signIn.look(unsubscribe: code).isUnsubscribed)
    #expect(try await registry.addresses(domain) == [])
    #expect(try await registry.addresses(other) == ["owner@alpha.example"])
    let third = try await registry.domain(owner, "third.example", telling: nil)
    let again = try await registry.accounts.addRecipient(owner, to: third, address: "owner@alpha.example")
    #expect(again.recipient.mail == .unconfirmed)

    let recipient = try #require(try await registry.accounts.recipients(owner, of: domain).first)
    let letter = try await registry.accounts.confirmAgain(owner, recipient: recipient.id, of: domain)
    _ = try await registry.signIn.confirm(letter.secret)
    #expect(try await registry.addresses(domain) == ["owner@alpha.example"])
    let forged = [
      "", "-", "r1", "r1-", "m1-" + code.drop { $0 != "-" }.dropFirst(), code + "a", String(code.dropLast()),
    ]
    for text in forged + ["r99-aaaa", "r-1-aaaa", "x1-aaaa"] {
      await #expect(throws: AccountError.signedOut) { try await registry.signIn.unsubscribe(text) }
    }
  }

  @Test("a member of a free account unsubscribes from all its mail")
  func memberUnsubscribes() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha", plan: .free)
    let domain = try await registry.domain(owner, "alpha.example")
    let code = try #require(try await registry.service.addressees(of: domain).first).unsubscribeCode
    #expect(try await registry.signIn.unsubscribe(code).item == nil)
    #expect(try await registry.addresses(domain) == [])
  }

  @Test("an address whose mail comes back is suspended, shown with the reason, and confirms to come back")
  func bounces() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example", telling: "hear@alpha.example")
    try await registry.service.bounced("Hear@alpha.example", reason: "550 no such user")
    #expect(try await registry.addresses(domain) == [])
    let recipient = try #require(try await registry.accounts.recipients(owner, of: domain).first)
    #expect(recipient.mail == .suspended(since: registry.now, reason: "550 no such user"))
    let letter = try await registry.accounts.confirmAgain(owner, recipient: recipient.id, of: domain)
    _ = try await registry.signIn.confirm(letter.secret)
    #expect(try await registry.addresses(domain) == ["hear@alpha.example"])
    await #expect(throws: AccountError.signedOut) { try await registry.signIn.confirm(letter.secret) }
  }

  @Test("a link of an address that was removed confirms nothing")
  func removedAddress() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let made = try await registry.accounts.addRecipient(owner, to: domain, address: "hear@alpha.example")
    try await registry.accounts.removeRecipient(owner, made.recipient.id, of: domain)
    await #expect(throws: AccountError.signedOut) {
      try await registry.signIn.confirm(try #require(made.letter).secret)
    }
  }

  @Test(
    "what can't be watched is refused with the reason",
    arguments: [
      "co.uk", "", ".", "*.example.com", "https://example.com", "10.0.0.0/8", "issuer:00", "a..b", "exa mple",
    ])
  func refusedItems(item: String) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let error = await #expect(throws: AccountError.self) {
      try await registry.accounts.addDomain(owner, item: item)
    }
    guard case .refused(.item, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test(
    "what is no mail address is refused", arguments: ["", "x", "x@", "@y", "x@y z", "x@y\r\nBcc: a@b", "ä@y.example"])
  func refusedAddresses(address: String) async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let domain = try await registry.domain(owner, "alpha.example")
    let error = await #expect(throws: AccountError.self) {
      try await registry.accounts.addRecipient(owner, to: domain, address: address)
    }
    guard case .refused(.address, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("what the configuration file watches is shown and is read-only, until the file no longer has it")
  func mirrored() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let own = try await registry.domain(owner, "own.example")
    let (first, second) = (try WatchedItem(parsing: "one.example"), try WatchedItem(parsing: "two.example"))
    try await registry.service.mirror([first, second].map { ConfiguredDomain($0) }, in: owner.account)
    try await registry.service.mirror([ConfiguredDomain(first)], in: owner.account)
    let domains = try await registry.accounts.domains(owner)
    #expect(domains.map(\.item) == ["one.example", "own.example", "two.example"])
    #expect(domains.map(\.source) == [.config, .dashboard, .dashboard])
    #expect(domains.map(\.isOn) == [true, true, false])
    var change = DomainChange()
    change.isOn = false
    let (turnsOff, set) = (change, domains[0].id)
    await #expect(throws: AccountError.self) { try await registry.accounts.change(owner, set, turnsOff) }
    await #expect(throws: AccountError.self) { try await registry.accounts.removeDomain(owner, set) }
    await #expect(throws: AccountError.self) {
      try await registry.accounts.addRecipient(owner, to: set, address: "a@b.example")
    }
    change = DomainChange()
    change.isBaselineConfirmed = true
    let (confirms, machine) = (change, Actor.machine(owner.account))
    await #expect(throws: AccountError.self) { try await registry.accounts.change(owner, domains[0].id, confirms) }
    #expect(try await registry.accounts.change(machine, domains[0].id, change).baselineConfirmedAt == registry.now)
    #expect(try await registry.accounts.change(machine, own, change).isOn)
  }

  @Test("what the configuration file says of a domain is not changed elsewhere; what it says no longer is undone")
  func configured() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    var said = ConfiguredDomain(try WatchedItem(parsing: "one.example"))
    (said.allowedOwners, said.isBaselineConfirmed, said.isInventoryComplete) = (["Honest Trust"], true, true)
    said.confirmedCAA = [#"0 issue "honest.example""#]
    try await registry.service.mirror([said], in: owner.account)
    var domain = try #require(try await registry.accounts.domains(owner).first)
    #expect(domain.configured == Set(Domain.Setting.allCases))
    #expect(domain.allowedOwners == said.allowedOwners && domain.isInventoryComplete)
    #expect(domain.baselineConfirmedAt == registry.now && domain.confirmedCAA == said.confirmedCAA)
    let id = domain.id
    _ = try await registry.service.foundCAA(["0 iodef \"mailto:x@y.example\""], for: id)
    let changes: [(inout DomainChange) -> Void] = [
      { $0.allowedOwners = [] }, { $0.isBaselineConfirmed = false }, { $0.isInventoryComplete = false },
    ]
    for make in changes {
      var change = DomainChange()
      make(&change)
      let wanted = change
      await #expect(throws: AccountError.self) { try await registry.accounts.change(owner, id, wanted) }
    }
    await #expect(throws: AccountError.self) {
      try await registry.accounts.confirmCAA(owner, id, ["0 iodef \"mailto:x@y.example\""])
    }
    #expect(try await registry.accounts.domain(owner, id).allowedOwners == ["Honest Trust"])
    try await registry.service.mirror([ConfiguredDomain(said.item)], in: owner.account)
    domain = try await registry.accounts.domain(owner, id)
    #expect(domain.configured.isEmpty && domain.allowedOwners.isEmpty && !domain.isInventoryComplete)
    #expect(domain.baselineConfirmedAt == nil && domain.confirmedCAA == nil)
    for make in changes {
      var change = DomainChange()
      make(&change)
      _ = try await registry.accounts.change(owner, id, change)
    }
    // What the pages say of it stays, whatever the file says of all else.
    var change = DomainChange()
    (change.allowedOwners, change.isBaselineConfirmed) = (["Other Trust"], true)
    _ = try await registry.accounts.change(.machine(owner.account), id, change)
    var other = ConfiguredDomain(said.item)
    other.delivery.known = .never
    try await registry.service.mirror([other], in: owner.account)
    domain = try await registry.accounts.domain(owner, id)
    #expect(domain.allowedOwners == ["Other Trust"] && domain.baselineConfirmedAt != nil)
    try await registry.service.mirror([said], in: owner.account)
    try await registry.service.mirror([], in: owner.account)
    domain = try await registry.accounts.domain(owner, id)
    #expect(domain.source == .dashboard && !domain.isOn && domain.configured.isEmpty && domain.allowedOwners.isEmpty)
  }

  @Test("a change is told of at once in its process, and soon in others")
  func changes() async throws {
    let registry = try await Registry()
    let owner = try await registry.account("alpha")
    let other = AccountStore(registry.database, now: { 0 })
    for store in [registry.store, other] {
      let (seen, continuation) = AsyncStream.makeStream(of: SettingsGeneration.self)
      let task = Task {
        // An hour: only the signal can be that quick.
        try await store.follow(every: store.signal === other.signal ? .milliseconds(10) : .seconds(3600)) {
          continuation.yield($0)
        }
      }
      var iterator = seen.makeAsyncIterator()
      let first = try #require(await iterator.next())
      _ = try await registry.domain(owner, store.signal === other.signal ? "two.example" : "one.example")
      var last = first
      while last.watch == first.watch { last = try #require(await iterator.next()) }
      #expect(last.watch == first.watch + 1)
      task.cancel()
      _ = await task.result
    }
  }
}
