/// How many there are, counted up to a ceiling.
package struct SearchCount: Hashable, Sendable {
  package let value: Int
  /// False where there may be more: nobody looked further than was asked for.
  package let isExact: Bool

  package init(value: Int, isExact: Bool) {
    self.value = value
    self.isExact = isExact
  }

  /// - Parameter counted: one more than the ceiling where there are more.
  package init(counted: Int64, ceiling: Int) {
    isExact = counted <= Int64(ceiling)
    value = min(Int(clamping: counted), ceiling)
  }

  /// What is to be said beside a page.
  ///
  /// - Parameters:
  ///   - count: nil where the page holds all there are.
  ///   - shown: how many are on it.
  package init(_ count: SearchCount?, shown: Int) {
    value = max(count?.value ?? 0, shown)
    isExact = count?.isExact ?? true
  }
}

/// A list of which those entries are counted that pass a filter.
package struct CountedList {
  /// Selects `entry_time` and `entry_number`.
  private let entries: String
  private let arguments: [SQLValue]
  /// Over these two; nil where all of them count.
  private let filter: String?
  private let filterArguments: [SQLValue]

  package init(entries: String, arguments: [SQLValue], filter: String?, filterArguments: [SQLValue]) {
    self.entries = entries
    self.arguments = arguments
    self.filter = filter
    self.filterArguments = filterArguments
  }

  /// - Parameters:
  ///   - ceiling: how far to count; nil to count all there are.
  ///   - least: how many entries are tried before it is left at that, at the least.
  package func count(_ connection: any SQLConnection, ceiling: Int?, least: Int = 4000) throws -> SearchCount {
    let ceiling = min(ceiling ?? .max, .max - 1)
    // Trying an entry takes much longer than reading it: a filter that lets few pass is not held against all there are.
    let isBounded = filter != nil && ceiling < .max - 1
    let tried = isBounded ? max(min(ceiling + 1, 10_001), least) : .max
    func count(_ filter: String, _ values: [SQLValue], limit: Int) throws -> Int64 {
      try connection.query(
        "SELECT count(*) FROM (SELECT 1 FROM (\(entries) LIMIT ?) WHERE \(filter) LIMIT ?)",
        arguments + [.integer(Int64(tried))] + values + [.integer(Int64(limit))]
      ).first?.integer(0) ?? 0
    }
    let found = SearchCount(
      counted: try count(filter ?? "true", filterArguments, limit: ceiling + 1), ceiling: ceiling)
    guard isBounded, found.isExact else { return found }
    // Where so many were tried, there are at least as many as were found among them.
    return SearchCount(value: found.value, isExact: try count("true", [], limit: tried) < tried)
  }
}
