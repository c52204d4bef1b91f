import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the process is told by signals.
///
/// A signal handler may do no more than set a flag or call what is safe there (POSIX, 2.4.3).
enum Signals {
  /// Seconds after SIGINT or SIGTERM in which a service ends by itself: longer than any server takes to end its
  /// connections, shorter than service managers wait before they kill.
  static let gracePeriod: UInt32 = 25

  private static let isInterrupted = Atomic<Bool>(false)
  /// How often the process got SIGHUP.
  private static let hangups = Atomic<Int>(0)

  /// From here on SIGHUP ends nothing: the end of a terminal, or a message to all services after a renewal. To be called
  /// before anything else.
  static func surviveHangup() {
    // Flags are made here, not by a handler.
    hangups.store(0, ordering: .relaxed)
    signal(SIGHUP) { _ in Signals.hangups.add(1, ordering: .relaxed) }
  }

  /// From here on SIGINT and SIGTERM ask for an orderly end, and one that takes too long is cut short: what a service has
  /// acknowledged is durable before it says so. For commands that ``waitForInterrupt()``.
  static func deferInterrupts() {
    isInterrupted.store(false, ordering: .relaxed)
    signal(SIGALRM) { _ in
      let text: StaticString = "oriel: not ended in time after the signal, so ended at once\n"
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
      _exit(1)
    }
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        if !Signals.isInterrupted.exchange(true, ordering: .relaxed) { alarm(Signals.gracePeriod) }
      }
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Returns when the process is told to end, or the task is cancelled.
  static func waitForInterrupt() async {
    while !isInterrupted.load(ordering: .relaxed) {
      guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
    }
  }

  /// Calls `body` after the process got SIGHUP, once for any number since the last call, until cancelled.
  static func onHangup(_ body: () async -> Void) async {
    var seen = 0
    while (try? await Task.sleep(for: .milliseconds(100))) != nil {
      let count = hangups.load(ordering: .relaxed)
      guard count != seen else { continue }
      seen = count
      await body()
    }
  }
}
