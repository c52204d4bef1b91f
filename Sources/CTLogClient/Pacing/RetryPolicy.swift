/// How long to wait before a request that failed is made again.
public struct RetryPolicy: Hashable, Sendable {
  public var first: Duration
  public var longest: Duration
  /// What a server may ask for at most; one that asks for days is asked again sooner.
  public var longestRetryAfter: Duration

  public init(
    first: Duration = .milliseconds(500), longest: Duration = .seconds(60), longestRetryAfter: Duration = .seconds(3600)
  ) {
    self.first = first
    self.longest = longest
    self.longestRetryAfter = longestRetryAfter
  }

  /// The wait after so many failures in a row: doubling, and scattered over its upper half so that clients that failed
  /// together do not come back together; never less than the server asked for.
  ///
  /// - Parameter random: in 0..<1.
  public func delay(afterFailures failures: Int, error: (any Error)? = nil, random: Double) -> Duration {
    var delay = first
    var doublings = failures - 1
    while doublings > 0, delay < longest {
      delay *= 2
      doublings -= 1
    }
    delay = min(delay, longest) * (0.5 + min(max(random, 0), 1) / 2)
    let asked = (error as? FetchError)?.retryAfter ?? .zero
    return max(delay, min(asked, longestRetryAfter))
  }

  /// The usual wait, scattered at random.
  public static func delay(afterFailures failures: Int, error: (any Error)? = nil) -> Duration {
    RetryPolicy().delay(afterFailures: failures, error: error, random: .random(in: 0..<1))
  }

  /// Whether it makes sense to try again after `error`.
  public static func isTransient(_ error: any Error) -> Bool { (error as? FetchError)?.isTransient ?? false }
}
