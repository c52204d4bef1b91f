public import CertificateTransparency

/// A log list, and what is known of how good it is.
public struct LoadedLogList: Sendable {
  public enum Signature: Hashable, Sendable {
    case verified
    /// Nobody signs this list.
    case unsigned
    /// The list has to be signed and isn't, or not by the pinned key. It is for looking at, not for trusting.
    case invalid(reason: String)
  }

  public let list: LogList
  public let source: LogListSource
  /// When the source was last seen to have this list.
  public let fetchedAt: Timestamp
  public let signature: Signature
  /// Whether the list is older than browsers would still believe.
  public let isStale: Bool
  /// Whether it is the copy kept from an earlier time, since the source could not be had or was no good.
  public let fromCache: Bool
  /// Why it is the kept copy; or why the fresh one could not be kept.
  public internal(set) var trouble: String?

  /// Chrome stops enforcing CT when its list is this old.
  public static let staleAge = Duration.seconds(70 * 86_400)

  init(
    list: LogList, source: LogListSource, fetchedAt: Timestamp, signature: Signature, now: Timestamp,
    fromCache: Bool = false
  ) {
    self.list = list
    self.source = source
    self.fetchedAt = fetchedAt
    self.signature = signature
    self.fromCache = fromCache
    let made = (list.timestamp ?? fetchedAt).milliseconds
    let age = now.milliseconds > made ? now.milliseconds - made : 0
    isStale = age > UInt64(LoadedLogList.staleAge.components.seconds) * 1000
  }
}
