import Foundation

/// How a log fares, for its operator and for programs.
struct LogHealth {
  let log: String
  let treeSize: UInt64
  /// The file of the anchor; nil for none.
  let anchor: String?
  /// What came of comparing it with what is served at the monitoring URL; nil before that was done.
  let publicCheckpoint: String?
  /// What is wrong; empty if all is well.
  let problems: [String]

  var isWell: Bool { problems.isEmpty }

  /// All of them as a JSON object, a line for each.
  static func json(_ logs: [LogHealth]) -> String {
    let lines = logs.map { "    " + $0.json }.joined(separator: ",\n")
    return """
      {
        "status": "\(logs.allSatisfy(\.isWell) ? "ok" : "failing")",
        "logs": [
      \(lines)
        ]
      }
      """
  }

  private var json: String {
    let members = [
      ("log", LogHealth.quoted(log)), ("status", isWell ? "\"ok\"" : "\"failing\""), ("tree_size", "\(treeSize)"),
      ("anchor", anchor.map(LogHealth.quoted) ?? "null"),
      ("public_checkpoint", publicCheckpoint.map(LogHealth.quoted) ?? "null"),
      ("problems", "[" + problems.map(LogHealth.quoted).joined(separator: ", ") + "]"),
    ]
    return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: (try? encoder.encode(text)) ?? Data("\"\"".utf8), as: UTF8.self)
  }
}
