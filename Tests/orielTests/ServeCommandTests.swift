import CertificateTransparency
import Crypto
import Foundation
import OrielStore
import Synchronization
import TestSupport
import TestWorld
import Testing

/// The service as its operator runs it: the real binary, logs, a mail server, a webhook's receiver, a program.
@Suite("oriel serve", .serialized, .needsMailServer)
struct ServeCommandTests {
  /// What a webhook's receiver got.
  private final class Received: Sendable {
    private let requests = Mutex<[TestRequest]>([])
    var all: [TestRequest] { requests.withLock { $0 } }
    func add(_ request: TestRequest) { requests.withLock { $0.append(request) } }
  }

  private func configuration(_ world: World, _ mail: MailServer, _ hook: String, _ folder: TemporaryFolder) -> String {
    """
    watch:
      - watched.example
      - item: quiet.example
        recipients: []
    recipients:
      owner:
        mail: [owner@mail.example, second@mail.example]
        webhook: {url: "\(hook)hook", secret: hunter2, allow_private_targets: true}
        command: {program: /bin/sh, arguments: [-c, 'echo "$WATCH_ITEM $DNS_NAMES $ORIEL_DNS_NAMES" >> \(folder.path)/ran']}
    defaults: {recipients: [owner]}
    smtp: {host: 127.0.0.1, port: \(mail.port), security: none, from: Oriel <oriel@mail.example>}
    log_lists: ["\(world.logListURL)"]
    data_dir: \(folder.path)/data
    from: start
    """
  }

  private func wait(_ condition: () throws -> Bool) async throws {
    try await eventually(condition)
  }

  @Test("A certificate is logged: mail, webhook and program have it, once each, and again nothing after a restart")
  func wholeWay() async throws {
    let (mail, received, folder) = (try await MailServer("plain"), Received(), try TemporaryFolder())
    try await TestServer.run { request in
      received.add(request)
      return TestResponse(status: 204, "")
    } _: { hook in
      try await World.run { world in
        let file = try folder.write(configuration(world, mail, hook.url, folder), to: "oriel.yaml")
        let check = try await Command.run(["config", "check", "--config", file])
        #expect(check.status == 0, "\(check.errors)")
        let test = try await Command.run(["alert", "test", "--config", file])
        #expect(test.status == 0, "\(test.output)\(test.errors)")
        #expect(test.lines.count == 4 && test.lines.allSatisfy { $0.hasPrefix("delivered") })
        let before = (mails: try mail.mails().count, hooks: received.all.count)
        let service = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
        try await service.wait(for: "serving")
        try world.issue("www.watched.example")
        try world.issue("www.quiet.example")
        try world.issue("www.stranger.example")
        try await wait { try mail.mails().count >= before.mails + 2 && received.all.count > before.hooks }
        service.send(SIGKILL)
        _ = try await service.finish()
        let again = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
        try world.issue("mail.watched.example")
        try await wait { try mail.mails().count >= before.mails + 4 && received.all.count >= before.hooks + 2 }
        again.send(SIGTERM)
        #expect(try await again.finish().status == 0)
        let mails = try mail.mails().dropFirst(before.mails).map { String(decoding: $0, as: UTF8.self) }
        let identifiers = mails.compactMap { $0.split(separator: "\r\n").first { $0.hasPrefix("Message-ID") } }
        #expect(Set(identifiers).count == 4)
        #expect(mails.contains { $0.contains("New certificate for www.watched.example") })
        #expect(mails.contains { $0.contains("New certificate for mail.watched.example") })
        #expect(!mails.contains { $0.contains("quiet") || $0.contains("stranger.example from") })
        let hooks = received.all.dropFirst(before.hooks)
        #expect(hooks.allSatisfy { $0.headers.contains { $0.name.lowercased() == "oriel-signature" } })
        #expect(
          Set(hooks.compactMap { $0.headers.first { $0.name.lowercased() == "idempotency-key" }?.value }).count == 2)
        let ran = try String(contentsOfFile: folder.path + "/ran", encoding: .utf8)
        #expect(ran.contains("watched.example") && ran.contains("www.watched.example"))
        let list = try await Command.run(["alerts", "list", "--json", "--data-dir", folder.path + "/data"])
        #expect(list.output.components(separatedBy: "\"state\" : \"delivered\"").count >= 9)
      }
    }
  }

  @Test("SIGHUP puts a changed configuration in force; one with mistakes changes nothing")
  func reload() async throws {
    let (mail, folder) = (try await MailServer("plain"), try TemporaryFolder())
    try await World.run { world in
      let text = configuration(world, mail, "http://127.0.0.1:1/", folder)
      let file = try folder.write(text, to: "oriel.yaml")
      let service = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
      try await service.wait(for: "serving")
      _ = try folder.write(text + "\nnonsense: 1\n", to: "oriel.yaml")
      try await Task.sleep(for: .milliseconds(500))
      service.send(SIGHUP)
      try await service.wait(for: "stays as it was")
      #expect(service.errors.contains("nonsense: there is no such setting"))
      _ = try folder.write(text.replacing("- watched.example", with: "- other.example"), to: "oriel.yaml")
      service.send(SIGHUP)
      try await service.wait(for: "in force: ")
      try world.issue("www.watched.example")
      try world.issue("www.other.example")
      try await wait { try mail.mails().count >= 2 }
      #expect(try mail.mails().allSatisfy { String(decoding: $0, as: UTF8.self).contains("www.other.example") })
      service.send(SIGTERM)
      #expect(try await service.finish().status == 0)
    }
  }

  @Test("With accounts too, SIGHUP changes what is watched, who is told, and what their account shows")
  func reloadWithAccounts() async throws {
    let (mail, folder) = (try await MailServer("plain"), try TemporaryFolder())
    try await World.run { world in
      let text =
        configuration(world, mail, "http://127.0.0.1:1/", folder)
        + "\ndashboard: {listen: \"127.0.0.1:0\", owner: owner@mail.example}\ncaa: {check: no}\n"
      let file = try folder.write(text, to: "oriel.yaml")
      let service = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
      try await service.wait(for: "pages at")
      let shown = { () async throws -> [String] in
        let database = try SQLiteDatabase(reading: folder.path + "/data/oriel.db")
        return try await database.read {
          try $0.query("SELECT item || ' ' || source || ' ' || is_on || ' ' || expected FROM domains ORDER BY item")
            .compactMap { $0.text(0) }
        }
      }
      try await eventually { try await shown().count >= 2 }
      #expect(
        try await shown() == ["quiet.example config 1 at once", "watched.example config 1 at once"])
      let other = "- item: other.example\n    recipients: [owner]\n    tell: {expected: weekly}"
      _ = try folder.write(text.replacing("- watched.example", with: other), to: "oriel.yaml")
      service.send(SIGHUP)
      try await service.wait(for: "in force: ")
      try world.issue("www.watched.example")
      try world.issue("www.other.example")
      try await wait { try mail.mails().count >= 2 }
      #expect(try mail.mails().allSatisfy { String(decoding: $0, as: UTF8.self).contains("www.other.example") })
      let after = [
        "other.example config 1 weekly", "quiet.example config 1 at once", "watched.example dashboard 0 at once",
      ]
      #expect(try await shown() == after)
      service.send(SIGTERM)
      #expect(try await service.finish().status == 0)
    }
  }

  @Test("Pages that can't be served end it, with the address and the reason; nobody else reads the state")
  func takenAddress() async throws {
    let folder = try TemporaryFolder()
    try await World.run { world in
      let address = world.logListURL.split(separator: "/")[1]
      let text = """
        watch: [a.example]
        log_lists: ["\(world.logListURL)"]
        data_dir: \(folder.path)/data
        dashboard: {listen: "\(address)"}
        caa: {check: no}
        """
      let result = try await Command.run(["serve", "--config", try folder.write(text, to: "oriel.yaml")])
      #expect(result.status == 73)
      #expect(result.errors.contains("\(address) can't be listened on: Address already in use"), "\(result.errors)")
    }
    for (name, mode) in [("", 0o700), ("/oriel.db", 0o600)] {
      let facts = try FileManager.default.attributesOfItem(atPath: folder.path + "/data" + name)
      #expect(facts[.posixPermissions] as? Int == mode, "\(name)")
    }
  }

  @Test("Without a dashboard, those in the file are told by verdict and answer; who wants pages later finds it all")
  func fileOnly() async throws {
    let (mail, received, folder) = (try await MailServer("plain"), Received(), try TemporaryFolder())
    try await TestServer.run { request in
      received.add(request)
      return TestResponse(status: 204, "")
    } _: { hook in
      try await World.run { world in
        let text = """
          watch:
            - {item: watched.example, history: confirmed, tell: {known: never}}
          recipients:
            me:
              mail: [me@mail.example]
              webhook: {url: "\(hook.url)hook", allow_private_targets: true}
              command: {program: /bin/sh, arguments: [-c, 'echo "$ORIEL_VERDICT" >> \(folder.path)/ran']}
          defaults: {recipients: [me]}
          inventory: [{item: watched.example, folder: "\(folder.path)/live"}]
          verdicts: {hold: 0s}
          smtp: {host: 127.0.0.1, port: \(mail.port), security: none, from: Oriel <oriel@mail.example>}
          log_lists: ["\(world.logListURL)"]
          data_dir: \(folder.path)/data
          from: start

          """
        let file = try folder.write(text, to: "oriel.yaml")
        try FileManager.default.createDirectory(atPath: folder.path + "/live", withIntermediateDirectories: true)
        #expect(try await Command.run(["config", "check", "--config", file]).errors == "")
        let service = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
        try await service.wait(for: "serving")
        var request = CertificateRequest(["www.watched.example"])
        request.subjectPublicKeyInfo = [UInt8](P256.Signing.PrivateKey().publicKey.derRepresentation)
        let pair = try world.issue(request)
        let ran = { (try? String(contentsOfFile: folder.path + "/ran", encoding: .utf8)) ?? "" }
        try await wait { try mail.mails().count == 1 && received.all.count == 1 && !ran().isEmpty }
        let words = String(decoding: try #require(try mail.mails().first), as: UTF8.self).replacing("=\r\n", with: "")
        #expect(words.contains("Unexplained certificate for www.watched.example"))
        #expect(words.contains("oriel alerts claim") && words.contains("\(pair.issuanceID)"))
        let hooked = String(decoding: received.all[0].body, as: UTF8.self)
        #expect(hooked.contains(#""level":"unexplained""#) && hooked.contains(#""steps":[{"#))
        #expect(ran() == "unexplained\n")

        let data = ["--data-dir", folder.path + "/data"]
        let listed = try await Command.run(["alerts", "list", "--json"] + data)
        let number = try #require(listed.output.firstMatch(of: /"id" : (\d+)/)?.1)
        let claimed = try await Command.run(["alerts", "claim", String(number)] + data)
        #expect(claimed.status == 0 && claimed.output.contains("is yours; its verdict is known"), "\(claimed.errors)")
        // What has its key is known now, and nobody is told.
        try world.issue(request)
        let database = try SQLiteDatabase(reading: folder.path + "/data/oriel.db")
        let verdicts = {
          try await database.read {
            try $0.query("SELECT verdict FROM judgements ORDER BY issuance").compactMap { $0.text(0) }
          }
        }
        try await eventually { try await verdicts().count >= 2 }
        #expect(try await verdicts() == ["unexplained", "known"])
        #expect(try mail.mails().count == 1)
        let people = "SELECT (SELECT count(*) FROM accounts) * 10 + (SELECT count(*) FROM members)"
        let count = { try await database.read { try $0.query(people).first?.integer(0) } }
        #expect(try await count() == 10)
        let asked = "SELECT count(*) FROM domains WHERE caa_seen IS NOT NULL"
        #expect(try await database.read { try $0.query(asked).first?.integer(0) } == 0)
        service.send(SIGTERM)
        #expect(try await service.finish().status == 0)

        let dashboard = "dashboard: {listen: \"127.0.0.1:0\", owner: me@mail.example}\ncaa: {check: no}\n"
        _ = try folder.write(text + dashboard, to: "oriel.yaml")
        let again = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
        try await again.wait(for: "pages at")
        try await eventually { try await count() != 10 }
        #expect(try await count() == 11)
        #expect(try await verdicts().count == 2)
        again.send(SIGTERM)
        #expect(try await again.finish().status == 0)
      }
    }
  }

  @Test("A mail server that is down stops nothing: the log is followed, and the mail comes when it can")
  func serverDown() async throws {
    let folder = try TemporaryFolder()
    try await World.run { world in
      let mail = try await MailServer("plain")
      let text = configuration(world, mail, "http://127.0.0.1:1/", folder)
      let dead = text.replacing("port: \(mail.port)", with: "port: 1")
      let file = try folder.write(dead + "\nretry: {first: 1s, longest: 1s}\n", to: "oriel.yaml")
      let service = try Command(["serve", "--config", file, "--poll-interval", "0.1"])
      try await service.wait(for: "serving")
      for number in 0..<5 { try world.issue("n\(number).watched.example") }
      let data = folder.path + "/data"
      try await eventually {
        try await Command.run(["alerts", "list", "--state", "waiting", "--data-dir", data]).output
          .contains("can't connect")
      }
      let logs = try await Command.run(["logs", "--json", "--data-dir", data])
      #expect(!logs.output.contains("unreachable"))
      _ = try folder.write(text + "\nretry: {first: 1s, longest: 1s}\n", to: "oriel.yaml")
      service.send(SIGHUP)
      try await wait { try mail.mails().count >= 10 }
      #expect(try mail.mails().count == 10)
      service.send(SIGTERM)
      #expect(try await service.finish().status == 0)
    }
  }

  @Test("Mistakes in the configuration end with 78, each with its line")
  func mistakes() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("watch: [example.com]\nsmtp:\n  prot: 25\n", to: "oriel.yaml")
    for command in [["config", "check"], ["serve"], ["alert", "test"]] {
      let result = try await Command.run(command + ["--config", file])
      #expect(result.status == 78)
      #expect(result.errors.contains("oriel.yaml:3:3: smtp.prot: there is no such setting; did you mean `port`?"))
    }
    #expect(try await Command.run(["config", "show", "--config", "/nowhere.yaml"]).status == 78)
  }
}
