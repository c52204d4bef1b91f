import CTLogClient
import CertificateTransparency
import Foundation
import OrielAccounts
import OrielMonitor
import OrielServer
import OrielSettings
import TestSupport
import TestWorld
import Testing

@Suite("The service with accounts")
struct ServiceTests {
  private struct Offline: Error {}

  private func configuration(_ folder: TemporaryFolder) throws -> Configuration {
    // Whole at once, for whoever looks meanwhile.
    let script = try folder.write("cd '\(folder.path)' && cat > $$ && mv $$ $$.eml\n", to: "mail.sh")
    return try ConfigurationLoader(environment: [:], overrides: [:]) { _ in "" }.load(
      """
      watch: [file.example]
      recipients: {me: {mail: [me@mail.example]}}
      defaults: {recipients: [me]}
      dashboard: {listen: "127.0.0.1:0", owner: owner@mail.example}
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
          accounts: accounts, time: time)
        let logs = world.logList.logs
        let task = Task { try await service.run { logs } }
        try world.issue("www.file.example")
        for _ in 0..<3000 where try mails(court.folder).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        let account = try await court.account("alpha")
        _ = try await court.domain(account, telling: ["you@mail.example"])
        // A log is read on and on; what it shows once the change is taken up is matched.
        var number = 0
        while try mails(court.folder).count < 2, number < 600 {
          try world.issue("n\(number).shop.example")
          number += 1
          try await Task.sleep(for: .milliseconds(100))
        }
        task.cancel()
        _ = await task.result
      }
    }
    let all = try mails(court.folder)
    #expect(all.contains { $0.contains("To: me@mail.example") && $0.contains("New certificate for www.file.example") })
    #expect(all.contains { $0.contains("To: you@mail.example") && $0.contains("Unexplained certificate for n") })
    #expect(!all.contains { $0.contains("To: me@mail.example") && $0.contains("shop.example") })
  }
}
