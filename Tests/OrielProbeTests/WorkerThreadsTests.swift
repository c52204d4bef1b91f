import Foundation
import Synchronization
import Testing

@testable import OrielProbe

@Suite("Threads for blocking work")
struct WorkerThreadsTests {
  private final class Gauge: Sendable {
    let state = Mutex((now: 0, most: 0))

    func pass() {
      state.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      usleep(100)
      state.withLock { $0.now -= 1 }
    }
  }

  @Test("do all of it, and never more at once than allowed")
  func bounded() async {
    let threads = WorkerThreads(limit: 4)
    let gauge = Gauge()
    for _ in 0..<3 {
      let sum = await withTaskGroup(of: Int.self, returning: Int.self) { group in
        for number in 1...1000 {
          group.addTask {
            await withCheckedContinuation { continuation in
              threads.submit {
                gauge.pass()
                continuation.resume(returning: number)
              }
            }
          }
        }
        return await group.reduce(0, +)
      }
      #expect(sum == 500_500)
    }
    let (now, most) = gauge.state.withLock { $0 }
    #expect(now == 0 && (2...4).contains(most))
  }

  @Test("are waited for no longer than the watch allows")
  func watched() async throws {
    let never = Answer<Int>()
    let cancellation = Cancellation()
    let soon = Watch(cancellation: cancellation, end: .now + .milliseconds(50))
    #expect(throws: ProbeError.timedOut(.resolving)) { try never.wait(soon, .resolving) }
    let late = Watch(cancellation: cancellation, end: .now + .seconds(3600))
    #expect(throws: ProbeError.timedOut(.connecting)) { try late.limited(to: .zero).slice(.connecting) }
    let given = Answer<Int>()
    given.give(7)
    #expect(try given.wait(late, .resolving) == 7)
    cancellation.cancel()
    #expect(throws: ProbeError.cancelled) { try never.wait(late, .resolving) }
  }
}
