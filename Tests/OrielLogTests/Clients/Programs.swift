import CertificateTransparency
import Foundation
import TestSupport
import TestWorld
import Testing

@testable import OrielLog

/// Programs of others that tests run where they are installed.
enum Programs {
  static func path(_ name: String) -> URL? {
    ["/usr/bin/", "/usr/local/bin/"].map { URL(filePath: $0 + name) }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
  }

  /// A Python that has the library `cryptography`.
  static let python: URL? = ["/usr/bin/python3", "/usr/local/bin/python3"].map { URL(filePath: $0) }.first { program in
    (try? RunningProgram(program.path, ["-c", "import cryptography.x509"]))?.wait() == 0
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips a test where a program is not installed.
  static func needs(_ program: String) -> Self {
    .enabled(if: Programs.path(program) != nil, "needs \(program)")
  }

  static var needsPythonCryptography: Self {
    .enabled(if: Programs.python != nil, "needs Python with the library cryptography")
  }
}

extension ServedLog {
  /// A log list with this log alone.
  func list(_ kind: LogDescription.Kind) throws -> String {
    try ServedLog.list([(folder.entry, kind)])
  }

  /// A log list, with an operator for each log.
  static func list(_ logs: [(entry: LogListEntry, kind: LogDescription.Kind)]) throws -> String {
    let since = Timestamp(milliseconds: 1_767_225_600_000)
    let operators = logs.indices.map { LogList.Operator(name: "Operator \($0)", email: ["logs@operator.example"]) }
    let listed = logs.enumerated().map { number, log in
      LogDescription(
        kind: log.kind, key: log.entry.key, description: log.entry.description, operatorName: operators[number].name,
        maximumMergeDelay: 60, state: .usable, stateTimestamp: since)
    }
    let now = Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000))
    return String(
      decoding: try LogList(version: "1", timestamp: now, operators: operators, logs: listed).json(), as: UTF8.self)
  }
}
