public import CertificateTransparency

/// The logs that a policy knows, and what it thinks of each: a log list as an enforcer sees it.
///
/// Logs that the list calls pending or rejected, logs for tests or for monitoring only, and the two logs whose private
/// keys are public are unknown to enforcers: their SCTs never count.
public struct LogView: Sendable {
  /// What a view says of a log.
  public enum Standing: Sendable {
    case known(LogDescription)
    case unknown(UnknownLogReason, LogDescription?)
  }

  /// When the list was made, or last checked; nil if nobody can tell, and then no policy calls it stale.
  public let timestamp: Timestamp?
  /// The latest time at which a log of the list entered its state.
  public let latestStateTimestamp: Timestamp?
  private let entries: [LogID: ListedLog]

  /// The logs of a list.
  ///
  /// - Parameter timestamp: for lists that tell no time of their own, such as Apple's.
  public init(_ list: LogList, timestamp: Timestamp? = nil) {
    self.init(list.logs, timestamp: timestamp ?? list.timestamp)
  }

  /// These logs, as of `timestamp`. Of two with the same id the first counts.
  public init(_ logs: [LogDescription], timestamp: Timestamp?) {
    let entries = Dictionary(logs.map { ($0.logID, ListedLog($0)) }) { first, _ in first }
    self.entries = entries
    self.timestamp = timestamp
    latestStateTimestamp = entries.values.filter(\.isKnown).compactMap(\.description.stateTimestamp).max()
  }

  /// The view as it was at an earlier time, as far as the list tells: logs that entered their state later were in
  /// service, and the list was made just then. A list that is no later than that is as it is.
  package func asOf(_ time: Timestamp) -> LogView {
    guard let timestamp, timestamp > time else { return self }
    let logs = entries.values.map { entry in
      entry.entersState(after: time) && entry.isKnown ? entry.description.inService : entry.description
    }
    return LogView(logs, timestamp: time)
  }

  public func standing(of logID: LogID) -> Standing {
    guard let entry = self[logID] else { return .unknown(LogView.reason(ofUnlisted: logID), nil) }
    return entry.reason.map { .unknown($0, entry.description) } ?? .known(entry.description)
  }

  subscript(_ logID: LogID) -> ListedLog? { entries[logID] }

  static func reason(ofUnlisted logID: LogID) -> UnknownLogReason {
    UnknownLogReason.mimics.contains(logID) ? .mimic : .notListed
  }

  /// The logs whose SCTs may count, by their ids.
  public var knownLogs: [LogDescription] {
    entries.values.filter(\.isKnown).map(\.description).sorted { $0.logID < $1.logID }
  }
}

/// A log of a view with what is asked of it most; all SCTs of it share one, as descriptions are costly to copy.
final class ListedLog: Hashable, Sendable {
  let description: LogDescription
  let reason: UnknownLogReason?
  let logID: LogID
  let retirement: Timestamp?
  let readOnlySince: Timestamp?
  let isTiled: Bool

  init(_ description: LogDescription) {
    self.description = description
    reason = UnknownLogReason(description)
    logID = description.logID
    retirement = description.retirement
    readOnlySince = description.readOnlySince
    isTiled = description.isTiled
  }

  /// Whether its SCTs may count.
  var isKnown: Bool { reason == nil }
  var operatorName: String { description.operatorName }

  /// Whether the list dates its state later than `time`.
  func entersState(after time: Timestamp) -> Bool { description.stateTimestamp.map { $0 > time } ?? false }

  func operatorName(at time: Timestamp) -> String { description.operatorName(at: time) }

  static func == (left: ListedLog, right: ListedLog) -> Bool {
    left === right || left.description == right.description
  }

  func hash(into hasher: inout Hasher) { hasher.combine(logID) }
}

/// Why a log's SCTs do not count whatever they say.
public enum UnknownLogReason: Hashable, Sendable {
  /// The list does not have it.
  case notListed
  /// The list has it, but it never was approved, or is no longer.
  case pending
  case rejected
  /// The list has no state for it, or one that is not understood.
  case unclear
  /// The list has it for tests, or for monitoring only.
  case notForEnforcement
  /// One of the logs in Google's lists for libraries whose private keys are published: anybody can sign for it.
  case mimic

  /// Nil if the log's SCTs may count.
  init?(_ log: LogDescription) {
    if UnknownLogReason.mimics.contains(log.logID) {
      self = .mimic
    } else if let type = log.logType, type != "prod" {
      self = .notForEnforcement
    } else {
      switch log.state {
      case .qualified, .usable, .readonly, .retired: return nil
      case .pending: self = .pending
      case .rejected: self = .rejected
      case .other, nil: self = .unclear
      }
    }
  }

  /// See https://googlechrome.github.io/CertificateTransparency/3p_libraries.html.
  static let mimics = Set(
    ["9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=", "si9+3rWvav5QPeBAgbLXTBJThJL+3yyypSZQPO9TztI="]
      .compactMap { LogID(base64: $0) })
}

extension LogDescription {
  /// Who ran the log at a time: the first former operator whose time ended later, else the present one.
  public func operatorName(at time: Timestamp) -> String {
    previousOperators.first { time < $0.endTime }?.name ?? operatorName
  }

  /// When the log was retired; nil if it is not.
  public var retirement: Timestamp? {
    state == .retired ? stateTimestamp ?? Timestamp(milliseconds: 0) : nil
  }

  /// From when on the log takes nothing more; nil if it still does.
  public var readOnlySince: Timestamp? {
    if case .readonly = state { stateTimestamp } else { nil }
  }

  /// The same log as it was before it was retired or became read-only.
  fileprivate var inService: LogDescription {
    LogDescription(
      kind: kind, key: key, description: description, operatorName: operatorName, previousOperators: previousOperators,
      maximumMergeDelay: maximumMergeDelay, state: .usable, temporalInterval: temporalInterval, logType: logType)
  }

  /// Whether the log is of static-ct-api.
  public var isTiled: Bool {
    if case .staticCT = kind { true } else { false }
  }
}
