import Foundation
import TestSupport
import Testing

@testable import OrielMail

@Suite("A sendmail program")
struct SendmailProgramTests {
  /// A shell script in the program's place; it gets `-f FROM -- TO…` as its arguments.
  private func outcome(
    _ script: String, input: [UInt8] = [], limit: Duration = .seconds(60)
  ) async throws -> MailResult.Outcome? {
    let program = SendmailProgram(path: "/bin/sh", arguments: ["-c", script, "sendmail"], timeLimit: limit)
    let results = try await program.send(
      from: MailAddress("-x@a.example"), to: [MailAddress("r@b.example"), MailAddress("s@b.example")], message: input)
    #expect(results.count == 2 && results[0].outcome == results[1].outcome)
    return results.first?.outcome
  }

  @Test("gets the envelope as arguments and the message with plain line ends")
  func handsOver() async throws {
    let told = try await outcome("echo $*; od -An -c", input: Array("a\r\nb\nc\rd".utf8))
    guard case .delivered(let words) = told else {
      Issue.record("\(String(describing: told))")
      return
    }
    #expect(words.contains("-f -x@a.example -- r@b.example s@b.example"))
    #expect(words.contains("a  \\n   b  \\n   c  \\n   d"))
  }

  @Test(
    "is believed about what happened",
    arguments: [(0, "d"), (64, "p"), (67, "p"), (1, "p"), (69, "t"), (75, "t"), (76, "p"), (78, "p")])
  func exitCodes(_ code: Int, _ kind: String) async throws {
    let told = try await outcome("printf 'why\\033[1m\\n' >&2; exit \(code)")
    let words = code == 0 ? "/bin/sh took it: why [1m" : "/bin/sh ended with \(code): why [1m"
    let expected: MailResult.Outcome =
      kind == "d" ? .delivered(words) : kind == "p" ? .permanent(words) : .temporary(words)
    #expect(told == expected)
  }

  @Test("is killed when time is up")
  func timeLimit() async throws {
    let told = try await outcome("echo begun; sleep 1000 & sleep 1000", limit: .milliseconds(500))
    #expect(told == .temporary("/bin/sh did not end within 0 s and was killed: begun"))
  }

  @Test("may leave the message unread, and write without end")
  func unreadAndEndless() async throws {
    let large = [UInt8](repeating: 0x61, count: 300_000)
    #expect(try await outcome("exit 75", input: large) == .temporary("/bin/sh ended with 75"))
    #expect(try await outcome("exec <&-; sleep 0.2", input: large) == .delivered("/bin/sh took it"))
    let told = try await outcome("head -c 3000000 /dev/zero | tr '\\0' x; cat > /dev/null; exit 1", input: large)
    #expect(told == .permanent("/bin/sh ended with 1: " + String(repeating: "x", count: 4096)))
  }

  @Test("may leave a child behind that holds the pipe open")
  func leftChild() async throws {
    #expect(try await outcome("sleep 300 & exit 0") == .delivered("/bin/sh took it"))
  }

  @Test("can be missing, or end by a signal")
  func missing() async throws {
    let program = SendmailProgram(path: "/nowhere/sendmail")
    let results = try await program.send(
      from: MailAddress("a@a.example"), to: [MailAddress("r@b.example")], message: [])
    #expect(
      results.map(\.outcome) == [.temporary("/nowhere/sendmail can't be run: No such file or directory")])
    #expect(try await outcome("kill -9 $$") == .temporary("/bin/sh was killed by signal 9"))
  }

  @Test("dies with the task that waits for it")
  func cancellation() async throws {
    let task = Task { try await outcome("sleep 1000") }
    try await Task.sleep(for: .milliseconds(200))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test(
    "gets no descriptor and no secret of ours", .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/fd")))
  func inheritance() async throws {
    setenv("MAIL_TEST_SECRET", "hush", 1)
    let open = FileHandle(forReadingAtPath: "/etc/passwd")
    defer { try? open?.close() }
    if let open { _ = fcntl(open.fileDescriptor, F_SETFD, 0) }
    let told = try await outcome("ls -1 /proc/$$/fd; echo secret=$MAIL_TEST_SECRET")
    #expect(told == .delivered("/bin/sh took it: 0 1 2 secret="))
  }

  @Test("can run many times at once")
  func concurrency() async throws {
    let input = Array(String(repeating: "line\r\n", count: 20_000).utf8)
    try await withThrowingTaskGroup(of: MailResult.Outcome?.self) { group in
      for _ in 0..<40 { group.addTask { try await outcome("wc -c", input: input) } }
      for try await told in group { #expect(told == .delivered("/bin/sh took it: 100000")) }
    }
  }
}
