import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

/// The parts of a line of `oriel watch --json` that tests look at (docs/watch-json.md has them all).
struct WatchLine: Decodable {
  struct Match: Decodable, Hashable {
    let item: String
    let name: String
  }

  struct Sighting: Decodable {
    let index: Int
    let log_id: String
  }

  let update: Bool
  let matches: [Match]
  let dns_names: [String]
  let serial: String?
  let sightings: [Sighting]

  static func all(in output: String) throws -> [WatchLine] {
    try output.split(separator: "\n").map { try JSONDecoder().decode(WatchLine.self, from: Data($0.utf8)) }
  }
}

@Suite("oriel watch", .serialized)
struct WatchCommandTests {
  private func watch(_ world: World, _ folder: TemporaryFolder, _ more: [String]) async throws -> Command.Result {
    try await Command.run(
      ["watch", "--once", "--from", "start", "--log-list", world.logListURL, "--data-dir", folder.path + "/data"] + more
    )
  }

  @Test("Matches go to standard output as JSON, and only once over several runs")
  func matches() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let pair = try world.issue("www.watched.example", "www.watched.example.net")
      try world.issue("www.other.example")
      let result = try await watch(world, folder, ["--json", "watched.example", "=www.watched.example.net"])
      #expect(result.status == 0)
      let lines = try WatchLine.all(in: result.output)
      #expect(lines.map(\.update) == [false, true, true, true])
      #expect(
        Set(lines[0].matches) == [
          WatchLine.Match(item: "watched.example", name: "www.watched.example"),
          WatchLine.Match(item: "=www.watched.example.net", name: "www.watched.example.net"),
        ])
      #expect(lines[0].dns_names == ["www.watched.example", "www.watched.example.net"])
      #expect(lines[0].serial == CertificateFacts(certificate: pair.certificate).serialNumber)
      #expect(lines[3].sightings.count == 4)
      let again = try await watch(world, folder, ["--json", "watched.example"])
      #expect(again.status == 0 && again.output.isEmpty)
    }
  }

  @Test("Expired certificates are shown, and hidden where that is asked for", arguments: [false, true])
  func expired(isHidden: Bool) async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      var request = CertificateRequest(["old.watched.example"])
      request.notBefore = Timestamp(milliseconds: 1_400_000_000_000)
      request.notAfter = Timestamp(milliseconds: 1_410_000_000_000)
      try world.issue(request)
      let result = try await watch(world, folder, (isHidden ? ["--exclude-expired"] : []) + ["watched.example"])
      #expect(result.status == 0)
      #expect(result.output.contains("old.watched.example") == !isHidden)
    }
  }

  @Test("A certspotter watch list means what certspotter means by it")
  func certspotterList() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let list = try folder.write(".tree.example\nexact.example valid_at:2026-01-01\n# a comment\n", to: "watchlist")
      for name in ["a.tree.example", "exact.example", "www.exact.example"] { try world.issue(name) }
      let result = try await watch(world, folder, ["--json", "--certspotter-watch-list", list])
      let found = try WatchLine.all(in: result.output).filter { !$0.update }.flatMap { $0.dns_names }
      #expect(found == ["a.tree.example", "exact.example"])
    }
  }

  @Test("A watch list that changes is read again while logs are followed; one with mistakes changes nothing")
  func changedList() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let list = try folder.write("first.example\n", to: "names")
      let command = try Command([
        "watch", "--from", "start", "--log-list", world.logListURL, "--data-dir", folder.path + "/data",
        "--poll-interval", "0.1", "--watch-list", list,
      ])
      try world.issue("www.first.example")
      try await command.wait(for: "www.first.example")
      _ = try folder.write("first.example\nsecond.example\n", to: "names")
      try await command.wait(for: "in force")
      try world.issue("www.second.example")
      try await command.wait(for: "www.second.example")
      #expect(command.output.contains("www.second.example"))
      _ = try folder.write("first.example\nnot a name\n", to: "names")
      try await command.wait(for: "line 2")
      #expect(command.errors.contains("stays as it was"))
      command.send(SIGINT)
      #expect(try await command.finish().status == 0)
    }
  }

  @Test("Of several logs the one in trouble is named, and the exit code is 3", arguments: [true, false])
  func trouble(isLying: Bool) async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      try world.issue("www.watched.example")
      world.rfc6962Log.fault = isLying ? .badHeadSignature : .status(500)
      let result = try await watch(world, folder, ["--timeout", "1", "watched.example"])
      #expect(result.status == 3)
      #expect(result.errors.contains("Oriel test log 'classic': \(isLying ? "lying" : "unreachable")"))
      #expect(result.output.contains("www.watched.example"))
      let logs = try await Command.run(["logs", "--data-dir", folder.path + "/data"])
      #expect(logs.status == 0 && logs.output.contains(isLying ? "lying" : "unreachable"))
    }
  }

  @Test("A log that asks to be left alone for an hour is given up after --timeout, and the others are read")
  func patience() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      try world.issue("www.watched.example")
      world.rfc6962Log.lie(.status(429, retryAfter: "3600"), on: "get-entries")
      let result = try await watch(world, folder, ["--timeout", "2", "watched.example"])
      #expect(result.status == 3 && result.output.contains("www.watched.example"))
      #expect(result.errors.contains("'classic': unreachable") && result.errors.contains("429"), "\(result.errors)")
    }
  }

  @Test("A log whose head is dated in the future is named, however soon it was read")
  func future() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      try world.issue("www.watched.example")
      let time = Timestamp(milliseconds: Timestamp.now.milliseconds + 30 * 86_400_000)
      try world.staticLog.log.publish(at: time)
      let result = try await watch(world, folder, ["watched.example"])
      #expect(result.status == 0)
      #expect(
        result.errors.contains("'tiled' is frozen: its newest head is dated \(time), in the future"), "\(result.errors)"
      )
      let logs = try await Command.run(["logs", "--data-dir", folder.path + "/data"])
      #expect(logs.output.contains("in the future"))
    }
  }

  @Test("The log of real certificates is followed as it grows: all of it is verified and printed", .needsTestData)
  func realEntries() async throws {
    let folder = try TemporaryFolder()
    let source = try TestData.url("logs/real-entries")
    let grown = folder.url.appending(path: "log")
    try FileManager.default.createDirectory(at: grown, withIntermediateDirectories: true)
    for part in ["tile", "issuer"] {
      try FileManager.default.createSymbolicLink(
        at: grown.appending(path: part), withDestinationURL: source.appending(path: "log/\(part)"))
    }
    let files = FileResponder(folder.url)
    try await TestServer.run {
      files.respond(to: $0)
    } _: { server in
      // The description gives one address for submission and for monitoring; the last one is the latter.
      var list = try TestData.text("logs/real-entries/log_list.json")
      let address = try #require(list.range(of: "https://log.example/real-entries-1/", options: .backwards))
      list.replaceSubrange(address, with: "\(server.url)log/")
      let listFile = try folder.write(list, to: "log_list.json")
      var serials: [String] = []
      for size in [1, 2, 255, 256, 257, 512, 1000, 1537, 2342] {
        let checkpoint = grown.appending(path: "checkpoint")
        try? FileManager.default.removeItem(at: checkpoint)
        try FileManager.default.copyItem(at: source.appending(path: "checkpoints/\(size)"), to: checkpoint)
        let result = try await Command.run([
          "watch", "--once", "--json", "--from", "start", "--log-list", listFile, "--data-dir", folder.path + "/data",
          ".",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let lines = try WatchLine.all(in: result.output)
        serials += lines.compactMap { $0.sightings.last.map { "\($0.index)" } }
        #expect(serials.count == size)
      }
      #expect(Set(serials) == Set((0..<2342).map { "\($0)" }))
      let logs = try await Command.run(["logs", "--json", "--data-dir", folder.path + "/data"])
      #expect(logs.output.contains("2342") && logs.output.contains("frozen"))
    }
  }
}
