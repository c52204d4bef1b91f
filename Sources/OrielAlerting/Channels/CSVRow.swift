import CertificateTransparency

/// A row of a table for spreadsheets (RFC 4180), of text that strangers wrote.
package enum CSVRow {
  /// The row with its line end. Spreadsheets take for a formula what begins like one: an apostrophe says that it is text.
  package static func text(_ cells: [String]) -> String {
    var row = String.UnicodeScalarView()
    for (position, cell) in cells.enumerated() {
      if position > 0 { row.append(",") }
      row.append("\"")
      if isFormula(cell) { row.append("'") }
      // By scalars: a quotation mark with an accent on it is one character, and would still end a cell.
      for scalar in cell.unicodeScalars {
        if scalar == "\"" { row.append(scalar) }
        row.append(scalar.isDeceptive ? "\u{fffd}" : scalar)
      }
      row.append("\"")
    }
    row.append(contentsOf: "\r\n".unicodeScalars)
    return String(row)
  }

  /// Blanks before it hide nothing, and some programs know the wide forms too.
  private static func isFormula(_ cell: String) -> Bool {
    let scalars = cell.unicodeScalars
    guard let first = scalars.first, let sign = scalars.first(where: { !$0.properties.isWhitespace }) else {
      return false
    }
    return first == "\t" || first == "\r" || "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".unicodeScalars.contains(sign)
  }
}
