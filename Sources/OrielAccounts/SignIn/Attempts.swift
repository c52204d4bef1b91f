import OrielStore

/// How often something was tried.
struct Attempts {
  let connection: any SQLConnection
  let now: Int64

  /// Notes an attempt.
  ///
  /// - Throws: ``AccountError/limited(retryAfter:)`` if there were as many as may be in the last `window` milliseconds.
  ///   Attempts that a clock that was ahead dated further into the future do not count.
  func add(_ key: String, most: Int, within window: Int64) throws {
    let row = try connection.query(
      "SELECT count(*), min(at) FROM attempts WHERE key = ? AND at > ? AND at <= ?",
      [.text(key), .integer(now - window), .integer(now + window)]
    ).first
    if let count = row?.integer(0), count >= Int64(most) {
      throw AccountError.limited(retryAfter: min((row?.integer(1) ?? now) + window - now, window))
    }
    try connection.execute("INSERT INTO attempts (key, at) VALUES (?, ?)", [.text(key), .integer(now)])
  }
}
