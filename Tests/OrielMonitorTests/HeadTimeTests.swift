import CertificateTransparency
import Foundation
import Logging
import MerkleTree
import OrielStore
import Synchronization
import TestWorld
import Testing

@testable import OrielMonitor

@Suite("Heads that are dated in the future", .serialized)
struct HeadTimeTests {
  private static func now() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1000) }

  @Test(
    "A head further ahead than clocks differ is reported like a stale one; the log counts as read",
    arguments: [UInt64(30) * 86_400_000, 360_000, 1 << 62], LogKind.allCases)
  func ahead(by lead: UInt64, kind: LogKind) async throws {
    try await World.run(now: { Timestamp(milliseconds: Self.now()) }) { world in
      let log = kind.log(in: world)
      let planted = try world.plant(20, in: log)
      try log.log.publish(at: Timestamp(milliseconds: Self.now() + lead))
      let watcher = try Watcher(world)
      #expect(try await watcher.watchOnce(kind.description(in: world)).map(\.trouble) == [nil])
      #expect(try await watcher.stored().count == planted)
      let record = try await watcher.store().logs().first
      #expect(
        record?.state == .frozen && record?.reason?.contains("in the future") == true, "\(String(describing: record))")
    }
  }

  @Test("A few minutes ahead are no trouble", arguments: LogKind.allCases)
  func nearly(kind: LogKind) async throws {
    try await World.run(now: { Timestamp(milliseconds: Self.now()) }) { world in
      let log = kind.log(in: world)
      _ = try world.plant(20, in: log)
      try log.log.publish(at: Timestamp(milliseconds: Self.now() + 240_000))
      let watcher = try Watcher(world)
      try await watcher.watchOnce(kind.description(in: world))
      #expect(try await watcher.state(log) == .current)
    }
  }

  // MARK: - Notices

  private static let time: Int64 = 1_800_000_000_000

  /// A log whose newest head is so many minutes ahead; nil for one that has not answered.
  private func status(_ number: Int, ahead minutes: Int64?) -> FollowStatus {
    var status = FollowStatus(
      logID: LogID(.hash([UInt8(number)])), description: "log \(number)", operatorName: "", kind: "static-ct")
    guard let minutes else { return status }
    status.headTimestamp = UInt64(Self.time + minutes * 60_000)
    status.state = minutes > 5 ? .frozen : .current
    status.reason = minutes > 5 ? "in the future" : nil
    return status
  }

  private static func notices(_ level: Logger.Level, _ texts: [String]) -> [StatusNotices.Notice] {
    texts.map { StatusNotices.Notice(level: level, text: $0) }
  }

  @Test(
    "Where most logs are ahead, one notice names this machine's clock, and its recovery is said once",
    arguments: [3, 5, 60])
  func clock(count: Int) {
    var notices = StatusNotices()
    let wrong = (0..<count).map { status($0, ahead: $0 == 0 ? 1 : 61) }
    let first = notices.next(wrong, now: Self.time)
    #expect(
      first.count == 1 && first[0].text.hasPrefix("this machine's clock is behind: the newest heads of \(count - 1) of")
    )
    #expect(first[0].text.contains("by 61 minutes"), "\(first)")
    #expect(notices.next(wrong, now: Self.time) == [])
    let right = (0..<count).map { status($0, ahead: 0) }
    #expect(
      notices.next(right, now: Self.time)
        == Self.notices(.notice, ["this machine's clock agrees with the logs again"]))
    #expect(notices.next(right, now: Self.time) == [])
  }

  @Test("Where few logs are ahead, each is named; of one or two it can't be told whose clock is wrong")
  func logs() {
    for (ahead, behind) in [(1, 0), (2, 0), (1, 3), (2, 2), (20, 20)] {
      var notices = StatusNotices()
      let all = (0..<(ahead + behind)).map { status($0, ahead: $0 < ahead ? 61 : 0) }
      #expect(
        notices.next(all, now: Self.time)
          == Self.notices(.warning, (0..<ahead).map { "log \($0) is frozen: in the future" }))
    }
  }

  @Test("While others have not answered, no log is named for its clock; in the end it is")
  func waiting() {
    var notices = StatusNotices()
    var all = [status(0, ahead: 61), status(1, ahead: nil), status(2, ahead: nil)]
    #expect(notices.next(all, now: Self.time) == [])
    all[1] = status(1, ahead: 61)
    #expect(notices.next(all, now: Self.time) == [])
    all[2] = status(2, ahead: 61)
    #expect(notices.next(all, now: Self.time).count == 1)
    var others = StatusNotices()
    #expect(others.next([status(0, ahead: 61), status(1, ahead: nil)], now: Self.time, isLast: true).count == 1)
    var patient = StatusNotices()
    var looks = 0
    while patient.next([status(0, ahead: 61), status(1, ahead: nil)], now: Self.time).isEmpty, looks < 100 {
      looks += 1
    }
    #expect(looks > 0 && looks < 100)
  }

  @Test("A log in trouble is named once with the reason, and once when it is well again")
  func trouble() {
    var (notices, log) = (StatusNotices(), status(0, ahead: 0))
    #expect(notices.next([log], now: Self.time) == [])
    for (state, level) in [(LogState.unreachable, Logger.Level.warning), (.lying, .error), (.frozen, .warning)] {
      (log.state, log.reason) = (state, "why")
      #expect(notices.next([log], now: Self.time) == Self.notices(level, ["log 0 is \(state.rawValue): why"]))
      #expect(notices.next([log], now: Self.time) == [])
      (log.state, log.reason) = (.current, nil)
      #expect(notices.next([log], now: Self.time) == Self.notices(.notice, ["log 0 is well again"]))
    }
  }
}
