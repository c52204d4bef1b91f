import ArgumentParser
import CTLogClient
import Foundation
import Logging
import OrielAccounts
import OrielMonitor
import OrielServer
import OrielSettings
import OrielStore

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "The service: follow the logs, and alert those concerned.",
    discussion: """
      Examples:
        oriel serve --config oriel.yaml
        oriel serve --config oriel.yaml --set data_dir=/var/lib/oriel

      docs/oriel.example.yaml is a configuration to begin with; `oriel config check` says what is wrong with yours, and
      `oriel alerts test` whether mail and webhooks get through. SIGHUP puts a changed configuration in force, and
      says which settings need a restart; one with mistakes is refused, and the old one stays.
      """)

  @OptionGroup var options: ConfigOptions
  @OptionGroup var log: LogOptions

  @Option(
    help: ArgumentHelp("How often each log is asked for news.", valueName: "SECONDS", visibility: .hidden))
  var pollInterval: Double?

  func run() async throws { try await log.reportingFailures(work) }

  private func work(_ logger: Logger) async throws {
    Signals.deferInterrupts()
    Memory.configure()
    let loaded = try options.load()
    let configuration = loaded.configuration
    log.apply(configuration)
    for warning in loaded.warnings { logger.warning("\(warning)") }
    let directory = try DataDirectory(configuration.dataDirectory ?? DataOptions.standard)
    let transport = HTTPTransport(HTTPTransport.Settings(contact: configuration.contact))
    let board = StatusBoard()
    var settings = MonitorSettings()
    guard let start = StartPolicy(configuration.from) else {
      throw CommandFailure(
        "from: expected now, start, a number of days such as 7d, or an index; found \(configuration.from)",
        .configuration)
    }
    settings.start = start
    if let pollInterval {
      settings.staticPollInterval = .milliseconds(Int(pollInterval * 1000))
      settings.rfc6962PollInterval = settings.staticPollInterval
    }
    let database = try SQLiteDatabase(path: directory.databasePath)
    let accounts = AccountsAtWork(AccountStore(database, now: Timekeeper.system.now), database, time: .system) {
      logger.warning("\($0)")
    }
    let service = try Service(
      configuration, database: database, transport: transport, settings: settings, board: board, accounts: accounts,
      logger: logger)
    let sources = ListOptions.sources(configuration.logLists)
    let logs = ListKeeper(sources: sources, transport: transport, cache: directory.path + "/lists") {
      logger.warning("\($0)")
    }
    let dashboard = try Dashboard(
      configuration, accounts, database, board, transport: transport, logs: { logs.logs(for: $0) },
      note: { logger.warning("\($0)") })
    Memory.release()
    let lists = sources.count == 1 ? "the logs of one list" : "the logs of \(sources.count) lists"
    logger.notice("serving from \(directory.path), following \(lists)")
    let result: Result<Void, any Error>
    do {
      result = .success(try await run(service, logs, board, dashboard, loaded, logger))
    } catch { result = .failure(error) }
    try await transport.shutdown()
    withExtendedLifetime(directory.path) {}
    try result.get()
  }

  private func run(
    _ service: Service, _ logs: ListKeeper, _ board: StatusBoard, _ dashboard: Dashboard?,
    _ loaded: LoadedConfiguration, _ logger: Logger
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { _ = try await service.run { try await logs.load() } }
      group.addTask { await Signals.waitForInterrupt() }
      group.addTask { try await ProgressReporter(board: board, logger: logger).run() }
      group.addTask {
        var inForce = loaded
        await Signals.onHangup { await reload(service, dashboard, &inForce, startedWith: loaded, logger) }
      }
      if let dashboard { group.addTask { try await dashboard.run { logger.notice("\($0)") } } }
      try await group.next()
    }
  }

  private func reload(
    _ service: Service, _ dashboard: Dashboard?, _ inForce: inout LoadedConfiguration,
    startedWith first: LoadedConfiguration, _ logger: Logger
  ) async {
    do {
      let loaded = try options.load()
      for warning in loaded.warnings { logger.warning("\(warning)") }
      try await service.replace(with: loaded.configuration)
      dashboard?.replace(with: loaded.configuration)
      log.apply(loaded.configuration)
      logger.notice("\(ConfigurationChanges(to: loaded, from: inForce, startedWith: first).summary)")
      inForce = loaded
    } catch {
      logger.error("\(CommandFailure(error).message)\nThe configuration in force stays as it was.")
    }
  }
}
