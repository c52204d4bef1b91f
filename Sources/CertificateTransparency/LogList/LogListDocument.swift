import MerkleTree

/// The JSON of a log list, version 3: what Chrome publishes, and Apple with members of its own.
struct LogListDocument: Codable {
  struct Operator: Codable {
    var name: String
    var email: [String]?
    var logs: [Tolerant<Log>]?
    var tiledLogs: [Tolerant<Log>]?

    enum CodingKeys: String, CodingKey {
      case name, email, logs
      case tiledLogs = "tiled_logs"
    }
  }

  struct Log: Codable {
    var description: String?
    var logID: String
    var key: String
    var url: String?
    var submissionURL: String?
    var monitoringURL: String?
    @WholeNumber var mmd: Int
    var state: [String: State]?
    var temporalInterval: TemporalInterval?
    var previousOperators: [PreviousOperator]?
    var logType: String?

    enum CodingKeys: String, CodingKey {
      case description
      case logID = "log_id"
      case key, url
      case submissionURL = "submission_url"
      case monitoringURL = "monitoring_url"
      case mmd, state
      case temporalInterval = "temporal_interval"
      case previousOperators = "previous_operators"
      case logType = "log_type"
    }
  }

  struct State: Codable {
    var timestamp: String?
    var finalTreeHead: FinalTreeHead?

    enum CodingKeys: String, CodingKey {
      case timestamp
      case finalTreeHead = "final_tree_head"
    }
  }

  struct FinalTreeHead: Codable {
    var rootHash: String
    @WholeNumber var treeSize: UInt64

    enum CodingKeys: String, CodingKey {
      case rootHash = "sha256_root_hash"
      case treeSize = "tree_size"
    }
  }

  struct TemporalInterval: Codable {
    var startInclusive: String
    var endExclusive: String

    enum CodingKeys: String, CodingKey {
      case startInclusive = "start_inclusive"
      case endExclusive = "end_exclusive"
    }
  }

  struct PreviousOperator: Codable {
    var name: String
    var endTime: String

    enum CodingKeys: String, CodingKey {
      case name
      case endTime = "end_time"
    }
  }

  var version: String?
  var timestamp: String?
  var operators: [Tolerant<Operator>]
  /// Where version 1 has its logs; a list of version 3 has nothing there.
  var logs: Presence?

  enum CodingKeys: String, CodingKey {
    case version
    case timestamp = "log_list_timestamp"
    case operators, logs
  }
}

extension LogListDocument.Log {
  init(_ log: LogDescription) {
    description = log.description
    logID = log.logID.base64
    key = Base64.encode(log.keyDER)
    switch log.kind {
    case .rfc6962(let url): self.url = url
    case .staticCT(let submission, let monitoring): (submissionURL, monitoringURL) = (submission, monitoring)
    }
    mmd = log.maximumMergeDelay
    state = log.state.map { state in
      let head = log.finalTreeHead.map {
        LogListDocument.FinalTreeHead(rootHash: Base64.encode($0.rootHash.bytes), treeSize: $0.treeSize)
      }
      return [state.name: LogListDocument.State(timestamp: log.stateTimestamp?.description, finalTreeHead: head)]
    }
    temporalInterval = log.temporalInterval.map {
      LogListDocument.TemporalInterval(
        startInclusive: $0.startInclusive.description, endExclusive: $0.endExclusive.description)
    }
    previousOperators =
      log.previousOperators.isEmpty
      ? nil
      : log.previousOperators.map {
        LogListDocument.PreviousOperator(name: $0.name, endTime: $0.endTime.description)
      }
    logType = log.logType
  }
}

/// That a member is there, whatever it is.
struct Presence: Codable {
  init(from decoder: any Decoder) {}

  func encode(to encoder: any Encoder) {}
}

/// A member of an array that may be badly formed without the others being lost.
struct Tolerant<Value: Codable>: Codable {
  let result: Result<Value, any Error>

  init(_ value: Value) { result = .success(value) }

  init(from decoder: any Decoder) throws { result = Result { try Value(from: decoder) } }

  func encode(to encoder: any Encoder) throws { try result.get().encode(to: encoder) }
}
