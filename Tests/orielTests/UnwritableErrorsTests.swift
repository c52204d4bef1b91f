import Foundation
import TestSupport
import TestWorld
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Standard error on a full disk, or with a reader that has gone, costs messages and nothing else.
@Suite("Standard error that cannot be written")
struct UnwritableErrorsTests {
  enum Errors: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case full = "on a full disk"
    case gone = "whose reader has gone"
    case stalled = "whose reader stands still"

    var testDescription: String { rawValue }

    /// A descriptor of that kind, and what must stay open beside it.
    func make() throws -> (errors: FileHandle, kept: FileHandle?) {
      if self == .full {
        return (try #require(FileHandle(forWritingAtPath: "/dev/full")), nil)
      }
      var ends: [Int32] = [-1, -1]
      try #require(pipe(&ends) == 0)
      let (reading, writing) = (
        FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
        FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
      )
      guard self == .stalled else {
        try reading.close()
        return (writing, nil)
      }
      // Full to the brim: the next write would wait for ever.
      let flags = fcntl(ends[1], F_GETFL)
      _ = fcntl(ends[1], F_SETFL, flags | O_NONBLOCK)
      let filling = [UInt8](repeating: 0x78, count: 4096)
      while write(ends[1], filling, filling.count) > 0 {}
      _ = fcntl(ends[1], F_SETFL, flags)
      return (writing, reading)
    }
  }

  private func run(_ arguments: [String], _ kind: Errors, output: FileHandle? = nil) throws -> (
    program: RunningProgram, kept: FileHandle?
  ) {
    let (errors, kept) = try kind.make()
    return (try RunningProgram(Command.oriel.path, arguments, output: output, errors: errors), kept)
  }

  private func end(_ program: RunningProgram) async throws -> Int32 {
    try await eventually { !program.isRunning }
    return try #require(program.status, "it still runs")
  }

  @Test("A command ends with its own exit code", arguments: Errors.allCases)
  func exitCodes(kind: Errors) async throws {
    let folder = try TemporaryFolder()
    let cases: [(arguments: [String], status: Int32)] = [
      (["watch", "--watch-list", "/nowhere/list", "--data-dir", folder.path + "/a"], 65),
      (["watch", "--log-list", "/nowhere/list", "a.example", "--data-dir", folder.path + "/b"], 3),
      (["serve", "--config", "/nowhere/oriel.yaml"], 78),
      (["log", "fsck", "/nowhere/log"], 78),
    ]
    for (arguments, status) in cases {
      let (program, kept) = try run(arguments, kind)
      #expect(try await end(program) == status, "\(arguments)")
      withExtendedLifetime(kept) {}
    }
  }

  @Test("Following goes on, and matches are printed", arguments: Errors.allCases)
  func following(kind: Errors) async throws {
    let folder = try TemporaryFolder()
    let out = folder.path + "/out"
    FileManager.default.createFile(atPath: out, contents: nil)
    try await World.run { world in
      try world.issue("www.watched.example")
      let arguments = [
        "watch", "--once", "--from", "start", "--log-list", world.logListURL, "--log-list", "/nowhere/list",
        "--data-dir", folder.path + "/data", "watched.example",
      ]
      let (program, kept) = try run(arguments, kind, output: FileHandle(forWritingAtPath: out))
      #expect(try await end(program) == 0)
      #expect(try String(contentsOfFile: out, encoding: .utf8).contains("www.watched.example"))
      withExtendedLifetime(kept) {}
    }
  }

  @Test("The service serves, reloads and ends when it is told to", arguments: Errors.allCases)
  func serving(kind: Errors) async throws {
    let folder = try TemporaryFolder()
    try await World.run { world in
      let ran = folder.path + "/ran"
      func configuration(_ name: String) -> String {
        """
        watch: [\(name)]
        recipients:
          owner: {command: {program: /bin/sh, arguments: [-c, 'echo "$ORIEL_DNS_NAMES" >> \(ran)']}}
        defaults: {recipients: [owner]}
        log_lists: ["\(world.logListURL)"]
        data_dir: \(folder.path)/data
        from: start
        """
      }
      let file = try folder.write(configuration("first.example"), to: "oriel.yaml")
      let (program, kept) = try run(["serve", "--config", file, "--poll-interval", "0.1"], kind)
      func isTold(_ name: String) async throws {
        for _ in 0..<3000 {
          if try (try? String(contentsOfFile: ran, encoding: .utf8))?.contains(name) ?? false { return }
          try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("nobody was notified of \(name)")
      }
      try world.issue("www.first.example")
      try await isTold("www.first.example")
      // A mistaken file is something to write about.
      _ = try folder.write("watch: [", to: "oriel.yaml")
      program.send(SIGHUP)
      _ = try folder.write(configuration("second.example"), to: "oriel.yaml")
      program.send(SIGHUP)
      // In force or not yet, it runs: what is issued later is seen when it is.
      for number in 0..<3000 where program.isRunning {
        if (try? String(contentsOfFile: ran, encoding: .utf8))?.contains("second.example") == true { break }
        if number % 50 == 0 { try world.issue("n\(number).second.example") }
        try await Task.sleep(for: .milliseconds(20))
      }
      try await isTold("second.example")
      program.send(SIGTERM)
      #expect(try await end(program) == 0)
      withExtendedLifetime(kept) {}
    }
  }
}
