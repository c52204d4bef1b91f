/// A moment as logs write it: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted (RFC 6962, 3.2).
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let milliseconds: UInt64

  public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

  /// Reads an RFC 3339 date and time of any offset; nil if it is none, or before 1970. Digits below the millisecond
  /// are dropped.
  public init?(rfc3339 text: some StringProtocol) {
    var parser = RFC3339Parser(text)
    guard let milliseconds = parser.milliseconds() else { return nil }
    self.milliseconds = milliseconds
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  /// RFC 3339 in UTC, with milliseconds where there are any: `2026-01-12T13:46:40.256Z`.
  ///
  /// Timestamps beyond the year 9999 get as many digits as their year needs.
  public var description: String {
    let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let (year, month, day) = Timestamp.date(daysSinceEpoch: days)
    let time = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Timestamp.padded($0, 2) }
    let fraction = rest % 1000 == 0 ? "" : "." + Timestamp.padded(rest % 1000, 3)
    return Timestamp.padded(year, 4) + "-" + Timestamp.padded(month, 2) + "-" + Timestamp.padded(day, 2) + "T"
      + time.joined(separator: ":") + fraction + "Z"
  }

  private static func padded(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The date in the Gregorian calendar; counted in years from March, so that the leap day is the last.
  private static func date(daysSinceEpoch: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
    let shifted = daysSinceEpoch + 719_468
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra + yearOfEra / 100 - (365 * yearOfEra + yearOfEra / 4)
    let fromMarch = (5 * dayOfYear + 2) / 153
    let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
  }
}

/// Reads `date-time` of RFC 3339, section 5.6.
private struct RFC3339Parser {
  private var rest: ArraySlice<UInt8>

  init(_ text: some StringProtocol) { rest = Array(text.utf8)[...] }

  mutating func milliseconds() -> UInt64? {
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
      skip("T") || skip("t"), let hour = number(2), skip(":"), let minute = number(2), skip(":"),
      let second = number(2), let fraction = fraction(), let offset = offset(), rest.isEmpty,
      (1...12).contains(month), (1...daysInMonth(month, year)).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds < 0 ? nil : UInt64(seconds * 1000 + fraction)
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func digit() -> Int? {
    guard let byte = rest.first, byte >= 0x30, byte <= 0x39 else { return nil }
    rest = rest.dropFirst()
    return Int(byte - 0x30)
  }

  private mutating func number(_ width: Int) -> Int? {
    var value = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Milliseconds; 0 where there is no fraction.
  private mutating func fraction() -> Int? {
    guard skip(".") else { return 0 }
    var (value, place) = (0, 100)
    guard let first = digit() else { return nil }
    value = first * place
    while let digit = digit() {
      place /= 10
      value += digit * place
    }
    return value
  }

  /// Seconds east of Greenwich.
  private mutating func offset() -> Int? {
    if skip("Z") || skip("z") { return 0 }
    let sign = skip("+") ? 1 : skip("-") ? -1 : 0
    guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }

  private func daysInMonth(_ month: Int, _ year: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  private func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years are counted from March; 4-digit years stay positive when shifted by an era.
    let shifted = year + 400 - (month <= 2 ? 1 : 0)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 146_097 - 719_468
  }
}
