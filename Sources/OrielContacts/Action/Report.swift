/// A letter that is ready to be sent.
package struct Report: Hashable, Sendable {
  package let to: [ContactAddress]
  package let subject: String
  /// Lines that end in a line feed.
  package let body: String

  private static let cutMark = "[Cut here: a link can't hold all of it. Please copy the complete text.]"

  /// The letter as a `mailto:` URL (RFC 6068) of at most `limit` characters; nil where there is nobody to write to.
  /// A body that is too long is cut between two lines, and says so.
  package func mailto(limit: Int = 1900) -> String? {
    guard !to.isEmpty else { return nil }
    let people = to.prefix(2).map { address in
      address.text.split(separator: "@").map { percentEncoded($0) }.joined(separator: "@")
    }
    let head = "mailto:" + people.joined(separator: ",") + "?subject=" + percentEncoded(subject) + "&body="
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { percentEncoded($0) }
    let whole = head + lines.joined(separator: "%0D%0A")
    guard whole.utf8.count > limit else { return whole }
    let mark = percentEncoded(Report.cutMark)
    var url = head
    for line in lines {
      guard url.utf8.count + line.utf8.count + mark.utf8.count + 6 <= limit else { break }
      url += line + "%0D%0A"
    }
    return url + mark
  }
}
