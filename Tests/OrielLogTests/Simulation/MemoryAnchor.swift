import Synchronization

@testable import OrielLog

/// An anchor in memory that fails as it is told.
final class MemoryAnchor: CheckpointAnchor {
  private struct State {
    var content: [UInt8]?
    var staged: [UInt8]?
  }

  let name = "the test's anchor"
  private let plan: FaultPlan
  private let state = Mutex(State())

  init(plan: FaultPlan = FaultPlan()) { self.plan = plan }

  var content: [UInt8]? {
    get { state.withLock { $0.content } }
    set { state.withLock { $0.content = newValue } }
  }

  func load() async throws -> [UInt8]? {
    try await plan.read()
    return content
  }

  func stage(_ next: [UInt8], over present: [UInt8]?) async throws {
    let fault = await plan.fault("stage anchor")
    try state.withLock { state in
      guard state.content == present else { throw AnchorError.taken(name) }
      switch fault {
      case nil: state.staged = next
      case .halfKept:
        state.staged = Array(next.prefix(next.count / 2))
        throw InjectedFault()
      case .keptButReportedLost:
        state.staged = next
        throw InjectedFault()
      case .lost, .delayed: throw InjectedFault()
      }
    }
  }

  func commit(_ next: [UInt8]) async throws {
    let fault = await plan.fault("commit anchor")
    try state.withLock { state in
      guard state.staged == next else { throw AnchorError.taken(name) }
      switch fault {
      case nil: (state.content, state.staged) = (next, nil)
      case .keptButReportedLost:
        (state.content, state.staged) = (next, nil)
        throw InjectedFault()
      // A name is changed or not: nothing of it is half done, or done later.
      case .lost, .halfKept, .delayed: throw InjectedFault()
      }
    }
  }
}
