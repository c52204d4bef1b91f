import ArgumentParser
import CTLogClient
import Foundation
import Logging
import OrielLog

struct LogServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run one or several logs, and serve them over HTTP.",
    discussion: """
      Examples:
        oriel log serve /srv/ct/2026h1 /srv/ct/2026h2
        oriel log serve test --listen 127.0.0.1:0 --period 100
        oriel log serve 2026h1 --listen 0.0.0.0:443 --tls-certificate chain.pem --tls-key key.pem
        oriel log serve /new/place/2026h1 --moved

      Each log answers below the paths of its URLs; /health and /metrics tell how all of them fare. HTTP/2 is for a
      proxy in front (docs/log.md). SIGTERM and SIGINT: what was submitted is published and answered first. SIGHUP:
      certificate and key for TLS are read again.
      """)

  @Argument(help: ArgumentHelp("The folders of the logs.", valueName: "folder"), completion: .directory)
  var folders: [String]

  @Option(help: ArgumentHelp("Where to listen; port 0 for any.", valueName: "ADDRESS:PORT"))
  var listen = "127.0.0.1:8080"

  @Option(
    help: ArgumentHelp(
      "The server's certificate for TLS, and those between it and the root, in PEM.", valueName: "FILE"))
  var tlsCertificate: String?

  @Option(help: ArgumentHelp("Its private key, in PEM.", valueName: "FILE"))
  var tlsKey: String?

  @Option(help: ArgumentHelp("Milliseconds between two batches.", valueName: "MS"))
  var period = 250

  @Option(help: ArgumentHelp("The most submissions of one batch.", valueName: "COUNT"))
  var pool = 4096

  @Option(help: ArgumentHelp("Submissions per second and client. Default: no limit.", valueName: "COUNT"))
  var clientRate: Double?

  @Flag(help: "Take the client's address from X-Forwarded-For: only behind a proxy that sets it.")
  var trustForwarded = false

  @Option(help: ArgumentHelp("With less disk space left, nothing is taken.", valueName: "MIB"))
  var minFree = 1024

  @Option(
    help: ArgumentHelp(
      "Recheck everything that is published once in this time, such as 7d or 12h; off for never.", valueName: "TIME"))
  var scrub = "7d"

  @Flag(help: "The folder or the lock was moved, and nothing runs where it was. Once; never for a copy or a backup.")
  var moved = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    guard address != nil else { throw ValidationError("--listen: expected ADDRESS:PORT, found '\(listen)'") }
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-certificate and --tls-key: one is of no use without the other")
    }
    guard (10...60_000).contains(period) else { throw ValidationError("--period: expected 10 to 60000") }
    guard (1...100_000).contains(pool) else { throw ValidationError("--pool: expected 1 to 100000") }
    guard clientRate ?? 1 > 0 else { throw ValidationError("--client-rate: expected a number above 0") }
    guard LogScrub.Settings(scrub) != nil else {
      throw ValidationError("--scrub: expected hours or days such as 12h or 7d, or off; found '\(scrub)'")
    }
    guard (0...1_000_000_000).contains(minFree) else { throw ValidationError("--min-free: expected 0 or more") }
  }

  private var address: (host: String, port: Int)? {
    guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    let host = listen[..<colon].drop { $0 == "[" }
    return (String(host.last == "]" ? host.dropLast() : host), port)
  }

  func run() async throws { try await log.reportingFailures(as: { CommandFailure(log: $0) }, work) }

  private func work(_ logger: Logger) async throws {
    Signals.deferInterrupts()
    Memory.configure()
    let opened = try folders.map { try LogFolder($0) }
    let holds = try opened.map { try FolderHold($0.path) }
    var settings = LogServer.Settings()
    if let address { (settings.host, settings.port) = address }
    settings.clientRate = clientRate
    settings.trustsForwarded = trustForwarded
    settings.credentials = try credentials()
    let listener = Listener(host: settings.host, port: settings.port)
    let transport = HTTPTransport(
      HTTPTransport.Settings(connectTimeout: .seconds(3), idleTimeout: .seconds(5), totalTimeout: .seconds(8)))
    let result: Result<Void, any Error>
    do {
      result = .success(try await serve(opened, settings, listener, transport, logger))
    } catch {
      result = .failure(error)
    }
    try await transport.shutdown()
    withExtendedLifetime(holds) {}
    try result.get()
  }

  private func serve(
    _ folders: [LogFolder], _ settings: LogServer.Settings, _ listener: Listener, _ transport: HTTPTransport,
    _ logger: Logger
  ) async throws {
    var services: [LogService] = []
    for folder in folders {
      let source = PublicCheckpoint(of: folder.entry.monitoringURL, transport, unlessServedBy: listener)
      services.append(try await open(folder, source, logger))
      logger.notice("\(folder.settings.origin): \(services[services.count - 1].head.size) entries")
    }
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let scheme = settings.credentials == nil ? "http" : "https"
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let credentials = settings.credentials { group.addTask { await keepCurrent(credentials, logger) } }
      try await LogServer(services, settings).run(
        onListening: { port in
          listener.listens(on: port)
          logger.notice("listening on \(scheme)://\(host):\(port)/")
        }, until: Signals.waitForInterrupt)
      group.cancelAll()
    }
  }

  private func open(
    _ folder: LogFolder, _ publicCheckpoint: PublicCheckpoint, _ logger: Logger
  ) async throws -> LogService {
    var pace = SequencerSettings()
    pace.poolLimit = pool
    var settings = LogService.Settings()
    settings.period = .milliseconds(period)
    settings.minimumFreeBytes = UInt64(minFree) << 20
    settings.scrub = LogScrub.Settings(scrub) ?? settings.scrub
    let origin = folder.settings.origin
    settings.scrub.onDamage = { logger.error("\(origin): damaged: \($0)") }
    return try await folder.open(
      clock: .system, pace: pace, settings: settings, isMoved: moved, publicCheckpoint: publicCheckpoint,
      logger: logger)
  }

  private func credentials() throws -> TLSCredentials? {
    guard let tlsCertificate, let tlsKey else { return nil }
    do {
      return try TLSCredentials(certificateFile: tlsCertificate, keyFile: tlsKey)
    } catch {
      throw CommandFailure("\(error)", ExitCode(66))
    }
  }

  /// Reads the certificate and key again when told to.
  private func keepCurrent(_ credentials: TLSCredentials, _ logger: Logger) async {
    await Signals.onHangup {
      do {
        try credentials.reload()
        logger.notice("TLS goes on with what is in the files now")
      } catch {
        logger.error("TLS goes on with what was read before: \(error)")
      }
    }
  }
}
