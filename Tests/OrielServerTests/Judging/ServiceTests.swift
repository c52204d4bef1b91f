import CTLogClient
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielLogging
import OrielMonitor
import OrielServer
import OrielSettings
import OrielStore
import TestSupport
import TestWorld
import Testing

@Suite("The service with accounts")
struct ServiceTests {
  private struct Offline: Error {}

  private func configuration(
    _ folder: TemporaryFolder,
    _ more: String = #"dashboard: {listen: "127.0.0.1:0", owner: owner@mail.example}"#
  ) throws -> Configuration {
    // Whole at once, for whoever looks meanwhile.
    let script = try folder.write("cd '\(folder.path)' && cat > $$ && mv $$ $$.eml\n", to: "mail.sh")
    return try ConfigurationLoader(environment: [:], overrides: [:]) { _ in "" }.load(
      """
      watch: [file.example]
      recipients: {me: {mail: [me@mail.example]}}
      defaults: {recipients: [me]}
      \(more)
      caa: {check: no}
      sendmail: {program: /bin/sh, arguments: [\(script)], from: oriel@mail.example}
      """, file: "/etc/oriel.yaml"
    ).configuration
  }

  private func mails(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }
      .map { try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8) }
  }

  @Test("What an account watches is followed from then on and told by verdict; what the file watches, as ever")
  func following() async throws {
    let court = try await Courtroom()
    try await World.run { world in
      try await service(court, world, .milliseconds(20)) { started in
        try await started()
        let account = try await court.account("alpha")
        _ = try await court.domain(account, telling: ["you@mail.example"])
        // A log is read on and on; what it shows once the change is taken up is matched.
        var number = 0
        while try mails(court.folder).count < 2, number < 600 {
          try world.issue("n\(number).shop.example")
          number += 1
          try await Task.sleep(for: .milliseconds(100))
        }
      }
    }
    let all = try mails(court.folder)
    #expect(all.contains { $0.contains("To: me@mail.example") && $0.contains("New certificate for www.file.example") })
    #expect(all.contains { $0.contains("To: you@mail.example") && $0.contains("Unexplained certificate for n") })
    #expect(!all.contains { $0.contains("To: me@mail.example") && $0.contains("shop.example") })
  }

  @Test(
    "What is changed on the pages is followed without waiting for a look at the state, another process's after one",
    arguments: [true, false])
  func changes(byPages: Bool) async throws {
    let court = try await Courtroom()
    let account = try await court.account("alpha")
    let domain = try await court.accounts.addDomain(account, item: "shop.example").id
    // What the pages do not signal is seen in a thousand hours at the earliest.
    let interval = byPages ? Duration.seconds(3_600_000) : .milliseconds(20)
    try await World.run { world in
      try await service(court, world, interval) { started in
        try await started()
        if byPages {
          try await turnOn(domain, in: court)
        } else {
          let other = AccountStore(court.database, now: { court.now })
          var change = DomainChange()
          change.isOn = true
          _ = try await Accounts(other).change(account, domain, change)
        }
        var (number, seen) = (0, 0)
        while seen == 0, number < 600 {
          try world.issue("n\(number).shop.example")
          number += 1
          try await Task.sleep(for: .milliseconds(50))
          seen = try await court.accounts.history(account).results.count
        }
        #expect(seen > 0)
      }
    }
  }

  @Test("What the file watches is counted once, though an account shows it")
  func counted() async throws {
    let folder = try TemporaryFolder()
    let database = try SQLiteDatabase(path: folder.path + "/oriel.db", isChecked: false)
    let configuration = try configuration(folder, "heartbeat: {recipients: [me], every: 1m}")
    try await World.run { world in
      let now: @Sendable () -> Int64 = { [clock = world.clock] in Int64(clock.timestamp.milliseconds) }
      let time = Timekeeper(now: now, sleep: { try await Task.sleep(for: min($0, .milliseconds(50))) })
      let accounts = AccountsAtWork(
        AccountStore(database, now: now), database, sources: .init(fetch: { _ in throw Offline() }), time: time)
      try await HTTPTransport.withTransport { transport in
        let service = try Service(
          configuration, database: database, transport: transport, settings: MonitorSettings(), board: StatusBoard(),
          accounts: accounts, logger: .silent, time: time)
        let logs = world.logList.logs
        try world.issue("unrelated.example")
        let task = Task { try await service.run { logs } }
        try await eventually { try !mails(folder).isEmpty }
        task.cancel()
        _ = await task.result
      }
    }
    let life = try #require(try mails(folder).first { $0.contains("All is well") })
    #expect(life.contains(/Watched items\s+1\b/))
    #expect(
      try await AccountService(AccountStore(database, now: { 0 })).watchedItems().map(\.description) == ["file.example"]
    )
  }

  /// Runs the service while `body` does; what it is given returns once the logs are followed.
  private func service(
    _ court: Courtroom, _ world: World, _ interval: Duration, _ body: (() async throws -> Void) async throws -> Void
  ) async throws {
    let time = Timekeeper(now: { court.now }, sleep: { try await Task.sleep(for: min($0, .milliseconds(50))) })
    let accounts = AccountsAtWork(
      court.store, court.database, sources: .init(fetch: { _ in throw Offline() }), time: time)
    var settings = MonitorSettings()
    settings.start = .start
    settings.staticPollInterval = .milliseconds(20)
    settings.rfc6962PollInterval = .milliseconds(20)
    let configuration = try configuration(court.folder)
    try await HTTPTransport.withTransport { [settings] transport in
      let service = try Service(
        configuration, database: court.database, transport: transport, settings: settings, board: StatusBoard(),
        accounts: accounts, logger: .silent, time: time, settingsInterval: interval)
      let logs = world.logList.logs
      let task = Task { try await service.run { logs } }
      defer { task.cancel() }
      try await body {
        try world.issue("www.file.example")
        try await eventually { try !mails(court.folder).isEmpty }
      }
      task.cancel()
      _ = await task.result
    }
  }

  /// As somebody at a browser does.
  private func turnOn(_ domain: DomainID, in court: Courtroom) async throws {
    let parts = WebServer.Parts(
      accounts: court.store, database: court.database, now: { court.now }, sendLetter: { _, _ in })
    var settings = WebServer.Settings()
    settings.port = 0
    let server = try WebServer(parts, settings)
    let letter = try #require(try await SignIn(court.store).requestLink(address: "owner@alpha.example", client: "test"))
    let session = try await SignIn(court.store).signIn(letter.secret, client: "test")
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    let serving = Task {
      try await server.run(onListening: { port.yield($0) }, until: { for await _ in ends {} })
    }
    let number = try #require(await ports.first { _ in true })
    let visitor = Visitor(port: number)
    await visitor.signIn(session.secret.text)
    let path = "/domains/\(domain)"
    let reply = try await visitor.post(path + "/on", [("on", "yes")], of: path + "/settings")
    #expect(reply.status == 303, "\(reply.body)")
    end.finish()
    try await serving.value
  }
}
