import NIOCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Holds each client to a rate: tokens that come back with time, one or twice a second's worth at most.
final class RateLimiter: Sendable {
  private struct Bucket {
    var tokens: Double
    var filled: ContinuousClock.Instant
  }

  private let rate: Double
  private var capacity: Double { max(1, 2 * rate) }
  private let buckets = Mutex(TwoGenerations<[UInt8], Bucket>())

  /// - Parameter rate: per second and client.
  init(rate: Double) { self.rate = rate }

  func admits(_ client: [UInt8], at now: ContinuousClock.Instant = .now) -> Bool {
    buckets.withLock { buckets in
      var bucket = buckets[client] ?? Bucket(tokens: capacity, filled: now)
      bucket.tokens = min(capacity, bucket.tokens + rate * ((now - bucket.filled) / .seconds(1)))
      bucket.filled = now
      defer { buckets[client] = bucket }
      guard bucket.tokens >= 1 else { return false }
      bucket.tokens -= 1
      return true
    }
  }

  /// Who a client is: an address, or of IPv6 the network that one customer usually has.
  static func client(_ address: SocketAddress?) -> [UInt8] {
    guard let text = address?.ipAddress else { return [] }
    var bytes = [UInt8](repeating: 0, count: 16)
    return inet_pton(AF_INET6, text, &bytes) == 1 ? Array(bytes.prefix(8)) : Array(text.utf8)
  }
}
