/// Why a URL gave no usable body.
public struct FetchError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, with what is known of it.
  public enum Reason: Hashable, Sendable {
    /// The server refused. `body` is what it said, at most 200 bytes of it, made fit for a terminal.
    case status(code: Int, retryAfter: Duration?, body: String)
    /// There is more to come than the caller takes.
    case tooLarge(limit: Int)
    /// The whole, or the next piece of it, did not come in time.
    case timedOut(after: Duration)
    /// The server sends the reader elsewhere; that is for a person to decide.
    case redirect(to: String)
    /// No connection, or none that can be trusted.
    case connection(String)
    /// The connection ended before the body did.
    case truncated(expected: Int?, got: Int)
    /// Not an address that can be fetched.
    case badURL(String)
  }

  public let url: String
  public let reason: Reason

  public init(url: String, reason: Reason) {
    self.url = url
    self.reason = reason
  }

  /// Whether the same request may well succeed later.
  public var isTransient: Bool {
    switch reason {
    case .status(let code, _, _): code == 429 || code == 408 || code >= 500
    case .timedOut, .connection, .truncated: true
    case .tooLarge, .redirect, .badURL: false
    }
  }

  /// The status code that the server refused with; nil if it did not.
  public var statusCode: Int? {
    if case .status(let code, _, _) = reason { code } else { nil }
  }

  /// Whether the server answered that it will not or can't: what it does not know, asking again will not change.
  public var isRefusal: Bool { statusCode != nil && !isTransient }

  /// How long the server asked to be left alone.
  public var retryAfter: Duration? {
    if case .status(_, let retryAfter, _) = reason { retryAfter } else { nil }
  }

  public var description: String { "\(url): \(reason.text)" }
}

extension FetchError.Reason {
  fileprivate var text: String {
    switch self {
    case .status(let code, let retryAfter, let body):
      "status \(code)" + (retryAfter.map { ", retry after \($0)" } ?? "") + (body.isEmpty ? "" : ": \(body)")
    case .tooLarge(let limit): "the body has more than \(limit) bytes"
    case .timedOut(let duration): "not complete after \(duration)"
    case .redirect(let target): "redirected to \(target), which is not followed"
    case .connection(let reason): "no connection: \(reason)"
    case .truncated(let expected?, let got): "the body ended after \(got) of \(expected) bytes"
    case .truncated(nil, let got): "the body broke off after \(got) bytes"
    case .badURL(let reason): "not an address to fetch from: \(reason)"
    }
  }
}
