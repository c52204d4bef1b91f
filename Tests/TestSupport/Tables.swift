/// The cells of a table (RFC 4180), as a reader takes them scalar by scalar; what does not end with a line end is left out.
public func tableRows(_ csv: String) -> [[String]] {
  var (rows, row, cell, isQuoted) = ([[String]](), [String](), String.UnicodeScalarView(), false)
  var rest = csv.unicodeScalars[...]
  while let scalar = rest.popFirst() {
    switch scalar {
    case "\"" where isQuoted && rest.first == "\"":
      cell.append("\"")
      rest = rest.dropFirst()
    case "\"": isQuoted.toggle()
    case "," where !isQuoted:
      row.append(String(cell))
      cell = .init()
    case "\r" where !isQuoted: break
    case "\n" where !isQuoted:
      rows.append(row + [String(cell)])
      (row, cell) = ([], .init())
    default: cell.append(scalar)
    }
  }
  return rows
}
