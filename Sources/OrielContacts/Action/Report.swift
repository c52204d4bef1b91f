/// A letter that is ready to be sent.
package struct Report: Hashable, Sendable {
  /// Some lines that belong together.
  package struct Part: Hashable, Sendable {
    var heading: String?
    var lines: [String]
    /// Evidence is left out where a letter has to be short, that of the highest rank first; nil for what the letter is
    /// nothing without.
    var rank: Int?

    init(_ lines: [String], heading: String? = nil, rank: Int? = nil) {
      self.heading = heading
      self.lines = lines
      self.rank = rank
    }
  }

  package let to: [ContactAddress]
  package let subject: String
  let parts: [Part]

  init(to: [ContactAddress], subject: String, parts: [Part]) {
    self.to = to
    self.subject = subject
    self.parts = parts
  }

  /// All of it: lines that end in a line feed.
  package var body: String { Report.text(parts) }

  /// The letter in at most `limit` bytes of UTF-8, short of evidence if need be, never of what it asks for.
  package func body(limit: Int) -> String { body(limit: limit) { $0.utf8.count } }

  private func body(limit: Int, size: (String) -> Int) -> String {
    let whole = body
    guard size(whole) > limit else { return whole }
    var kept = parts.map { $0.rank == nil ? $0 : Part([], heading: $0.heading, rank: $0.rank) }
    if let last = kept.lastIndex(where: { $0.rank != nil }) { kept.insert(Report.mark, at: last + 1) }
    let evidence = parts.indices.filter { parts[$0].rank != nil }.sorted {
      (parts[$0].rank ?? 0, $0) < (parts[$1].rank ?? 0, $1)
    }
    for index in evidence {
      for line in parts[index].lines {
        kept[index].lines.append(line)
        guard size(Report.text(kept)) > limit else { continue }
        kept[index].lines.removeLast()
        break
      }
    }
    return Report.text(kept)
  }

  private static let mark = Part(["[Shortened: there is more evidence, and we send it when asked.]"])

  private static func text(_ parts: [Part]) -> String {
    parts.filter { !$0.lines.isEmpty }
      .map { (($0.heading.map { [$0] } ?? []) + $0.lines).map { $0 + "\n" }.joined() }.joined(separator: "\n")
  }

  /// The letter as a `mailto:` URL (RFC 6068) to all who are to have it; nil where there is nobody to write to. So that
  /// mail programs take all of it, it has at most `limit` characters, and less evidence than the letter if need be.
  package func mailto(limit: Int = 1900) -> String? {
    guard !to.isEmpty else { return nil }
    let people = to.map { address in
      address.text.split(separator: "@").map { percentEncoded($0) }.joined(separator: "@")
    }
    let head = "mailto:" + people.joined(separator: ",") + "?subject=" + percentEncoded(subject) + "&body="
    return head
      + Report.encoded(body(limit: limit - head.utf8.count) { Report.encoded($0).utf8.count })
  }

  private static func encoded(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { percentEncoded($0) }.joined(separator: "%0D%0A")
  }
}
