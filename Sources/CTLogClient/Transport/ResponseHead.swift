/// What a response says of its body.
public struct ResponseHead: Hashable, Sendable {
  /// 200; or 304, where an entity tag was sent along.
  public let status: Int
  public let etag: String?
  public let contentType: String?
  /// How long the server asks to be left alone.
  public let retryAfter: Duration?

  public init(status: Int, etag: String? = nil, contentType: String? = nil, retryAfter: Duration? = nil) {
    self.status = status
    self.etag = etag
    self.contentType = contentType
    self.retryAfter = retryAfter
  }

  /// An entity tag that can be sent back; nil for any other.
  package static func entityTag(_ value: String) -> String? {
    value.utf8.count <= 256 && value.utf8.allSatisfy { (0x20...0x7e).contains($0) } ? value : nil
  }

  /// Reads Retry-After (RFC 9110, section 10.2.3): seconds, or a date.
  ///
  /// A date is measured from the response's own date where it has one, since the two clocks may differ.
  package static func retryAfter(_ value: String, date: String?, now: Int64) -> Duration? {
    let text = value.drop { $0 == " " }.prefix { $0 != " " && $0 != "," }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return .seconds(Int64(text).map { min($0, longest) } ?? longest)
    }
    guard let until = HTTPDate.seconds(value) else { return nil }
    let from = date.flatMap { HTTPDate.seconds($0) } ?? now
    return .seconds(min(max(until - from, 0), longest))
  }

  /// A year; nobody waits longer.
  private static let longest: Int64 = 366 * 86_400
}

/// The preferred date format of HTTP (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since 1970; nil if `text` is in another format. The day's name is not checked.
  package static func seconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", parts[0].hasSuffix(","), let day = number(parts[1], in: 1...31),
      let month = months.firstIndex(of: String(parts[2])), let year = number(parts[3], in: 1970...9999)
    else { return nil }
    let time = parts[4].split(separator: ":", omittingEmptySubsequences: false)
    guard time.count == 3, let hour = number(time[0], in: 0...23), let minute = number(time[1], in: 0...59),
      let second = number(time[2], in: 0...60)
    else { return nil }
    // Counted in years from March, so that the leap day is the last.
    let shifted = year - (month < 2 ? 1 : 0)
    let dayOfYear = (153 * Int64((month + 10) % 12) + 2) / 5 + day - 1
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    return days * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: Substring, in range: ClosedRange<Int64>) -> Int64? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text), range.contains(value)
    else { return nil }
    return value
  }
}
