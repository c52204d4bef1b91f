import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A child just started, and the pipes to it, non-blocking.
struct StartedChild {
  let pid: pid_t
  let stdin: Int32
  let stdout: Int32

  /// Held from the making of a pipe until the child has it, so that no other child of ours can get hold of its ends.
  private static let starting = Mutex(())

  static func start(_ path: String, _ arguments: [String]) throws(StartFailure) -> StartedChild {
    try starting.withLock { _ throws(StartFailure) in
      let input = try pipe()
      defer { closeDescriptor(input.reading) }
      let output: (reading: Int32, writing: Int32)
      let pid: pid_t
      do throws(StartFailure) {
        output = try pipe()
      } catch {
        closeDescriptor(input.writing)
        throw error
      }
      defer { closeDescriptor(output.writing) }
      do throws(StartFailure) {
        pid = try spawn(path, arguments, stdin: input.reading, stdout: output.writing)
      } catch {
        closeDescriptor(input.writing)
        closeDescriptor(output.reading)
        throw error
      }
      for end in [input.writing, output.reading] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
      return StartedChild(pid: pid, stdin: input.writing, stdout: output.reading)
    }
  }

  private static func pipe() throws(StartFailure) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    #if canImport(Glibc)
      let made = Glibc.pipe(&ends)
    #elseif canImport(Musl)
      let made = Musl.pipe(&ends)
    #else
      let made = Darwin.pipe(&ends)
    #endif
    guard made == 0 else { throw StartFailure(code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

struct StartFailure: Error, CustomStringConvertible {
  let code: Int32
  var description: String { String(cString: strerror(code)) }
}

func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

/// Starts a program in a process group of its own, with no signal blocked or ignored and no descriptor above 2.
private func spawn(
  _ path: String, _ arguments: [String], stdin: Int32, stdout: Int32
) throws(StartFailure) -> pid_t {
  // A string with a NUL would reach the program cut short.
  guard !([path] + arguments).contains(where: { $0.utf8.contains(0) }) else { throw StartFailure(code: EINVAL) }
  #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
    let closing = Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
  #else
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    let closing: Int16 = 0
  #endif
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, stdin, 0)
  posix_spawn_file_actions_adddup2(&actions, stdout, 1)
  posix_spawn_file_actions_adddup2(&actions, 1, 2)
  for descriptor in openDescriptors() where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }

  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  let flags = Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | closing
  posix_spawnattr_setflags(&attributes, flags)

  var pid: pid_t = 0
  let code = withCStrings([path] + arguments) { arguments in
    withCStrings(childEnvironment()) { posix_spawn(&pid, path, &actions, &attributes, arguments, $0) }
  }
  guard code == 0 else { throw StartFailure(code: code) }
  return pid
}

/// Those that somebody may have opened without saying that children don't get them. Where the system can be told to
/// close all (Darwin), none.
private func openDescriptors() -> [Int32] {
  #if canImport(Darwin)
    []
  #else
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) }
  #endif
}

/// What a mail program needs to find its settings and its clock; the rest, where secrets may be, stays here.
private func childEnvironment() -> [String] {
  ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    + ["HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"].compactMap { (name: String) in
      getenv(name).map { "\(name)=\(String(cString: $0))" }
    }
}

/// The strings as C wants them: an array that ends with a null pointer.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return body(&pointers)
}
