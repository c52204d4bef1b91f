import CTLogClient
import MerkleTree

/// The issuers that a log did not give, each with the time before which it is not asked again: entries that name one
/// come by the thousand.
struct MissingIssuers {
  private struct Attempt {
    let error: any Error
    let at: Int64
    let wait: Int64
  }

  private var attempts: [SHA256Hash: Attempt] = [:]

  /// Milliseconds. What is missing seldom comes; a server in trouble gets out of it.
  private static let firstWait: (missing: Int64, trouble: Int64) = (60_000, 1000)
  private static let longestWait: Int64 = 3_600_000
  private static let capacity = 4096

  /// Why an issuer was not given when it was asked for last; nil where it may be asked for.
  func error(for hash: SHA256Hash, now: Int64) -> (any Error)? {
    guard let last = attempts[hash] else { return nil }
    // A clock that was set back must not make it wait longer.
    return now >= last.at && now - last.at < last.wait ? last.error : nil
  }

  mutating func failed(_ hash: SHA256Hash, _ error: any Error, now: Int64) {
    let first = RetryPolicy.isTransient(error) ? MissingIssuers.firstWait.trouble : MissingIssuers.firstWait.missing
    let wait = max(first, min((attempts[hash]?.wait ?? 0) * 2, MissingIssuers.longestWait))
    if attempts.count >= MissingIssuers.capacity { attempts.removeAll(keepingCapacity: true) }
    attempts[hash] = Attempt(error: error, at: now, wait: wait)
  }

  mutating func found(_ hash: SHA256Hash) { attempts[hash] = nil }
}
