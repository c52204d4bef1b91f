import Foundation

/// A program that runs for a limited time, in a process group of its own.
///
/// It inherits three descriptors and nothing else: a file to read, and a pipe for what it says. Nobody writes to it, so
/// that it may read as much of its input as it likes.
package struct ChildProcess {
  package enum End: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    case timedOut
    case notStarted(String)
  }

  package struct Outcome: Sendable {
    package var end: End
    /// The start of what it wrote to standard output and standard error.
    package var output: [UInt8] = []
  }

  /// A path, or a name to be found in PATH.
  let program: String
  let arguments: [String]
  let environment: [String: String]
  /// The file that is its standard input.
  let input: String
  let timeLimit: Duration
  /// From SIGTERM to SIGKILL.
  let grace: Duration
  /// The most bytes of output that are kept; the rest is read and dropped.
  let outputLimit: Int

  package init(
    program: String, arguments: [String], environment: [String: String], input: String, timeLimit: Duration,
    grace: Duration = .seconds(2), outputLimit: Int = 4096
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.input = input
    self.timeLimit = timeLimit
    self.grace = grace
    self.outputLimit = outputLimit
  }

  package func run() async -> Outcome {
    guard let pipe = OutputPipe(limit: outputLimit) else {
      return Outcome(end: .notStarted(String(cString: strerror(errno))))
    }
    defer { pipe.closeReading() }
    let output = ProgramStart.Descriptor.same(as: pipe.writing)
    let start = ProgramStart(
      program, arguments, environment: environment, descriptors: [.reading(input), output, output], isGroup: true)
    let process: pid_t
    do {
      defer { pipe.closeWriting() }
      process = try start.start()
    } catch {
      return Outcome(end: .notStarted(error.reason))
    }
    return await watch(process, pipe)
  }

  // MARK: - Watching

  /// Looks after the process until it has ended and is reaped. Signals go to its group while the process is at most a
  /// zombie: so long the group's number belongs to nobody else.
  private func watch(_ process: pid_t, _ pipe: OutputPipe) async -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    var outcome = Outcome(end: .timedOut)
    var terminated: ContinuousClock.Instant?
    var wasKilled = false
    while !hasEnded(process) {
      let isBusy = pipe.drain(into: &outcome.output)
      let now = clock.now
      if let terminated {
        if !wasKilled, now - terminated >= grace || Task.isCancelled {
          kill(-process, SIGKILL)
          wasKilled = true
        }
      } else if now - start >= timeLimit || Task.isCancelled {
        kill(-process, SIGTERM)
        terminated = now
      }
      // A killed process can only be stuck in the kernel; somebody has to wait for it, but not the caller.
      if wasKilled, let terminated, now - terminated > grace + .seconds(5) {
        Task { await reap(process) }
        return outcome
      }
      if isBusy {
        await Task.yield()
      } else {
        await pause(min(.milliseconds(50), .milliseconds(1) + (now - start) / 20))
      }
    }
    // What it started goes with it, where it was cut short; otherwise it may leave something running on purpose.
    if terminated != nil { kill(-process, SIGKILL) }
    _ = pipe.drain(into: &outcome.output)
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process, terminated == nil else { return outcome }
    outcome.end = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
    return outcome
  }

  /// Whether the process has ended; it is not reaped yet.
  private func hasEnded(_ process: pid_t) -> Bool {
    var facts = siginfo_t()
    // An error means that it is no child of ours any more.
    return waitid(P_PID, id_t(process), &facts, WEXITED | WNOHANG | WNOWAIT) != 0 || facts.si_signo == SIGCHLD
  }

  private func reap(_ process: pid_t) async {
    while !hasEnded(process) { await pause(.seconds(1)) }
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }

  /// A sleep that cancellation does not shorten: a process has to be reaped all the same.
  private func pause(_ duration: Duration) async { await Task { try? await Task.sleep(for: duration) }.value }

  static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// The pipe that a child speaks into.
private struct OutputPipe {
  let reading: Int32
  let writing: Int32
  let limit: Int

  init?(limit: Int) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    (reading, writing) = (ends[0], ends[1])
    self.limit = limit
  }

  func closeReading() { close(reading) }
  func closeWriting() { close(writing) }

  /// Takes what there is, a megabyte at a time; whether there was anything.
  func drain(into output: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var rounds = 0
    while rounds < 16 {
      let count = read(reading, &buffer, buffer.count)
      guard count > 0 else { break }
      output.append(contentsOf: buffer.prefix(min(count, limit - output.count)))
      rounds += 1
    }
    return rounds > 0
  }
}
