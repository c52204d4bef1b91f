import CertificateTransparency

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
    now: { Int64(clamping: Timestamp.now.milliseconds) }, sleep: { try await Task.sleep(for: $0) })
}
