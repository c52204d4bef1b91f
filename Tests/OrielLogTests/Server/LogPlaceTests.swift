import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// Copies and snapshots of a log's folder, as their operator runs them.
@Suite("oriel log, copied or restored", .serialized)
struct LogPlaceTests {
  private func copy(_ log: OperatedLog, to name: String = "copy") throws -> String {
    let copy = log.temporary.path + "/" + name
    try FileManager.default.copyItem(atPath: log.path, toPath: copy)
    return copy
  }

  private func end(_ command: Command) async throws -> Command.Result {
    command.send(SIGTERM)
    return try await command.finish()
  }

  /// All files of a folder with what is in them, without those that SQLite keeps for itself.
  private func content(_ path: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) where !name.hasPrefix("lock") {
      files[name] = try? Data(contentsOf: URL(filePath: path + "/" + name))
    }
    return files
  }

  @Test("A copy is refused until the operator says that the log was moved, and then runs")
  func copies() async throws {
    let log = try await OperatedLog()
    let (first, _) = try await log.serve()
    #expect(try await end(first).status == 0)
    let copy = try copy(log)
    let before = try content(copy)
    let refused = try await Command.run(["log", "serve", copy, "--listen", "127.0.0.1:0", "--min-free", "0"])
    #expect(refused.status == 78, "\(refused.errors)")
    for part in [log.path + "/lock.db, now " + copy + "/lock.db", "inode", "--moved"] {
      #expect(refused.errors.contains(part), "\(refused.errors)")
    }
    #expect(try content(copy) == before)
    // The log itself goes on.
    let (again, _) = try await log.serve()
    #expect(try await end(again).status == 0)
    try FileManager.default.removeItem(atPath: log.path)
    for options in [["--moved"], []] {
      let moved = try Command(["log", "serve", copy, "--listen", "127.0.0.1:0", "--min-free", "0"] + options)
      try await moved.wait(for: "listening on ")
      #expect(try await end(moved).status == 0, "\(moved.errors)")
    }
  }

  @Test("A folder that was renamed is noticed, too")
  func renamed() async throws {
    let log = try await OperatedLog()
    let path = log.temporary.path + "/renamed"
    try FileManager.default.moveItem(atPath: log.path, toPath: path)
    let result = try await Command.run(["log", "serve", path, "--listen", "127.0.0.1:0", "--min-free", "0"])
    #expect(
      result.status == 78 && result.errors.contains("path") && !result.errors.contains("inode"), "\(result.errors)")
  }

  @Test("The lock of another machine, or another file, is told apart; a device that was numbered anew is no difference")
  func locations() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", to: "lock.db")
    let location = try LockLocation(of: file)
    #expect(location.differences(from: location) == "")
    #expect(location.path == URL(filePath: file).resolvingSymlinksInPath().path)
    for (change, word) in [
      ({ $0.machine = "other" }, "machine-id "), ({ $0.inode += 1 }, "inode "), ({ $0.path = "/x" }, "path "),
      (
        {
          $0.device += 1; $0.inode += 1
        }, "device "
      ), ({ $0.device += 1 }, ""),
    ] as [((inout LockLocation) -> Void, String)] {
      var known = location
      change(&known)
      let differences = location.differences(from: known)
      #expect(word.isEmpty ? differences.isEmpty : differences.hasPrefix(word), "\(differences)")
    }
    #expect(throws: BlobError.self) { try LockLocation(of: folder.path + "/nothing") }
  }

  @Test("With an anchor, a snapshot of the whole folder that is put back is refused, and nothing is signed")
  func snapshot() async throws {
    let elsewhere = try TemporaryFolder()
    let anchor = elsewhere.path + "/anchor"
    let log = try await OperatedLog(["--anchor", anchor])
    let submitter = Submitter(log.authority, try log.folder.entry.key)
    let (first, firstHTTP) = try await log.serve()
    let http = try #require(firstHTTP)
    #expect(try await submitter.submit(http) == 200)
    let health = try await http.request("GET", "/health").text
    #expect(health.contains("\"anchor\": \"\(anchor)\""), "\(health)")
    #expect(try await end(first).status == 0)
    let saved = try copy(log, to: "saved")
    let (second, secondHTTP) = try await log.serve()
    #expect(try await submitter.submit(try #require(secondHTTP)) == 200)
    #expect(try await end(second).status == 0)
    #expect(
      try Data(contentsOf: URL(filePath: anchor)) == Data(contentsOf: URL(filePath: log.path + "/public/checkpoint")))
    try FileManager.default.removeItem(atPath: log.path)
    try FileManager.default.moveItem(atPath: saved, toPath: log.path)
    let before = try content(log.path)
    let refused = try await Command.run([
      "log", "serve", log.path, "--moved", "--listen", "127.0.0.1:0", "--min-free", "0",
    ])
    #expect(refused.status == 78 && refused.errors.contains("snapshot"), "\(refused.errors)")
    #expect(try content(log.path) == before)
  }

  @Test("An anchor that can't be written: submissions get 503, the log is read as ever, and goes on later")
  func unwritable() async throws {
    let elsewhere = try TemporaryFolder()
    let anchor = elsewhere.path + "/anchor"
    let log = try await OperatedLog(["--anchor", anchor])
    let submitter = Submitter(log.authority, try log.folder.entry.key)
    let (command, served) = try await log.serve()
    let http = try #require(served)
    #expect(try await submitter.submit(http) == 200)
    try FileManager.default.createDirectory(atPath: anchor + ".next", withIntermediateDirectories: false)
    for _ in 0..<3 { #expect(try await submitter.submit(http) == 503) }
    #expect(try await log.head(http).size == 1)
    let health = try await http.request("GET", "/health")
    #expect(health.status == 503 && health.text.contains("anchor.next"), "\(health.text)")
    // Once, however often it is tried.
    let records = command.errors.split(separator: "\n").filter { $0.contains("anchor.next") }
    #expect(records.count == 1 && records[0].contains("\"error\"") && records[0].contains("503"), "\(command.errors)")
    try FileManager.default.removeItem(atPath: anchor + ".next")
    try await eventually { try await submitter.submit(http) == 200 }
    #expect(try await log.head(http).size == 2)
    #expect(try await end(command).status == 0)
  }

  @Test("An anchor that is gone is no new one")
  func missing() async throws {
    let elsewhere = try TemporaryFolder()
    let anchor = elsewhere.path + "/anchor"
    let log = try await OperatedLog(["--anchor", anchor])
    try FileManager.default.removeItem(atPath: anchor)
    let refused = try await Command.run(["log", "serve", log.path, "--listen", "127.0.0.1:0", "--min-free", "0"])
    #expect(refused.status == 78 && refused.errors.contains("\(anchor) is not there"), "\(refused.errors)")
    _ = try elsewhere.write("", to: "anchor")
    let (command, http) = try await log.serve()
    #expect(http != nil, "\(command.errors)")
    #expect(try await end(command).status == 0)
    #expect(try !Data(contentsOf: URL(filePath: anchor)).isEmpty)
  }

  @Test("init asks for an anchor, or for none, and makes no log with an anchor that is of no use")
  func creation() async throws {
    let clock = TravelClock()
    let authority = try TestAuthority(seed: 21, now: { clock.now })
    let folder = try TemporaryFolder()
    let roots = try folder.write(PEM.encode(authority.root.chain[0]), to: "roots.pem")
    let used = try folder.write("a checkpoint", to: "used")
    let path = folder.path + "/log"
    for (options, status, reason) in [
      ([], 64, "--anchor FILE or --no-anchor"), (["--anchor", folder.path + "/a", "--no-anchor"], 64, "either"),
      (["--anchor", used], 78, "not empty"), (["--anchor", path + "/anchor"], 78, "outside the log's folder"),
      (["--anchor", folder.path + "/none/anchor"], 78, "none/anchor"), (["--anchor", folder.path], 78, folder.path),
    ] as [([String], Int32, String)] {
      let result = try await Command.run(
        ["log", "init", path, "--submission-url", "http://127.0.0.1:1/x/", "--roots", roots] + options)
      #expect(result.status == status && result.errors.contains(reason), "\(options): \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    #expect(try String(contentsOfFile: used, encoding: .utf8) == "a checkpoint")
    let made = try await Command.run(
      [
        "log", "init", path, "--submission-url", "http://127.0.0.1:1/x/", "--roots", roots, "--anchor",
        folder.path + "/a",
      ])
    #expect(
      made.status == 0 && made.errors.contains("warning: the anchor is on the same file system"), "\(made.errors)")
    #expect(try LogFolder(path).settings.anchor == folder.path + "/a")
  }

  @Test("An ordinary start says what is served and where, and nothing else; without an anchor health says so")
  func quietStart() async throws {
    let log = try await OperatedLog()
    let (command, http) = try await log.serve()
    let health = try await #require(http).request("GET", "/health")
    #expect(health.status == 200 && health.headers["content-type"] == "application/json")
    let json = try #require(try JSONSerialization.jsonObject(with: Data(health.body)) as? [String: Any])
    #expect(json["status"] as? String == "ok" && (json["logs"] as? [[String: Any]])?.first?["anchor"] is NSNull)
    #expect(health.text.contains("\"anchor\": null"))
    #expect(command.errors.split(separator: "\n").count == 2, "\(command.errors)")
    #expect(try await end(command).status == 0)
  }
}

