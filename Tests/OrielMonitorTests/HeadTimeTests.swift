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

  /// A log whose newest head was so many seconds ahead when it was polled; nil for one that has not answered.
  private func status(_ number: Int, ahead seconds: Int64?, polledAt time: Int64 = Self.time) -> FollowStatus {
    var status = FollowStatus(
      logID: LogID(.hash([UInt8(number)])), description: "log \(number)", operatorName: "", kind: "static-ct")
    guard let seconds else { return status }
    let head = PolledHead(size: 1, timestamp: UInt64(time + seconds * 1000), polledAt: time)
    status.head = head
    status.state = head.isAhead ? .frozen : .current
    status.reason = head.isAhead ? "in the future" : nil
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
    let wrong = (0..<count).map { status($0, ahead: $0 == 0 ? 60 : 3660) }
    let first = notices.next(wrong)
    #expect(
      first.count == 1 && first[0].text.hasPrefix("this machine's clock is behind: the newest heads of \(count - 1) of")
    )
    #expect(first[0].text.contains("by 61 minutes"), "\(first)")
    #expect(notices.next(wrong) == [])
    let right = (0..<count).map { status($0, ahead: 0) }
    #expect(
      notices.next(right)
        == Self.notices(.notice, ["this machine's clock agrees with the logs again"]))
    #expect(notices.next(right) == [])
  }

  @Test("A log that was excused stays so until it is polled again; what it says then counts")
  func excused() {
    var notices = StatusNotices()
    var all = (0..<5).map { status($0, ahead: 3660) }
    #expect(notices.next(all).count == 1)
    // The clock is set right, and the logs are polled again one by one.
    for number in 0..<4 {
      all[number] = status(number, ahead: 0, polledAt: Self.time + 3_660_000)
      // With the third of five, most agree again.
      #expect(notices.next(all).map(\.level) == (number == 2 ? [.notice] : []), "\(number)")
    }
    // The last one is wrong itself.
    all[4] = status(4, ahead: 3660, polledAt: Self.time + 3_660_000)
    #expect(notices.next(all) == Self.notices(.warning, ["log 4 is frozen: in the future"]))
    all[4] = status(4, ahead: 0, polledAt: Self.time + 3_661_000)
    #expect(notices.next(all) == Self.notices(.notice, ["log 4 is well again"]))
  }

  @Test("A clock that is behind by about what is allowed is suspected once, not by turns")
  func atTheLimit() {
    var notices = StatusNotices()
    var said: [StatusNotices.Notice] = []
    for look in 0..<100 {
      // The heads are up to 40 s old when they are polled.
      said += notices.next((0..<9).map { status($0, ahead: 320 - Int64((look * 7 + $0 * 5) % 40)) })
    }
    #expect(said.count == 1 && said[0].text.hasPrefix("this machine's clock is behind"), "\(said)")
  }

  @Test("Where few logs are ahead, each is named; of one or two it can't be told whose clock is wrong")
  func logs() {
    for (ahead, behind) in [(1, 0), (2, 0), (1, 3), (2, 2), (20, 20)] {
      var notices = StatusNotices()
      let all = (0..<(ahead + behind)).map { status($0, ahead: $0 < ahead ? 3660 : 0) }
      #expect(
        notices.next(all)
          == Self.notices(.warning, (0..<ahead).map { "log \($0) is frozen: in the future" }))
    }
  }

  @Test("While others have not answered, no log is named for its clock; in the end it is")
  func waiting() {
    var notices = StatusNotices()
    var all = [status(0, ahead: 3660), status(1, ahead: nil), status(2, ahead: nil)]
    #expect(notices.next(all) == [])
    all[1] = status(1, ahead: 3660)
    #expect(notices.next(all) == [])
    all[2] = status(2, ahead: 3660)
    #expect(notices.next(all).count == 1)
    var others = StatusNotices()
    #expect(others.next([status(0, ahead: 3660), status(1, ahead: nil)], isLast: true).count == 1)
    var patient = StatusNotices()
    var looks = 0
    while patient.next([status(0, ahead: 3660), status(1, ahead: nil)]).isEmpty, looks < 100 {
      looks += 1
    }
    #expect(looks > 0 && looks < 100)
  }

  @Test("A log in trouble is named once with the reason, and once when it is well again")
  func trouble() {
    var (notices, log) = (StatusNotices(), status(0, ahead: 0))
    #expect(notices.next([log]) == [])
    for (state, level) in [(LogState.unreachable, Logger.Level.warning), (.lying, .error), (.frozen, .warning)] {
      (log.state, log.reason) = (state, "why")
      #expect(notices.next([log]) == Self.notices(level, ["log 0 is \(state.rawValue): why"]))
      #expect(notices.next([log]) == [])
      (log.state, log.reason) = (.current, nil)
      #expect(notices.next([log]) == Self.notices(.notice, ["log 0 is well again"]))
    }
  }
}
