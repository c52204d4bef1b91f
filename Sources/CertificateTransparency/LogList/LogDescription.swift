public import MerkleTree

/// One log, as a log list describes it.
public struct LogDescription: Hashable, Sendable {
  /// How a log is read, and where. URLs end with a slash.
  public enum Kind: Hashable, Sendable {
    /// RFC 6962; submission and reading at one prefix.
    case rfc6962(url: String)
    /// static-ct-api.
    case staticCT(submission: String, monitoring: String)
  }

  /// An operator that a log had once.
  public struct PreviousOperator: Hashable, Sendable {
    public let name: String
    /// When the log passed on to the next operator.
    public let endTime: Timestamp

    public init(name: String, endTime: Timestamp) {
      self.name = name
      self.endTime = endTime
    }
  }

  /// The `notAfter` dates of the certificates that a log accepts.
  public struct TemporalInterval: Hashable, Sendable {
    public let startInclusive: Timestamp
    public let endExclusive: Timestamp

    public init(startInclusive: Timestamp, endExclusive: Timestamp) {
      self.startInclusive = startInclusive
      self.endExclusive = endExclusive
    }

    public func contains(_ time: Timestamp) -> Bool { startInclusive <= time && time < endExclusive }
  }

  /// The size and root of a log that will grow no more.
  public struct FinalTreeHead: Hashable, Sendable {
    public let treeSize: UInt64
    public let rootHash: SHA256Hash

    public init(treeSize: UInt64, rootHash: SHA256Hash) {
      self.treeSize = treeSize
      self.rootHash = rootHash
    }
  }

  /// Where a log stands with the program that publishes the list.
  public enum State: Hashable, Sendable {
    case pending
    case qualified
    case usable
    case readonly(finalTreeHead: FinalTreeHead?)
    case retired
    case rejected
    /// A state that later lists may have.
    case other(String)

    /// As log lists write it.
    public var name: String {
      switch self {
      case .pending: "pending"
      case .qualified: "qualified"
      case .usable: "usable"
      case .readonly: "readonly"
      case .retired: "retired"
      case .rejected: "rejected"
      case .other(let name): name
      }
    }

    init(name: String, finalTreeHead: FinalTreeHead?) {
      let known: [State] = [.pending, .qualified, .usable, .retired, .rejected]
      self =
        name == "readonly"
        ? .readonly(finalTreeHead: finalTreeHead) : known.first { $0.name == name } ?? .other(name)
    }
  }

  public let kind: Kind
  public let key: LogKey
  public let description: String
  public let operatorName: String
  /// Oldest first, as the list has them.
  public let previousOperators: [PreviousOperator]
  /// The maximum merge delay in seconds.
  public let maximumMergeDelay: Int
  /// Nil where the list gives none, as for logs that never asked to be trusted.
  public let state: State?
  /// When the log entered its state.
  public let stateTimestamp: Timestamp?
  /// Nil if the log takes certificates of any date.
  public let temporalInterval: TemporalInterval?
  /// `prod`, `test` or `monitoring_only`, where the list says so.
  public let logType: String?

  public init(
    kind: Kind, key: LogKey, description: String, operatorName: String, previousOperators: [PreviousOperator] = [],
    maximumMergeDelay: Int, state: State? = nil, stateTimestamp: Timestamp? = nil,
    temporalInterval: TemporalInterval? = nil, logType: String? = nil
  ) {
    self.kind = kind
    self.key = key
    self.description = description
    self.operatorName = operatorName
    self.previousOperators = previousOperators
    self.maximumMergeDelay = maximumMergeDelay
    self.state = state
    self.stateTimestamp = stateTimestamp
    self.temporalInterval = temporalInterval
    self.logType = logType
  }

  public var logID: LogID { key.logID }

  /// DER SubjectPublicKeyInfo.
  public var keyDER: [UInt8] { key.derRepresentation }

  /// The final tree head of a read-only log, where the list has it.
  public var finalTreeHead: FinalTreeHead? {
    if case .readonly(let finalTreeHead) = state { finalTreeHead } else { nil }
  }

  /// Where certificates are submitted, with a slash at the end.
  public var submissionURL: String {
    switch kind {
    case .rfc6962(let url): url
    case .staticCT(let submission, _): submission
    }
  }

  /// Where the log is read, with a slash at the end.
  public var monitoringURL: String {
    switch kind {
    case .rfc6962(let url): url
    case .staticCT(_, let monitoring): monitoring
    }
  }

  /// The name of the log in checkpoints: its submission prefix without scheme and last slash (static-ct-api).
  public var origin: String {
    let prefix = submissionURL
    let name = prefix.firstRange(of: "://").map { prefix[$0.upperBound...] } ?? prefix[...]
    return String(name.hasSuffix("/") ? name.dropLast() : name)
  }
}
