import HTTPTypes
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What is sent at once: the head of a response, and the file that is its body.
struct PromptAnswer {
  let head: HTTPResponse
  let body: OpenBlob
  /// Of the log whose answer it is.
  let metrics: Metrics
}

/// What a request for the bytes at a path asks for.
struct PlainRequest {
  let path: String
  let acceptsGzip: Bool

  /// - Returns: nil for a request that asks for more than that.
  init?(_ request: HTTPRequest) {
    let fields = request.headerFields
    guard request.method == .get, let path = request.path, fields[.ifNoneMatch] == nil, fields[.contentLength] == nil,
      fields[.transferEncoding] == nil, fields[.connection].map({ $0.lowercased() == "keep-alive" }) ?? true
    else { return nil }
    self.path = path
    acceptsGzip = StaticFace.acceptsGzip(fields[.acceptEncoding])
  }
}

/// The time as HTTP has it; its text is made once a second.
final class HTTPClock: Sendable {
  private let last = Mutex((second: time_t.min, text: ""))

  func date() -> String {
    let second = time(nil)
    return last.withLock { last in
      if last.second != second { last = (second, HTTPClock.text(second)) }
      return last.text
    }
  }

  /// As HTTP has dates (RFC 9110, section 5.6.7).
  static func text(_ second: time_t) -> String {
    var (second, parts) = (second, tm())
    gmtime_r(&second, &parts)
    let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
    return "\(day), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) \(clock) GMT"
  }
}
