import CertificateTransparency
import Foundation
import Logging

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How log records are written.
package enum LogFormat: String, CaseIterable, Sendable {
  /// For people: local time, level, message.
  case text
  /// For programs: one JSON object on a line, with `time` in UTC (RFC 3339), `level`, `logger`, `message` and metadata.
  case json
  /// For journald, which adds the time: `<priority>` before each line (sd-daemon(3)).
  case journal

  /// What fits whoever reads a descriptor: journald, a person at a terminal, or a program.
  package static func fitting(
    descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> LogFormat {
    if isJournal(descriptor, environment["JOURNAL_STREAM"]) { return .journal }
    return isatty(descriptor) == 1 ? .text : .json
  }

  /// Whether the descriptor is the socket that journald gave the process (`device:inode`, systemd.exec(5)).
  private static func isJournal(_ descriptor: Int32, _ stream: String?) -> Bool {
    var facts = stat()
    guard let stream, fstat(descriptor, &facts) == 0 else { return false }
    return stream == "\(facts.st_dev):\(facts.st_ino)"
  }

  /// A record as it is written, with a line feed at its end. Characters that could fool a terminal are escaped.
  func line(_ record: LogRecord) -> String {
    switch self {
    case .text:
      let lines = record.textLines
      let head = "\(LogFormat.localTime(record.time)) \(record.level.rawValue): \(lines[0])"
      return ([head] + lines.dropFirst().map { "    " + $0 }).joined(separator: "\n") + "\n"
    case .journal:
      return record.textLines.map { "<\(record.level.priority)>\($0)\n" }.joined()
    case .json:
      var members = record.metadata.reduce(into: [String: String]()) { $0[$1.key] = "\($1.value)".printable }
      members["time"] = record.time.description
      members["level"] = record.level.rawValue
      members["logger"] = record.label
      members["message"] = record.message.printable
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let json = (try? encoder.encode(members)) ?? Data("{}".utf8)
      return String(decoding: json, as: UTF8.self) + "\n"
    }
  }

  private static func localTime(_ time: Timestamp) -> String {
    var seconds = time_t(clamping: time.milliseconds / 1000)
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return "-" }
    func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(1900 + Int(parts.tm_year))-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }
}

/// A message with its circumstances.
struct LogRecord: Sendable {
  let time: Timestamp
  let level: Logger.Level
  let label: String
  let message: String
  let metadata: Logger.Metadata

  /// The message's lines, the metadata behind the first.
  var textLines: [String] {
    var lines = message.split(separator: "\n", omittingEmptySubsequences: true).map { String($0).printable }
    if lines.isEmpty { lines = [""] }
    let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\("\($0.value)".printable.quotedIfNeeded)" }
    lines[0] += pairs.joined()
    return lines
  }
}

extension Logger.Level {
  /// The priority of syslog (RFC 5424, 6.2.1).
  var priority: Int {
    switch self {
    case .critical: 2
    case .error: 3
    case .warning: 4
    case .notice: 5
    case .info: 6
    case .debug, .trace: 7
    }
  }
}

extension String {
  /// The text with characters escaped that could fool a reader or a terminal.
  fileprivate var printable: String {
    guard unicodeScalars.contains(where: \.isDeceptive) else { return self }
    var scalars = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.isDeceptive, scalar != "\n" {
        scalars.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  fileprivate var quotedIfNeeded: String { contains(" ") || isEmpty ? "\"\(self)\"" : self }
}