@Suite("A log whose monitoring URL somebody else serves", .serialized)
struct PublicCheckpointTests {
  @Test("Of two copies of a log, the one that is not the public one takes nothing any more, and says why")
  func copy() async throws {
    let temporary = try TemporaryFolder()
    let (clock, path) = (TravelClock(), temporary.path + "/log")
    let authority = try TestAuthority(seed: 21, now: { clock.now })
    try await ServedLog.create(path, authority, clock, nil)
    let other = temporary.path + "/copy"
    try FileManager.default.copyItem(atPath: path, toPath: other)
    // The copy's place in the world is told by what the original publishes.
    let original = try LogFolder(path)
    let published = original.publicPath + "/checkpoint"
    let source = PublicCheckpoint {
      FileManager.default.contents(atPath: published).map { .note([UInt8]($0)) } ?? .unreachable("it is not there")
    }
    var settings = ServedLog.Options().service
    settings.comparisonPeriod = .milliseconds(20)
    let services = [
      try await original.open(clock: clock.clock, settings: settings),
      try await LogFolder(other).open(
        clock: clock.clock, settings: settings, isMoved: true, publicCheckpoint: source),
    ]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in services { group.addTask { await service.run() } }
      func submit(_ number: Int, to service: LogService) async throws {
        let pair = try authority.issue(CertificateRequest(["host\(number).example"]))
        let body = try AddChainRequest(chain: [pair.certificate] + pair.chain).json()
        _ = try await service.submit(body, as: .x509, through: AdmissionQueue())
      }
      try await submit(1, to: services[1])
      try await submit(2, to: services[0])
      try await eventually { await !services[1].health().isWell }
      let health = await services[1].health()
      #expect(health.publicCheckpoint?.hasPrefix("inconsistent: ") == true, "\(health)")
      #expect(health.problems.contains { $0.contains("monitoring URL") })
      try await eventually { services[1].closure() != nil }
      let head = services[1].head
      await #expect(throws: Rejection.self) { try await submit(3, to: services[1]) }
      #expect(services[1].head == head)
      // The original serves itself, and goes on.
      try await submit(4, to: services[0])
      #expect(await services[0].health().publicCheckpoint == "own")
      group.cancelAll()
    }
  }

  @Test("Somebody else's later checkpoint is compared before anything is signed; what can't be reached is no obstacle")
  func start() async throws {
    let log = try await OperatedLog()
    let submitter = Submitter(log.authority, try log.folder.entry.key)
    let (first, served) = try await log.serve()
    let saved = log.temporary.path + "/saved"
    #expect(try await submitter.submit(try #require(served)) == 200)
    first.send(SIGTERM)
    #expect(try await first.finish().status == 0)
    try FileManager.default.copyItem(atPath: log.path, toPath: saved)
    let (second, again) = try await log.serve()
    #expect(try await submitter.submit(try #require(again)) == 200)
    second.send(SIGTERM)
    #expect(try await second.finish().status == 0)
    let files = FileResponder(URL(filePath: log.path + "/public"))
    try await TestServer.run {
      files.respond(to: $0)
    } _: { server in
      // The saved folder, with the address of what is served by somebody else.
      let settings = URL(filePath: saved + "/log.json")
      let text = try String(contentsOf: settings, encoding: .utf8)
      let old = try log.folder.entry.monitoringURL
      try Data(text.replacing("\"monitoring_url\" : \"\(old)\"", with: "\"monitoring_url\" : \"\(server.url)\"").utf8)
        .write(to: settings)
      let refused = try await Command.run(
        ["log", "serve", saved, "--moved", "--listen", "127.0.0.1:0", "--min-free", "0"])
      #expect(refused.status == 65 && refused.errors.contains("the public knows 2 entries"), "\(refused.errors)")
    }
  }
}
