package import Foundation
import OrielMail

/// Runs a program for each alert, as documented in `docs/hooks.md`. Hook scripts of certspotter run as they are.
package struct CommandChannel: Channel {
  package struct Settings: Hashable, Sendable {
    /// A path, or a name to be found in PATH.
    package var program: String
    package var arguments: [String]
    /// Variables to set besides those of the alert, which win.
    package var environment: [String: String]
    package var timeLimit: Duration
    /// How long it may take to clean up once it is told to end.
    package var grace: Duration
    /// Whether a burst comes as digests.
    package var combinesBursts = false

    package init(
      program: String, arguments: [String] = [], environment: [String: String] = [:],
      timeLimit: Duration = .seconds(30), grace: Duration = .seconds(2)
    ) {
      self.program = program
      self.arguments = arguments
      self.environment = environment
      self.timeLimit = timeLimit
      self.grace = grace
    }
  }

  private let settings: Settings
  private let temporaryDirectory: URL

  package init(_ settings: Settings, temporaryDirectory: URL = FileManager.default.temporaryDirectory) {
    self.settings = settings
    self.temporaryDirectory = temporaryDirectory
  }

  package var combinesBursts: Bool { settings.combinesBursts }

  /// The most bytes of output that are kept.
  private static let mostOutput = 4096
  /// `EX_TEMPFAIL` of sysexits.h.
  private static let temporaryFailure: Int32 = 75

  package func deliver(_ delivery: Delivery) async -> DeliveryResult {
    let files: HookFiles
    do {
      files = try HookFiles(delivery.alert, in: temporaryDirectory)
    } catch {
      return .unavailable("the files for the command can't be written: \(error)".oneLine(limit: 500))
    }
    defer { files.remove() }
    let child = ChildProcess(
      program: settings.program, arguments: settings.arguments, environment: environment(delivery, files),
      input: files.payload.path, timeLimit: settings.timeLimit, grace: settings.grace,
      outputLimit: CommandChannel.mostOutput)
    return result(await child.run())
  }

  private func environment(_ delivery: Delivery, _ files: HookFiles) -> [String: String] {
    let own = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "LANG"].contains($0.key) }
    return own.merging(settings.environment) { $1 }
      .merging(HookEnvironment(delivery).variables) { $1 }.merging(files.variables) { $1 }
  }

  private func result(_ outcome: ChildProcess.Outcome) -> DeliveryResult {
    let output = String(decoding: outcome.output, as: UTF8.self).oneLine(limit: CommandChannel.mostOutput)
    let said = output.isEmpty ? "" : ": \(output)"
    let name = settings.program.oneLine()
    switch outcome.end {
    case .exited(0): return .delivered("\(name) ended with 0" + said)
    case .exited(CommandChannel.temporaryFailure):
      return .refused("\(name) ended with \(CommandChannel.temporaryFailure) (try again)" + said)
    case .exited(let code): return .refused("\(name) ended with \(code)" + said, isPermanent: true)
    case .signalled(let signal): return .refused("\(name) was ended by signal \(signal)" + said)
    case .timedOut: return .refused("\(name) did not end in \(settings.timeLimit)" + said)
    case .notStarted(let reason): return .unavailable("\(name) can't be started: \(reason)")
    }
  }
}
