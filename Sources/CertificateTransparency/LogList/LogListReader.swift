import MerkleTree

/// Makes descriptions of the logs in a document, and notes what is wrong with the others.
struct LogListReader {
  private(set) var operators: [LogList.Operator] = []
  private(set) var logs: [LogDescription] = []
  private(set) var problems: [LogList.Problem] = []
  private var seen: Set<LogID> = []

  /// What is wrong with one log.
  private struct Fault: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
  }

  mutating func read(_ item: Tolerant<LogListDocument.Operator>, at position: Int) {
    switch item.result {
    case .failure(let error):
      problems.append(
        LogList.Problem(operatorName: "operator \(position)", log: "all logs", reason: JSONText.reason(of: error)))
    case .success(let source):
      operators.append(LogList.Operator(name: source.name, email: source.email ?? []))
      for (index, log) in (source.logs ?? []).enumerated() { read(log, "logs[\(index)]", of: source.name) }
      for (index, log) in (source.tiledLogs ?? []).enumerated() { read(log, "tiled_logs[\(index)]", of: source.name) }
    }
  }

  private mutating func read(_ item: Tolerant<LogListDocument.Log>, _ place: String, of operatorName: String) {
    var name = place
    do {
      let source = try item.result.get()
      name = source.description ?? place
      let log = try describe(source, of: operatorName)
      guard seen.insert(log.logID).inserted else { throw Fault("its log_id stands in the list already") }
      logs.append(log)
    } catch let fault as Fault {
      problems.append(LogList.Problem(operatorName: operatorName, log: name, reason: fault.reason))
    } catch {
      problems.append(LogList.Problem(operatorName: operatorName, log: name, reason: JSONText.reason(of: error)))
    }
  }

  private func describe(_ source: LogListDocument.Log, of operatorName: String) throws -> LogDescription {
    guard let der = Base64.decode(source.key) else { throw Fault("key is not base64") }
    let key = try LogKey(derRepresentation: der)
    guard LogID(base64: source.logID) == key.logID else {
      throw Fault("log_id is \(source.logID), but that of its key is \(key.logID)")
    }
    guard source.mmd >= 0 else { throw Fault("mmd is negative") }
    // Others count it in milliseconds, and from any time on.
    guard source.mmd <= UInt32.max else { throw Fault("mmd is more than a hundred years") }
    guard source.state.map({ $0.count == 1 }) ?? true else { throw Fault("state does not have exactly one member") }
    let state = source.state?.first
    return LogDescription(
      kind: try kind(source), key: key, description: source.description ?? key.logID.base64,
      operatorName: operatorName, previousOperators: try previousOperators(source), maximumMergeDelay: source.mmd,
      state: try state.map { LogDescription.State(name: $0.key, finalTreeHead: try finalTreeHead($0.value)) },
      stateTimestamp: try state?.value.timestamp.map { try date($0, "the state's timestamp") },
      temporalInterval: try temporalInterval(source), logType: source.logType)
  }

  private func kind(_ source: LogListDocument.Log) throws -> LogDescription.Kind {
    switch (source.url, source.submissionURL, source.monitoringURL) {
    case (let url?, nil, nil): .rfc6962(url: try prefix(url, "url"))
    case (nil, let submission?, let monitoring?):
      .staticCT(
        submission: try prefix(submission, "submission_url"), monitoring: try prefix(monitoring, "monitoring_url"))
    default: throw Fault("it needs either url, or submission_url and monitoring_url")
    }
  }

  /// A URL to which paths can be appended.
  private func prefix(_ text: String, _ member: String) throws -> String {
    // Lists up to 2021 leave the scheme out, and mean https.
    let url = text.contains("://") ? text : "https://" + text
    guard let separator = url.firstRange(of: "://"), url.utf8.count <= 2048,
      url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !LogListReader.strange.contains($0) })
    else { throw Fault("\(member) is not a URL prefix") }
    let (scheme, rest) = (url[..<separator.lowerBound].lowercased(), url[separator.upperBound...])
    switch scheme {
    case "http", "https":
      guard let first = rest.utf8.first, first != UInt8(ascii: "/"), first != UInt8(ascii: ":") else {
        throw Fault("\(member) has no host")
      }
    case "file":
      guard rest.hasPrefix("/") else { throw Fault("\(member) has no absolute path") }
    default: throw Fault("\(member) has the scheme \(scheme), one of http, https, file expected")
    }
    return "\(scheme)://\(rest)" + (rest.hasSuffix("/") ? "" : "/")
  }

  /// What a prefix can't have: user names, queries, fragments, and what no URL may hold.
  private static let strange = Set("?#@\"<>\\^`{|}".utf8)

  private func temporalInterval(_ source: LogListDocument.Log) throws -> LogDescription.TemporalInterval? {
    guard let interval = source.temporalInterval else { return nil }
    let start = try date(interval.startInclusive, "temporal_interval.start_inclusive")
    let end = try date(interval.endExclusive, "temporal_interval.end_exclusive")
    guard start < end else { throw Fault("temporal_interval ends before it starts") }
    return LogDescription.TemporalInterval(startInclusive: start, endExclusive: end)
  }

  private func previousOperators(_ source: LogListDocument.Log) throws -> [LogDescription.PreviousOperator] {
    try (source.previousOperators ?? []).map {
      LogDescription.PreviousOperator(name: $0.name, endTime: try date($0.endTime, "previous_operators.end_time"))
    }
  }

  private func finalTreeHead(_ source: LogListDocument.State) throws -> LogDescription.FinalTreeHead? {
    guard let head = source.finalTreeHead else { return nil }
    guard let root = Base64.decode(head.rootHash).flatMap({ SHA256Hash($0) }) else {
      throw Fault("final_tree_head.sha256_root_hash is not base64 of 32 bytes")
    }
    return LogDescription.FinalTreeHead(treeSize: head.treeSize, rootHash: root)
  }

  private func date(_ text: String, _ member: String) throws -> Timestamp {
    // Lists up to 2021 have dates without a zone, and mean UTC.
    guard let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "Z") else {
      throw Fault("\(member) is not a date of RFC 3339")
    }
    return time
  }
}
