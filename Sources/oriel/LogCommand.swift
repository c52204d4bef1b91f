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
        oriel log init /srv/ct/2026h1 --submission-url https://log.example/2026h1/ --roots roots.pem \\
          --anchor /mnt/other/2026h1.anchor
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

  init(_ folder: String) throws {
    do {
      directory = try DataDirectory(folder)
    } catch StoreError.inUse {
      throw CommandFailure("\(folder): another process serves or repairs this log: stop that one first", .cannotWrite)
    } catch StoreError.unwritable(_, let reason) {
      throw CommandFailure("\(folder) can't be written: \(reason)", .cannotWrite)
    }
  }
}

extension CommandFailure {
  /// What a failure of a log means for the person at the terminal.
  init(log error: any Error) {
    switch error {
    case let error as LogFolderError: self.init(error.description, .configuration)
    case LogError.anchor(let reason): self.init(reason, .configuration)
    case LogError.damaged(let path, let reason):
      self.init("\(path): \(reason). `oriel log repair` puts it right, from a mirror or an archive", .badData)
    case let error as LogError: self.init(error.description, .badData)
    case let error as BlobError: self.init(error.description, .cannotWrite)
    case let error as LogServer.Unlistenable: self.init(error.description, .cannotWrite)
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
