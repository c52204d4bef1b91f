import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import OrielLog

/// Keeps what is logged, each as level and message.
struct Records: LogHandler {
  private final class Kept: Sendable {
    let lines = Mutex<[String]>([])
  }

  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace
  private let kept = Kept()

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { kept.lines.withLock { $0.append("\(event.level): \(event.message)") } }

  var lines: [String] { kept.lines.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in self } }
}

@Suite("What the operator of a log is told")
struct TroubleLogTests {
  private let records = Records()

  private func note(_ log: TroubleLog, _ problem: String?, at seconds: Int64) {
    log.note(.publishing, problem, now: seconds * 1000)
  }

  @Test("Trouble is written once, again each hour with the reason of then, and its end once it has lasted")
  func spell() {
    let log = TroubleLog("log.example", records.logger)
    for second: Int64 in 0..<5 { note(log, nil, at: second) }
    for second: Int64 in 5..<3700 { note(log, second < 20 ? "no room" : "no right", at: second) }
    for second: Int64 in 3700..<3750 { note(log, nil, at: second) }
    #expect(
      records.lines == [
        "error: log.example: no room. Submissions get 503 meanwhile",
        "error: log.example: no right. Submissions get 503 meanwhile (for 3600 s now)",
        "notice: log.example: publishes again, after 3695 s",
      ])
  }

  @Test("What comes and goes at every look is one spell")
  func flutter() {
    let log = TroubleLog("log.example", records.logger)
    for second: Int64 in 0..<1000 { note(log, second % 2 == 0 ? "no room" : nil, at: second) }
    #expect(records.lines.count == 1)
    for second: Int64 in 1000..<1010 { note(log, nil, at: second) }
    #expect(records.lines.count == 2)
    note(log, "no room", at: 1010)
    #expect(records.lines.count == 3)
  }

  @Test("Each kind of trouble has its own spell")
  func kinds() {
    let log = TroubleLog("log.example", records.logger)
    for (number, kind) in [TroubleLog.Kind.publishing, .diskSpace, .publicCheckpoint].enumerated() {
      log.note(kind, "problem \(number)", now: 0)
    }
    for kind in [TroubleLog.Kind.publishing, .diskSpace, .publicCheckpoint] {
      log.note(kind, nil, now: 1000)
      log.note(kind, nil, now: 11_000)
    }
    #expect(
      records.lines == [
        "error: log.example: problem 0. Submissions get 503 meanwhile",
        "error: log.example: problem 1. Submissions get 503 meanwhile", "error: log.example: problem 2",
        "notice: log.example: publishes again, after 1 s",
        "notice: log.example: has enough disk space again, after 1 s",
        "notice: log.example: what is served at the monitoring URL goes with the log again, after 1 s",
      ])
  }

  @Test("A log that can't publish tells its operator, without submissions too, and that it can again")
  func publishing() async throws {
    let records = records
    try await ServedLog.run({ options, _ in options.logger = records.logger }) { log in
      _ = try await log.fill(1)
      #expect(records.lines == [])
      log.clock.step(-3_600_000)
      try await eventually { !records.lines.isEmpty }
      #expect(
        records.lines.count == 1
          && records.lines[0].hasPrefix("error: log.example/logs/2026: the last attempt to publish failed: the clock"),
        "\(records.lines)")
      log.clock.step(3_600_000)
      try await eventually {
        log.clock.travel(500)
        return records.lines.count > 1
      }
      #expect(records.lines.last?.hasPrefix("notice: log.example/logs/2026: publishes again") == true)
    }
  }

  @Test("A log that takes nothing for want of disk space tells its operator")
  func diskSpace() async throws {
    let records = records
    try await ServedLog.run({ options, _ in
      options.logger = records.logger
      options.service.minimumFreeBytes = .max
    }) { _ in
      try await eventually { !records.lines.isEmpty }
      #expect(
        records.lines.count == 1 && records.lines[0].contains("MiB of disk space are left, fewer than"),
        "\(records.lines)")
    }
  }
}
