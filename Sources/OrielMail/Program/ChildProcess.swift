import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs a program to its end: bytes in, a bounded piece of its output and how it ended out.
///
/// It runs in a process group of its own, which is killed when time is up or the task is cancelled. It gets no
/// descriptor but its three, and of the environment only what says where it is.
package enum ChildProcess {
  package enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    case timedOut
    case cancelled
    /// It never ran.
    case notStarted(String)
    /// It ran, and how it ended is not known.
    case unknown
  }

  package struct Result: Equatable, Sendable {
    package let end: End
    /// The start of what it wrote to standard output and standard error.
    package let output: [UInt8]
  }

  package static let outputLimit = 4096

  /// - Parameter timeLimit: how long it may run.
  package static func run(_ path: String, _ arguments: [String], input: [UInt8], timeLimit: Duration) async -> Result {
    let isCancelled = Flag()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // A thread of its own, since waiting blocks; and since a SIGPIPE that it has blocked ends with it.
        Thread.detachNewThread {
          blockBrokenPipeSignal()
          var child = RunningChild(deadline: .now + timeLimit, isCancelled: isCancelled)
          continuation.resume(returning: child.run(path, arguments, input: input))
        }
      }
    } onCancel: {
      isCancelled.set()
    }
  }

  final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
  }

  private static func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
