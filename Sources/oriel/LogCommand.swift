import ArgumentParser
import CTLogClient
import Foundation
import OrielLog
import OrielStore

struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Run Certificate Transparency logs: create, serve, check, repair, archive.",
    discussion: """
      Example:
        oriel log init /srv/ct/2026h1 --submission-url https://log.example/2026h1/ --roots roots.pem
        oriel log serve /srv/ct/2026h1

      Each log is a folder; docs/log.md says what is in it and what to take care of.
      """,
    subcommands: [
      LogInitCommand.self, LogServeCommand.self, LogFsckCommand.self, LogRepairCommand.self, LogExportCommand.self,
    ])
}

/// Which log a command is about.
struct LogFolderOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The folder of the log.", valueName: "folder"), completion: .directory)
  var folder: String

  func open() throws -> LogFolder { try LogFolder(folder) }

  /// The checkpoint in the lock; nil while a server changes it.
  func lockedCheckpoint(_ folder: LogFolder) async throws -> [UInt8]? {
    guard let hold = try? FolderHold(folder.path) else { return nil }
    defer { withExtendedLifetime(hold) {} }
    return try await folder.lockedCheckpoint()
  }
}

/// Keeps other processes from writing to a log's folder while it lives.
final class FolderHold: Sendable {
  private let directory: DataDirectory

  init(_ folder: String) throws { directory = try DataDirectory(folder) }
}

extension CommandFailure {
  /// What a failure of a log means for the person at the terminal.
  init(log error: any Error) {
    switch error {
    case let error as LogFolderError: self.init(error.description, .configuration)
    case let error as LogError: self.init(error.description, .badData)
    case let error as BlobError: self.init(error.description, .cannotWrite)
    default: self.init(error)
    }
  }
}

/// As `reportingFailures`, with the failures of logs.
func reportingLogFailures(_ work: () async throws -> Void) async throws {
  try await reportingFailures {
    do { try await work() } catch { throw CommandFailure(log: error) }
  }
}
