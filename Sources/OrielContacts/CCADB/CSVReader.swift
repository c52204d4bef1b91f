/// Why a CSV document can't be used.
package enum CSVError: Error, Hashable, Sendable, CustomStringConvertible {
  case tooLarge(bytes: Int, limit: Int)
  case notCSV
  case missingColumn(String)
  case openQuote(line: Int)
  case fieldTooLong(line: Int)
  case tooManyFields(line: Int)
  case tooManyRows(limit: Int)

  package var description: String {
    switch self {
    case .tooLarge(let bytes, let limit): "the CSV has \(bytes) bytes; at most \(limit) are read"
    case .notCSV: "not a CSV: there is no line of column names"
    case .missingColumn(let name): "the CSV has no column “\(name)”"
    case .openQuote(let line): "the CSV ends within the quotation mark opened in line \(line); it may be cut off"
    case .fieldTooLong(let line):
      "the field of the CSV that begins in line \(line) is too long; a quotation mark may be missing"
    case .tooManyFields(let line): "line \(line) of the CSV has too many fields"
    case .tooManyRows(let limit): "the CSV has more than \(limit) rows"
    }
  }
}

/// Reads comma-separated values (RFC 4180) row by row, with the columns found by name.
///
/// Lenient where CCADB needs it: a mark of byte order in front, line feeds within quotes, line ends of either kind,
/// a comma at the end of a line, quotes within a field that has none around it.
struct CSVReader {
  static let byteLimit = 64 << 20
  static let rowLimit = 200_000
  static let fieldLimit = 1 << 17
  static let columnLimit = 512

  private let bytes: [UInt8]
  private var position: Int
  private var line = 1
  private var rows = 0
  private var columns: [String: Int] = [:]
  private var columnCount = 0
  private var wanted: [Int?] = []
  /// Rows that had more fields than there are columns; their columns can't be told, so they are passed over.
  private(set) var oddRows = 0

  init(_ bytes: [UInt8]) throws(CSVError) {
    guard bytes.count <= CSVReader.byteLimit else {
      throw .tooLarge(bytes: bytes.count, limit: CSVReader.byteLimit)
    }
    self.bytes = bytes
    position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard let header = try fields() else { throw .notCSV }
    let names = header.map { CSVReader.columnName(text($0)) }
    columnCount = names.count
    for (index, name) in names.enumerated() where !name.isEmpty && columns[name] == nil { columns[name] = index }
    guard columns.count > 1 || header.count == 1 && columns.count == 1 else { throw .notCSV }
  }

  /// Whether there is a column of that name.
  func has(_ name: String) -> Bool { columns[CSVReader.columnName(name)] != nil }

  /// Asks for columns: each row then has their texts in this order, empty where the document lacks an optional one.
  mutating func select(_ required: [String], optional: [String] = []) throws(CSVError) {
    for name in required where !has(name) { throw .missingColumn(name) }
    wanted = (required + optional).map { columns[CSVReader.columnName($0)] }
  }

  /// The chosen columns of the next row, blanks around them dropped; nil at the end.
  mutating func next() throws(CSVError) -> [String]? {
    while let row = try fields() {
      rows += 1
      guard rows <= CSVReader.rowLimit else { throw .tooManyRows(limit: CSVReader.rowLimit) }
      guard row.dropFirst(columnCount).allSatisfy(\.isEmpty) else {
        oddRows += 1
        continue
      }
      return wanted.map { $0.flatMap { $0 < row.count ? text(row[$0]) : nil } ?? "" }
    }
    return nil
  }

  /// Names are compared without case, blanks, and the question mark that some versions have at the end.
  private static func columnName(_ text: String) -> String {
    String(text.lowercased().filter { !$0.isWhitespace && $0 != "?" })
  }

  /// Where a field stands, the quotes around it left out.
  private struct Field {
    var range: Range<Int>
    var hasQuotes: Bool
    var isEmpty: Bool { range.isEmpty }
  }

  private func text(_ field: Field) -> String {
    var raw = bytes[field.range]
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
    raw = raw.drop(while: isBlank)
    while let last = raw.last, isBlank(last) { raw.removeLast() }
    guard field.hasQuotes else { return String(decoding: raw, as: UTF8.self) }
    var plain: [UInt8] = []
    var wasQuote = false
    for byte in raw {
      let isQuote = byte == UInt8(ascii: "\"")
      if isQuote, wasQuote {
        wasQuote = false
        continue
      }
      plain.append(byte)
      wasQuote = isQuote
    }
    return String(decoding: plain, as: UTF8.self)
  }

  /// The fields of the next line that is not blank.
  private mutating func fields() throws(CSVError) -> [Field]? {
    while position < bytes.count {
      var row: [Field] = []
      var isAtEnd = false
      while !isAtEnd {
        guard row.count < CSVReader.columnLimit else { throw .tooManyFields(line: line) }
        let (field, isLast) = try field()
        row.append(field)
        isAtEnd = isLast
      }
      if row.contains(where: { !$0.isEmpty }) { return row }
    }
    return nil
  }

  /// The next field, and whether the line ends after it.
  private mutating func field() throws(CSVError) -> (Field, isLast: Bool) {
    let firstLine = line
    let hasQuotes = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
    if hasQuotes { position += 1 }
    let start = position
    var end: Int?
    while position < bytes.count {
      guard position - start <= CSVReader.fieldLimit else { throw .fieldTooLong(line: firstLine) }
      let byte = bytes[position]
      if byte == 0x0a { line += 1 }
      if hasQuotes, end == nil {
        if byte == UInt8(ascii: "\"") {
          if position + 1 < bytes.count, bytes[position + 1] == byte { position += 1 } else { end = position }
        }
      } else if byte == UInt8(ascii: ",") || byte == 0x0a {
        let field = Field(range: start..<(end ?? position), hasQuotes: hasQuotes)
        position += 1
        return (field, byte == 0x0a)
      }
      position += 1
    }
    guard !hasQuotes || end != nil else { throw .openQuote(line: firstLine) }
    return (Field(range: start..<(end ?? position), hasQuotes: hasQuotes), true)
  }
}
