import ArgumentParser
import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy the state into a file, also while the service runs.",
    discussion: """
      Example:
        oriel backup /backup/oriel-$(date +%F).db

      The file holds everything but the configuration and the keys of a log: accounts, domains, history, what was seen,
      and where following stands. It is complete and checked when it appears, and for its owner's eyes only, as it has
      everybody's sessions and addresses in it. `oriel restore` brings it back.
      """)

  @Argument(help: ArgumentHelp("The file to make.", valueName: "file")) var file: String
  @OptionGroup var data: DataOptions

  func run() async throws {
    try await reportingFailures {
      let path = data.dataDir + "/oriel.db"
      guard FileManager.default.fileExists(atPath: path) else {
        throw CommandFailure("there is no state in \(data.dataDir); give --data-dir", .badData)
      }
      let size = try DatabaseCopy.make(of: path, to: file)
      Terminal.note("oriel: \(file) holds the state of \(data.dataDir), \(size) bytes, checked")
    }
  }
}

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup in the place of the state.",
    discussion: """
      Examples:
        oriel restore /backup/oriel-2026-01-31.db
        oriel restore /backup/oriel-2026-01-31.db --replace

      Stop the service first. With --replace, the state that is there is kept beside it under another name. The logs are
      read again from where the backup was made; what was to be sent then is sent, again if it had been since.
      """)

  @Argument(help: ArgumentHelp("A file that `oriel backup` made.", valueName: "file")) var file: String
  @OptionGroup var data: DataOptions
  @Flag(help: "Replace the state that is there, and keep it under another name.") var replace = false

  func run() async throws {
    try await reportingFailures {
      guard FileManager.default.fileExists(atPath: file) else {
        throw CommandFailure("there is no file \(file)", .badData)
      }
      let directory = try DataDirectory(data.dataDir)
      if !replace, FileManager.default.fileExists(atPath: directory.databasePath) {
        throw CommandFailure(
          "\(directory.path) has a state already: give another --data-dir, or --replace to keep that one aside",
          .cannotWrite)
      }
      let now = Timestamp(milliseconds: UInt64(max(0, Timekeeper.system.now() / 1000)) * 1000).description
      let aside = "oriel.db.before-" + now.filter { $0 != ":" && $0 != "-" }
      let kept = try DatabaseCopy.restore(file, to: directory, aside: replace ? aside : nil)
      Terminal.note("oriel: \(directory.path) holds the state of \(file), checked")
      if let kept { Terminal.note("oriel: what was there before is \(kept)") }
    }
  }
}
