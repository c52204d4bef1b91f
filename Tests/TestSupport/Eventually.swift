/// Waits until a condition holds, longer than it takes on the busiest machine.
///
/// - Returns: whether it holds.
@discardableResult
public func eventually(
  within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(10),
  _ condition: () async throws -> Bool
) async throws -> Bool {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard .now < end else { return false }
    try await Task.sleep(for: pause)
  }
  return true
}
