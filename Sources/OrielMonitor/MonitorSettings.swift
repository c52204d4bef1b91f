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

  /// The age in milliseconds from which a head counts as frozen: the log's maximum merge delay, with room for one poll.
  func allowedAge(_ log: LogDescription) -> Int64 {
    let poll = pollInterval(log).components.seconds
    return (Int64(clamping: log.maximumMergeDelay) + 2 * poll) * 1000
  }
}
