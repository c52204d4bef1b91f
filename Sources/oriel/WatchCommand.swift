import ArgumentParser
import CTLogClient
import CertificateTransparency
import Foundation
import Logging
import OrielMonitor
import OrielServer
import OrielSettings
import OrielStore
import OrielWatchlist

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Follow the logs and print every certificate that covers a watched name.",
    discussion: """
      Examples:
        oriel watch example.com                      from now on, until interrupted
        oriel watch --once --from 7d example.com     the last week, then stop
        oriel watch --json --watch-list names.txt    one JSON object a line (docs/watch-json.md)
        oriel watch --once --config oriel.yaml       deliver alerts too, then stop: for a timer or cron

      Where it stopped, it goes on: state is kept in the data directory. Certificates go to standard output, what
      happens to logs to standard error. A watch list that changes is read again while logs are followed.
      """)

  @OptionGroup var watched: WatchOptions
  @OptionGroup var lists: ListOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var log: LogOptions

  @Flag(help: "Stop when every log is verified to the head it had at start.")
  var once = false

  @Option(help: ArgumentHelp("With --once: seconds after which an unreachable log is given up.", valueName: "SECONDS"))
  var timeout = 60

  @Option(help: ArgumentHelp("Where to begin on the first start: now, start, 7d, or an index.", valueName: "WHERE"))
  var from = "now"

  @Option(
    help: ArgumentHelp(
      "How often each log is asked for news. Default: 15 for static-ct, 60 for RFC 6962.", valueName: "SECONDS"))
  var pollInterval: Double?

  @Flag(help: "Print one JSON object a line.")
  var json = false

  @Flag(help: "Do not print certificates that have expired.")
  var excludeExpired = false

  func validate() throws {
    guard StartPolicy(from) != nil else {
      throw ValidationError("--from takes now, start, a number of days such as 7d, or an entry's index; not '\(from)'.")
    }
    if let pollInterval, !(0.05...86_400).contains(pollInterval) {
      throw ValidationError("--poll-interval takes 0.05 to 86400 seconds.")
    }
    guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
  }

  func run() async throws { try await log.reportingFailures(work) }

  private func work(_ logger: Logger) async throws {
    Signals.deferInterrupts()
    Memory.configure()
    let configuration = try configuration(logger)
    let watch = WatchIndexHolder(WatchIndex(configuration == nil ? try watched.items() : []))
    Memory.release()
    let directory = try DataDirectory(data.given ?? configuration?.dataDirectory ?? data.dataDir)
    let database = try SQLiteDatabase(path: directory.databasePath)
    let transport = HTTPTransport(HTTPTransport.Settings(contact: lists.contact ?? configuration?.contact))
    let board = StatusBoard()
    let settings = monitorSettings
    let printer = IssuancePrinter(json: json, excludeExpired: excludeExpired, time: .system)
    let sources =
      lists.lists.isEmpty && configuration?.logLists.isEmpty == false
      ? ListOptions.sources(configuration?.logLists ?? []) : lists.sources
    let logs = ListKeeper(sources: sources, transport: transport, cache: directory.path + "/lists") {
      logger.warning("\($0)")
    }
    let follow: @Sendable () async throws -> [LogMonitor.Outcome]
    if let configuration {
      let service = try Service(
        configuration, database: database, transport: transport, settings: settings, board: board,
        logger: logger
      ) { try printer.tell($0) }
      follow = { try await service.run { try await logs.load() } }
    } else {
      let store = FollowingStore(database)
      let monitor = LogMonitor(
        store: store, transport: transport, settings: settings, board: board, watch: watch,
        announcer: Announcer(store: store) { try printer.tell($0) })
      follow = { try await monitor.run { try await logs.load() } }
    }
    let reporter = ProgressReporter(board: board, logger: logger)
    let result: Result<[LogMonitor.Outcome]?, any Error>
    do { result = .success(try await run(follow, reporter, watch, logger)) } catch { result = .failure(error) }
    Terminal.clearProgress()
    try await transport.shutdown()
    withExtendedLifetime(directory.path) {}
    guard let outcomes = try result.get() else { return }
    let troubled = outcomes.filter { $0.trouble != nil }
    reporter.finish(except: Set(troubled.map(\.log.logID)))
    for outcome in troubled {
      logger.error(
        "\(outcome.log.description): \(outcome.isLying ? "lying" : "unreachable"): \(outcome.trouble ?? "")")
    }
    if !troubled.isEmpty { throw ExitCode.incomplete }
  }

  private var monitorSettings: MonitorSettings {
    var settings = MonitorSettings()
    settings.once = once
    settings.timeout = .seconds(timeout)
    settings.start = StartPolicy(from) ?? .now
    if let pollInterval {
      settings.staticPollInterval = .milliseconds(Int(pollInterval * 1000))
      settings.rfc6962PollInterval = settings.staticPollInterval
    }
    return settings
  }

  /// The configuration of the service, if there is one, with what the command line watches besides.
  private func configuration(_ logger: Logger) throws -> Configuration? {
    guard let file = watched.config else { return nil }
    let loaded = try ConfigOptions.load(file)
    log.apply(loaded.configuration)
    for warning in loaded.warnings { logger.warning("\(warning)") }
    var configuration = loaded.configuration
    configuration.watch += try watched.items().map { Configuration.Watch(item: $0, recipients: nil) }
    return configuration
  }

  /// Follows, with what goes on beside it; nil if it was interrupted.
  private func run(
    _ follow: @escaping @Sendable () async throws -> [LogMonitor.Outcome], _ reporter: ProgressReporter,
    _ watch: WatchIndexHolder, _ logger: Logger
  ) async throws -> [LogMonitor.Outcome]? {
    try await withThrowingTaskGroup(of: [LogMonitor.Outcome]?.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await follow() }
      group.addTask {
        await Signals.waitForInterrupt()
        return nil
      }
      group.addTask {
        try await reporter.run()
        return nil
      }
      if !watched.files.isEmpty, watched.config == nil {
        group.addTask {
          try await WatchlistReloader(options: watched, holder: watch, logger: logger).run()
          return nil
        }
      }
      return try await group.next() ?? nil
    }
  }
}

/// Prints what is announced.
struct IssuancePrinter: Sendable {
  let json: Bool
  let excludeExpired: Bool
  let time: Timekeeper

  func tell(_ record: IssuanceRecord) throws {
    let report = IssuanceReport(record)
    if excludeExpired, let expiry = report.expiry, expiry < time.now() / 1000 { return }
    try Terminal.write(json ? report.json() + "\n" : report.text(colour: Terminal.wantsColour) + "\n")
  }
}

/// Reads the watch lists again when their files change; a list with mistakes changes nothing.
struct WatchlistReloader: Sendable {
  let options: WatchOptions
  let holder: WatchIndexHolder
  let logger: Logger

  func run() async throws {
    var known = stamps()
    while true {
      try await Task.sleep(for: .seconds(2))
      let current = stamps()
      guard current != known else { continue }
      known = current
      do {
        holder.replace(with: WatchIndex(try options.items()))
        Memory.release()
        logger.notice("the watch list changed and is in force")
      } catch {
        logger.error("\(CommandFailure(error).message)\nThe watch list in force stays as it was.")
      }
    }
  }

  private func stamps() -> [String] {
    options.files.map { file in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      let date = attributes?[.modificationDate] as? Date
      return "\(file) \(date?.timeIntervalSince1970 ?? 0) \(attributes?[.size] as? Int ?? -1)"
    }
  }
}
