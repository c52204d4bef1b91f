import CTLogClient
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielAlerting
import OrielContacts
import OrielLogging
import OrielMonitor
import OrielServer
import OrielSettings
import OrielStore
import OrielWatchlist
import TestSupport
import TestWorld
import Testing

@Suite("Alerts about look-alikes")
struct LookalikeRoutingTests {
  private static let me = "me@mail.example"

  private func account(
    _ court: Courtroom, _ name: String, telling address: String = me, time: DeliveryTime? = nil, isSought: Bool = true
  ) async throws -> (actor: Actor, domain: Domain) {
    let actor = try await court.account(name)
    let domain = try await court.domain(actor, telling: [address])
    var change = DomainChange()
    change.watchesLookalikes = isSought
    change.lookalikeDelivery = time
    return (actor, try await court.accounts.change(actor, domain.id, change))
  }

  private func lookalike(of domain: Domain, _ name: String = "sh0p.example", rating: Int = 85) -> StoredLookalike {
    StoredLookalike(
      owner: domain.account.value, item: domain.item, registrable: name, name: "login." + name, unicode: nil,
      reason: "confusable", sentence: "login.\(name) has characters that pass for those of shop.example.",
      rating: rating)
  }

  @Test("It is told when its domain says, once a day unless that is changed", arguments: [nil] + DeliveryTime.allCases)
  func delivery(_ time: DeliveryTime?) async throws {
    let court = try await Courtroom()
    let (_, domain) = try await account(court, "alpha", time: time)
    let issuance = try await court.sight(
      try court.issue(["login.sh0p.example"]), items: [], lookalikes: [lookalike(of: domain)])
    for (wait, isTold) in [
      (0, time == .atOnce), (Courtroom.day - 1, time == .atOnce), (1, [nil, .atOnce, .daily].contains(time)),
      (2 * Courtroom.day, time != .never),
    ] {
      court.pass(wait)
      try await court.settle()
      #expect(court.post.mails.count == (isTold ? 1 : 0))
    }
    await #expect(throws: AccountError.notFound) { try await court.judgement(issuance, of: domain) }
    guard let mail = court.post.mails.first else { return }
    switch time {
    case .atOnce: #expect(mail.subject == "[Oriel] A name that looks like shop.example: login.sh0p[.]example")
    case .weekly: #expect(mail.subject == "[Oriel] Weekly digest for shop.example: 1 look-alike")
    default: #expect(mail.subject == "[Oriel] Daily digest for shop.example: 1 look-alike")
    }
    #expect(mail.text.contains("login.sh0p[.]example") && !mail.text.contains("login.sh0p.example"))
  }

  @Test(
    "It says what to do in order, and with whoever registered the name where that is looked up",
    arguments: [true, false])
  func steps(_ isLookedUp: Bool) async throws {
    let answer = """
      {"objectClassName": "domain", "ldhName": "sh0p.example", "entities": [{"roles": ["registrar"],
        "vcardArray": ["vcard", [["fn", {}, "text", "Good Names"]]], "entities": [{"roles": ["abuse"],
          "vcardArray": ["vcard", [["email", {}, "text", "abuse@registrar.example"],
            ["email", {}, "text", "us@sh0p.example"]]]}]}]}
      """
    let contact = try RegistrarContact(json: Array(answer.utf8), domain: "sh0p.example")
    let ask: @Sendable (DomainName) async -> RegistrarLookup.Answer = { name in
      name.ascii == "sh0p.example" ? .found(contact) : .failed(domain: "", reason: "")
    }
    let court = if isLookedUp { try await Courtroom(registrar: ask) } else { try await Courtroom() }
    let (_, domain) = try await account(court, "alpha", time: .atOnce)
    try await court.sight(try court.issue(["login.sh0p.example"]), items: [], lookalikes: [lookalike(of: domain)])
    try await court.settle()
    let mail = try #require(court.post.mails.first).text.replacing(/\s+/, with: " ")
    #expect(mail.contains("If it deceives") && mail.contains("1. Report it to the CA that issued it [Perhaps]"))
    #expect(mail.contains("2. Report the domain to its registrar [Do this]"))
    #expect(mail.contains("Good Names: abuse@registrar.example") == isLookedUp)
    #expect(mail.contains("The registrar has not been looked up yet") == !isLookedUp)
    #expect(mail.contains("Whoever controls sh0p[.]example") && !mail.contains("sh0p.example"))
  }

