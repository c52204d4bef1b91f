import ArgumentParser
import CertificateTransparency
import Foundation
import OrielLog

struct LogInitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Create a log: folder, keys, settings, and an empty signed tree.",
    discussion: """
      Examples:
        oriel log init test --submission-url http://127.0.0.1:8080/test/ --roots our-ca.pem --no-anchor
        oriel log init 2026h1 --submission-url https://log.example/2026h1/ --roots extra.pem --ccadb included.csv \\
          --anchor /mnt/other/2026h1.anchor \\
          --not-after-start 2026-01-01T00:00:00Z --not-after-end 2026-07-01T00:00:00Z
        oriel log init 2026h1 --submission-url https://log.example/2026h1/ --roots extra.pem --no-anchor \\
          --hsm-module /usr/lib/softhsm/libsofthsm2.so --hsm-token ct --hsm-key 2026h1 --hsm-pin-file /etc/ct/pin

      Prints the entry that a log list needs. A folder that is there already is left alone.

      --anchor or --no-anchor: an anchor holds the last checkpoint that was signed, on another disk or mount. Only an
      anchor notices that the machine was restored from a snapshot, with the log's folder and lock: to go on would fork
      the log, which ends it.
      """)

  @Argument(help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("Where certificates are submitted: an http or https URL.", valueName: "URL"))
  var submissionURL: String

  @Option(help: ArgumentHelp("Where the log is read. Default: where certificates are submitted.", valueName: "URL"))
  var monitoringURL: String?

  @Option(help: ArgumentHelp("Roots to accept, in PEM. Repeatable.", valueName: "FILE"))
  var roots: [String] = []

  @Option(help: ArgumentHelp("A CCADB report (CSV) of roots to accept; read again when it changes.", valueName: "FILE"))
  var ccadb: String?

  @Option(help: ArgumentHelp("Certificates are taken that are valid until this time or later.", valueName: "TIME"))
  var notAfterStart: String?

  @Option(help: ArgumentHelp("Certificates are taken that are valid until before this time.", valueName: "TIME"))
  var notAfterEnd: String?

  @Flag(help: "Take certificates for TLS servers only.")
  var serverAuth = false

  @Option(help: ArgumentHelp("What the log is called. Default: its origin.", valueName: "TEXT"))
  var description: String?

  @Option(help: ArgumentHelp("The file of the lock. Default: lock.db in the folder.", valueName: "FILE"))
  var lock: String?

  @Option(
    help: ArgumentHelp("The anchor: a file to make on another disk or mount, in a writable folder.", valueName: "FILE"))
  var anchor: String?

  @Flag(name: .customLong("no-anchor"), help: "Without an anchor: restored snapshots go unnoticed.")
  var goesWithoutAnchor = false

  @OptionGroup(title: "A key in a security module (PKCS #11)") var hsm: HSMOptions

  func validate() throws {
    guard (anchor == nil) == goesWithoutAnchor else {
      throw ValidationError(
        """
        give either --anchor FILE or --no-anchor. An anchor, a file on another disk or mount, holds the last checkpoint \
        that was signed: only it notices that the log was restored from a snapshot, which would fork it. Use --no-anchor \
        for test benches, and where no snapshot of the machine is ever restored.
        """)
    }
  }

  func run() async throws { try await reportingLogFailures(work) }

  private func work() async throws {
    let store = RootStore()
    for file in roots {
      let addition = store.add(file: try bytes(file))
      for problem in addition.unreadable { Terminal.complain("\(file): passed over: \(problem)") }
    }
    if let ccadb {
      for problem in try store.add(ccadb: String(decoding: try bytes(ccadb), as: UTF8.self)).unreadable {
        Terminal.complain(problem)
      }
    }
    guard !store.certificates.isEmpty else {
      throw CommandFailure("no root to accept: give some with --roots or --ccadb", ExitCode(64))
    }
    let made = try await LogFolder.create(folder, roots: store.pem, hsm: hsm.settings, clock: .system, settings)
    if made.anchorIsBesideLock {
      Terminal.complain(
        "warning: the anchor is on the same file system as the lock: a snapshot of it takes both back, unnoticed")
    }
    Terminal.note("oriel: \(folder): created \(made.settings.origin) with \(store.certificates.count) accepted roots")
    try Terminal.write(String(decoding: try made.entry.json(), as: UTF8.self))
  }

  private func settings(_ key: LogKey) throws -> LogFolderSettings {
    let slash = { (url: String) in url.hasSuffix("/") ? url : url + "/" }
    let submission = slash(submissionURL)
    var settings = LogFolderSettings(
      description: "", key: key, submissionURL: submission, monitoringURL: monitoringURL.map(slash) ?? submission)
    settings.description = description ?? settings.origin
    settings.notAfterStart = notAfterStart
    settings.notAfterEnd = notAfterEnd
    settings.requiresServerAuth = serverAuth ? true : nil
    settings.lock = lock.map { URL(filePath: $0).path }
    settings.anchor = anchor.map { URL(filePath: $0).path }
    settings.ccadb = ccadb.map { URL(filePath: $0).path }
    return settings
  }

  private func bytes(_ file: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandFailure("\(file) can't be read", ExitCode(66))
    }
    return [UInt8](data)
  }
}

/// Where the key is or shall be, if not in a file.
struct HSMOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The module's PKCS #11 library.", valueName: "FILE"))
  var hsmModule: String?

  @Option(help: ArgumentHelp("The token's label.", valueName: "LABEL"))
  var hsmToken: String?

  @Option(help: ArgumentHelp("The key pair's label; made on the token if there is none.", valueName: "LABEL"))
  var hsmKey: String?

  @Option(help: ArgumentHelp("A file with the PIN, for its owner's eyes alone.", valueName: "FILE"))
  var hsmPinFile: String?

  func validate() throws {
    let given = [hsmModule, hsmToken, hsmKey, hsmPinFile].compactMap(\.self).count
    guard given == 0 || given == 4 else {
      throw ValidationError("--hsm-module, --hsm-token, --hsm-key and --hsm-pin-file go together")
    }
  }

  /// Nil for a key in a file.
  var settings: HSMSettings? {
    guard let hsmModule, let hsmToken, let hsmKey, let hsmPinFile else { return nil }
    return HSMSettings(module: hsmModule, token: hsmToken, key: hsmKey, pinFile: URL(filePath: hsmPinFile).path)
  }
}
