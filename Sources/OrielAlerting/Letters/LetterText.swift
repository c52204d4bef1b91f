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
    for row in rows { lines += Letter.wrapped("- " + row, indent: 0, hanging: 2) }
    if !rows.isEmpty { lines.append("") }
    for section in sections {
      lines += [section.heading, String(repeating: "-", count: section.heading.count)]
      for paragraph in section.paragraphs { lines += Letter.wrapped(paragraph, indent: 0) + [""] }
    }
    for link in links { lines += ["\(link.text):", "  \(link.url)", ""] }
    if !attachments.isEmpty {
      lines += Letter.wrapped("Attached: " + attachments.map(\.filename).joined(separator: ", "), indent: 0) + [""]
    }
    return lines.joined(separator: "\n")
  }

  /// Lines of at most ``width`` columns; a word that is longer is broken.
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
}

extension Substring {
  /// How many columns it takes, as far as that can be told.
  fileprivate var columns: Int { utf8.allSatisfy { $0 < 0x80 } ? utf8.count : count }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
