import CertificateTransparency

/// What a monitor is told once, at its start.
package struct MonitorSettings: Sendable {
  /// Where reading begins, for the logs that are there at the very first start.
  package var start: StartPolicy = .now
  /// Whether to stop when every log is verified to the head seen at start.
  package var once = false
  /// How long a log may stay unreachable before reading once gives it up.
  package var timeout: Duration = .seconds(60)
  /// Batches of one log that are read side by side, if nobody else needs the room.
  package var window = 5
  /// Batches that may be in flight beyond the one that each log always may have.
  package var extraBatches = 8
  /// How often a static-ct log is asked for its checkpoint.
  package var staticPollInterval: Duration = .seconds(15)
  /// How often an RFC 6962 log is asked for its signed tree head.
  package var rfc6962PollInterval: Duration = .seconds(60)
  /// How long to wait before a log that did not add up is read again.
  package var lyingPause: Duration = .seconds(300)
  /// How often the log lists are fetched again.
  package var listInterval: Duration = .seconds(3600)

  package init() {}

  func pollInterval(_ log: LogDescription) -> Duration {
    if case .staticCT = log.kind { return staticPollInterval }
    return rfc6962PollInterval
  }

  /// The same for an operator that bears only so many requests a second: asking for heads takes no more than a quarter
  /// of them.
  func pollInterval(_ log: LogDescription, rate: Double?) -> Duration {
    let usual = pollInterval(log)
    guard let rate, rate > 0 else { return usual }
    return max(usual, min(.seconds(4 / rate), usual * 10))
  }

  /// The age in milliseconds from which a head counts as frozen: the log's maximum merge delay, with room for one poll.
  func allowedAge(_ log: LogDescription) -> Int64 {
    Int64(clamping: log.maximumMergeDelay) * 1000 + 2 * pollInterval(log).milliseconds
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
