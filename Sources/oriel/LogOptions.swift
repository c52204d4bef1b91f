public import ArgumentParser
public import Logging
import OrielLogging
import OrielSettings

/// What a long-running command writes to standard error, and how.
struct LogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The least severe log records that are written: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")). Default: info.",
      valueName: "LEVEL"))
  var logLevel: Logger.Level?

  @Option(
    help: ArgumentHelp(
      "text, json (an object a line), or journal (lines with journald's priorities). Default: what fits standard error.",
      valueName: "FORMAT"))
  var logFormat: LogFormat?

  /// Puts the flags in force, and beneath them what a configuration says.
  func apply(_ configuration: Configuration? = nil) {
    LogOutput.standard.configure(
      format: logFormat ?? configuration?.logFormat ?? .fitting(descriptor: 2),
      level: logLevel ?? configuration?.logLevel ?? .info)
  }

  /// Runs a command's work; what goes wrong is logged, and the process ends with the code that fits.
  func reportingFailures(
    as failure: (any Error) -> CommandFailure = { CommandFailure($0) }, _ work: (Logger) async throws -> Void
  ) async throws {
    apply()
    let logger = LogOutput.standard.logger("oriel")
    do { try await work(logger) } catch {
      let failure = failure(error)
      if !failure.message.isEmpty { logger.error("\(failure.message)") }
      throw failure.code
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