  @Test("In a digest it stands apart from certificates, the most deceptive first")
  func digest() async throws {
    let court = try await Courtroom()
    let (_, domain) = try await account(court, "alpha")
    for (name, rating) in [("shopp.example", 45), ("sh0p.example", 85)] {
      try await court.sight(
        try court.issue(["login." + name]), items: [], lookalikes: [lookalike(of: domain, name, rating: rating)])
    }
    try await court.sight(try court.issue(key: Courtroom.key))
    try await court.settle()
    // The certificate for the domain itself is told of as ever.
    #expect(court.post.subjects.map { $0.hasPrefix("[Oriel] Unexplained certificate for www.shop") } == [true])
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.subjects.last == "[Oriel] Daily digest for shop.example: 2 look-alikes")
    let text = court.post.mails.last?.text ?? ""
    let places = ["Names that look like yours", "login.sh0p[.]example", "login.shopp[.]example"].map {
      text.range(of: $0)?.lowerBound
    }
    #expect(places.allSatisfy { $0 != nil } && places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    let sent = try await court.alerts.deliveries(ofAccount: domain.account.value, limit: 10)
    let digest = try #require(sent.first { $0.alert.kind == .digest })
    let members = try await court.alerts.members(of: digest)
    #expect(members.map { "\($0.item) \($0.certificates) \($0.lookalikes)" } == ["shop.example 0 2"])
  }

  enum Stop: CaseIterable { case off, lookalikesOff, muted, mutedByName, removed }

  @Test("Whatever stops it does so at once, also on its way", arguments: Stop.allCases, [DeliveryTime.daily, .atOnce])
  func stopped(_ stop: Stop, _ time: DeliveryTime) async throws {
    let court = try await Courtroom()
    let (actor, domain) = try await account(court, "alpha", time: time)
    court.post.answer(.unavailable("busy"))
    try await court.sight(try court.issue(["login.sh0p.example"]), items: [], lookalikes: [lookalike(of: domain)])
    try await court.settle()
    let before = court.post.mails.count
    #expect(before == (time == .atOnce ? 1 : 0))
    court.post.answer(.delivered("250 ok"))
    switch stop {
    case .off: try await court.turnOff(domain, of: actor)
    case .lookalikesOff:
      var change = DomainChange()
      change.watchesLookalikes = false
      _ = try await court.accounts.change(actor, domain.id, change)
    case .muted:
      _ = try await court.accounts.mute(actor, domain.id, .domain, until: court.now + 9 * Courtroom.day)
    case .mutedByName:
      _ = try await court.accounts.mute(
        actor, domain.id, .name("sh0p.example"), until: court.now + 9 * Courtroom.day)
    case .removed: try await court.accounts.removeDomain(actor, domain.id)
    }
    court.pass(2 * Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.count == before)
  }

  @Test("A mute of an issuer is not meant for look-alikes, nor one of another name")
  func otherMutes() async throws {
    let court = try await Courtroom()
    let (actor, domain) = try await account(court, "alpha")
    let pair = try court.issue(["login.sh0p.example"])
    for rule in [Mute.Rule.issuer(pair.issuerKeyHash), .name("shopp.example")] {
      _ = try await court.accounts.mute(actor, domain.id, rule, until: court.now + 9 * Courtroom.day)
    }
    try await court.sight(pair, items: [], lookalikes: [lookalike(of: domain)])
    try await court.settle()
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.count == 1)
  }

  @Test("Only the account whose domain is imitated hears of it, and sees it")
  func others() async throws {
    let court = try await Courtroom()
    let (alpha, domain) = try await account(court, "alpha")
    let (beta, other) = try await account(court, "beta", telling: "b@mail.example", isSought: false)
    let issuance = try await court.sight(
      try court.issue(["login.sh0p.example"]), items: [], lookalikes: [lookalike(of: domain), lookalike(of: other)])
    try await court.settle()
    court.pass(Courtroom.day)
    try await court.settle()
    #expect(court.post.mails.map(\.to) == [Self.me])
    #expect(try await court.accounts.lookalikes(alpha, of: domain.id).results.map(\.issuance.id) == [issuance])
    #expect(try await court.accounts.lookalikes(alpha, in: issuance).map(\.domain.id) == [domain.id])
    #expect(try await court.accounts.record(alpha, issuance).id == issuance)
    #expect(try await court.accounts.lookalikes(beta, of: other.id).results.isEmpty)
    #expect(try await court.accounts.lookalikes(beta, in: issuance).isEmpty)
    await #expect(throws: AccountError.notFound) { try await court.accounts.record(beta, issuance) }
    await #expect(throws: AccountError.notFound) { try await court.accounts.lookalikes(beta, of: domain.id) }
    // It is no certificate of the domain's.
    #expect(try await court.accounts.history(alpha).results.isEmpty)
    #expect(try await court.accounts.historyCount(alpha, of: domain.id).value == 0)
    #expect(try await court.service.lookalikeNames().watched.map(\.owner) == [domain.account.value])
  }

  @Test(
    "An item that is no name can't be imitated",
    arguments: ["192.0.2.0/24", "spki:" + String(repeating: "0a", count: 32)])
  func noNames(_ item: String) async throws {
    let court = try await Courtroom()
    let actor = try await court.account("alpha")
    let domain = try await court.domain(actor, item)
    var change = DomainChange()
    change.watchesLookalikes = true
    var isRefused = false
    do { _ = try await court.accounts.change(actor, domain.id, change) } catch is AccountError { isRefused = true }
    #expect(isRefused)
    #expect(try await court.service.lookalikeNames().watched.isEmpty)
  }
}

