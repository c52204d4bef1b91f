import ArgumentParser
import CTLogClient
import CertificateTransparency
import Foundation
import OrielLog

struct LogFsckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck",
    abstract: "Check every tile, entry, issuer, hash and signature of a log.",
    discussion: """
      Example:
        oriel log fsck /srv/ct/2026h1

      Names each damaged file, and the entry where it can be told; exits with 1 if there are any. No private key is
      needed, and the log may be running.
      """)

  @OptionGroup var log: LogFolderOptions
  @Flag(help: "Print a JSON array of findings.") var json = false

  func run() async throws { try await reportingLogFailures(work) }

  private func work() async throws {
    let folder = try log.open()
    let locked = try await log.lockedCheckpoint(folder)
    let findings = try await LogFindings.check(folder.publicIdentity, folder.publicPath, locked: locked)
    try findings.print(json: json)
    guard findings.all.isEmpty else { throw ExitCode.findings }
    Terminal.note("oriel: \(folder.settings.origin): all is well")
  }
}

struct LogRepairCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Replace damaged files by those of a mirror, once they prove right.",
    discussion: """
      Example:
        oriel log repair /srv/ct/2026h1 --from https://mirror.example/2026h1/

      The log must not be running. Nothing is put back that the tree, which the log has signed, does not bear out. Exits
      with 1 if something is wrong still.
      """)

  @OptionGroup var log: LogFolderOptions
  @Option(help: ArgumentHelp("The mirror's monitoring prefix, or a folder.", valueName: "URL|FOLDER")) var from: String
  @Flag(help: "Print a JSON object.") var json = false

  private struct Report: Encodable {
    let repaired: [String]
    let remaining: [LogFindings.Row]
  }

  func run() async throws { try await reportingLogFailures(work) }

  private func work() async throws {
    let folder = try log.open()
    let hold = try FolderHold(folder.path)
    let url = ListOptions.url(from)
    let prefix = url.hasSuffix("/") ? url : url + "/"
    let transport = HTTPTransport()
    let repair = LogRepair(folder.publicIdentity, storage: try DirectoryStore(folder.publicPath)) { path in
      var body: [UInt8] = []
      do {
        _ = try await transport.get(prefix + path, limit: StaticCTClient.largestTile, into: &body, acceptsGzip: true)
        return body
      } catch let error as FetchError where error.statusCode == 404 || error.statusCode == 410 {
        return nil
      }
    }
    let result: Result<LogRepair.Outcome, any Error>
    do {
      result = .success(try await repair.run(locked: try await folder.lockedCheckpoint()))
    } catch {
      result = .failure(error)
    }
    try await transport.shutdown()
    withExtendedLifetime(hold) {}
    let outcome = try result.get()
    let remaining = LogFindings(outcome.remaining)
    if json {
      try Terminal.write(json: Report(repaired: outcome.repaired, remaining: remaining.rows))
    } else {
      for path in outcome.repaired { try Terminal.write("repaired \(path)\n") }
      try remaining.print(json: false)
    }
    guard outcome.remaining.isEmpty else { throw ExitCode.findings }
  }
}

struct LogExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Copy the published tree to a new folder, and check the copy.",
    discussion: """
      Example:
        oriel log export /srv/ct/2026h1 /archive/2026h1

      The copy is a static log as it is: a mirror for `oriel log repair`, or an archive to keep. It has no keys, and the
      log may be running.
      """)

  @OptionGroup var log: LogFolderOptions
  @Argument(help: ArgumentHelp("The folder to make.", valueName: "target"), completion: .directory) var target: String
  @Flag(help: "Print a JSON object.") var json = false

  private struct Report: Encodable {
    let files: Int
    let treeSize: UInt64
    let timestamp: String
  }

  func run() async throws { try await reportingLogFailures(work) }

  private func work() async throws {
    let folder = try log.open()
    guard !FileManager.default.fileExists(atPath: target) else {
      throw CommandFailure("\(target) is there already", .cannotWrite)
    }
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    let (head, files) = try await LogExport.copy(
      folder.publicIdentity, from: try DirectoryStore(folder.publicPath, isReadOnly: true),
      to: try DirectoryStore(target))
    let findings = try await LogFindings.check(folder.publicIdentity, target, locked: nil)
    for finding in findings.all { Terminal.complain("\(finding)") }
    if json {
      try Terminal.write(
        json: Report(files: files, treeSize: head.size, timestamp: head.timestamp.description))
    } else {
      try Terminal.write(
        "\(counted(files, "file", "files")), a tree of \(counted(head.size, "entry", "entries")) as of \(head.timestamp)\n"
      )
    }
    guard findings.all.isEmpty else { throw ExitCode.findings }
  }
}

/// What is wrong with a log, for people and for programs.
struct LogFindings {
  struct Row: Encodable {
    let path: String
    let offset: Int?
    let entry: UInt64?
    let reason: String
  }

  let all: [Finding]

  init(_ all: [Finding]) { self.all = all }

  static func check(_ identity: LogIdentity, _ folder: String, locked: [UInt8]?) async throws -> LogFindings {
    var all: [Finding] = []
    var check = LogCheck(identity, storage: try DirectoryStore(folder, isReadOnly: true)) { all.append($0) }
    try await check.run(locked: locked)
    return LogFindings(all)
  }

  var rows: [Row] { all.map { Row(path: $0.path, offset: $0.offset, entry: $0.entry, reason: $0.reason) } }

  func print(json: Bool) throws {
    if json { return try Terminal.write(json: rows) }
    for finding in all { try Terminal.write("\(finding)\n") }
  }
}
