public import Testing

/// Waits until a condition holds, longer than it takes on the busiest machine, and records an issue if it does not by
/// then. What takes long to look at is looked at less often, so that looking is not most of the work.
///
/// - Returns: whether it holds.
@discardableResult
public func eventually(
  within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(10),
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws -> Bool {
  let end = ContinuousClock.now + limit
  var start = ContinuousClock.now
  while try await !condition() {
    guard .now < end else {
      Issue.record("what was waited for did not come in \(limit)", sourceLocation: sourceLocation)
      return false
    }
    try await Task.sleep(for: max(pause, (.now - start) * 4))
    start = .now
  }
  return true
}
