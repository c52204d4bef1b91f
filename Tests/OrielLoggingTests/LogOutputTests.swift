import CertificateTransparency
import Foundation
import Logging
import TestSupport
import Testing

@testable import OrielLogging

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Log records")
struct LogOutputTests {
  /// What `log` writes in a format, at 2026-03-04 05:06:07.
  private func written(_ format: LogFormat, level: Logger.Level = .info, _ log: (Logger) -> Void) throws -> String {
    let folder = try TemporaryFolder()
    let path = folder.path + "/log"
    let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let output = LogOutput(DiagnosticWriter(descriptor: descriptor), format: format, level: level) {
      Timestamp(milliseconds: 1_772_600_767_089)
    }
    log(output.logger("oriel.test"))
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test("For a terminal: local time, level, message, metadata")
  func text() throws {
    let text = try written(.text) { $0.warning("the log is stale", metadata: ["log": "A 2026", "age": "3"]) }
    #expect(text.contains(/^20\d\d-\d\d-\d\d \d\d:\d\d:07 warning: the log is stale age=3 log="A 2026"\n$/))
  }

  @Test("For programs: one JSON object on a line")
  func json() throws {
    let text = try written(.json) { $0.error("two\nlines", metadata: ["log": "A"]) }
    #expect(text.hasSuffix("}\n") && text.split(separator: "\n").count == 1)
    let members = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    #expect(
      members == [
        "time": "2026-03-04T05:06:07.089Z", "level": "error", "logger": "oriel.test", "message": "two\nlines",
        "log": "A",
      ])
  }

  @Test(
    "For journald: each line has its priority",
    arguments: [
      (Logger.Level.critical, 2), (.error, 3), (.warning, 4), (.notice, 5), (.info, 6), (.debug, 7), (.trace, 7),
    ])
  func journal(level: Logger.Level, priority: Int) throws {
    let text = try written(.journal, level: .trace) { $0.log(level: level, "first\nsecond", metadata: ["a": "b"]) }
    #expect(text == "<\(priority)>first a=b\n<\(priority)>second\n")
  }

  @Test("Journald is recognised by its socket's device and inode, and by nothing else")
  func detection() throws {
    let folder = try TemporaryFolder()
    let descriptor = open(folder.path + "/log", O_CREAT | O_WRONLY, 0o600)
    defer { close(descriptor) }
    var facts = stat()
    try #require(fstat(descriptor, &facts) == 0)
    let stream = "\(facts.st_dev):\(facts.st_ino)"
    #expect(LogFormat.fitting(descriptor: descriptor, environment: ["JOURNAL_STREAM": stream]) == .journal)
    #expect(LogFormat.fitting(descriptor: descriptor, environment: ["JOURNAL_STREAM": "1:2"]) == .json)
    #expect(LogFormat.fitting(descriptor: descriptor, environment: [:]) == .json)
  }

  @Test("Less severe records than the level are not written, and the level can change while it runs")
  func level() throws {
    let folder = try TemporaryFolder()
    let descriptor = open(folder.path + "/log", O_CREAT | O_WRONLY, 0o600)
    defer { close(descriptor) }
    let output = LogOutput(DiagnosticWriter(descriptor: descriptor), format: .journal, level: .warning)
    let logger = output.logger("oriel.test")
    logger.notice("no")
    output.configure(level: .notice)
    logger.notice("yes")
    var loud = logger
    loud.logLevel = .trace
    loud.debug("this too")
    logger.debug("nor this")
    #expect(try String(contentsOfFile: folder.path + "/log", encoding: .utf8) == "<5>yes\n<7>this too\n")
  }

  @Test("What could fool a terminal is escaped in every format", arguments: LogFormat.allCases)
  func deceptive(format: LogFormat) throws {
    let text = try written(format) { $0.info("\u{1b}[2J\u{202e}gnp", metadata: ["name": "a\u{7}\nb"]) }
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202e}" || $0 == "\u{7f}" })
    #expect(text.contains("u{1b}[2J") && text.contains("u{202e}gnp"))
  }

  @Test("Hours of a log that nobody could read end in one record that counts them")
  func loss() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let output = LogOutput(DiagnosticWriter(descriptor: ends[1], patience: .zero), format: .journal)
    let logger = output.logger("oriel.test")
    let message = String(repeating: "x", count: 500)
    for _ in 0..<1000 { logger.info("\(message)") }
    var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 20))
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    while case let count = read(ends[0], &buffer, buffer.count), count > 0 { text += buffer.prefix(count) }
    logger.info("again")
    let count = read(ends[0], &buffer, buffer.count)
    try #require(count > 0)
    let last = String(decoding: buffer.prefix(count), as: UTF8.self)
    #expect(last.contains(/<4>\d+ log records could not be written\n<6>again\n$/))
  }
}
