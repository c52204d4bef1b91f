/// UTCTime and GeneralizedTime (RFC 5280, 4.1.2.5) as seconds since 1970.
package enum CertificateTime {
  /// Reads a Time; nil if it is none. Lenient: seconds may be absent, a zone may be given as an offset.
  package static func seconds(_ element: DERElement, in bytes: Span<UInt8>) -> Int64? {
    var digits = ArraySlice(bytes.copy(element.content))
    let yearDigits: Int
    switch element.tag {
    case DERTag.utcTime: yearDigits = 2
    case DERTag.generalizedTime: yearDigits = 4
    default: return nil
    }
    guard let rawYear = number(&digits, yearDigits), let month = number(&digits, 2), let day = number(&digits, 2),
      let hour = number(&digits, 2), let minute = number(&digits, 2)
    else { return nil }
    let second = digits.first.map { $0 >= 0x30 && $0 <= 0x39 } == true ? number(&digits, 2) : 0
    let year = yearDigits == 4 ? rawYear : rawYear + (rawYear < 50 ? 2000 : 1900)
    guard let second, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    guard let offset = zone(&digits) else { return nil }
    let days = daysSinceEpoch(year: year, month: month, day: day)
    return days * 86_400 + Int64(hour * 3600 + minute * 60 + second) - Int64(offset)
  }

  /// RFC 3339 in UTC of seconds since 1970: `2026-03-04T05:06:07Z`. Beyond the years 0 to 9999, which are all that
  /// certificates know, the nearest that can be written.
  package static func text(_ seconds: Int64) -> String {
    let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
    guard seconds < 0 else { return Timestamp(milliseconds: UInt64(seconds) * 1000).description }
    // Days and years repeat after 400 years of 146,097 days.
    let later = Timestamp(milliseconds: UInt64(seconds + 5 * 146_097 * 86_400) * 1000).description
    let year = String((Int(later.prefix(4)) ?? 2000) - 2000)
    return String(repeating: "0", count: max(0, 4 - year.count)) + year + later.dropFirst(4)
  }

  private static func number(_ digits: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
    guard digits.count >= count else { return nil }
    var value = 0
    for digit in digits.prefix(count) {
      guard digit >= 0x30, digit <= 0x39 else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    digits = digits.dropFirst(count)
    return value
  }

  /// Seconds east of Greenwich; a fraction of a second before the zone is passed over.
  private static func zone(_ digits: inout ArraySlice<UInt8>) -> Int? {
    if digits.first == UInt8(ascii: ".") {
      digits = digits.dropFirst().drop { $0 >= 0x30 && $0 <= 0x39 }
    }
    guard let sign = digits.first else { return 0 }
    digits = digits.dropFirst()
    if sign == UInt8(ascii: "Z") { return digits.isEmpty ? 0 : nil }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = number(&digits, 2),
      let minutes = number(&digits, 2), digits.isEmpty
    else { return nil }
    return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "+") ? 1 : -1)
  }

  /// Days from 1970-01-01 in the proleptic Gregorian calendar.
  private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }
}
