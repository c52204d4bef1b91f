/// Files with one watched item a line.
///
/// Blank lines, and what follows a `#` at the start of a line or after white space, say nothing. Lines end with a line
/// feed, with or without a carriage return; a byte order mark at the start is passed over.
public enum Watchlist {
  /// How the lines are written.
  public enum Syntax: Sendable, CaseIterable {
    /// As ``WatchedItem`` reads them.
    case oriel
    /// As SSLMate's certspotter reads them: `example.com` is that name alone, `.example.com` that and all below it.
    ///
    /// Public suffixes are taken, and the option `valid_at:` is passed over, as certspotter does.
    case certspotter
  }

  /// Reads a list.
  ///
  /// - Throws: ``WatchlistError``, with the first twenty lines that cannot be read.
  public static func read(
    _ bytes: [UInt8], syntax: Syntax, allowPublicSuffix: Bool = false, publicSuffixes: PublicSuffixes = .system
  ) throws(WatchlistError) -> [WatchedItem] {
    try read(
      bytes.span, syntax: syntax, allowPublicSuffix: allowPublicSuffix, publicSuffixes: publicSuffixes)
  }

  /// Reads a list.
  ///
  /// - Throws: ``WatchlistError``, with the first twenty lines that cannot be read.
  public static func read(
    _ bytes: Span<UInt8>, syntax: Syntax, allowPublicSuffix: Bool = false, publicSuffixes: PublicSuffixes = .system
  ) throws(WatchlistError) -> [WatchedItem] {
    let parser = ItemParser(
      allowPublicSuffix: allowPublicSuffix || syntax == .certspotter, publicSuffixes: publicSuffixes,
      bareNameIsExact: syntax == .certspotter)
    var items: [WatchedItem] = []
    var failures = WatchlistError(lines: [], count: 0)
    var start = bytes.starts(with: "\u{FEFF}") ? 3 : 0
    var lineNumber = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != 0x0A { end += 1 }
      lineNumber += 1
      let whole = bytes.extracting(start..<end)
      let line = whole.extracting(0..<commentStart(whole))
      start = end + 1
      guard !line.trimmed.isEmpty else { continue }
      do {
        let item = syntax == .certspotter ? try itemWithoutOptions(line) : line.trimmed
        items.append(try parser.parse(line.extracting(item)))
      } catch {
        failures.add(error, line: lineNumber)
      }
    }
    guard failures.count == 0 else { throw failures }
    return items
  }

  /// Where the comment of a line starts; its end if it has none.
  private static func commentStart(_ line: Span<UInt8>) -> Int {
    for index in 0..<line.count where line[index] == 0x23 && (index == 0 || isWhiteSpace(line[index - 1])) {
      return index
    }
    return line.count
  }

  /// Where the first field of a line is; the fields after it are certspotter's options.
  private static func itemWithoutOptions(_ line: Span<UInt8>) throws(WatchedItemError) -> Range<Int> {
    let start = line.trimmed.lowerBound
    var end = start
    while end < line.count, !isWhiteSpace(line[end]) { end += 1 }
    for option in line.extracting(end...).array.split(whereSeparator: isWhiteSpace)
    where !option.starts(with: "valid_at:".utf8) {
      throw .unknownOption(String(decoding: option, as: UTF8.self))
    }
    return start..<end
  }
}

/// The lines of a watch list that cannot be read.
public struct WatchlistError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A line that cannot be read.
  public struct Line: Hashable, Sendable {
    /// Where it is, counted from 1.
    public let number: Int
    /// What is wrong with it.
    public let error: WatchedItemError
  }

  /// How many lines are reported.
  public static let limit = 20

  /// The first of them.
  public private(set) var lines: [Line]
  /// How many there are.
  public private(set) var count: Int

  fileprivate init(lines: [Line], count: Int) {
    self.lines = lines
    self.count = count
  }

  fileprivate mutating func add(_ error: WatchedItemError, line: Int) {
    count += 1
    if lines.count < WatchlistError.limit { lines.append(Line(number: line, error: error)) }
  }

  public var description: String {
    let shown = lines.map { "line \($0.number): \($0.error)" }.joined(separator: "\n")
    return count > lines.count ? "\(shown)\nand \(count - lines.count) more" : shown
  }
}
