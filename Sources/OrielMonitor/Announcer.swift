package import OrielStore

/// Tells of each sighting, in the order of commitment, at least once.
///
/// What is told is marked as told afterwards: a kill in between repeats it at the next start, and loses nothing.
package actor Announcer {
  private let store: FollowingStore
  private let tell: @Sendable (IssuanceRecord) async throws -> Void
  private var isRunning = false
  private var isWanted = false

  package init(store: FollowingStore, tell: @escaping @Sendable (IssuanceRecord) async throws -> Void) {
    self.store = store
    self.tell = tell
  }

  /// Tells of everything that has not been told. While one caller does so, another's wish is taken up by the first.
  package func flush() async throws {
    isWanted = true
    guard !isRunning else { return }
    isRunning = true
    defer { isRunning = false }
    while isWanted {
      isWanted = false
      while true {
        let pending = try await store.unannounced()
        guard !pending.isEmpty else { break }
        for announcement in pending { try await tell(announcement.issuance) }
        try await store.announced(pending)
      }
    }
  }
}
