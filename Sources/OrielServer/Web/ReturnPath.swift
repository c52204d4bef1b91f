/// The page that somebody asked for before they were signed in, to be shown to them once they are.
///
/// Anybody can make one up and have it sent to somebody else: it leads to one of our own pages, and has no text in it.
struct ReturnPath: Hashable, Sendable {
  /// With the query that belongs to it, such as `/issuances/…?domain=12`.
  let text: String

  private static let words: Set<Substring> = [
    "issuances", "action", "domains", "current", "public", "lookalikes", "inventory", "first-day", "settings", "alerts",
    "logs", "history", "search", "certificate",
  ]
  private static let parameters: Set<Substring> = ["domain", "lookalike"]

  /// Nil for what is not the address of a page here.
  init?(_ text: String?) {
    guard let text, text.utf8.count <= 300, text.utf8.first == UInt8(ascii: "/") else { return nil }
    let parts = text.dropFirst().split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let segments = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard segments.allSatisfy({ ReturnPath.words.contains($0) || ReturnPath.isIdentifier($0) }) else { return nil }
    for parameter in parts.dropFirst().flatMap({ $0.split(separator: "&", omittingEmptySubsequences: false) }) {
      let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, ReturnPath.parameters.contains(pair[0]), ReturnPath.isIdentifier(pair[1]) else {
        return nil
      }
    }
    self.text = text
  }

  /// The page of a visit, as far as its address tells it.
  init?(of visit: Visit) {
    let kept = ReturnPath.parameters.sorted().compactMap { name in visit.query[String(name)].map { "\(name)=\($0)" } }
    self.init(visit.path + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&")))
  }

  /// As the value of a parameter.
  var encoded: String {
    text.replacing("?", with: "%3F").replacing("=", with: "%3D").replacing("&", with: "%26")
  }

  /// Whether it is the number of something, or a hash.
  private static func isIdentifier(_ text: Substring) -> Bool {
    let isHash = text.utf8.count == 64
    return (1...19).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
      || isHash && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }
}