@Suite("Following look-alikes")
struct LookalikeServiceTests {
  private struct Offline: Error {}

  private func configuration(_ folder: TemporaryFolder, _ more: String) throws -> Configuration {
    let script = try folder.write("cd '\(folder.path)' && cat > $$ && mv $$ $$.eml\n", to: "mail.sh")
    return try ConfigurationLoader(environment: [:], overrides: [:]) { _ in "" }.load(
      """
      recipients: {me: {mail: [me@mail.example]}}
      defaults: {recipients: [me]}
      caa: {check: no}
      sendmail: {program: /bin/sh, arguments: [\(script)], from: oriel@mail.example}
      \(more)
      """, file: "/etc/oriel.yaml"
    ).configuration
  }

  private func mails(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }
      .map { try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8) }
  }

  private func count(_ court: Courtroom, _ table: String) async throws -> Int {
    try await court.database.read { try $0.query("SELECT 1 FROM \(table)").count }
  }

  @Test("An imitating certificate in logs gives those who want it one quiet mail, and others nothing; off is off")
  func accounts() async throws {
    let court = try await Courtroom()
    try await World.run { world in
      let time = Timekeeper(now: { court.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(50))) })
      let atWork = AccountsAtWork(
        court.store, court.database, sources: .init(fetch: { _ in throw Offline() }), time: time)
      let configuration = try configuration(
        court.folder, #"dashboard: {listen: "127.0.0.1:0", owner: owner@mail.example}"#)
      let (alpha, beta) = (try await court.account("alpha"), try await court.account("beta"))
      let first = try await court.domain(alpha, telling: ["a@mail.example"])
      _ = try await court.domain(alpha, "shopp.example", telling: ["a@mail.example"])
      _ = try await court.domain(beta, telling: ["b@mail.example"])
      var change = DomainChange()
      change.watchesLookalikes = true
      _ = try await court.accounts.change(alpha, first.id, change)
      var settings = MonitorSettings()
      settings.start = .start
      settings.staticPollInterval = .milliseconds(20)
      settings.rfc6962PollInterval = .milliseconds(20)
      try await HTTPTransport.withTransport { [settings] transport in
        let service = try Service(
          configuration, database: court.database, transport: transport, settings: settings, board: StatusBoard(),
          accounts: atWork, logger: .silent, time: time)
        let logs = world.logList.logs
        let task = Task { try await service.run { logs } }
        // shopp.example is the account's own, and no imitation.
        try world.issue("www.shopp.example")
        try world.issue("www.sh0p.example", "sh0p.example")
        try world.issue("unrelated.example")
        try await eventually { try await count(court, "lookalike_issuances") > 0 }
        try world.issue("other.sh0p.example")
        try await eventually { try await count(court, "lookalike_issuances") >= 2 }
        // What is routed later would wait for the digest of the day after.
        try await eventually { try await count(court, "held") > 0 }
        court.pass(Courtroom.day)
        try await eventually { try !mails(court.folder).filter({ $0.contains("look-alike") }).isEmpty }
        change.watchesLookalikes = false
        _ = try await court.accounts.change(alpha, first.id, change)
        try world.issue("sh0p-login.example")
        try world.issue("www.shop.example")
        try await eventually { try await !court.accounts.history(alpha, of: first.id).results.isEmpty }
        task.cancel()
        _ = await task.result
      }
      let seen = try await court.accounts.lookalikes(alpha, of: first.id).results
      #expect(seen.map(\.lookalike.registrable) == ["sh0p.example"] && seen.map(\.count) == [2])
      #expect(seen.first?.lookalike.reason == "confusable")
    }
    let all = try mails(court.folder).filter { $0.contains("look-alike") }
    #expect(all.count == 1 && all.allSatisfy { $0.contains("To: a@mail.example") && $0.contains("1 look-alike") })
    #expect(try await count(court, "alerts WHERE kind = 'look-alike'") == 1)
  }

  @Test("Without accounts, those in the file hear of look-alikes in a daily digest")
  func file() async throws {
    let court = try await Courtroom()
    try await World.run { world in
      let time = Timekeeper(now: { court.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(50))) })
      let configuration = try configuration(
        court.folder, "watch: [{item: shop.example, lookalikes: yes}, 'quiet.example']")
      var settings = MonitorSettings()
      settings.start = .start
      settings.once = true
      try await HTTPTransport.withTransport { [settings] transport in
        let service = try Service(
          configuration, database: court.database, transport: transport, settings: settings, board: StatusBoard(),
          logger: .silent, time: time)
        let logs = world.logList.logs
        try world.issue("www.sh0p.example")
        try world.issue("www.qu1et.example")
        _ = try await service.run { logs }
        #expect(try mails(court.folder).isEmpty)
        court.pass(Courtroom.day)
        _ = try await service.run { logs }
      }
    }
    // Of the logs, which stand still meanwhile, they hear as well.
    let all = try mails(court.folder).filter { $0.contains("look-alike") }
    #expect(all.count == 1 && all.allSatisfy { $0.contains("Daily digest for shop.example: 1 look-alike") })
  }
}
