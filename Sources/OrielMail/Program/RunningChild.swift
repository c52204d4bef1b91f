#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One run, from pipe to wait, on one thread.
struct RunningChild {
  private let deadline: ContinuousClock.Instant
  private let isCancelled: ChildProcess.Flag
  private var output: [UInt8] = []
  /// The longest sleep between two looks at the child and at the flag.
  private static let tick: Int32 = 50
  /// Enough to empty a pipe after the child has ended, though a child of its own goes on writing.
  private static let lastReadsLimit = 32

  init(deadline: ContinuousClock.Instant, isCancelled: ChildProcess.Flag) {
    self.deadline = deadline
    self.isCancelled = isCancelled
  }

  mutating func run(_ path: String, _ arguments: [String], input: [UInt8]) -> ChildProcess.Result {
    let child: StartedChild
    do {
      child = try StartedChild.start(path, arguments)
    } catch {
      return .init(end: .notStarted(error.description), output: [])
    }
    defer { closeDescriptor(child.stdout) }
    let end = attend(child.pid, stdin: child.stdin, stdout: child.stdout, input: input)
    return .init(end: end, output: output)
  }

  /// Feeds and reads the child until it has ended. Closes `stdin`.
  private mutating func attend(_ pid: pid_t, stdin: Int32, stdout: Int32, input: [UInt8]) -> ChildProcess.End {
    var rest = input[...]
    var stdin = stdin
    var reads = true
    var pause: Int32 = 1
    var lastReads = 0
    var knownEnd: ChildProcess.End?
    while true {
      if stdin >= 0, rest.isEmpty {
        closeDescriptor(stdin)
        stdin = -1
      }
      // Asked before the last read, so that all it wrote is read.
      if knownEnd == nil { knownEnd = ended(pid) }
      if knownEnd == nil, isCancelled.isSet || ContinuousClock.now >= deadline {
        if stdin >= 0 { closeDescriptor(stdin) }
        kill(-pid, SIGKILL)
        reap(pid)
        return isCancelled.isSet ? .cancelled : .timedOut
      }
      // A child's child may hold the pipe open; it is not waited for.
      let moved = exchange(stdin: stdin, stdout: reads ? stdout : -1, rest: &rest, wait: knownEnd == nil ? pause : 0)
      if moved.stdoutEnded { reads = false }
      if let end = knownEnd, !moved.any || lastReads > Self.lastReadsLimit {
        if stdin >= 0 { closeDescriptor(stdin) }
        return end
      }
      if knownEnd != nil { lastReads += 1 }
      pause = moved.any ? 1 : min(pause * 2, Self.tick)
    }
  }

  /// Moves what can be moved now, after waiting up to `wait` milliseconds for something.
  private mutating func exchange(
    stdin: Int32, stdout: Int32, rest: inout ArraySlice<UInt8>, wait: Int32
  ) -> (any: Bool, stdoutEnded: Bool) {
    var descriptors = [
      pollfd(fd: stdin, events: Int16(POLLOUT), revents: 0), pollfd(fd: stdout, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&descriptors, 2, wait) > 0 else { return (false, false) }
    var result = (any: false, stdoutEnded: false)
    if descriptors[0].revents != 0 {
      let written = rest.withUnsafeBytes { write(stdin, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
        result.any = true
      } else if errno != EAGAIN, errno != EINTR {
        // It does not want the rest.
        rest = []
      }
    }
    if descriptors[1].revents != 0 {
      var chunk = [UInt8](repeating: 0, count: 4096)
      let count = read(stdout, &chunk, chunk.count)
      if count > 0 {
        output.append(contentsOf: chunk.prefix(min(count, ChildProcess.outputLimit - output.count)))
        result.any = true
      } else if count == 0 || errno != EAGAIN && errno != EINTR {
        result.stdoutEnded = true
      }
    }
    return result
  }

  private func ended(_ pid: pid_t) -> ChildProcess.End? {
    var status: Int32 = 0
    let result = waitpid(pid, &status, WNOHANG)
    if result == pid { return Self.end(status) }
    return result == 0 || errno == EINTR ? nil : .unknown
  }

  private func reap(_ pid: pid_t) {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  private static func end(_ status: Int32) -> ChildProcess.End {
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
  }
}
