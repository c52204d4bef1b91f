import MerkleTree

/// A list of logs and what a program thinks of them (log list JSON, version 3).
///
/// Reading is lenient about what is not known (members, states) and strict about each log's identity: its id is that of
/// its key, and stands there once. A log that fails is reported in ``problems``, and the others are kept.
public struct LogList: Sendable {
  public struct Operator: Hashable, Sendable {
    public let name: String
    public let email: [String]

    public init(name: String, email: [String] = []) {
      self.name = name
      self.email = email
    }
  }

  /// A log, or a whole operator, that could not be read.
  public struct Problem: Hashable, Sendable, CustomStringConvertible {
    public let operatorName: String
    /// The log by its description or, without one, its place in the list.
    public let log: String
    public let reason: String

    public var description: String { "\(operatorName), \(log): \(reason)" }
  }

  /// The longest list that is read.
  public static let maximumByteCount = 16 << 20

  public let version: String?
  public let timestamp: Timestamp?
  public let operators: [Operator]
  /// All logs, of both kinds, in the order of the list.
  public let logs: [LogDescription]
  public let problems: [Problem]

  public init(version: String? = nil, timestamp: Timestamp? = nil, operators: [Operator], logs: [LogDescription]) {
    self.version = version
    self.timestamp = timestamp
    self.operators = operators
    self.logs = logs
    problems = []
  }

  /// Reads the JSON of a list.
  ///
  /// - Throws: a `FormatError` if the list as a whole is not of this form.
  public init(json bytes: [UInt8]) throws(FormatError) {
    guard bytes.count <= LogList.maximumByteCount else {
      throw FormatError("log list", at: 0, "\(bytes.count) bytes, at most \(LogList.maximumByteCount) expected")
    }
    let document = try JSONText.decode(LogListDocument.self, named: "log list", from: bytes)
    guard document.logs == nil else {
      throw FormatError("log list", at: 0, "logs stand beside operators, as in version 1; version 3 expected")
    }
    version = document.version
    guard document.timestamp == nil || document.timestamp.flatMap(Timestamp.init(rfc3339:)) != nil else {
      throw FormatError("log list", at: 0, "log_list_timestamp is not a date of RFC 3339")
    }
    timestamp = document.timestamp.flatMap(Timestamp.init(rfc3339:))
    var reader = LogListReader()
    for (position, item) in document.operators.enumerated() { reader.read(item, at: position) }
    operators = reader.operators
    logs = reader.logs
    problems = reader.problems
  }

  /// The log with this id.
  public func log(_ logID: LogID) -> LogDescription? { logs.first { $0.logID == logID } }

  /// The JSON of the list: its operators, each with its logs. Problems are not part of it.
  ///
  /// - Throws: a `FormatError` if a log's operator is not among the operators, or a text is not one.
  public func json() throws(FormatError) -> [UInt8] {
    let names = Set(operators.map(\.name))
    if let stray = logs.first(where: { !names.contains($0.operatorName) }) {
      throw FormatError("log list", at: 0, "\(stray.operatorName) is not among the operators")
    }
    let operators = operators.map { item in
      let own = logs.filter { $0.operatorName == item.name }.map { ($0, Tolerant(LogListDocument.Log($0))) }
      return LogListDocument.Operator(
        name: item.name, email: item.email,
        logs: own.filter { !$0.0.isStatic }.map(\.1), tiledLogs: own.filter { $0.0.isStatic }.map(\.1))
    }
    let document = LogListDocument(
      version: version, timestamp: timestamp?.description, operators: operators.map { Tolerant($0) })
    return try JSONText.encode(document, pretty: true)
  }
}

extension LogDescription {
  fileprivate var isStatic: Bool {
    if case .staticCT = kind { true } else { false }
  }
}
