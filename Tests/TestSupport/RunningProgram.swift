public import Foundation
import Synchronization

/// A process of ours, with nothing of this one but what it is given.
///
/// Foundation's `Process` reads beyond its memory while it looks for open descriptors, which ends a run of tests that has
/// many of them.
public final class RunningProgram: Sendable {
  public struct NotStarted: Error {
    public let program: String
    public let reason: String
  }

  public let identifier: pid_t
  /// What the system said of its end; nil while it runs.
  private let end = Mutex<Int32?>(nil)

  /// Starts a program; what is not given of its three descriptors is the null device.
  public init(
    _ program: String, _ arguments: [String] = [],
    environment: [String: String] = ProcessInfo.processInfo.environment, input: FileHandle? = nil,
    output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (number, handle) in [input, output, errors].enumerated() {
      if let handle {
        posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(number))
      } else {
        posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
      }
    }
    // And some more: other threads open descriptors meanwhile. Closing one that is not open does no harm.
    let open = try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").compactMap { Int32($0) }
    for descriptor in 3...(open.max() ?? 3) + 64 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for string in argv + envp { free(string) } }
    var identifier: pid_t = 0
    let code = posix_spawn(&identifier, program, &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw NotStarted(program: program, reason: String(cString: strerror(code))) }
    self.identifier = identifier
  }

  public var isRunning: Bool { end.withLock { look(&$0) } }

  /// The code that it exited with, or the number of the signal that ended it; nil while it runs.
  public var status: Int32? {
    guard !isRunning else { return nil }
    return end.withLock { end in end.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : $0 & 0x7f } }
  }

  public func send(_ signal: Int32) {
    end.withLock { end in
      // Reaped under the same lock, so that the number is nobody else's.
      if look(&end) { kill(identifier, signal) }
    }
  }

  /// Blocks until it has ended.
  @discardableResult
  public func wait() -> Int32 {
    while isRunning { usleep(2000) }
    return status ?? -1
  }

  /// Whether it still runs; if not, it is reaped.
  private func look(_ end: inout Int32?) -> Bool {
    guard end == nil else { return false }
    var status: Int32 = 0
    let found = waitpid(identifier, &status, WNOHANG)
    guard found != 0 else { return true }
    end = found == identifier ? status : -1
    return false
  }
}
