import CertificateTransparency

extension String {
  /// The text in one line of at most `limit` characters, with everything escaped that could fool a reader or a
  /// terminal. For words of strangers.
  package func oneLine(limit: Int = 200) -> String {
    var (line, count) = ("", 0)
    // Whether a blank is due before the next character.
    var isBlank = false
    for scalar in unicodeScalars {
      switch scalar {
      case " ", "\n", "\r", "\t": isBlank = count > 0
      default:
        guard count + (isBlank ? 1 : 0) < limit else { return line + "…" }
        if isBlank { line += " " }
        let escaped = scalar.isDeceptive ? "\\u{\(String(scalar.value, radix: 16))}" : nil
        if let escaped { line += escaped } else { line.unicodeScalars.append(scalar) }
        count += (isBlank ? 1 : 0) + (escaped?.utf8.count ?? 1)
        isBlank = false
      }
    }
    return line
  }

  /// A name on one line, with its middle left out where it is long: what it belongs to stands at its end.
  func nameLine(limit: Int) -> String {
    let line = oneLine(limit: 70_000)
    let scalars = line.unicodeScalars
    guard scalars.count > limit else { return line }
    let head = limit / 3
    return String(String.UnicodeScalarView(scalars.prefix(head))) + "…"
      + String(String.UnicodeScalarView(scalars.suffix(limit - head - 1)))
  }

  /// The text, cut where its UTF-8 would go beyond `limit` bytes; a cut text ends in an ellipsis.
  func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var scalars = String.UnicodeScalarView()
    var count = 0
    for scalar in unicodeScalars {
      count += UTF8.width(scalar)
      guard count <= limit else { break }
      scalars.append(scalar)
    }
    return String(scalars) + "…"
  }
}
