import OrielStore

extension SQLDatabase {
  /// Writes rows in transactions of some thousands, so that others who use the same file need not wait for all of them.
  ///
  /// - Parameter resting: whether half of the time is left to those others.
  func writeInLots<Row: Sendable>(
    _ rows: [Row], resting: Bool, _ write: @escaping @Sendable (Row, any SQLConnection) throws -> Void
  ) async throws {
    let count = 2048
    for start in stride(from: 0, to: rows.count, by: count) {
      let lot = Array(rows[start..<min(start + count, rows.count)])
      let begin = ContinuousClock.now
      try await transaction { connection in
        for row in lot { try write(row, connection) }
      }
      if resting { try await Task.sleep(for: ContinuousClock.now - begin) }
    }
  }
}
