import Foundation

/// An alert as Slack's incoming webhooks take it, and Mattermost's, and others'.
struct SlackMessage: Encodable {
  let text: String

  init(_ alert: Alert) {
    let words = AlertWords(alert, quote: SlackMessage.code)
    text = ([words.summary] + words.lines).joined(separator: "\n")
  }

  /// A stranger's text as code: there, nothing becomes a link, a mention or markup.
  static func code(_ text: String) -> String {
    var safe = ""
    for scalar in text.oneLine().unicodeScalars {
      switch scalar {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "`": safe += "'"
      default: safe.unicodeScalars.append(scalar)
      }
    }
    return "`" + (safe.isEmpty ? "?" : safe) + "`"
  }

  func encoded() throws -> [UInt8] { try JSONEncoder.sorted.encode(self).map { $0 } }
}
