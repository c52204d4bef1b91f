import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

/// What goes wrong before or beside following: each has its message, on standard error, and its exit code.
@Suite("Bad input")
struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let arguments: [String]
    let status: Int32
    let message: String
  }

  static let usage = [
    Case(
      testDescription: "an unknown option", arguments: ["watch", "--bogus", "a.example"], status: 64, message: "--bogus"
    ),
    Case(testDescription: "an unknown command", arguments: ["wach", "a.example"], status: 64, message: "wach"),
    Case(testDescription: "nothing to watch", arguments: ["watch"], status: 64, message: "Nothing to watch"),
    Case(testDescription: "an empty label", arguments: ["watch", "a..example"], status: 64, message: "a..example"),
    Case(testDescription: "a public suffix", arguments: ["watch", "co.uk"], status: 64, message: "public suffix"),
    Case(
      testDescription: "a bad start", arguments: ["watch", "--from", "soon", "a.example"], status: 64, message: "--from"
    ),
    Case(
      testDescription: "no pause at all", arguments: ["watch", "--poll-interval", "0", "a.example"], status: 64,
      message: "--poll-interval"),
    Case(
      testDescription: "a watch list that is not there", arguments: ["watch", "--watch-list", "/nowhere/list"],
      status: 65, message: "/nowhere/list"),
    Case(
      testDescription: "a log list that is not there",
      arguments: ["watch", "--log-list", "/nowhere/list", "a.example"], status: 3, message: "/nowhere/list"),
    Case(
      testDescription: "a port where nobody listens",
      arguments: ["watch", "--log-list", "http://127.0.0.1:9/list", "a.example"], status: 3,
      message: "http://127.0.0.1:9/list"),
  ]

  @Test("is told what is wrong with it", arguments: usage)
  func told(_ bad: Case) async throws {
    let folder = try TemporaryFolder()
    let data = bad.arguments.first == "watch" ? ["--data-dir", folder.path + "/data"] : []
    let result = try await Command.run(bad.arguments + data)
    #expect(result.status == bad.status, "\(result.errors)")
    #expect(result.errors.contains(bad.message))
    #expect(result.output.isEmpty)
  }

  @Test("A watch list with mistakes names each line")
  func badLines() async throws {
    let folder = try TemporaryFolder()
    let list = try folder.write("good.example\nbad name\n\na..example\nco.uk\n", to: "names")
    let result = try await Command.run(["watch", "--watch-list", list, "--data-dir", folder.path + "/data"])
    #expect(result.status == 65)
    for line in [2, 4, 5] { #expect(result.errors.contains("line \(line)")) }
  }

  @Test("A log list that is no JSON, or whose key does not fit its id, is refused", arguments: ["<html>", nil])
  func badLogList(text: String?) async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let genuine = String(decoding: try world.logList.json(), as: UTF8.self)
      let id = world.staticLog.log.signer.logID.description
      let spoilt = genuine.replacing(id, with: String(id.reversed().drop { $0 == "=" }) + "=")
      let list = try folder.write(text ?? spoilt, to: "log_list.json")
      let result = try await Command.run([
        "watch", "--once", "--log-list", list, "--data-dir", folder.path + "/data", "a.example",
      ])
      #expect(result.errors.contains("log_list.json"))
      // One log with a wrong key does not stop the others; a file that is no list leaves nothing to follow.
      #expect(result.status == (text == nil ? 0 : 65), "\(result.errors)")
    }
  }

  @Test("A damaged database is left as it is, and the way out is told")
  func damagedDatabase() async throws {
    let folder = try TemporaryFolder()
    let data = folder.url.appending(path: "data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    let damaged = Data(repeating: 0x5a, count: 8192)
    try damaged.write(to: data.appending(path: "oriel.db"))
    let result = try await Command.run(["watch", "--data-dir", data.path, "a.example"])
    #expect(result.status == 65)
    #expect(result.errors.contains("oriel.db") && result.errors.contains("mv "))
    #expect(try Data(contentsOf: data.appending(path: "oriel.db")) == damaged)
  }

  @Test("A second process on one data directory refuses")
  func usedDirectory() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let arguments = [
        "watch", "--from", "start", "--log-list", world.logListURL, "--data-dir", folder.path, "a.example",
      ]
      try world.issue("www.a.example")
      let first = try Command(arguments)
      try await first.wait(for: "www.a.example")
      let second = try await Command.run(arguments)
      #expect(second.status == 73)
      #expect(second.errors.contains(folder.path) && second.errors.contains("use"))
      first.send(SIGTERM)
      _ = try await first.finish()
    }
  }

  @Test("A data directory that can't be made is told of")
  func unwritableDirectory() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", to: "file")
    let result = try await Command.run(["watch", "--data-dir", file + "/data", "a.example"])
    #expect(result.status == 73)
    #expect(result.errors.contains(file))
  }

  @Test("A full disk ends the run with a message; with room again, nothing is missing", .enabled(if: canMount))
  func fullDisk() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      let pairs = try (0..<200).map { try world.issue("n\($0).watched.example", to: [world.staticLog]) }
      // A file system of its own for the data, too small for what is to be kept; then all that it held, with room.
      let script = """
        mount -t tmpfs -o size=300k none "$1/small" && "$2" watch --once --json --from start --log-list "$3" \
        --data-dir "$1/small/data" watched.example > "$1/first"; echo $? > "$1/status"; cp -a "$1/small/data" "$1/data"
        """
      try FileManager.default.createDirectory(
        at: folder.url.appending(path: "small"), withIntermediateDirectories: true)
      let first = try await Command(
        ["-rm", "/bin/sh", "-c", script, "sh", folder.path, Command.oriel.path, world.logListURL],
        program: URL(filePath: "/usr/bin/unshare")
      ).finish()
      let status = try String(contentsOf: folder.url.appending(path: "status"), encoding: .utf8)
      #expect(status == "73\n", "\(first.errors)")
      #expect(first.errors.contains("full") || first.errors.contains("space"))
      let second = try await Command.run([
        "watch", "--once", "--json", "--from", "start", "--log-list", world.logListURL, "--data-dir",
        folder.path + "/data", "watched.example",
      ])
      #expect(second.status == 0, "\(second.errors)")
      let told = try WatchLine.all(
        in: second.output + String(contentsOf: folder.url.appending(path: "first"), encoding: .utf8))
      #expect(Set(told.flatMap(\.dns_names)).count == pairs.count)
    }
  }

  private static let canMount: Bool = {
    let arguments = ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (try? RunningProgram("/usr/bin/unshare", arguments))?.wait() == 0
  }()

  @Test(
    "Every command says what it is for, with an example",
    arguments: [["watch"], ["logs"], ["logs", "update"], ["demo"]])
  func help(command: [String]) async throws {
    let result = try await Command.run(command + ["--help"])
    #expect(result.status == 0)
    #expect(result.output.contains("OVERVIEW") && result.output.contains("oriel \(command[0])"))
    #expect(result.output.localizedCaseInsensitiveContains("example"))
  }
}
