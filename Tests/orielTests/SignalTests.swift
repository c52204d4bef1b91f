import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

/// What signals do to the commands that run until they are told to end.
@Suite("Signals", .serialized)
struct SignalTests {
  /// Whether a process has a handler for SIGHUP, or ignores it; false once it has ended, too.
  private func survivesHangup(_ process: pid_t) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let masks = status.split(separator: "\n").filter { $0.hasPrefix("SigCgt:") || $0.hasPrefix("SigIgn:") }
    return masks.contains { line in
      line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }.map { $0 & 1 == 1 } ?? false
    }
  }

  /// Sends SIGHUP from the first moment on until the command is at work, and then SIGTERM.
  private func hangUp(_ command: Command, until text: String) async throws {
    try await eventually(every: .microseconds(100)) { !command.isRunning || survivesHangup(command.identifier) }
    try await eventually(every: .milliseconds(2)) {
      command.send(SIGHUP)
      return !command.isRunning || command.output.contains(text) || command.errors.contains(text)
    }
    for _ in 0..<5 {
      command.send(SIGHUP)
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(command.isRunning, "\(command.errors)")
    command.send(SIGTERM)
    let result = try await command.finish()
    #expect(result.status == 0, "\(result)")
  }

  @Test("SIGHUP ends neither watch nor serve, not at their start either; SIGTERM does")
  func following() async throws {
    try await World.run { world in
      let folder = try TemporaryFolder()
      try world.issue("www.watched.example")
      let watch = try Command([
        "watch", "--from", "start", "--log-list", world.logListURL, "--data-dir", folder.path + "/watch",
        "--poll-interval", "0.1", "watched.example",
      ])
      try await hangUp(watch, until: "www.watched.example")
      let text = """
        watch: [watched.example]
        log_lists: ["\(world.logListURL)"]
        data_dir: \(folder.path)/serve
        dashboard: {listen: "127.0.0.1:0"}
        caa: {check: no}
        """
      let serve = try Command(["serve", "--config", try folder.write(text, to: "oriel.yaml")])
      try await hangUp(serve, until: "pages at ")
    }
  }

  @Test("SIGHUP does not end a log that is served without TLS")
  func log() async throws {
    let folder = try TemporaryFolder()
    let roots = try folder.write(PEM.encode(try TestAuthority(seed: 3).root.chain[0]), to: "roots.pem")
    let made = try await Command.run([
      "log", "init", folder.path + "/log", "--submission-url", "http://127.0.0.1:1/x/", "--roots", roots, "--no-anchor",
    ])
    #expect(made.status == 0, "\(made.errors)")
    let serve = try Command(["log", "serve", folder.path + "/log", "--listen", "127.0.0.1:0", "--min-free", "0"])
    try await hangUp(serve, until: "listening on ")
  }

  @Test("SIGHUP does not end the demonstration")
  func demo() async throws {
    try await hangUp(try Command(["demo"], environment: ["CI": ""]), until: "pages at ")
  }

  @Test("A log server whose address is another's says so and ends, with its folder free for the next")
  func takenAddress() async throws {
    let folder = try TemporaryFolder()
    let roots = try folder.write(PEM.encode(try TestAuthority(seed: 3).root.chain[0]), to: "roots.pem")
    for name in ["a", "b"] {
      let made = try await Command.run([
        "log", "init", folder.path + "/\(name)", "--submission-url", "http://127.0.0.1:1/\(name)/", "--roots", roots,
        "--no-anchor",
      ])
      #expect(made.status == 0, "\(made.errors)")
    }
    let logs = [folder.path + "/a", folder.path + "/b", "--min-free", "0"]
    try await World.run { world in
      let address = String(world.logListURL.split(separator: "/")[1])
      for address in [address, "192.0.2.1:0"] {
        let result = try await Command.run(["log", "serve"] + logs + ["--listen", address])
        #expect(result.status == 73, "\(result.errors)")
        #expect(result.errors.contains("\(address) can't be listened on: "), "\(result.errors)")
      }
      let result = try await Command.run(["log", "serve"] + logs + ["--listen", address])
      #expect(result.errors.contains("Address already in use"), "\(result.errors)")
    }
    let next = try Command(["log", "serve"] + logs + ["--listen", "127.0.0.1:0"])
    try await next.wait(for: "listening on ")
    let other = try await Command.run(["log", "serve"] + logs + ["--listen", "127.0.0.1:0"])
    #expect(other.status == 73 && other.errors.contains("another process serves or repairs this log"))
    #expect(!other.errors.contains("--data-dir"), "\(other.errors)")
    next.send(SIGTERM)
    #expect(try await next.finish().status == 0)
  }
}
