import ArgumentParser
import Foundation
import OrielDemo
import OrielLogging
import OrielMonitor

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "A whole little world on loopback: a CA, two logs, a watcher, its pages, and those it alerts.",
    discussion: """
      Example:
        oriel demo

      Runs until interrupted; with --once, or where the environment has CI set, it ends after one round.
      Nothing leaves this machine. The mails are kept in the folder for temporary files, for a mail reader to open.
      """)

  @Flag(help: "End after one round.")
  var once = false

  @Flag(help: "Print matches as JSON, one object a line.")
  var json = false

  func run() async throws { try await reportingFailures(work) }

  private func work() async throws {
    Signals.deferInterrupts()
    let isAutomatic = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false
    let board = StatusBoard()
    let printer = IssuancePrinter(json: json, excludeExpired: false, time: .system)
    let mailFolder = FileManager.default.temporaryDirectory.appending(path: "oriel-demo-mail")
    try FileManager.default.createDirectory(at: mailFolder, withIntermediateDirectories: true)
    let demonstration = Demonstration(
      endsByItself: once || isAutomatic, pause: isAutomatic ? .milliseconds(300) : .seconds(3),
      mailFolder: mailFolder, board: board,
      say: { try Terminal.write($0 + "\n") }, show: { try printer.tell($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await demonstration.run() }
      group.addTask { await Signals.waitForInterrupt() }
      group.addTask { try await ProgressReporter(board: board, logger: LogOutput.standard.logger("oriel")).run() }
      try await group.next()
    }
    Terminal.clearProgress()
  }
}
