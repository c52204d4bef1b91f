/// Time as the monitor sees it; tests hold it still and move it on.
package struct Timekeeper: Sendable {
  /// Milliseconds since 1970.
  package let now: @Sendable () -> Int64
  package let sleep: @Sendable (Duration) async throws -> Void

  package init(now: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Duration) async throws -> Void) {
    self.now = now
    self.sleep = sleep
  }

  /// The machine's clock.
  package static let system = Timekeeper(
    now: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    },
    sleep: { try await Task.sleep(for: $0) })
}

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif
