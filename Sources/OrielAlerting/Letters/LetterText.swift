extension Letter {
  private static let width = 76

  /// The letter as plain text, 76 columns wide, for readers without HTML and for terminals.
  var text: String {
    var lines = Letter.wrapped(lead, indent: 0) + [""]
    let label = min(18, (facts.map(\.label.count).max() ?? 0) + 2)
    for fact in facts {
      for (number, line) in fact.lines.enumerated() {
        let head = number == 0 ? fact.label : ""
        let isTooLong = head.count > label - 2 || (fact.isCode && label + line.count > Letter.width)
        if isTooLong, !head.isEmpty {
          lines.append(head)
          lines += Letter.wrapped(line, indent: 4)
          continue
        }
        let body = Letter.wrapped(line, indent: label)
        lines.append(head.padded(to: label) + (body.first?.drop { $0 == " " } ?? ""))
        lines += body.dropFirst()
      }
    }
    if !facts.isEmpty { lines.append("") }
    lines += Letter.list(rows)
    for section in sections {
      lines += [section.heading, String(repeating: "-", count: section.heading.count)]
      for paragraph in section.paragraphs { lines += Letter.wrapped(paragraph, indent: 0) + [""] }
      lines += Letter.list(section.rows)
    }
    for link in links { lines += ["\(link.text):", "  \(link.url)", ""] }
    if !attachments.isEmpty {
      lines += Letter.wrapped("Attached: " + attachments.map(\.filename).joined(separator: ", "), indent: 0) + [""]
    }
    if let quote { lines += Letter.quoted(quote) }
    if let leave { lines += [Letter.leaving + ":", "  \(leave)", ""] }
    return lines.joined(separator: "\n")
  }

  static let leaving = "To get no more of these mails at this address"

  private static func list(_ rows: [Row]) -> [String] {
    guard !rows.isEmpty else { return [] }
    return rows.flatMap { row in
      wrapped("- " + row.text, indent: 0, hanging: 2) + (row.url.map { ["  " + $0] } ?? [])
    } + [""]
  }

  /// Between two lines, so that it is plain what is to be sent on.
  private static func quoted(_ quote: Quote) -> [String] {
    let rule = String(repeating: "=", count: width)
    let body = (quote.head + [""] + quote.lines).flatMap { line in
      let indent = line.prefix { $0 == " " }.count
      return wrapped(line, indent: min(indent, 8), hanging: indent > 0 ? 2 : 0)
    }
    return [quote.heading, String(repeating: "-", count: quote.heading.count)] + wrapped(quote.note, indent: 0)
      + ["", rule] + body + [rule, ""]
  }

  /// Lines of at most ``width`` columns; a word that is longer is broken, unless it is an address: that would lead
  /// nowhere.
  private static func wrapped(_ text: String, indent: Int, hanging: Int = 0) -> [String] {
    let space = String(repeating: " ", count: indent)
    let deeper = String(repeating: " ", count: indent + hanging)
    var lines: [String] = []
    var line = space
    var length = indent
    var isEmpty = true
    for word in text.utf8.split(separator: UInt8(ascii: " ")) {
      var rest = Substring(word)
      var columns = rest.columns
      while columns > 0 {
        let room = width - length - (isEmpty ? 0 : 1)
        if columns <= room {
          if !isEmpty { line += " " }
          line += rest
          length = width - room + columns
          isEmpty = false
          break
        }
        if isEmpty, isAddress(rest) {
          line += rest
          isEmpty = false
          break
        }
        if isEmpty {
          line += rest.prefix(room)
          rest = rest.dropFirst(room)
          columns = rest.columns
        }
        lines.append(line)
        (line, length) = (deeper, indent + hanging)
        isEmpty = true
      }
    }
    return lines + (isEmpty && !lines.isEmpty ? [] : [line])
  }

  private static func isAddress(_ word: Substring) -> Bool {
    (word.hasPrefix("https://") || word.hasPrefix("http://")) && word.utf8.count <= 2000
  }
}

extension Substring {
  /// How many columns it takes, as far as that can be told.
  fileprivate var columns: Int { utf8.allSatisfy { $0 < 0x80 } ? utf8.count : count }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
