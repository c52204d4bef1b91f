import Dispatch
import OrielAccounts
import Synchronization

/// Runs what costs much processor time: a few pieces at once, one of each account, on threads of their own, so that
/// neither the other pages nor what follows the logs waits for it. The others wait their turn.
final class HeavyWork: Sendable {
  struct Limits: Sendable {
    /// Pieces that run at once.
    var running = 2
    /// Pieces that wait.
    var waiting = 8
    /// Pieces of one account that run or wait.
    var perAccount = 3
  }

  private struct Waiter {
    let number: Int
    let account: AccountID
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var running: Set<AccountID> = []
    /// First come, first served.
    var waiting: [Waiter] = []
    var number = 0
  }

  private let limits: Limits
  private let state = Mutex(State())
  private let threads = DispatchQueue(label: "oriel.web.heavy", qos: .utility, attributes: .concurrent)

  init(_ limits: Limits = Limits()) { self.limits = limits }

  /// - Throws: ``WebProblem/busy`` if too much of the account's, or of all, runs or waits; what `work` throws.
  func run<Value>(
    for account: AccountID, _ work: @escaping @Sendable () throws -> sending Value
  ) async throws -> sending Value {
    try await takeTurn(account)
    defer { passTurn(account) }
    return try await withCheckedThrowingContinuation { continuation in
      threads.async {
        do { continuation.resume(returning: try work()) } catch { continuation.resume(throwing: error) }
      }
    }
  }

  private func takeTurn(_ account: AccountID) async throws {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome = state.withLock { state -> Result<Void, any Error>? in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.running.count < limits.running, state.running.insert(account).inserted { return .success(()) }
          let own = state.waiting.count { $0.account == account } + (state.running.contains(account) ? 1 : 0)
          guard state.waiting.count < limits.waiting, own < limits.perAccount else { return .failure(WebProblem.busy) }
          state.waiting.append(Waiter(number: number, account: account, continuation: continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
      }
      waiter?.continuation.resume(throwing: CancellationError())
    }
  }

  /// The place goes to the first who waits of an account of which nothing runs.
  private func passTurn(_ account: AccountID) {
    let next = state.withLock { state -> Waiter? in
      state.running.remove(account)
      guard let index = state.waiting.firstIndex(where: { !state.running.contains($0.account) }) else { return nil }
      let next = state.waiting.remove(at: index)
      state.running.insert(next.account)
      return next
    }
    next?.continuation.resume()
  }
}
