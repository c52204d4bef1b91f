package import Foundation

/// How a program is started: with three descriptors, and nothing else of this process.
package struct ProgramStart {
  package struct Failed: Error {
    package let reason: String
  }

  package enum Descriptor {
    case same(as: Int32)
    case reading(String)
    case writing(String)
  }

  /// A path, or a name to be found in PATH.
  package let program: String
  package let arguments: [String]
  package let environment: [String: String]
  /// Standard input, output and error.
  package let descriptors: [Descriptor]
  package let isGroup: Bool

  /// - Parameter isGroup: whether it gets a process group of its own.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String], descriptors: [Descriptor],
    isGroup: Bool = false
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.descriptors = descriptors
    self.isGroup = isGroup
  }

  package func start() throws(Failed) -> pid_t {
    guard !([program] + arguments).contains(where: { $0.utf8.contains(0) }) else {
      throw Failed(reason: "a NUL in the command")
    }
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // First what is open, in case it is one of these three here.
    for (number, descriptor) in zip(Int32(0)..., descriptors) {
      if case .same(let own) = descriptor { posix_spawn_file_actions_adddup2(&actions, own, number) }
    }
    for (number, descriptor) in zip(Int32(0)..., descriptors) {
      switch descriptor {
      case .same: break
      case .reading(let path): posix_spawn_file_actions_addopen(&actions, number, path, O_RDONLY, 0)
      case .writing(let path): posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY, 0)
      }
    }
    for descriptor in ProgramStart.descriptorsToClose() { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let group = isGroup ? Int16(POSIX_SPAWN_SETPGROUP) : 0
    posix_spawnattr_setflags(&attributes, group | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    let variables = environment.map { "\($0.key)=\($0.value)".replacing("\0", with: "") }.sorted()
    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for string in argv + envp { free(string) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, program, &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw Failed(reason: String(cString: strerror(code))) }
    return process
  }

  /// Everything above 2 that is open, and some more: other threads open descriptors meanwhile. Closing one that is not
  /// open does no harm.
  private static func descriptorsToClose() -> ClosedRange<Int32> {
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? []
    return 3...min((open.compactMap { Int32($0) }.max() ?? 3) + 64, Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)) - 1))
  }
}
