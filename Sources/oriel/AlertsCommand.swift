import ArgumentParser
import CertificateTransparency
import Foundation
import OrielAlerting
import OrielMonitor
import OrielServer
import OrielSettings
import OrielStore

struct AlertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "Alerts: list, show, answer, retry, drop; and try the channels.",
    discussion: """
      Examples:
        oriel alerts list --state given-up     what did not get through, and why
        oriel alerts claim 17                  say that the certificate is yours
        oriel alerts retry 17                  try one again; without a number, all that were given up
        oriel alerts test --config oriel.yaml  send a sample to everybody, and see what their servers say
      """,
    subcommands: [
      List.self, Show.self, Claim.self, Deny.self, Acknowledge.self, Retry.self, Drop.self, Test.self,
    ], defaultSubcommand: List.self,
    aliases: ["alert"])

  /// Where the outbox is.
  struct Place: ParsableArguments {
    @OptionGroup var data: DataOptions

    func store() throws -> AlertStore { AlertStore(try database()) }

    /// - Parameter isRead: whether nothing is to be changed.
    func database(isRead: Bool = false) throws -> SQLiteDatabase {
      let path = data.dataDir + "/oriel.db"
      guard FileManager.default.fileExists(atPath: path) else {
        throw CommandFailure(
          "there is no state in \(data.dataDir); give --data-dir, or run `oriel serve` first", .badData)
      }
      return isRead
        ? try SQLiteDatabase(reading: path) : try SQLiteDatabase(path: path, isChecked: false, isGuest: true)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Deliveries, newest first.",
      discussion: "Example:\n  oriel alerts list --state waiting --json")

    @OptionGroup var place: Place
    @Option(help: "Only those in this state: waiting, delivered, given-up, dropped, digested. Repeatable.")
    var state: [String] = []
    @Option(help: "No more than so many.") var limit = 100
    @Flag(help: "Print a JSON array.") var json = false

    func validate() throws {
      for name in state where StoredDelivery.State(rawValue: name) == nil {
        let known = StoredDelivery.State.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--state takes \(known); not '\(name)'.")
      }
      guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000000.") }
    }

    func run() async throws {
      try await reportingFailures {
        let states = state.compactMap(StoredDelivery.State.init(rawValue:))
        let store = AlertStore(try place.database(isRead: true))
        let deliveries = try await store.deliveries(in: states, limit: limit)
        if json { return try Terminal.write(json: deliveries.map(DeliveryLine.init)) }
        for delivery in deliveries { try Terminal.write(DeliveryLine(delivery).text + "\n") }
        if deliveries.isEmpty { Terminal.note("oriel: there are none") }
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "One alert as its receiver reads it, and what became of it.",
      discussion: "Example:\n  oriel alerts show 17")

    @OptionGroup var place: Place
    @Argument(help: "The number that `oriel alerts list` gives.") var number: Int64
    @Flag(help: "Print the JSON that webhooks get.") var json = false

    func run() async throws {
      try await reportingFailures {
        let database = try place.database()
        let store = AlertStore(database)
        guard let delivery = try await store.delivery(number) else {
          throw CommandFailure("there is no alert \(number)", .badData)
        }
        let alert = try await AlertReader(store, router: VerdictRouter.reader(of: database)).alert(of: delivery)
        if json { return try Terminal.write(String(decoding: try AlertJSON(alert).encoded(), as: UTF8.self) + "\n") }
        try Terminal.write(DeliveryLine(delivery).text + "\n\n" + AlertRenderer().text(alert) + "\n")
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "retry", abstract: "Try again: the alerts given, or all that were given up.",
      discussion: "Example:\n  oriel alerts retry 17 18")

    @OptionGroup var place: Place
    @Argument(help: "Numbers that `oriel alerts list` gives.") var numbers: [Int64] = []

    func run() async throws {
      try await reportingFailures {
        let store = try place.store()
        let count = try await store.retry(numbers.isEmpty ? nil : numbers, now: Timekeeper.system.now())
        try Terminal.write("\(count) will be tried again by the running service\n")
      }
    }
  }

  struct Drop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drop", abstract: "Take out alerts that wait or were given up: those given, or all given up.",
      discussion: "Example:\n  oriel alerts drop 17")

    @OptionGroup var place: Place
    @Argument(help: "Numbers that `oriel alerts list` gives.") var numbers: [Int64] = []

    func run() async throws {
      try await reportingFailures {
        let count = try await place.store().drop(numbers.isEmpty ? nil : numbers)
        try Terminal.write("\(count) dropped\n")
      }
    }
  }

  struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "test", abstract: "Send a sample through each channel, and tell what the receivers say.",
      discussion: "Example:\n  oriel alerts test --config oriel.yaml")

    @OptionGroup var options: ConfigOptions
    @Flag(help: "Print a JSON array.") var json = false

    func run() async throws {
      try await reportingFailures {
        let loaded = try options.load()
        let routes = try ServicePlan(loaded.configuration).routes
        var results: [TestLine] = []
        for target in routes.all {
          guard let channel = routes.channels[target.target] else { continue }
          let result = await channel.deliver(SampleDelivery.make(now: Timekeeper.system.now()))
          results.append(TestLine(target, result))
          if !json { try Terminal.write(results[results.count - 1].text + "\n") }
        }
        if json { try Terminal.write(json: results) }
        if results.isEmpty {
          throw CommandFailure("nobody is told of anything: set `defaults.recipients`", .configuration)
        }
        if results.contains(where: { $0.state != "delivered" }) { throw ExitCode.findings }
      }
    }
  }
}

/// What one channel said of the sample.
private struct TestLine: Encodable {
  let recipient, target, state, words: String

  init(_ target: AlertTarget, _ result: DeliveryResult) {
    recipient = target.recipient
    self.target = target.target
    (state, words) =
      switch result {
      case .delivered(let words): ("delivered", words)
      case .unavailable(let words, _): ("failed", words)
      case .refused(let words, _, _, _), .gone(let words): ("refused", words)
      }
  }

  var text: String { "\(state.padding(toLength: 10, withPad: " ", startingAt: 0)) \(target): \(words)" }
}

/// A delivery as it is listed.
private struct DeliveryLine: Encodable {
  let id: Int64
  let kind, state, recipient, target, createdAt: String
  let item, nextAttempt, words: String?
  let attempts: Int

  init(_ delivery: StoredDelivery) {
    let time = { (milliseconds: Int64) in Timestamp(milliseconds: UInt64(max(0, milliseconds))).description }
    id = delivery.id
    kind = delivery.alert.kind.rawValue
    state = delivery.state.rawValue
    recipient = delivery.recipient
    target = delivery.target
    createdAt = time(delivery.alert.createdAt)
    item = delivery.alert.item
    nextAttempt = delivery.state == .waiting ? time(delivery.nextAttempt) : nil
    words = delivery.words
    attempts = delivery.attempts
  }

  var text: String {
    let head = "\(id)  \(state)  \(createdAt)  \(kind)\(item.map { " " + $0 } ?? "")  to \(target)"
    guard attempts > 0 else { return head }
    let next = nextAttempt.map { ", next \($0)" } ?? ""
    return head + "\n    \(attempts) attempt\(attempts == 1 ? "" : "s")\(next): \(words ?? "")"
  }
}
