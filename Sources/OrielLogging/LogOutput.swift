package import CertificateTransparency
package import Logging
import Synchronization

/// Where log records of this process go: one writer, one format, and one level that can be changed while it runs.
package final class LogOutput: Sendable {
  private struct State {
    var format: LogFormat
    var level: Logger.Level
  }

  private let writer: DiagnosticWriter
  private let now: @Sendable () -> Timestamp
  private let state: Mutex<State>

  package init(
    _ writer: DiagnosticWriter, format: LogFormat, level: Logger.Level = .info,
    now: @escaping @Sendable () -> Timestamp = { .now }
  ) {
    self.writer = writer
    self.now = now
    state = Mutex(State(format: format, level: level))
  }

  /// The process's own: standard error, in the format that fits it.
  package static let standard = LogOutput(.standardError, format: .fitting(descriptor: 2))

  /// The least severe level that is written.
  package var level: Logger.Level { state.withLock { $0.level } }

  /// Changes what is written from now on.
  package func configure(format: LogFormat? = nil, level: Logger.Level? = nil) {
    state.withLock { state in
      state.format = format ?? state.format
      state.level = level ?? state.level
    }
  }

  /// A logger that writes here.
  package func logger(_ label: String) -> Logger {
    Logger(label: label) { OutputLogHandler(label: $0, output: self) }
  }

  func write(_ level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
    let format = state.withLock { $0.format }
    func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
      format.line(LogRecord(time: now(), level: level, label: label, message: message, metadata: metadata))
    }
    writer.write(line(level, message, metadata)) { count in
      line(.warning, "\(count) log \(count == 1 ? "record" : "records") could not be written", [:])
    }
  }
}

/// Hands records to a ``LogOutput``.
struct OutputLogHandler: LogHandler {
  let label: String
  let output: LogOutput
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  /// The level of this logger alone; nil: that of the output.
  private var ownLevel: Logger.Level?

  init(label: String, output: LogOutput) {
    self.label = label
    self.output = output
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? output.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
    if let own = event.metadata { all.merge(own) { _, new in new } }
    if let error = event.error { all["error"] = "\(error)" }
    output.write(event.level, label: label, message: "\(event.message)", metadata: all)
  }
}

extension Logger {
  /// A logger that writes nothing.
  package static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}
