import Foundation
import OrielLogging
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Standard output and standard error, as people and pipes want them.
enum Terminal {
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Colour on a terminal only, and not where the environment asks for none.
  static let wantsColour = outputIsTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  struct OutputClosed: Error, CustomStringConvertible {
    var description: String { "standard output can't be written" }
  }

  /// Writes to standard output, all of it, now.
  static func write(_ text: String) throws {
    clearProgress()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0 {
        guard errno == EINTR || errno == EAGAIN else { throw OutputClosed() }
        var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = poll(&ready, 1, 1000)
        continue
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Writes JSON, its members in snake case and in the order of their names.
  static func write(json value: some Encodable, onOneLine: Bool = false) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
  }

  /// A message on standard error.
  static func complain(_ text: String) { note("oriel: " + text) }

  static func note(_ text: String) { DiagnosticWriter.standardError.write(text + "\n") }

  /// Shows `text` as the progress line; only where somebody looks.
  static func progress(_ text: String) { DiagnosticWriter.standardError.showProgress(text) }

  static func clearProgress() { DiagnosticWriter.standardError.clearProgress() }
}
