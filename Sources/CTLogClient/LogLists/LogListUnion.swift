public import CertificateTransparency

/// The logs of several lists, each once.
public struct LogListUnion: Sendable {
  /// In the order of the lists. Of a log that several lists accept, the first one's description counts.
  public let logs: [LogDescription]
  /// What a person should know of the lists, a sentence each.
  public let problems: [String]

  /// Unites lists, the most trusted first.
  ///
  /// A log is followed if any list has it as qualified, usable or read-only, or is a list without any states; one that is
  /// retired everywhere is there too, marked so, to be read to its end. A list whose signature is no good counts for
  /// nothing.
  public static func unite(_ lists: [LoadedLogList]) -> LogListUnion {
    var problems: [String] = []
    var order: [LogID] = []
    var chosen: [LogID: (log: LogDescription, list: String)] = [:]
    for loaded in lists {
      let name = loaded.source.name
      if case .invalid(let reason) = loaded.signature {
        problems.append("\(name): the list is not used, its signature is no good: \(reason)")
        continue
      }
      problems += loaded.list.problems.map { "\(name): \($0)" }
      let isPlain = loaded.list.logs.allSatisfy { $0.state == nil }
      for log in loaded.list.logs where isPlain || log.isAccepted || log.state == .retired {
        guard let known = chosen[log.logID] else {
          order.append(log.logID)
          chosen[log.logID] = (log, name)
          continue
        }
        if log.state != .retired, known.log.state == .retired { chosen[log.logID] = (log, name) }
        if log.kind != known.log.kind {
          problems.append(
            "\(log.description): \(known.list) has it at \(known.log.monitoringURL), \(name) at \(log.monitoringURL)")
        }
      }
    }
    return LogListUnion(logs: order.compactMap { chosen[$0]?.log }, problems: problems)
  }
}

extension LogDescription {
  fileprivate var isAccepted: Bool {
    switch state {
    case .qualified, .usable, .readonly: true
    case nil, .pending, .retired, .rejected, .other: false
    }
  }
}
