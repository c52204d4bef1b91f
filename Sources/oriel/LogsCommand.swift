import ArgumentParser
import CTLogClient
import CertificateTransparency
import Foundation
import OrielMonitor
import OrielStore

struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "The logs: kind, operator, state, size and lag of each.",
    discussion: """
      Examples:
        oriel logs              what is followed, and how it fares
        oriel logs --json       the same, as a JSON array
        oriel logs update       fetch the log lists, check them and keep them
      """,
    subcommands: [Show.self, Update.self],
    defaultSubcommand: Show.self)

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "What is followed, and how it fares (the default).",
      discussion: "Example:\n  oriel logs show --json")

    @OptionGroup var data: DataOptions
    @Flag(help: "Print a JSON array.") var json = false

    func run() async throws { try await reportingFailures(work) }

    private func work() async throws {
      let path = data.dataDir + "/oriel.db"
      guard FileManager.default.fileExists(atPath: path) else {
        throw CommandFailure(
          "nothing has been followed with \(data.dataDir) yet: start with `oriel watch NAME`", ExitCode(2))
      }
      let store = FollowingStore(try SQLiteDatabase(reading: path))
      var rows: [LogRow] = []
      for record in try await store.logs() {
        let heads = try await store.heads(of: record.logID)
        let evidence = try await store.evidence(against: record.logID)
        rows.append(LogRow(record, newest: heads.max { $0.treeSize < $1.treeSize }, evidence: evidence))
      }
      if json { return try Terminal.write(json: rows) }
      try Terminal.write(LogRow.table(rows))
    }
  }

  struct Update: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "update", abstract: "Fetch the log lists, check them and keep them.",
      discussion: "Example:\n  oriel logs update --log-list https://www.gstatic.com/ct/log_list/v3/log_list.json")

    @OptionGroup var lists: ListOptions
    @OptionGroup var data: DataOptions
    @Flag(help: "Print a JSON array of the logs.") var json = false

    func run() async throws { try await reportingFailures(work) }

    private func work() async throws {
      let transport = lists.transport()
      let loader = ListKeeper(
        sources: lists.sources, transport: transport, cache: data.listCache, warn: Terminal.complain)
      let result: Result<LogListUnion, any Error>
      do { result = .success(try await loader.union()) } catch { result = .failure(error) }
      try await transport.shutdown()
      let union = try result.get()
      for problem in union.problems { Terminal.complain(problem) }
      let rows = union.logs.map(LogRow.init)
      if json { return try Terminal.write(json: rows) }
      try Terminal.write("\(counted(rows.count, "log", "logs")) to follow\n" + LogRow.table(rows))
    }
  }
}

/// One log, as it is shown.
struct LogRow: Encodable {
  struct Finding: Encodable {
    let at: String
    let kind: String
    let detail: String
  }

  let logID: String
  let description: String
  let operatorName: String
  let kind: String
  let url: String
  var state: String
  var since: String?
  var reason: String?
  var size: UInt64?
  var headTime: String?
  var position: UInt64?
  var verified: UInt64?
  var lag: UInt64?
  var unreadable: Int64 = 0
  var evidence: [Finding] = []

  enum CodingKeys: String, CodingKey {
    case description, kind, url, state, since, reason, size, position, verified, lag, unreadable, evidence
    case logID = "log_id"
    case operatorName = "operator"
    case headTime = "head_time"
  }

  init(_ log: LogDescription) {
    logID = log.logID.description
    description = log.description
    operatorName = log.operatorName
    kind = log.kindName
    url = log.monitoringURL
    state = log.state?.name ?? "unknown"
  }

  init(_ record: LogRecord, newest: HeadRecord?, evidence findings: [(at: Int64, kind: String, detail: String)]) {
    logID = record.logID.description
    description = record.description
    operatorName = record.operatorName
    kind = record.kind
    url = record.url
    state = record.state.rawValue
    since = record.stateSince > 0 ? LogRow.time(record.stateSince) : nil
    reason = record.reason
    size = newest?.treeSize
    headTime = newest.map { Timestamp(milliseconds: $0.timestamp).description }
    position = record.downloaded?.index
    verified = record.verified?.index
    if let size, let verified { lag = size - min(size, verified) }
    unreadable = record.unreadable
    evidence = findings.map { Finding(at: LogRow.time($0.at), kind: $0.kind, detail: $0.detail) }
  }

  private static func time(_ milliseconds: Int64) -> String {
    Timestamp(milliseconds: UInt64(max(0, milliseconds))).description
  }

  static func table(_ rows: [LogRow]) -> String {
    let header = ["LOG", "KIND", "OPERATOR", "STATE", "SIZE", "LAG"]
    let cells = rows.map { row in
      [
        row.description, row.kind, row.operatorName, row.state, row.size.map { "\($0)" } ?? "-",
        row.lag.map { "\($0)" } ?? "-",
      ]
    }
    let widths = header.indices.map { column in ([header] + cells).map { $0[column].count }.max() ?? 0 }
    var text = ""
    for line in [header] + cells {
      let padded = line.enumerated().map { column, cell in
        cell + String(repeating: " ", count: widths[column] - cell.count)
      }
      text += padded.joined(separator: "  ").trimmingSuffix(" ") + "\n"
    }
    for row in rows where row.reason != nil { text += "\n\(row.description): \(row.state): \(row.reason ?? "")\n" }
    return text
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
