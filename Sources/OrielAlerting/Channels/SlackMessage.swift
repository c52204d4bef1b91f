import CertificateTransparency
import Foundation

/// An alert as Slack's incoming webhooks take it, and Mattermost's, Discord's and others'.
struct SlackMessage: Encodable {
  /// Slack cuts what is longer; the others refuse it, and none of them takes less than Discord.
  static let (slackLimit, usualLimit) = (40_000, 2000)
  /// For a receiver that refuses a message as too long although it is not.
  static let leastLimit = 500

  let text: String

  /// - Parameter limit: the most characters (UTF-16, as the strictest receivers count).
  init(_ alert: Alert, limit: Int = usualLimit) {
    var lines: [String] = []
    for extent in AlertWords.Extent.all {
      let words = AlertWords(alert, extent, quoted: SlackMessage.code)
      lines = [words.summary] + words.lines
      if lines.reduce(lines.count, { $0 + $1.utf16.count }) <= limit { break }
    }
    text = SlackMessage.fitted(lines, limit)
  }

  /// As many lines as there is room for, and how many are missing.
  private static func fitted(_ lines: [String], _ limit: Int) -> String {
    var text = lines.joined(separator: "\n")
    var count = lines.count
    while text.utf16.count > limit, count > 1 {
      count -= 1
      text = lines.prefix(count).joined(separator: "\n") + "\n\(counted(lines.count - count, "line", "lines")) left out"
    }
    return text.utf16.count > limit ? text.cut(toBytes: max(0, limit - 1)) : text
  }

  /// A stranger's text as code: there, nothing becomes a link, a mention or markup.
  static func code(_ text: String, _ limit: Int) -> String {
    var safe = ""
    for scalar in text.oneLine(limit: limit).unicodeScalars {
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
